-- Publications that hold one of the relations $1: name, and whether it lists the table itself, holds
-- all tables, or (neither) all of a schema.
select distinct
  p.pubname::text,
  p.puballtables::text,
  exists (select from pg_catalog.pg_publication_rel r
          where r.prpubid = p.oid and r.prrelid = any ($1::oid[]))::text
from pg_catalog.pg_publication_tables t
join pg_catalog.pg_publication p on p.pubname = t.pubname
join pg_catalog.pg_class c on c.relname = t.tablename
join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = t.schemaname
where c.oid = any ($1::oid[])
order by 1
