-- Functions and procedures with one of the names $1: schema, name, language, definition, path of its own.
select
  n.nspname::text, p.proname::text, l.lanname::text, pg_get_functiondef(p.oid),
  (select substr(s, 13) from unnest(p.proconfig) as s where s like 'search\_path=%' limit 1)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where p.proname = any ($1::text[]) and p.prokind in ('f', 'p')
  and l.lanname not in ('internal', 'c')
  and n.nspname not in ('pg_catalog', 'information_schema')
order by 1, 2
