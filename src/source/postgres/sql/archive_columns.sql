-- The columns of relation $1 as an archive names them: name, type, not null, default, generated
-- expression, identity, and what a fresh database needs first to know the type.
select
  a.attname::text,
  format_type(a.atttypid, a.atttypmod),
  a.attnotnull::text,
  case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
  case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end,
  (a.attidentity <> '')::text,
  case
    when n.nspname = 'pg_catalog' then null
    when t.typtype = 'e' then
      'create type ' || format_type(t.oid, -1) || ' as enum (' || (
        select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
          from pg_catalog.pg_enum as e where e.enumtypid = t.oid) || ');'
    else 'type ' || format_type(t.oid, -1)
  end
from pg_catalog.pg_attribute as a
join pg_catalog.pg_type as c on c.oid = a.atttypid
-- The type of an array's elements.
join pg_catalog.pg_type as t on t.oid = case when c.typelem <> 0 and c.typlen = -1 then c.typelem else c.oid end
join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
left join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = $1::oid
  and a.attnum > 0
  and not a.attisdropped
order by a.attnum
