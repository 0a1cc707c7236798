-- The role of the job: it may log in, read the tables that reckon.toml names, every row of them, and
-- nothing else. Run it in each database that is reconciled, as a superuser or as the owner of the
-- tables who may create roles (in a hosted database: the role that its SQL editor uses).
--
-- One transaction, plain SQL, PostgreSQL 13 to 18, for psql and for a web SQL editor. A second run
-- changes nothing; after a change of the list below it grants what is new and takes back what is
-- gone. It takes nothing from anybody else. role_check.sql shows what the role may do, role_drop.sql
-- takes all of this back.
--
-- There is no password here. Set one afterwards: \password reckon in psql, or
--   alter role reckon password '…';
do $reckon$
declare
  -- ===== yours to fill in =========================================================================
  job constant text := 'reckon';
  -- Every table and view that reckon.toml names, written as there; of a view with security_invoker
  -- also the tables beneath it.
  readable constant text[] := array[
    'public.token_transactions',  -- [legacy] table
    'public.token_usage',         -- [unified] table
    'public.user_profiles',       -- [balances] stored
    'public.household_members'    -- [balances.pools] table
  ];
  -- Sessions at once: [postgres] streams and one more for each run that may be at work.
  sessions constant int := 10;
  -- `reckon cutover` looks at who reads and writes the old table: true lets the role see statistics
  -- of all sessions (pg_read_all_stats), with the text of their queries. Only a superuser, or who
  -- holds that role with admin option, can give it.
  statistics constant bool := false;
  -- ================================================================================================
  policy constant text := job || '_reads';
  me oid;
  wanted oid[] := '{}';
  schemas oid[];
  name text;
  relation record;
  excess text;
