-- The relation $1 and everything that inherits from it or is a partition of it.
with recursive member (oid, depth) as (
  select $1::oid, 0
  union
  select i.inhrelid, member.depth + 1
  from pg_catalog.pg_inherits i join member on i.inhparent = member.oid
)
select distinct on (c.oid)
  c.oid::text, n.nspname::text, c.relname::text, c.relkind::text, c.relispartition::text
from member
join pg_catalog.pg_class c on c.oid = member.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
order by c.oid
