-- What stands on the relations $1 themselves: kind, schema, name, its relation, definition.
select *
from (
  select 'trigger' as kind, n.nspname::text as schema, t.tgname::text as name,
         t.tgrelid::regclass::text as relation, pg_get_triggerdef(t.oid) as definition
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where t.tgrelid = any ($1::oid[]) and not t.tgisinternal
  union all
  select 'policy', n.nspname, p.polname, p.polrelid::regclass::text,
         concat_ws(' ', 'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                   'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where p.polrelid = any ($1::oid[])
  union all
  select 'rule', n.nspname, r.rulename, r.ev_class::regclass::text, pg_get_ruledef(r.oid)
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_class c on c.oid = r.ev_class
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where r.ev_class = any ($1::oid[]) and r.rulename <> '_RETURN'
) as found
order by kind, schema, name, relation