begin
  -- A policy waits for the table; a queue behind it would stop the application.
  perform set_config('lock_timeout', '5s', true);

  foreach name in array readable loop
    if to_regclass(name) is null then
      raise exception 'there is no table %: correct the list at the top of this file, or connect to the database that has it', name;
    end if;
    wanted := wanted || to_regclass(name)::oid;
  end loop;
  select array_agg(distinct c.relnamespace) into schemas from pg_catalog.pg_class c where c.oid = any (wanted);
  if statistics then
    select schemas || array_agg(e.extnamespace) into schemas
      from pg_catalog.pg_extension e where e.extname = 'pg_stat_statements';
  end if;

  if not exists (select from pg_catalog.pg_roles r where r.rolname = job) then
    execute format('create role %I login', job);
  end if;
  select r.oid into me from pg_catalog.pg_roles r where r.rolname = job;
  -- A role of this name that can do more belongs to somebody else, or was given more by hand.
  select string_agg(e.what, ', ') into excess
    from pg_catalog.pg_roles r
    cross join lateral (
      values (r.rolsuper, 'is a superuser'), (r.rolcreaterole, 'may create roles'),
             (r.rolcreatedb, 'may create databases'), (r.rolreplication, 'may replicate'),
             (exists (select from pg_catalog.pg_shdepend d
                       where d.refclassid = 'pg_catalog.pg_authid'::regclass
                         and d.refobjid = r.oid and d.deptype = 'o'), 'owns objects')
      union all
      select true, 'is a member of ' || quote_ident(g.rolname)
        from pg_catalog.pg_auth_members m join pg_catalog.pg_roles g on g.oid = m.roleid
       where m.member = r.oid and g.rolname <> 'pg_read_all_stats'
    ) as e (is_so, what)
   where r.oid = me and e.is_so;
  if excess is not null then
    raise exception 'role % %: take that from it, or write another name at the top of this file', job, excess;
  end if;

  -- The role is at most a member of pg_read_all_stats, which works by inheritance.
  execute format('alter role %I login %s connection limit %s', job,
    case when statistics then 'inherit' else 'noinherit' end, sessions);
  if statistics and not pg_has_role(me, 'pg_read_all_stats', 'member') then
    execute format('grant pg_read_all_stats to %I', job);
  elsif not statistics and pg_has_role(me, 'pg_read_all_stats', 'member') then
    execute format('revoke pg_read_all_stats from %I', job);
  end if;
  -- For whoever logs in by hand. The job begins every transaction read only whatever stands here,
  -- with the limits of [postgres] in reckon.toml.
  execute format('alter role %I set default_transaction_read_only = on', job);
  execute format('alter role %I set statement_timeout = ''15min''', job);
  execute format('alter role %I set lock_timeout = ''30s''', job);
  execute format('alter role %I set idle_in_transaction_session_timeout = ''15min''', job);

  -- What an earlier run of this file gave and the list no longer has.
  for relation in
    select distinct c.oid, c.oid::regclass as shown
      from pg_catalog.pg_shdepend d
      join pg_catalog.pg_database b on b.oid = d.dbid and b.datname = current_database()
      join pg_catalog.pg_class c on d.classid = 'pg_catalog.pg_class'::regclass and c.oid = d.objid
     where d.refclassid = 'pg_catalog.pg_authid'::regclass and d.refobjid = me
       and d.deptype = 'a' and c.oid <> all (wanted)
  loop
    execute format('revoke all on %s from %I', relation.shown, job);
  end loop;
  for relation in
    select p.polname, p.polrelid::regclass as shown
      from pg_catalog.pg_policy p
     where p.polroles = array[me] and p.polname = policy and p.polrelid <> all (wanted)
  loop
    execute format('drop policy %I on %s', relation.polname, relation.shown);
  end loop;
  for relation in
    select n.nspname
      from pg_catalog.pg_namespace n
     where n.oid <> all (schemas)
       and exists (select from aclexplode(n.nspacl) a where a.grantee = me)
  loop
    execute format('revoke all on schema %I from %I', relation.nspname, job);
  end loop;

  execute format('grant connect on database %I to %I', current_database(), job);
  for relation in select n.nspname from pg_catalog.pg_namespace n where n.oid = any (schemas) loop
    execute format('grant usage on schema %I to %I', relation.nspname, job);
  end loop;
  for relation in
    select c.oid, c.oid::regclass as shown, c.relrowsecurity
      from pg_catalog.pg_class c where c.oid = any (wanted) order by c.oid::regclass::text
  loop
    execute format('grant select on %s to %I', relation.shown, job);
    continue when not relation.relrowsecurity;
    -- A policy of its own rather than bypassrls: it is seen beside the others, holds for this table
    -- alone, and needs no superuser.
    if exists (select from pg_catalog.pg_policy p
                where p.polrelid = relation.oid and p.polname = policy
                  and p.polroles <> array[me]) then
      raise exception 'policy % on % is for other roles too: rename it, or write another name at the top of this file', policy, relation.shown;
    end if;
    if exists (select from pg_catalog.pg_policy p
                where p.polrelid = relation.oid and p.polname = policy
                  and not (p.polpermissive and p.polcmd = 'r' and pg_get_expr(p.polqual, p.polrelid) = 'true')) then
      execute format('drop policy %I on %s', policy, relation.shown);
    end if;
    if not exists (select from pg_catalog.pg_policy p where p.polrelid = relation.oid and p.polname = policy) then
      execute format('create policy %I on %s for select to %I using (true)', policy, relation.shown, job);
    end if;
  end loop;

  -- A grant that the caller may not give is only a warning of the server.
  if not has_database_privilege(me, current_database(), 'connect') then
    raise exception 'role % may still not connect to %: run this as the owner of the database', job, current_database();
  end if;
  select n.nspname into name
    from pg_catalog.pg_namespace n
   where n.oid = any (schemas) and not has_schema_privilege(me, n.oid, 'usage') limit 1;
  if found then
    raise exception 'role % may still not use schema %: run this as its owner', job, name;
  end if;
  select c.oid::regclass::text into name
    from pg_catalog.pg_class c
   where c.oid = any (wanted) and not has_table_privilege(me, c.oid, 'select') limit 1;
  if found then
    raise exception 'role % may still not read %: run this as its owner', job, name;
  end if;

  -- A restrictive policy hides rows whatever others allow.
  for relation in
    select p.polname, p.polrelid::regclass as shown, pg_get_expr(p.polqual, p.polrelid) as condition
      from pg_catalog.pg_policy p
      join pg_catalog.pg_class c on c.oid = p.polrelid and c.relrowsecurity
     where p.polrelid = any (wanted) and not p.polpermissive and p.polcmd in ('r', '*')
       and pg_get_expr(p.polqual, p.polrelid) <> 'true'
       and p.polroles && array[0::oid, me]
  loop
    raise warning 'policy % on % is restrictive and hides rows from % where not %: leave this role out of it, or alter role % bypassrls',
      relation.polname, relation.shown, job, relation.condition, job;
  end loop;
end
$reckon$;
