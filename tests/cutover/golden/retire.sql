-- reckon, retire.sql: retires public.token_transactions in three steps: forbid writes, rename, drop.
-- Certificate 5f0c2a9e, issued 2026-11-28T12:00:00.000000Z: GO. It opens step 1 until 2026-11-29T12:00:00.000000Z.
-- 1,326 rows; digest sha256/128:1326:-88172645463325252:7046029254386353131; oid 16384.
-- After step 2 it is called public.token_transactions_retired_20261128. Step 3 drops it, no sooner than 14 days after step 2.
-- Its archive: digest sha256/128:1326:-88172645463325252:7046029254386353131, CSV of SHA-256 c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0. Keep it: the server cannot look whether it is still there.
-- Needs: PostgreSQL 13 or later; the owner of public.token_transactions, who may create in its schema and, the first time, the schema reckon_journal; a role that row-level security lets see every row.
-- Each step is one transaction that locks the table, counts and digests it, and stops with an error and nothing changed unless it is as it was certified. A step that is done does nothing. The file can be run whole, and again; or one step at a time. unretire.sql takes steps 1 and 2 back; once step 2 is done, it has to before there can be another certificate.

-- Step 1 of 3: forbid writes. Readers are not held up.
begin;
set transaction isolation level read committed;
set local lock_timeout = '5s';
set local statement_timeout = '300s';
-- A table under row-level security that would hide rows from this role is an error, not an empty table.
set local row_security = off;
set local client_encoding = 'UTF8';
-- Under these settings the text of a row, and so its digest, is the same in every session.
set local search_path = pg_catalog, pg_temp;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local lc_monetary = 'C';
set local quote_all_identifiers = off;

do $reckon$
begin
  begin
    -- One at a time: the number is the word "reckon" in ASCII.
    perform pg_advisory_xact_lock(125779785248622);
  exception when lock_not_available then
    raise exception using
      errcode = 'lock_not_available',
      message = format('reckon: step 1: another step, unretire.sql or another file of reckon is running in database %s', current_database()),
      hint = 'Nothing was changed. Let it end, then run this again.';
  end;
  if to_regclass('reckon_journal.retirement') is null then
    if to_regnamespace('reckon_journal') is null then
      create schema reckon_journal;
      revoke all on schema reckon_journal from public;
    end if;
    create table reckon_journal.retirement (
      seq bigint generated always as identity primary key,
      table_oid oid not null,
      table_name text not null,
      retired_name text,
      certificate text not null,
      step integer not null check (step in (1, 2, 3)),
      digest text not null,
      shape text not null,
      done_at timestamptz not null default clock_timestamp(),
      done_by text not null default session_user,
      hold_until timestamptz,
      ended_at timestamptz,
      ended_by text
    );
    create unique index retirement_steps on reckon_journal.retirement (table_oid, step) where ended_at is null;
    alter table reckon_journal.retirement enable row level security;
    revoke all on table reckon_journal.retirement from public;
  end if;
end
$reckon$;

do $reckon$
declare
  place text;
  is_in_place boolean;
  is_forbidden boolean;
  done_at timestamptz;
  standing bigint[];
  shape text;
  digest text;
  companions text;
