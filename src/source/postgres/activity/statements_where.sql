-- The schema of the extension pg_stat_statements, whether this role sees the statements of others,
-- and since when they are counted ($1: to_regclass of the view that tells).
select
  quote_ident(n.nspname),
  (r.rolsuper or pg_has_role(current_user, 'pg_read_all_stats', 'usage'))::text
from pg_catalog.pg_extension e
join pg_catalog.pg_namespace n on n.oid = e.extnamespace
join pg_catalog.pg_roles r on r.rolname = current_user
where e.extname = 'pg_stat_statements'
