-- The columns of a relation, domains followed to their base type. Two answers on null: may a row be written
-- without a value, and can none be read that has none?
with recursive base (attnum, oid, typmod, not_null) as (
  select a.attnum, a.atttypid, a.atttypmod, a.attnotnull
  from pg_catalog.pg_attribute a
  where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
  union all
  select base.attnum, t.typbasetype, t.typtypmod, base.not_null or t.typnotnull
  from base join pg_catalog.pg_type t on t.oid = base.oid
  where t.typtype = 'd'
),
-- The relation with its partitions and children, whose rows are read with its own.
tree (oid) as (
  select $1::oid
  union
  select i.inhrelid from pg_catalog.pg_inherits i join tree on i.inhparent = tree.oid
),
-- Columns that are never null in any of them. Each table says so for itself: a child may have dropped what
-- its parent says, a foreign table only claims it, and a constraint that is not validated (version 18) says
-- nothing of the rows that were there before. A domain's NOT NULL lets nulls through, outer joins for one.
sure (attname) as (
  select m.attname
  from tree
  join pg_catalog.pg_class c on c.oid = tree.oid and c.relkind in ('r', 'p')
  join pg_catalog.pg_attribute m on m.attrelid = c.oid and m.attnum > 0 and not m.attisdropped
  where m.attnotnull
    and not exists (
      select from pg_catalog.pg_constraint k
      where k.conrelid = c.oid and k.contype = 'n' and k.conkey = array[m.attnum] and not k.convalidated)
  group by m.attname
  having count(*) = (select count(*) from tree)
)
select
  a.attname::text,
  format_type(a.atttypid, a.atttypmod),
  case when tn.nspname = 'pg_catalog' then format_type(t.oid, -1)
       else quote_ident(tn.nspname) || '.' || quote_ident(t.typname) end,
  base.not_null::text,
  coalesce(pg_get_expr(d.adbin, d.adrelid), t.typdefault),
  (a.attidentity <> '' or a.attgenerated <> '')::text,
  (select json_agg(e.enumlabel order by e.enumsortorder)::text
     from pg_catalog.pg_enum e where e.enumtypid = b.oid),
  b.typname::text,
  (bn.nspname = 'pg_catalog')::text,
  b.typtype::text,
  has_column_privilege(a.attrelid, a.attnum, 'select')::text,
  (a.attname in (select sure.attname from sure))::text,
  format_type(b.oid, base.typmod),
  (select json_agg(json_build_array(k.conname, pg_get_constraintdef(k.oid)) order by k.conname)::text
     from base as chain
     join pg_catalog.pg_constraint k on k.contypid = chain.oid and k.contype = 'c'
    where chain.attnum = a.attnum)
from pg_catalog.pg_attribute a
join base on base.attnum = a.attnum
join pg_catalog.pg_type b on b.oid = base.oid and b.typtype <> 'd'
join pg_catalog.pg_namespace bn on bn.oid = b.typnamespace
join pg_catalog.pg_type t on t.oid = a.atttypid
join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = $1::oid
order by a.attnum
