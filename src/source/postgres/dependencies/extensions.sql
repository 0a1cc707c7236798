-- Extensions that one of the relations $1 is a member of: extension, relation.
select e.extname::text, d.objid::regclass::text
from pg_catalog.pg_depend d
join pg_catalog.pg_extension e on e.oid = d.refobjid
where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = any ($1::oid[])
  and d.refclassid = 'pg_catalog.pg_extension'::regclass and d.deptype = 'e'
order by 1, 2
