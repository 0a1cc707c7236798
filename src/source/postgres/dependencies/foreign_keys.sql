-- Foreign keys between the relations $1 and others: direction, schema, name, referencing and
-- referenced table, definition. Those that a partition has from its parent are left out.
select
  case when k.confrelid = any ($1::oid[]) and k.conrelid = any ($1::oid[]) then 'self'
       when k.confrelid = any ($1::oid[]) then 'in' else 'out' end,
  n.nspname::text, k.conname::text,
  k.conrelid::regclass::text, k.confrelid::regclass::text, pg_get_constraintdef(k.oid)
from pg_catalog.pg_constraint k
join pg_catalog.pg_namespace n on n.oid = k.connamespace
where k.contype = 'f' and k.conparentid = 0
  and (k.confrelid = any ($1::oid[]) or k.conrelid = any ($1::oid[]))
order by 1, 2, 3, 4
