-- Functions and procedures called $2 (in schema $1; '': in one of the schemas $3 or of the search
-- path): schema, name, arguments, language, definition, path of its own. Then all others, whose
-- definition the former may call, are asked for by their own names.
select
  n.nspname::text, p.proname::text, pg_get_function_identity_arguments(p.oid), l.lanname::text,
  case when l.lanname in ('internal', 'c') then '' else pg_get_functiondef(p.oid) end,
  (select substr(s, 13) from unnest(p.proconfig) as s where s like 'search\_path=%' limit 1)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where p.proname = $2 and p.prokind in ('f', 'p')
  and n.nspname not in ('pg_catalog', 'information_schema')
  and case when $1 <> '' then n.nspname = $1
           else n.nspname = any (current_schemas(false)) or n.nspname = any ($3::text[]) end
order by 1, 2, 3
