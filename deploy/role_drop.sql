-- Takes back what role.sql did in this database: policies, grants, and the role itself. Where the
-- role was made for several databases, run it in each; the role goes with the last.
--
-- One transaction, plain SQL, for psql and for a web SQL editor; run it as who ran role.sql. A
-- second run changes nothing. Grants on other kinds of objects, and objects that the role owns, were
-- not made by role.sql: then the server names them and nothing is changed.
do $reckon$
declare
  -- ===== as in role.sql ===========================================================================
  job constant text := 'reckon';
  -- ================================================================================================
  me oid;
  entry record;
  elsewhere text;
begin
  perform set_config('lock_timeout', '5s', true);
  select r.oid into me from pg_catalog.pg_roles r where r.rolname = job;
  if me is null then
    raise notice 'there is no role %', job;
    return;
  end if;

  for entry in
    select p.polname, p.polrelid::regclass as shown
      from pg_catalog.pg_policy p where p.polroles = array[me]
  loop
    execute format('drop policy %I on %s', entry.polname, entry.shown);
  end loop;
  for entry in
    select distinct case d.classid when 'pg_catalog.pg_class'::regclass then d.objid::regclass::text
                                   else 'schema ' || d.objid::regnamespace::text end as shown
      from pg_catalog.pg_shdepend d
      join pg_catalog.pg_database b on b.oid = d.dbid and b.datname = current_database()
     where d.refclassid = 'pg_catalog.pg_authid'::regclass and d.refobjid = me
       and d.deptype = 'a'
       and d.classid in ('pg_catalog.pg_class'::regclass, 'pg_catalog.pg_namespace'::regclass)
  loop
    execute format('revoke all on %s from %I', entry.shown, job);
  end loop;
  execute format('revoke all on database %I from %I', current_database(), job);

  select string_agg(distinct quote_ident(b.datname), ', ') into elsewhere
    from pg_catalog.pg_shdepend d
    join pg_catalog.pg_database b
      on b.oid = case when d.classid = 'pg_catalog.pg_database'::regclass then d.objid else d.dbid end
   where d.refclassid = 'pg_catalog.pg_authid'::regclass and d.refobjid = me
     and b.datname <> current_database();
  if elsewhere is not null then
    raise warning 'role % stays: it still has rights in database %: run this there too', job, elsewhere;
    return;
  end if;
  execute format('drop role %I', job);
end
$reckon$;
