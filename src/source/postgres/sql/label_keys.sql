-- Foreign keys that column $2 of relation $1 has to meet: name, the partition of $1 that it belongs to, and the table and
-- column that it points at; the column is null where others count as well, where it is a table that looks up in itself, or
-- where policies may hide rows from this role.
with recursive tree (oid) as (
  select $1::oid
  union
  select c.oid
  from tree
  join pg_catalog.pg_inherits i on i.inhparent = tree.oid
  join pg_catalog.pg_class c on c.oid = i.inhrelid and c.relispartition
)
select
  k.conname::text,
  case when own.oid <> $1::oid then ns.nspname || '.' || own.relname end,
  case when other.relkind = 'r' then 'only ' else '' end || quote_ident(os.nspname) || '.' || quote_ident(other.relname),
  os.nspname || '.' || other.relname,
  case when cardinality(k.conkey) = 1 and k.confrelid <> $1::oid and not row_security_active(other.oid)
       then quote_ident(there.attname) end
from tree
join pg_catalog.pg_constraint k on k.conrelid = tree.oid and k.contype = 'f' and k.conparentid = 0
join pg_catalog.pg_attribute here on here.attrelid = k.conrelid and here.attnum = any (k.conkey)
join pg_catalog.pg_class own on own.oid = k.conrelid
join pg_catalog.pg_namespace ns on ns.oid = own.relnamespace
join pg_catalog.pg_class other on other.oid = k.confrelid
join pg_catalog.pg_namespace os on os.oid = other.relnamespace
join pg_catalog.pg_attribute there on there.attrelid = k.confrelid and there.attnum = k.confkey[1]
where here.attname::text = $2
  -- Since version 18 a key may be one that nobody looks at.
  and coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
order by 1, 2
