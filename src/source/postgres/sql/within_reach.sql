-- Tables with row-level security that role $1 may read, all of them or some columns.
select c.oid::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relrowsecurity
  and c.relkind in ('r', 'p')
  and has_schema_privilege($1::name, n.oid, 'usage')
  and has_any_column_privilege($1::name, c.oid, 'select')
order by n.nspname, c.relname
