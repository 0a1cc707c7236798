-- What relation $1 inherits from or is a partition of, and what inherits from it: kind, schema, name,
-- other end.
with recursive above (oid, below) as (
  select i.inhparent, i.inhrelid from pg_catalog.pg_inherits i where i.inhrelid = $1::oid
  union
  select i.inhparent, i.inhrelid from pg_catalog.pg_inherits i join above on i.inhrelid = above.oid
), under (oid, above) as (
  select i.inhrelid, i.inhparent from pg_catalog.pg_inherits i where i.inhparent = $1::oid
  union
  select i.inhrelid, i.inhparent from pg_catalog.pg_inherits i join under on i.inhparent = under.oid
), found (oid, other, is_above) as (
  select oid, below, true from above
  union all
  select oid, above, false from under
)
select
  case when found.is_above then case c.relkind when 'p' then 'partitioned table' else 'parent table' end
       else case when c.relispartition then 'partition' else 'child table' end end,
  n.nspname::text, c.relname::text, found.other::regclass::text
from found
join pg_catalog.pg_class c on c.oid = found.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
order by 1, 2, 3, 4
