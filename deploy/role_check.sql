-- What the role of the job may do in this database. Reads only; one statement; any role may run it.
--
-- needed = t: the job needs it and was given it, as role.sql does. needed = f: it can do this beyond
-- its work, nearly always because everybody can (PUBLIC). A role cannot be denied what PUBLIC has:
-- way_out takes it from everybody, so grant it to those who use it first. PostgreSQL 13 to 18.
with role as (
  select r.*
  from pg_catalog.pg_roles r
  -- ===== as in role.sql =====
  where r.rolname = 'reckon'
),
spaces as (
  select n.oid, n.nspname, n.nspacl
  from pg_catalog.pg_namespace n, role
  where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
    and has_schema_privilege(role.oid, n.oid, 'usage')
),
verbs (verb, since, of_columns) as (
  values ('select', 0, true), ('insert', 0, true), ('update', 0, true), ('references', 0, true),
         ('delete', 0, false), ('truncate', 0, false), ('trigger', 0, false), ('maintain', 170000, false)
),
relations as (
  select c.oid, c.relkind, quote_ident(spaces.nspname) || '.' || quote_ident(c.relname) as shown, c.relacl, role.oid as job
  from pg_catalog.pg_class c
  join spaces on spaces.oid = c.relnamespace
  cross join role
  where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
),
rights (place, may, object, needed, way_out) as (
  select 1, 'log in', quote_ident(rolname), true, null from role where rolcanlogin
  union all
  select 2, a.what, quote_ident(rolname), false, format('alter role %I %s', rolname, a.word)
  from role
  cross join lateral (
    values (rolsuper, 'do anything', 'nosuperuser'), (rolcreaterole, 'create roles', 'nocreaterole'),
           (rolcreatedb, 'create databases', 'nocreatedb'), (rolreplication, 'replicate', 'noreplication'),
           (rolbypassrls, 'pass by every row-level security', 'nobypassrls')
  ) as a (is_so, what, word)
  where a.is_so
  union all
  select 3, 'act as a member', quote_ident(g.rolname), g.rolname = 'pg_read_all_stats',
    case when g.rolname <> 'pg_read_all_stats' then format('revoke %I from %I', g.rolname, role.rolname) end
  from role
  join pg_catalog.pg_auth_members m on m.member = role.oid
  join pg_catalog.pg_roles g on g.oid = m.roleid
  union all
  select 4, v.verb, 'database ' || quote_ident(d.datname),
    v.verb = 'connect' and d.datname = current_database(),
    case when v.verb <> 'connect' or d.datname <> current_database()
         then format('revoke %s on database %I from public', v.verb, d.datname) end
  from role
  cross join pg_catalog.pg_database d
  cross join (values ('connect'), ('create'), ('temporary')) as v (verb)
  where d.datallowconn and has_database_privilege(role.oid, d.oid, v.verb)
    and (v.verb = 'connect' or d.datname = current_database())
  union all
  select 5, 'create', 'schema ' || quote_ident(spaces.nspname), false,
    format('revoke create on schema %I from public', spaces.nspname)
  from spaces, role
  where has_schema_privilege(role.oid, spaces.oid, 'create')
  union all
  select 6, 'usage', 'schema ' || quote_ident(spaces.nspname), true, null
  from spaces, role
  where exists (select from aclexplode(spaces.nspacl) a where a.grantee = role.oid)
  union all
  select 7, verbs.verb, relations.shown, own.granted and verbs.verb = 'select',
    case when not (own.granted and verbs.verb = 'select')
         then format('revoke %s on %s from %s', verbs.verb, relations.shown,
                     case when own.granted then quote_ident(role.rolname) else 'public' end) end
  from relations
  join verbs on verbs.since <= current_setting('server_version_num')::int
  cross join role
  cross join lateral (
    select exists (
      select from aclexplode(relations.relacl) a
      where a.grantee = role.oid and lower(a.privilege_type) = verbs.verb
      union all
      select from pg_catalog.pg_attribute t cross join aclexplode(t.attacl) a
      where t.attrelid = relations.oid and a.grantee = role.oid and lower(a.privilege_type) = verbs.verb
    )
  ) as own (granted)
  where relations.relkind <> 'S'
    and case when verbs.of_columns then has_any_column_privilege(role.oid, relations.oid, verbs.verb)
             else has_table_privilege(role.oid, relations.oid, verbs.verb) end
  union all
  select 8, v.verb, 'sequence ' || relations.shown, false,
    format('revoke %s on sequence %s from public', v.verb, relations.shown)
  from relations
  cross join (values ('usage'), ('update')) as v (verb)
  where relations.relkind = 'S' and has_sequence_privilege(relations.job, relations.oid, v.verb)
  union all
  -- They run with the rights of their owner.
  select 9, 'execute', 'security definer function ' || p.oid::regprocedure::text, false,
    format('revoke execute on function %s from public', p.oid::regprocedure)
  from pg_catalog.pg_proc p
  join spaces on spaces.oid = p.pronamespace
  cross join role
  where p.prosecdef
    and p.prorettype not in ('pg_catalog.trigger'::regtype, 'pg_catalog.event_trigger'::regtype)
    and has_function_privilege(role.oid, p.oid, 'execute')
  union all
  select 10, 'create large objects', 'function ' || f.name, false,
    format('revoke execute on function %s from public', f.name)
  from role
  cross join (
    values ('pg_catalog.lo_create(oid)'), ('pg_catalog.lo_creat(integer)'),
           ('pg_catalog.lo_from_bytea(oid,bytea)')
  ) as f (name)
  where has_function_privilege(role.oid, f.name, 'execute')
)
select needed, may, object, way_out
from rights
order by needed desc, place, object, may;
