-- The relation with everything that inherits from it or is a partition of it: can its rows be asked
-- for by block, how many blocks has the largest member, how many have all, how many rows.
with recursive tree (oid) as (
  select $1::oid
  union
  select i.inhrelid from pg_catalog.pg_inherits i join tree on i.inhparent = tree.oid
)
select
  bool_and(c.relkind = 'p' or c.relkind in ('r', 'm') and am.amname = 'heap')::text,
  max(coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::bigint)::text,
  sum(coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::bigint)::text,
  (case when bool_or(c.reltuples < 0 and c.relkind <> 'p') then -1
        else sum(case when c.relkind = 'p' then 0 else c.reltuples end) end)::bigint::text
from tree
join pg_catalog.pg_class c on c.oid = tree.oid
left join pg_catalog.pg_am am on am.oid = c.relam
