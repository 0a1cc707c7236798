-- What is not what the snapshot knows: relations that are read with relation $1 (itself, its partitions
-- and children, what stands under views) whose file is another one now, and the relation itself where its
-- name $2 means another one. pg_class is seen as of the snapshot; the two functions see the latest state.
with recursive read (oid) as (
  select $1::oid
  union
  select below.oid
  from read
  cross join lateral (
    select i.inhrelid as oid from pg_catalog.pg_inherits i where i.inhparent = read.oid
    union all
    select d.refobjid
    from pg_catalog.pg_class v
    join pg_catalog.pg_rewrite r on r.ev_class = v.oid
    join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
    where v.oid = read.oid and v.relkind = 'v'
      and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid <> v.oid
  ) as below
)
select n.nspname || '.' || c.relname
from read
join pg_catalog.pg_class c on c.oid = read.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and c.relfilenode <> 0
  and c.relfilenode is distinct from pg_relation_filenode(c.oid)
union all
select $2 where to_regclass($2)::oid is distinct from $1::oid
order by 1
