-- The partitions of relation $1 that hold rows, with what each of them asks of a row beyond what $1 does: name,
-- bounds as a condition, name and definition of a CHECK constraint (a row for each, or one without).
with recursive tree (oid) as (
  select $1::oid
  union
  select i.inhrelid from pg_catalog.pg_inherits i join tree on i.inhparent = tree.oid
)
select n.nspname || '.' || c.relname, pg_get_partition_constraintdef(c.oid), k.conname::text, pg_get_constraintdef(k.oid)
from tree
join pg_catalog.pg_class c on c.oid = tree.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_constraint k on k.conrelid = c.oid and k.contype = 'c'
  and not exists (
    select from pg_catalog.pg_constraint own
    where own.conrelid = $1::oid and own.contype = 'c' and own.conname = k.conname)
where c.relispartition and c.relkind <> 'p' and c.oid <> $1::oid
order by 1, 3
