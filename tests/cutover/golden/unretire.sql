-- reckon, unretire.sql: takes back steps 1 and 2 of retire.sql for public.token_transactions.
-- Certificate 5f0c2a9e, issued 2026-11-28T12:00:00.000000Z.
-- One transaction: gives the table its name back and lets it be written again. A second run does nothing. After step 3 there is nothing to take back: it refuses, and the archive's restore.sql makes the table again.
-- Needs: PostgreSQL 13 or later; the owner of public.token_transactions and of reckon_journal.

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
declare
  place text;
  is_in_place boolean;
  has_journal boolean;
  has_triggers boolean;
  is_retired boolean := false;
  is_renamed boolean := false;
  current_schema_name name;
  current_table_name name;
begin
  begin
    -- One at a time: the number is the word "reckon" in ASCII.
    perform pg_advisory_xact_lock(125779785248622);
  exception when lock_not_available then
    raise exception using
      errcode = 'lock_not_available',
      message = format('reckon: unretire: another step, unretire.sql or another file of reckon is running in database %s', current_database()),
      hint = 'Nothing was changed. Let it end, then run this again.';
  end;
  has_journal := to_regclass('reckon_journal.retirement') is not null;
  -- The triggers forbid writes whether or not the journal knows of them.
  select count(*) > 0 into has_triggers
    from pg_catalog.pg_trigger as t
   where t.tgrelid = '16384'::oid and t.tgname in ('reckon_retired', 'reckon_retired_row');
  if not has_journal and not has_triggers then
    raise notice 'reckon: unretire: nothing to do, no table of this database was retired';
    return;
  end if;
  -- Where the certified table is now: a rename keeps its oid, and no other table has it.
  select format('%I.%I', n.nspname, c.relname), n.nspname = 'public' and c.relname = 'token_transactions'
    into place, is_in_place
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
   where c.oid = '16384'::oid;
  if place is null then
    raise exception using
      message = format('reckon: unretire: there is no %s of oid %s to give back in database %s',
                       'public.token_transactions', '16384'::oid, current_database()),
      detail = coalesce(
        (select format('Step 3 dropped it at %s.', max(r.done_at))
           from reckon_journal.retirement as r
          where r.table_oid = '16384'::oid and r.step = 3
         having count(*) > 0),
        'No step 3 dropped it.'),
      hint = 'Nothing was changed. Make it again from its archive: run restore.sql, load the rows as that file says, and run check.sql.';
  end if;
  if has_journal then
    perform from reckon_journal.retirement as r
     where r.table_oid = '16384'::oid and r.ended_at is null;
    is_retired := found;
  end if;
  if not is_retired and not has_triggers then
    raise notice 'reckon: unretire: nothing to do, % is not retired', place;
    return;
  end if;

  begin
    execute format('lock table %s in access exclusive mode', place);
  exception when lock_not_available then
    raise exception using
      errcode = 'lock_not_available',
      message = format('reckon: unretire: %s is in use: its lock was not to be had within %s',
                       place, current_setting('lock_timeout')),
      hint = 'Nothing was changed. Let the transactions that use the table end (pg_locks, pg_stat_activity), then run this again.';
  when undefined_table then
    raise exception using
      message = format('reckon: unretire: %s was renamed or dropped while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end;
  -- While this waited, the table may have been renamed and another put in its place.
  perform from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
   where c.oid = '16384'::oid and format('%I.%I', n.nspname, c.relname) = place;
  if not found then
    raise exception using
      message = format('reckon: unretire: %s was renamed or replaced while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end if;
  if has_journal then
    perform from reckon_journal.retirement as r
     where r.table_oid = '16384'::oid and r.step = 2 and r.ended_at is null;
    is_renamed := found and not is_in_place;
  end if;
  if is_renamed and to_regclass('public.token_transactions') is not null then
    raise exception using
      message = format('reckon: unretire: %s cannot have its name back: there is another %s', place, 'public.token_transactions'),
      hint = 'Nothing was changed. Rename that one or drop it, then run this again.';
  end if;
  execute format('drop trigger if exists reckon_retired on %s', place);
  execute format('drop trigger if exists reckon_retired_row on %s', place);
  drop function if exists reckon_journal.forbid_write_16384();
  if is_renamed then
    select n.nspname, c.relname into current_schema_name, current_table_name
      from pg_catalog.pg_class as c
      join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
     where c.oid = '16384'::oid;
    if current_schema_name <> 'public' then
      execute format('alter table %s set schema %I', place, 'public');
    end if;
    if current_table_name <> 'token_transactions' then
      execute format('alter table %I.%I rename to %I', 'public', current_table_name, 'token_transactions');
    end if;
    place := 'public.token_transactions';
  end if;
  if has_journal then
    update reckon_journal.retirement as r
       set ended_at = clock_timestamp(), ended_by = 'unretire'
     where r.table_oid = '16384'::oid and r.ended_at is null;
  end if;
  raise notice 'reckon: unretire: % can be written again', place;
end
$reckon$;

commit;
