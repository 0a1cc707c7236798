-- What stands on the relations $1 themselves: kind, schema, name, its relation, definition, whether
-- reckon itself made it: the triggers of step 1 of retire.sql, a policy that lets this role alone read.
select *
from (
  select 'trigger' as kind, n.nspname::text as schema, t.tgname::text as name,
         t.tgrelid::regclass::text as relation, pg_get_triggerdef(t.oid) as definition,
         (t.tgname in ('reckon_retired', 'reckon_retired_row') and t.tgenabled = 'A'
           and exists (select from pg_catalog.pg_proc f
                       join pg_catalog.pg_namespace s on s.oid = f.pronamespace
                       where f.oid = t.tgfoid and s.nspname = 'reckon_journal'
                         and f.proname = 'forbid_write_' || t.tgrelid::text))::text as is_own
  from pg_catalog.pg_trigger t
  join pg_catalog.pg_class c on c.oid = t.tgrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where t.tgrelid = any ($1::oid[]) and not t.tgisinternal
  union all
  select 'policy', n.nspname, p.polname, p.polrelid::regclass::text,
         concat_ws(' ', 'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                   'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
         (p.polcmd = 'r'
           and p.polroles = array(select r.oid from pg_catalog.pg_roles r where r.rolname = current_user))::text
  from pg_catalog.pg_policy p
  join pg_catalog.pg_class c on c.oid = p.polrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where p.polrelid = any ($1::oid[])
  union all
  select 'rule', n.nspname, r.rulename, r.ev_class::regclass::text, pg_get_ruledef(r.oid), 'false'
  from pg_catalog.pg_rewrite r
  join pg_catalog.pg_class c on c.oid = r.ev_class
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where r.ev_class = any ($1::oid[]) and r.rulename <> '_RETURN'
) as found
order by kind, schema, name, relation
