-- Everything that hangs on a table, one row each: kind, name, definition, and flags of the kind. Triggers
-- and foreign keys on its partitions and heirs act on its rows too.
with recursive tree (oid, is_partition) as (
  select $1::oid, true
  union
  select i.inhrelid, c.relispartition
  from pg_catalog.pg_inherits i
  join tree on i.inhparent = tree.oid
  join pg_catalog.pg_class c on c.oid = i.inhrelid
)
(select 'primary_key', a.attname::text, null::text, null::text
from pg_catalog.pg_index i
cross join lateral unnest(i.indkey::smallint[]) with ordinality as k (attnum, place)
join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
where i.indrelid = $1::oid and i.indisprimary and k.place <= i.indnkeyatts
order by k.place)
union all
(select 'check', conname::text, pg_get_constraintdef(oid), null
from pg_catalog.pg_constraint where conrelid = $1::oid and contype = 'c' order by conname)
union all
(select 'limit', conname::text, pg_get_constraintdef(oid), null
from pg_catalog.pg_constraint where conrelid = $1::oid and contype in ('f', 'x') order by conname)
union all
-- Rows that were there before may stand against it. One that is not enforced refuses none.
(select 'unproven', k.conname::text, d.definition, format('%I.%I', n.nspname, c.relname)
from tree
join pg_catalog.pg_constraint k on k.conrelid = tree.oid
join pg_catalog.pg_class c on c.oid = k.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
cross join lateral pg_get_constraintdef(k.oid) as d (definition)
where k.contype in ('c', 'f', 'n') and not k.convalidated and d.definition not like '% NOT ENFORCED'
order by k.conname, 4)
union all
select 'partition_key', ''::text, pg_get_partkeydef($1::oid), null
from pg_catalog.pg_class where oid = $1::oid and relkind = 'p'
union all
(select 'heir', n.nspname || '.' || c.relname, null, null
from tree
join pg_catalog.pg_class c on c.oid = tree.oid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where tree.oid <> $1::oid and not tree.is_partition
order by 2)
union all
(select 'trigger', t.tgname::text, n.nspname || '.' || p.proname, t.tgtype::text
from pg_catalog.pg_trigger t
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where t.tgrelid = $1::oid and not t.tgisinternal and t.tgenabled <> 'D'
order by t.tgname)
union all
-- Those of each row, but those that the table hands down. Rows that come in do not go to heirs.
(select 'trigger', t.tgname || ' on ' || cn.nspname || '.' || c.relname, n.nspname || '.' || p.proname,
        (case when tree.is_partition then t.tgtype::int else t.tgtype::int & ~4 end)::text
from tree
join pg_catalog.pg_trigger t on t.tgrelid = tree.oid
join pg_catalog.pg_class c on c.oid = t.tgrelid
join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where tree.oid <> $1::oid and t.tgtype & 1 <> 0 and not t.tgisinternal and t.tgenabled <> 'D'
  and not exists (
    select 1 from tree up join pg_catalog.pg_trigger above on above.tgrelid = up.oid
    join pg_catalog.pg_class a on a.oid = up.oid
    where a.relkind = 'p' and up.oid <> tree.oid
      and above.tgname = t.tgname and above.tgfoid = t.tgfoid and above.tgtype = t.tgtype)
order by 2)
union all
(select 'referenced_by', k.conname::text, pg_get_constraintdef(k.oid),
        (k.confdeltype in ('c', 'n', 'd'))::text || ' ' || n.nspname || '.' || c.relname
from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where k.confrelid in (select oid from tree) and k.contype = 'f'
  and not exists (
    select 1 from pg_catalog.pg_constraint up
    where up.oid = k.conparentid and up.confrelid in (select oid from tree))
order by k.conname, 4)
union all
(select 'index', c.relname::text, pg_get_indexdef(i.indexrelid), null
from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
where i.indrelid = $1::oid and i.indisvalid
order by c.relname)
