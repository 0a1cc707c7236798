-- Functions and procedures: oid, schema, name, kind, language, body where it is text, search path of its
-- own, its arguments, whether it is the function of step 1 of retire.sql for one of the relations $1 and
-- nothing else calls it; then what may hold a name beside its body: defaults of its arguments, its other
-- settings, its definition where the body is standard SQL.
select
  p.oid::text, n.nspname::text, p.proname::text,
  case p.prokind when 'p' then 'procedure' else 'function' end,
  l.lanname::text,
  case when l.lanname in ('internal', 'c') then '' else p.prosrc end,
  (select substr(s, 13) from unnest(p.proconfig) as s where s like 'search\_path=%' limit 1),
  pg_get_function_identity_arguments(p.oid),
  (n.nspname = 'reckon_journal'
    and exists (select from unnest($1::oid[]) as o (oid) where p.proname = 'forbid_write_' || o.oid::text)
    and not exists (select from pg_catalog.pg_trigger t where t.tgfoid = p.oid and t.tgrelid <> all ($1::oid[])))::text,
  pg_get_expr(p.proargdefaults, 0),
  (select string_agg(s, chr(10)) from unnest(p.proconfig) as s where s not like 'search\_path=%'),
  case when l.lanname = 'sql' and p.prosrc = '' then pg_get_functiondef(p.oid) end
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where (l.lanname not in ('internal', 'c') or p.proargdefaults is not null or p.proconfig is not null)
  and p.prokind <> 'a'
  -- What stands in a schema of the system need not be the system's: that has the lower numbers.
  and (n.nspname not in ('pg_catalog', 'information_schema') or p.oid >= 16384)
order by 2, 3, 8