begin
  -- Where the certified table is now: a rename keeps its oid, and no other table has it.
  select format('%I.%I', n.nspname, c.relname), n.nspname = 'public' and c.relname = 'token_transactions'
    into place, is_in_place
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
   where c.oid = '16384'::oid;
  if place is null then
    select max(r.done_at) into done_at
      from reckon_journal.retirement as r
     where r.table_oid = '16384'::oid and r.step = 3;
    if done_at is not null then
      raise notice 'reckon: step 1: nothing to do, the table was dropped at %', done_at;
      return;
    end if;
    raise exception using
      message = format('reckon: step 1: database %s has no table of oid %s, which is %s as it was certified',
                       current_database(), '16384'::oid, 'public.token_transactions'),
      hint = 'Nothing was changed. This is another database, or somebody dropped the table; a copy of it has another oid. Run reckon cutover again for the table that is there.';
  end if;
  -- The steps that are in force; looked at again once the table is locked.
  select array_agg(r.seq order by r.seq) into standing
    from reckon_journal.retirement as r
   where r.table_oid = '16384'::oid and r.ended_at is null;
  -- Both triggers are there, as step 1 makes them, and nobody has turned them off.
  select count(*) = 2 into is_forbidden
    from pg_catalog.pg_trigger as t
    join pg_catalog.pg_proc as p on p.oid = t.tgfoid
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
   where t.tgrelid = '16384'::oid
     and t.tgname in ('reckon_retired', 'reckon_retired_row')
     and t.tgenabled = 'A'
     and n.nspname = 'reckon_journal'
     and p.proname = 'forbid_write_16384';
  select r.done_at into done_at
    from reckon_journal.retirement as r
   where r.table_oid = '16384'::oid and r.step = 1 and r.ended_at is null;
  if done_at is not null and is_forbidden then
    raise notice 'reckon: step 1: nothing to do, writes to % have been forbidden since %', place, done_at;
    return;
  end if;
  if not is_in_place then
    raise exception using
      message = format('reckon: step 1: the certified table %s is called %s now', 'public.token_transactions', place),
      hint = 'Nothing was changed. Where step 2 renamed it, run unretire.sql, then reckon cutover again. Otherwise give it back its name, or run reckon cutover for the table as it is called now.';
  end if;
  if clock_timestamp() >= '2026-11-29T12:00:00.000000Z'::timestamptz then
    raise exception using
      message = format('reckon: step 1: the certificate %s has expired at %s', '5f0c2a9e', '2026-11-29T12:00:00.000000Z'),
      hint = case when done_at is null
        then 'Nothing was changed. Run reckon cutover again, and use the retire.sql that it writes.'
        else 'Nothing was changed. Run unretire.sql, then reckon cutover again, and use the retire.sql that it writes.'
      end;
  end if;

  begin
    execute format('lock table %s in share row exclusive mode', place);
  exception when lock_not_available then
    raise exception using
      errcode = 'lock_not_available',
      message = format('reckon: step 1: %s is in use: its lock was not to be had within %s',
                       place, current_setting('lock_timeout')),
      hint = 'Nothing was changed. Let the transactions that use the table end (pg_locks, pg_stat_activity), then run this again.';
  when undefined_table then
    raise exception using
      message = format('reckon: step 1: %s was renamed or dropped while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end;
  -- While this waited, the table may have been renamed and another put in its place.
  perform from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
   where c.oid = '16384'::oid and format('%I.%I', n.nspname, c.relname) = place;
  if not found then
    raise exception using
      message = format('reckon: step 1: %s was renamed or replaced while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end if;
  -- Still a table of its own, now that nobody else can change that: rows of a partition or of a child are rows
  -- of its parent, which a drop takes away there without a word.
  perform from pg_catalog.pg_class as c
   where c.oid = '16384'::oid
     and (c.relkind <> 'r'
          or exists (select from pg_catalog.pg_inherits as i where i.inhrelid = c.oid or i.inhparent = c.oid));
  if found then
    raise exception using
      message = format('reckon: step 1: %s is no plain table: it is a view or foreign table, or part of an inheritance or partition tree', place),
      hint = 'Nothing was changed. A trigger on it would not see every write, and its rows may be those of another table. Detach it, or retire the tables of the tree one by one.';
  end if;
  -- What a drop takes along without a word, and the certificate did not allow.
  select string_agg(found.what, ', ' order by found.what) into companions
    from (
      select format('rule %I', r.rulename) as what
        from pg_catalog.pg_rewrite as r
       where r.ev_class = '16384'::oid and r.rulename <> '_RETURN'
      union
      select format('trigger %I', t.tgname)
        from pg_catalog.pg_trigger as t
        join pg_catalog.pg_proc as p on p.oid = t.tgfoid
        join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
       where t.tgrelid = '16384'::oid and not t.tgisinternal
         and (n.nspname, p.proname) <> ('reckon_journal', 'forbid_write_16384')
      union
      select format('publication %I', p.pubname)
        from pg_catalog.pg_publication_rel as l
        join pg_catalog.pg_publication as p on p.oid = l.prpubid
       where l.prrelid = '16384'::oid
      union
      -- With all tables, or with all of its schema.
      select format('publication %I', t.pubname)
        from pg_catalog.pg_publication_tables as t
        join pg_catalog.pg_namespace as n on n.nspname = t.schemaname
        join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = t.tablename
       where c.oid = '16384'::oid and t.pubname <> all (array['it''s all']::name[])
      union
      select format('subscription number %s', s.srsubid)
        from pg_catalog.pg_subscription_rel as s
       where s.srrelid = '16384'::oid
    ) as found;
  if companions is not null then
    raise exception using
      message = format('reckon: step 1: %s is in use again: since it was certified it got %s', place, companions),
      hint = 'Nothing was changed. Ask whoever did it; take it away, then run this again.';
  end if;
  if standing is distinct from (
    select array_agg(r.seq order by r.seq)
      from reckon_journal.retirement as r
     where r.table_oid = '16384'::oid and r.ended_at is null
  ) then
    raise exception using
      message = format('reckon: step 1: steps for %s were done or taken back while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end if;
  -- The table, now that nobody else can change it, against the certificate.
  shape := (
select 'sha256:' || encode(sha256(convert_to(coalesce(string_agg(
         '"' || replace(a.attname, '"', '""') || '" ' || format_type(a.atttypid, a.atttypmod),
         chr(10) order by a.attnum), ''), 'UTF8')), 'hex')
  from pg_catalog.pg_attribute as a
 where a.attrelid = '16384'::oid
   and a.attnum > 0
   and not a.attisdropped
  );
  if shape is distinct from 'sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a' then
    raise exception using
      message = format('reckon: step 1: the columns of %s are not those that were certified', place),
      hint = 'Nothing was changed. A column was added, removed, renamed or has another type. Run reckon cutover again, and use the retire.sql that it writes.';
  end if;
  execute format($digest$
select 'sha256/128:' || count(*) || ':' || coalesce(sum(r.high), 0) || ':' || coalesce(sum(r.low), 0)
  from (
    select ('x' || substr(h.hash, 1, 16))::bit(64)::bigint as high,
           ('x' || substr(h.hash, 17, 16))::bit(64)::bigint as low
      from (
        -- record_out, not a cast: somebody may have made one of their own.
        select encode(sha256(convert_to(textin(record_out(t.*)), 'UTF8')), 'hex') as hash
          from %s as t
        -- Each row is hashed once, not once for each half.
        offset 0
      ) as h
  ) as r
$digest$, place) into digest;
  if digest is distinct from 'sha256/128:1326:-88172645463325252:7046029254386353131' then
    raise exception using
      message = format('reckon: step 1: %s is not as it was certified: it has %s rows, certified were %s',
                       place, split_part(digest, ':', 2), '1326'),
      detail = format('Digest %s, certified %s.', digest, 'sha256/128:1326:-88172645463325252:7046029254386353131'),
      hint = 'Nothing was changed. Somebody wrote to the table. Run reckon cutover again, and use the retire.sql that it writes.';
  end if;
  create or replace function reckon_journal.forbid_write_16384() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as $forbid$
begin
  raise exception using
    errcode = 'object_not_in_prerequisite_state',
    message = 'reckon: public.token_transactions is being retired under certificate 5f0c2a9e: writes to it are forbidden',
    hint = 'Write to the table that took its place. unretire.sql of the same certificate takes this back.';
end
$forbid$;
  revoke all on function reckon_journal.forbid_write_16384() from public;
  drop trigger if exists reckon_retired on public.token_transactions;
  drop trigger if exists reckon_retired_row on public.token_transactions;
  create trigger reckon_retired
    before insert or update or delete or truncate on public.token_transactions
    for each statement execute function reckon_journal.forbid_write_16384();
  -- What arrives by logical replication fires triggers of rows only.
  create trigger reckon_retired_row
    before insert or update or delete on public.token_transactions
    for each row execute function reckon_journal.forbid_write_16384();
  alter table public.token_transactions enable always trigger reckon_retired;
  alter table public.token_transactions enable always trigger reckon_retired_row;

  if done_at is null then
    insert into reckon_journal.retirement (table_oid, table_name, certificate, step, digest, shape)
    values ('16384'::oid, 'public.token_transactions', '5f0c2a9e', 1, digest, shape);
  end if;
  raise notice 'reckon: step 1: writes to % are forbidden from now on', place;
end
$reckon$;

select r.step, r.table_name, r.retired_name, r.done_at, r.done_by, r.hold_until, r.ended_at, r.ended_by
  from reckon_journal.retirement as r
 where r.table_oid = '16384'::oid
 order by r.seq;

commit;

-- Step 2 of 3: rename, so that whatever still reads the table by its name fails, and can be helped.
begin;
set transaction isolation level read committed;
set local lock_timeout = '5s';
set local statement_timeout = '300s';
-- A table under row-level security that would hide rows from this role is an error, not an empty table.
set local row_security = off;
set local client_encoding = 'UTF8';
-- Under these settings the text of a row, and so its digest, is the same in every session.
set local search_path = pg_catalog, pg_temp;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local lc_monetary = 'C';
set local quote_all_identifiers = off;

do $reckon$
begin
  begin
    -- One at a time: the number is the word "reckon" in ASCII.
    perform pg_advisory_xact_lock(125779785248622);
  exception when lock_not_available then
    raise exception using
      errcode = 'lock_not_available',
      message = format('reckon: step 2: another step, unretire.sql or another file of reckon is running in database %s', current_database()),
      hint = 'Nothing was changed. Let it end, then run this again.';
  end;
  if to_regclass('reckon_journal.retirement') is null then
    raise exception using
      message = 'reckon: step 2: step 1 has not been done',
      hint = 'Nothing was changed. Run the steps of this file in their order.';
  end if;
end
$reckon$;

do $reckon$
declare
  place text;
  is_in_place boolean;
  is_forbidden boolean;
  done_at timestamptz;
  retired_name text;
  standing bigint[];
  shape text;
  digest text;
  companions text;
begin
  -- Where the certified table is now: a rename keeps its oid, and no other table has it.
  select format('%I.%I', n.nspname, c.relname), n.nspname = 'public' and c.relname = 'token_transactions'
    into place, is_in_place
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
   where c.oid = '16384'::oid;
  if place is null then
    select max(r.done_at) into done_at
      from reckon_journal.retirement as r
     where r.table_oid = '16384'::oid and r.step = 3;
    if done_at is not null then
      raise notice 'reckon: step 2: nothing to do, the table was dropped at %', done_at;
      return;
    end if;
    raise exception using
      message = format('reckon: step 2: database %s has no table of oid %s, which is %s as it was certified',
                       current_database(), '16384'::oid, 'public.token_transactions'),
      hint = 'Nothing was changed. This is another database, or somebody dropped the table; a copy of it has another oid. Run reckon cutover again for the table that is there.';
  end if;
  -- The steps that are in force; looked at again once the table is locked.
  select array_agg(r.seq order by r.seq) into standing
    from reckon_journal.retirement as r
   where r.table_oid = '16384'::oid and r.ended_at is null;
  select r.done_at, r.retired_name into done_at, retired_name
    from reckon_journal.retirement as r
   where r.table_oid = '16384'::oid and r.step = 2 and r.ended_at is null;
  if done_at is not null and to_regclass(retired_name)::oid is distinct from '16384'::oid then
    raise exception using
      message = format('reckon: step 2: step 2 called the table %s at %s, and it is called %s now',
                       retired_name, done_at, place),
      hint = 'Nothing was changed. Whoever took it back may need it. Run unretire.sql, then reckon cutover again, and use the retire.sql that it writes.';
  end if;
  if done_at is not null then
    raise notice 'reckon: step 2: nothing to do, the table has been called % since %', retired_name, done_at;
    return;
  end if;
  perform from reckon_journal.retirement as r
   where r.table_oid = '16384'::oid and r.step = 1 and r.ended_at is null;
  if not found then
    raise exception using
      message = format('reckon: step 2: step 1 has not been done: writes to %s are not forbidden', place),
      hint = 'Nothing was changed. Run the steps of this file in their order.';
  end if;
  if not is_in_place then
    raise exception using
      message = format('reckon: step 2: the certified table %s is called %s now', 'public.token_transactions', place),
      hint = 'Nothing was changed. Give it back its name, then run this again.';
  end if;

  begin
    execute format('lock table %s in access exclusive mode', place);
  exception when lock_not_available then
    raise exception using
      errcode = 'lock_not_available',
      message = format('reckon: step 2: %s is in use: its lock was not to be had within %s',
                       place, current_setting('lock_timeout')),
      hint = 'Nothing was changed. Let the transactions that use the table end (pg_locks, pg_stat_activity), then run this again.';
  when undefined_table then
    raise exception using
      message = format('reckon: step 2: %s was renamed or dropped while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end;
  -- While this waited, the table may have been renamed and another put in its place.
  perform from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
   where c.oid = '16384'::oid and format('%I.%I', n.nspname, c.relname) = place;
  if not found then
    raise exception using
      message = format('reckon: step 2: %s was renamed or replaced while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end if;
  -- Still a table of its own, now that nobody else can change that: rows of a partition or of a child are rows
  -- of its parent, which a drop takes away there without a word.
  perform from pg_catalog.pg_class as c
   where c.oid = '16384'::oid
     and (c.relkind <> 'r'
          or exists (select from pg_catalog.pg_inherits as i where i.inhrelid = c.oid or i.inhparent = c.oid));
  if found then
    raise exception using
      message = format('reckon: step 2: %s is no plain table: it is a view or foreign table, or part of an inheritance or partition tree', place),
      hint = 'Nothing was changed. A trigger on it would not see every write, and its rows may be those of another table. Detach it, or retire the tables of the tree one by one.';
  end if;
  -- What a drop takes along without a word, and the certificate did not allow.
  select string_agg(found.what, ', ' order by found.what) into companions
    from (
      select format('rule %I', r.rulename) as what
        from pg_catalog.pg_rewrite as r
       where r.ev_class = '16384'::oid and r.rulename <> '_RETURN'
      union
      select format('trigger %I', t.tgname)
        from pg_catalog.pg_trigger as t
        join pg_catalog.pg_proc as p on p.oid = t.tgfoid
        join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
       where t.tgrelid = '16384'::oid and not t.tgisinternal
         and (n.nspname, p.proname) <> ('reckon_journal', 'forbid_write_16384')
      union
      select format('publication %I', p.pubname)
        from pg_catalog.pg_publication_rel as l
        join pg_catalog.pg_publication as p on p.oid = l.prpubid
       where l.prrelid = '16384'::oid
      union
      -- With all tables, or with all of its schema.
      select format('publication %I', t.pubname)
        from pg_catalog.pg_publication_tables as t
        join pg_catalog.pg_namespace as n on n.nspname = t.schemaname
        join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = t.tablename
       where c.oid = '16384'::oid and t.pubname <> all (array['it''s all']::name[])
      union
      select format('subscription number %s', s.srsubid)
        from pg_catalog.pg_subscription_rel as s
       where s.srrelid = '16384'::oid
    ) as found;
  if companions is not null then
    raise exception using
      message = format('reckon: step 2: %s is in use again: since it was certified it got %s', place, companions),
      hint = 'Nothing was changed. Ask whoever did it; take it away, then run this again.';
  end if;
  if standing is distinct from (
    select array_agg(r.seq order by r.seq)
      from reckon_journal.retirement as r
     where r.table_oid = '16384'::oid and r.ended_at is null
  ) then
    raise exception using
      message = format('reckon: step 2: steps for %s were done or taken back while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end if;
  -- The table, now that nobody else can change it, against the certificate.
  shape := (
select 'sha256:' || encode(sha256(convert_to(coalesce(string_agg(
         '"' || replace(a.attname, '"', '""') || '" ' || format_type(a.atttypid, a.atttypmod),
         chr(10) order by a.attnum), ''), 'UTF8')), 'hex')
  from pg_catalog.pg_attribute as a
 where a.attrelid = '16384'::oid
   and a.attnum > 0
   and not a.attisdropped
  );
  if shape is distinct from 'sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a' then
    raise exception using
      message = format('reckon: step 2: the columns of %s are not those that were certified', place),
      hint = 'Nothing was changed. A column was added, removed, renamed or has another type. Run reckon cutover again, and use the retire.sql that it writes.';
  end if;
  execute format($digest$
select 'sha256/128:' || count(*) || ':' || coalesce(sum(r.high), 0) || ':' || coalesce(sum(r.low), 0)
  from (
    select ('x' || substr(h.hash, 1, 16))::bit(64)::bigint as high,
           ('x' || substr(h.hash, 17, 16))::bit(64)::bigint as low
      from (
        -- record_out, not a cast: somebody may have made one of their own.
        select encode(sha256(convert_to(textin(record_out(t.*)), 'UTF8')), 'hex') as hash
          from %s as t
        -- Each row is hashed once, not once for each half.
        offset 0
      ) as h
  ) as r
$digest$, place) into digest;
  if digest is distinct from 'sha256/128:1326:-88172645463325252:7046029254386353131' then
    raise exception using
      message = format('reckon: step 2: %s is not as it was certified: it has %s rows, certified were %s',
                       place, split_part(digest, ':', 2), '1326'),
      detail = format('Digest %s, certified %s.', digest, 'sha256/128:1326:-88172645463325252:7046029254386353131'),
      hint = 'Nothing was changed. Somebody wrote to the table. Run reckon cutover again, and use the retire.sql that it writes.';
  end if;
  -- Both triggers are there, as step 1 makes them, and nobody has turned them off.
  select count(*) = 2 into is_forbidden
    from pg_catalog.pg_trigger as t
    join pg_catalog.pg_proc as p on p.oid = t.tgfoid
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
   where t.tgrelid = '16384'::oid
     and t.tgname in ('reckon_retired', 'reckon_retired_row')
     and t.tgenabled = 'A'
     and n.nspname = 'reckon_journal'
     and p.proname = 'forbid_write_16384';
  if not is_forbidden then
    raise exception using
      message = format('reckon: step 2: the triggers that forbid writes to %s are gone or turned off', place),
      hint = 'Nothing was changed. Its rows are still those that were certified: run step 1 again. Where this certificate has expired, run unretire.sql, then reckon cutover again.';
  end if;
  if to_regclass('public.token_transactions_retired_20261128') is not null then
    raise exception using
      message = format('reckon: step 2: there is a %s already', 'public.token_transactions_retired_20261128'),
      hint = 'Nothing was changed. Rename it or drop it, then run this again.';
  end if;

  alter table public.token_transactions rename to token_transactions_retired_20261128;
  insert into reckon_journal.retirement
    (table_oid, table_name, retired_name, certificate, step, digest, shape, hold_until)
  values
    ('16384'::oid, 'public.token_transactions', 'public.token_transactions_retired_20261128', '5f0c2a9e', 2, digest, shape,
     clock_timestamp() + interval '1209600.000000 seconds');
  raise notice 'reckon: step 2: % is called % now', 'public.token_transactions', 'public.token_transactions_retired_20261128';
end
$reckon$;

select r.step, r.table_name, r.retired_name, r.done_at, r.done_by, r.hold_until, r.ended_at, r.ended_by
  from reckon_journal.retirement as r
 where r.table_oid = '16384'::oid
 order by r.seq;

commit;

-- Step 3 of 3: drop, when the hold is over. It cannot be taken back.
begin;
set transaction isolation level read committed;
set local lock_timeout = '5s';
set local statement_timeout = '300s';
-- A table under row-level security that would hide rows from this role is an error, not an empty table.
set local row_security = off;
set local client_encoding = 'UTF8';
-- Under these settings the text of a row, and so its digest, is the same in every session.
set local search_path = pg_catalog, pg_temp;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local lc_monetary = 'C';
set local quote_all_identifiers = off;

do $reckon$
begin
  begin
    -- One at a time: the number is the word "reckon" in ASCII.
    perform pg_advisory_xact_lock(125779785248622);
  exception when lock_not_available then
    raise exception using
      errcode = 'lock_not_available',
      message = format('reckon: step 3: another step, unretire.sql or another file of reckon is running in database %s', current_database()),
      hint = 'Nothing was changed. Let it end, then run this again.';
  end;
  if to_regclass('reckon_journal.retirement') is null then
    raise exception using
      message = 'reckon: step 3: step 2 has not been done',
      hint = 'Nothing was changed. Run the steps of this file in their order.';
  end if;
end
$reckon$;

do $reckon$
declare
  place text;
  is_in_place boolean;
  done_at timestamptz;
  retired_name text;
  hold_until timestamptz;
  standing bigint[];
  dependents text;
  shape text;
  digest text;
  companions text;
begin
  -- Where the certified table is now: a rename keeps its oid, and no other table has it.
  select format('%I.%I', n.nspname, c.relname), n.nspname = 'public' and c.relname = 'token_transactions'
    into place, is_in_place
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
   where c.oid = '16384'::oid;
  if place is null then
    select max(r.done_at) into done_at
      from reckon_journal.retirement as r
     where r.table_oid = '16384'::oid and r.step = 3;
    if done_at is not null then
      raise notice 'reckon: step 3: nothing to do, the table was dropped at %', done_at;
      return;
    end if;
    raise exception using
      message = format('reckon: step 3: database %s has no table of oid %s, which is %s as it was certified',
                       current_database(), '16384'::oid, 'public.token_transactions'),
      hint = 'Nothing was changed. This is another database, or somebody dropped the table; a copy of it has another oid. Run reckon cutover again for the table that is there.';
  end if;
  -- The steps that are in force; looked at again once the table is locked.
  select array_agg(r.seq order by r.seq) into standing
    from reckon_journal.retirement as r
   where r.table_oid = '16384'::oid and r.ended_at is null;
  -- The longer of the hold that was promised when it was renamed and the one of this certificate.
  select r.done_at, r.retired_name, greatest(r.hold_until, r.done_at + interval '1209600.000000 seconds')
    into done_at, retired_name, hold_until
    from reckon_journal.retirement as r
   where r.table_oid = '16384'::oid and r.step = 2 and r.ended_at is null;
  if done_at is null then
    raise exception using
      message = format('reckon: step 3: step 2 has not been done: the table is still called %s; it was not dropped', place),
      hint = 'Nothing was changed. Run the steps of this file in their order.';
  end if;
  if to_regclass(retired_name)::oid is distinct from '16384'::oid then
    raise exception using
      message = format('reckon: step 3: %s was NOT dropped: step 2 called the table %s, and somebody has renamed it since',
                       place, retired_name),
      hint = 'Nothing was changed. Whoever took it back may need it. Run unretire.sql, then reckon cutover again, and use the retire.sql that it writes.';
  end if;
  if clock_timestamp() < hold_until then
    raise exception using
      message = format('reckon: step 3: %s was NOT dropped: it is held until %s', place, hold_until),
      hint = 'Nothing was changed. Steps 1 and 2 are done. Run step 3 again after that time; until then unretire.sql takes them back.';
  end if;

  begin
    execute format('lock table %s in access exclusive mode', place);
  exception when lock_not_available then
    raise exception using
      errcode = 'lock_not_available',
      message = format('reckon: step 3: %s is in use: its lock was not to be had within %s',
                       place, current_setting('lock_timeout')),
      hint = 'Nothing was changed. Let the transactions that use the table end (pg_locks, pg_stat_activity), then run this again.';
  when undefined_table then
    raise exception using
      message = format('reckon: step 3: %s was renamed or dropped while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end;
  -- While this waited, the table may have been renamed and another put in its place.
  perform from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
   where c.oid = '16384'::oid and format('%I.%I', n.nspname, c.relname) = place;
  if not found then
    raise exception using
      message = format('reckon: step 3: %s was renamed or replaced while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end if;
  -- Still a table of its own, now that nobody else can change that: rows of a partition or of a child are rows
  -- of its parent, which a drop takes away there without a word.
  perform from pg_catalog.pg_class as c
   where c.oid = '16384'::oid
     and (c.relkind <> 'r'
          or exists (select from pg_catalog.pg_inherits as i where i.inhrelid = c.oid or i.inhparent = c.oid));
  if found then
    raise exception using
      message = format('reckon: step 3: %s is no plain table: it is a view or foreign table, or part of an inheritance or partition tree', place),
      hint = 'Nothing was changed. A trigger on it would not see every write, and its rows may be those of another table. Detach it, or retire the tables of the tree one by one.';
  end if;
  -- What a drop takes along without a word, and the certificate did not allow.
  select string_agg(found.what, ', ' order by found.what) into companions
    from (
      select format('rule %I', r.rulename) as what
        from pg_catalog.pg_rewrite as r
       where r.ev_class = '16384'::oid and r.rulename <> '_RETURN'
      union
      select format('trigger %I', t.tgname)
        from pg_catalog.pg_trigger as t
        join pg_catalog.pg_proc as p on p.oid = t.tgfoid
        join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
       where t.tgrelid = '16384'::oid and not t.tgisinternal
         and (n.nspname, p.proname) <> ('reckon_journal', 'forbid_write_16384')
      union
      select format('publication %I', p.pubname)
        from pg_catalog.pg_publication_rel as l
        join pg_catalog.pg_publication as p on p.oid = l.prpubid
       where l.prrelid = '16384'::oid
      union
      -- With all tables, or with all of its schema.
      select format('publication %I', t.pubname)
        from pg_catalog.pg_publication_tables as t
        join pg_catalog.pg_namespace as n on n.nspname = t.schemaname
        join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = t.tablename
       where c.oid = '16384'::oid and t.pubname <> all (array['it''s all']::name[])
      union
      select format('subscription number %s', s.srsubid)
        from pg_catalog.pg_subscription_rel as s
       where s.srrelid = '16384'::oid
    ) as found;
  if companions is not null then
    raise exception using
      message = format('reckon: step 3: %s is in use again: since it was certified it got %s', place, companions),
      hint = 'Nothing was changed. Ask whoever did it; take it away, then run this again.';
  end if;
  if standing is distinct from (
    select array_agg(r.seq order by r.seq)
      from reckon_journal.retirement as r
     where r.table_oid = '16384'::oid and r.ended_at is null
  ) then
    raise exception using
      message = format('reckon: step 3: steps for %s were done or taken back while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end if;
  -- The table, now that nobody else can change it, against the certificate.
  shape := (
select 'sha256:' || encode(sha256(convert_to(coalesce(string_agg(
         '"' || replace(a.attname, '"', '""') || '" ' || format_type(a.atttypid, a.atttypmod),
         chr(10) order by a.attnum), ''), 'UTF8')), 'hex')
  from pg_catalog.pg_attribute as a
 where a.attrelid = '16384'::oid
   and a.attnum > 0
   and not a.attisdropped
  );
  if shape is distinct from 'sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a' then
    raise exception using
      message = format('reckon: step 3: the columns of %s are not those that were certified', place),
      hint = 'Nothing was changed. A column was added, removed, renamed or has another type. Run unretire.sql, then reckon cutover again, and use the retire.sql that it writes.';
  end if;
  execute format($digest$
select 'sha256/128:' || count(*) || ':' || coalesce(sum(r.high), 0) || ':' || coalesce(sum(r.low), 0)
  from (
    select ('x' || substr(h.hash, 1, 16))::bit(64)::bigint as high,
           ('x' || substr(h.hash, 17, 16))::bit(64)::bigint as low
      from (
        -- record_out, not a cast: somebody may have made one of their own.
        select encode(sha256(convert_to(textin(record_out(t.*)), 'UTF8')), 'hex') as hash
          from %s as t
        -- Each row is hashed once, not once for each half.
        offset 0
      ) as h
  ) as r
$digest$, place) into digest;
  if digest is distinct from 'sha256/128:1326:-88172645463325252:7046029254386353131' then
    raise exception using
      message = format('reckon: step 3: %s is not as it was certified: it has %s rows, certified were %s',
                       place, split_part(digest, ':', 2), '1326'),
      detail = format('Digest %s, certified %s.', digest, 'sha256/128:1326:-88172645463325252:7046029254386353131'),
      hint = 'Nothing was changed. Somebody wrote to the table. Run unretire.sql, then reckon cutover again, and use the retire.sql that it writes.';
  end if;
  if digest is distinct from 'sha256/128:1326:-88172645463325252:7046029254386353131' or shape is distinct from 'sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a' then
    raise exception using
      message = format('reckon: step 3: %s was NOT dropped: the archive holds another table (digest %s)',
                       place, 'sha256/128:1326:-88172645463325252:7046029254386353131'),
      detail = format('Digest of the table: %s.', digest),
      hint = 'Nothing was changed. Run unretire.sql, then reckon cutover --archive DIR for the table as it is, and use the retire.sql that it writes.';
  end if;

  begin
    execute format('drop table %s', place);
  exception when dependent_objects_still_exist then
    get stacked diagnostics dependents = pg_exception_detail;
    raise exception using
      errcode = 'dependent_objects_still_exist',
      message = format('reckon: step 3: %s was NOT dropped: other objects depend on it', place),
      detail = dependents,
      hint = 'Nothing was changed. Remove or change what depends on it, then run step 3 again. Do not drop it with cascade.';
  end;
  drop function if exists reckon_journal.forbid_write_16384();
  update reckon_journal.retirement as r
     set ended_at = clock_timestamp(), ended_by = 'step 3'
   where r.table_oid = '16384'::oid and r.ended_at is null;
  insert into reckon_journal.retirement
    (table_oid, table_name, retired_name, certificate, step, digest, shape, ended_at, ended_by)
  values
    ('16384'::oid, 'public.token_transactions', retired_name, '5f0c2a9e', 3, digest, shape, clock_timestamp(), 'step 3');
  raise notice 'reckon: step 3: % was dropped; its archive holds % rows', place, '1326';
end
$reckon$;

select r.step, r.table_name, r.retired_name, r.done_at, r.done_by, r.hold_until, r.ended_at, r.ended_by
  from reckon_journal.retirement as r
 where r.table_oid = '16384'::oid
 order by r.seq;

commit;
