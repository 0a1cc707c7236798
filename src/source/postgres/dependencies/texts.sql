-- Texts that the catalogue does not look into: arguments of triggers, and defaults with a string in
-- them, of relations other than $1: kind, schema, name, table, text.
select *
from (
  select 'trigger' as kind, n.nspname::text as schema, t.tgname::text as name,
         t.tgrelid::regclass::text as relation,
         replace(encode(t.tgargs, 'escape'), '\000', ' ') as said
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where t.tgnargs > 0 and not t.tgisinternal and t.tgrelid <> all ($1::oid[])
  union all
  select 'default', n.nspname, c.relname || '.' || a.attname, d.adrelid::regclass::text,
         pg_get_expr(d.adbin, d.adrelid)
  from pg_catalog.pg_attrdef d
  join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
  join pg_catalog.pg_class c on c.oid = d.adrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where d.adrelid <> all ($1::oid[])
    and n.nspname not in ('pg_catalog', 'information_schema')
    and strpos(pg_get_expr(d.adbin, d.adrelid), '''') > 0
) as found
order by kind, schema, name
