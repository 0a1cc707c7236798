-- Where unqualified names are looked up where nobody says otherwise: what the database has, or all
-- databases, or else the server, as far as a session can tell whose role has a path of its own; then
-- the schemas that hold a relation called $1; then whether a role is called $2; then all schemas.
select 'default',
  coalesce(
    (select substr(s, 13)
     from pg_catalog.pg_db_role_setting d
     cross join lateral unnest(d.setconfig) as s
     where d.setrole = 0 and s like 'search\_path=%'
       and d.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
     order by d.setdatabase desc
     limit 1),
    case
      when exists (
        select
        from pg_catalog.pg_db_role_setting d
        join pg_catalog.pg_roles r on r.oid = d.setrole
        cross join lateral unnest(d.setconfig) as s
        where r.rolname = session_user and s like 'search\_path=%'
          and d.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = current_database())))
      then boot_val
      else reset_val
    end)
from pg_catalog.pg_settings
where name = 'search_path'
union all
select 'holder', n.nspname::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  and n.nspname not like 'pg\_temp\_%'
union all
select 'user', rolname::text from pg_catalog.pg_roles where rolname = $2
union all
select 'schema', nspname::text from pg_catalog.pg_namespace
order by 1, 2
