-- The relations that view $1 reads.
select distinct d.refobjid::text
from pg_catalog.pg_rewrite r
join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
join pg_catalog.pg_class c on c.oid = d.refobjid
where r.ev_class = $1::oid
  and d.refclassid = 'pg_catalog.pg_class'::regclass
  and d.refobjid <> r.ev_class
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by 1
