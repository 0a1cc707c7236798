-- The relations whose rows view $1 shows, also through other views: kind, schema, name.
with recursive beneath (oid) as (
  select $1::oid
  union
  select d.refobjid
  from beneath
  join pg_catalog.pg_class v on v.oid = beneath.oid and v.relkind in ('v', 'm')
  join pg_catalog.pg_rewrite r on r.ev_class = v.oid
  join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
  where d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> v.oid
)
select
  case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
    when 'p' then 'partitioned table' else 'table' end,
  n.nspname::text, c.relname::text
from beneath
join pg_catalog.pg_class c on c.oid = beneath.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid <> $1::oid and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname not in ('pg_catalog', 'information_schema')
order by 1, 2, 3
