-- Foreign tables whose rows are read with relation $1: itself, its partitions and children.
with recursive tree (oid) as (
  select $1::oid
  union
  select i.inhrelid from pg_catalog.pg_inherits i join tree on i.inhparent = tree.oid
)
select c.oid::text, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
from tree
join pg_catalog.pg_class c on c.oid = tree.oid and c.relkind = 'f'
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
order by 2
