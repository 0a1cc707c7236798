-- Where unqualified names are looked up: this session's default, what databases and roles have as
-- theirs; then the schemas that hold a relation called $1; then whether a role is called $2.
select 'default', reset_val from pg_catalog.pg_settings where name = 'search_path'
union all
select distinct 'role', substr(s, 13)
from pg_catalog.pg_db_role_setting d
cross join lateral unnest(d.setconfig) as s
where s like 'search\_path=%'
  and (d.setdatabase = 0 or d.setdatabase = (select oid from pg_catalog.pg_database where datname = current_database()))
union all
select 'holder', n.nspname::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  and n.nspname not like 'pg\_temp\_%'
union all
select 'user', rolname::text from pg_catalog.pg_roles where rolname = $2
order by 1, 2
