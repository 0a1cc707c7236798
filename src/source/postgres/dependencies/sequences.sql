-- Sequences that columns of the relations $1 own: oid, schema, name, column.
select s.oid::text, n.nspname::text, s.relname::text, a.attname::text
from pg_catalog.pg_depend d
join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
join pg_catalog.pg_namespace n on n.oid = s.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
where d.classid = 'pg_catalog.pg_class'::regclass
  and d.refclassid = 'pg_catalog.pg_class'::regclass
  and d.refobjid = any ($1::oid[]) and d.refobjsubid > 0 and d.deptype in ('a', 'i')
order by 2, 3
