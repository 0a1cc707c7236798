-- Everything that hangs on a table, one row each: kind, name, definition, and flags of the kind.
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
(select 'trigger', t.tgname::text, n.nspname || '.' || p.proname, t.tgtype::text
from pg_catalog.pg_trigger t
join pg_catalog.pg_proc p on p.oid = t.tgfoid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where t.tgrelid = $1::oid and not t.tgisinternal and t.tgenabled <> 'D'
order by t.tgname)
union all
(select 'referenced_by', k.conname::text, pg_get_constraintdef(k.oid),
        (k.confdeltype in ('c', 'n', 'd'))::text || ' ' || n.nspname || '.' || c.relname
from pg_catalog.pg_constraint k
join pg_catalog.pg_class c on c.oid = k.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where k.confrelid = $1::oid and k.contype = 'f'
order by k.conname, 4)
union all
(select 'index', c.relname::text, pg_get_indexdef(i.indexrelid), null
from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
where i.indrelid = $1::oid and i.indisvalid
order by c.relname)
