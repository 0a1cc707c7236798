-- Functions and procedures whose body is text: oid, schema, name, kind, language, body, settings,
-- its arguments, whether it is the function of step 1 of retire.sql for one of the relations $1 and
-- nothing else calls it.
select
  p.oid::text, n.nspname::text, p.proname::text,
  case p.prokind when 'p' then 'procedure' else 'function' end,
  l.lanname::text, p.prosrc,
  (select substr(s, 13) from unnest(p.proconfig) as s where s like 'search\_path=%' limit 1),
  pg_get_function_identity_arguments(p.oid),
  (n.nspname = 'reckon_journal'
    and exists (select from unnest($1::oid[]) as o (oid) where p.proname = 'forbid_write_' || o.oid::text)
    and not exists (select from pg_catalog.pg_trigger t where t.tgfoid = p.oid and t.tgrelid <> all ($1::oid[])))::text
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where l.lanname not in ('internal', 'c')
  and n.nspname not in ('pg_catalog', 'information_schema')
  and p.prosrc <> ''
order by 2, 3, 8
