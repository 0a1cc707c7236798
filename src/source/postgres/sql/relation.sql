-- One relation by schema ('' = search path) and name, with what this role may do with it.
select
  c.oid::text,
  n.nspname::text,
  c.relname::text,
  c.relkind::text,
  c.relispopulated::text,
  has_schema_privilege(n.oid, 'usage')::text,
  has_table_privilege(c.oid, 'select')::text,
  greatest(c.reltuples, -1)::bigint::text,
  current_user::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = $2
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and case when $1 = '' then n.nspname = any (current_schemas(true)) else n.nspname = $1 end
order by array_position(current_schemas(true), n.nspname)
limit 1
