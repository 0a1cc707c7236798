-- Texts that the catalogue does not look into: arguments of triggers, options of foreign tables, and
-- defaults, views, rules and policies with a string in them, of relations other than $1: kind, schema,
-- name, table, text. Of the longer ones only those with one of the names $2 (a line each) in them.
with wanted as (
  select string_to_array(lower($2), chr(10)) as names
)
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
  union all
  select 'foreign table', n.nspname, c.relname, c.oid::regclass::text, array_to_string(f.ftoptions, ' ')
  from pg_catalog.pg_foreign_table f
  join pg_catalog.pg_class c on c.oid = f.ftrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.oid <> all ($1::oid[])
  union all
  select long.kind, n.nspname, long.name, c.oid::regclass::text, long.said
  from (
    select case v.relkind when 'v' then 'view' else 'materialized view' end as kind, v.relname as name,
           v.oid as relation, pg_get_viewdef(v.oid) as said
    from pg_catalog.pg_class v
    where v.relkind in ('v', 'm')
    union all
    select 'rule', r.rulename, r.ev_class, pg_get_ruledef(r.oid)
    from pg_catalog.pg_rewrite r
    where r.rulename <> '_RETURN'
    union all
    select 'policy', p.polname, p.polrelid,
           concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    from pg_catalog.pg_policy p
  ) as long
  join pg_catalog.pg_class c on c.oid = long.relation
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.oid <> all ($1::oid[])
    and n.nspname not in ('pg_catalog', 'information_schema')
    and exists (
      select from wanted, unnest(wanted.names) as one (name)
      where strpos(lower(long.said), one.name) > 0
    )
) as found
order by kind, schema, name
