-- What decides whether role $2 sees every row of relation $1.
select
  quote_ident(n.nspname) || '.' || quote_ident(c.relname),
  c.relkind::text,
  pg_get_userbyid(c.relowner)::text,
  c.relrowsecurity::text,
  c.relforcerowsecurity::text,
  coalesce((select bool_or(o.option_value::boolean) from pg_options_to_table(c.reloptions) o
             where o.option_name = 'security_invoker'), false)::text,
  coalesce((select r.rolsuper or r.rolbypassrls from pg_catalog.pg_roles r where r.rolname = $2), false)::text,
  pg_has_role($2::name, c.relowner, 'usage')::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = $1::oid
