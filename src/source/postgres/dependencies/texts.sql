-- Texts that the catalogue does not look into: options of foreign tables and the names that these have
-- without options; defaults with a string in them; and definitions of triggers (their arguments and
-- conditions), views, rules, policies, constraints, domains, indexes, statistics and partition keys, of
-- relations other than $1: kind, schema, name, table, text. Of the definitions only those with one of the
-- names $2 (a line each) in them, or a function that runs SQL.
with wanted as (
  select string_to_array(lower($2), chr(10)) as names
)
select *
from (
  select 'default' as kind, n.nspname::text as schema, c.relname || '.' || a.attname as name,
         d.adrelid::regclass::text as relation, pg_get_expr(d.adbin, d.adrelid) as said
  from pg_catalog.pg_attrdef d
  join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
  join pg_catalog.pg_class c on c.oid = d.adrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where d.adrelid <> all ($1::oid[])
    and n.nspname not in ('pg_catalog', 'information_schema')
    and strpos(pg_get_expr(d.adbin, d.adrelid), '''') > 0
  union all
  select 'foreign table', n.nspname, c.relname, c.oid::regclass::text,
         -- Without an option the table over there has the name of this one; postgres_fdw takes its
         -- schema as well, and one that is not here stands for nothing else.
         concat_ws(' ', array_to_string(f.ftoptions, ' '),
           case when named.is_table then null
                when w.fdwname <> 'postgres_fdw' then c.relname
                when coalesce(named.schema, n.nspname) not in (select nspname from pg_catalog.pg_namespace) then null
                else coalesce(named.schema, n.nspname) || '.' || c.relname end)
  from pg_catalog.pg_foreign_table f
  join pg_catalog.pg_class c on c.oid = f.ftrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  join pg_catalog.pg_foreign_server s on s.oid = f.ftserver
  join pg_catalog.pg_foreign_data_wrapper w on w.oid = s.srvfdw
  cross join lateral (
    select coalesce(bool_or(o.option_name in ('table_name', 'table')), false) as is_table,
           max(o.option_value) filter (where o.option_name = 'schema_name') as schema
    from pg_options_to_table(f.ftoptions) as o
  ) as named
  where c.oid <> all ($1::oid[])
  union all
  select 'domain', n.nspname, t.typname, t.oid::regtype::text, pg_get_expr(t.typdefaultbin, 0)
  from pg_catalog.pg_type t
  join pg_catalog.pg_namespace n on n.oid = t.typnamespace
  where t.typtype = 'd' and t.typdefaultbin is not null
  union all
  select 'constraint', n.nspname, k.conname, k.contypid::regtype::text, pg_get_constraintdef(k.oid)
  from pg_catalog.pg_constraint k
  join pg_catalog.pg_namespace n on n.oid = k.connamespace
  where k.contypid <> 0 and n.nspname not in ('pg_catalog', 'information_schema')
  union all
  select long.kind, n.nspname, long.name, c.oid::regclass::text, long.said
  from (
    select case v.relkind when 'v' then 'view' else 'materialized view' end as kind, v.relname as name,
           v.oid as relation, pg_get_viewdef(v.oid) as said, v.relnamespace as place
    from pg_catalog.pg_class v
    where v.relkind in ('v', 'm')
    union all
    select 'rule', r.rulename, r.ev_class, pg_get_ruledef(r.oid), null
    from pg_catalog.pg_rewrite r
    where r.rulename <> '_RETURN'
    union all
    select 'policy', p.polname, p.polrelid,
           concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)), null
    from pg_catalog.pg_policy p
    union all
    select 'trigger', t.tgname, t.tgrelid, pg_get_triggerdef(t.oid), null
    from pg_catalog.pg_trigger t
    where (t.tgnargs > 0 or t.tgqual is not null) and not t.tgisinternal
    union all
    select 'constraint', k.conname, k.conrelid, pg_get_constraintdef(k.oid), null
    from pg_catalog.pg_constraint k
    where k.contype = 'c'
    union all
    select 'index', x.relname, i.indrelid, pg_get_indexdef(i.indexrelid), null
    from pg_catalog.pg_index i
    join pg_catalog.pg_class x on x.oid = i.indexrelid
    where i.indexprs is not null or i.indpred is not null
    union all
    select 'statistics object', s.stxname, s.stxrelid, pg_get_statisticsobjdef(s.oid), s.stxnamespace
    from pg_catalog.pg_statistic_ext s
    union all
    select 'partition key', k.relname, p.partrelid, pg_get_partkeydef(p.partrelid), null
    from pg_catalog.pg_partitioned_table p
    join pg_catalog.pg_class k on k.oid = p.partrelid
    where p.partexprs is not null
  ) as long
  join pg_catalog.pg_class c on c.oid = long.relation
  join pg_catalog.pg_namespace n on n.oid = coalesce(long.place, c.relnamespace)
  where c.oid <> all ($1::oid[])
    and (n.nspname not in ('pg_catalog', 'information_schema') or c.oid >= 16384)
    and (
      exists (
        select from wanted, unnest(wanted.names) as one (name)
        where strpos(lower(long.said), one.name) > 0
      )
      or long.said ~* '_to_xml|dblink|xpath_table|ts_stat|ts_rewrite|crosstab|connectby'
    )
) as found
order by kind, schema, name
