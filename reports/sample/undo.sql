-- reckon, undo: takes back what backfill, repair and dedupe of this plan did to public.token_usage.
-- Plan e577030758195aa4, made from the run of token_transactions.csv and token_usage.csv as of 2026-09-01T00:00:00.000000Z.
-- At most 52 rows; -7,372,492 tokens when all was done.
-- Needs: the journal reckon_journal.entries, and the role that wrote it or one that row-level security lets see it.
-- One transaction: when a row was edited since, it stops with an error and undoes nothing. A second run does nothing.
begin;
set transaction isolation level read committed;
set local lock_timeout = '5s';
set local statement_timeout = '55s';
-- A table under row-level security that would hide rows from this role is an error, not an empty table.
set local row_security = off;
set local client_encoding = 'UTF8';
set local timezone = 'UTC';
-- Values are written into the journal, and read from it, in one form whatever the session says.
set local datestyle = 'ISO, MDY';
set local intervalstyle = 'postgres';
set local bytea_output = 'hex';
set local extra_float_digits = 3;
set local lc_monetary = 'C';
set local xmloption = 'content';
set local array_nulls = on;
set local quote_all_identifiers = off;

-- Of values inside JSON the server has no statistics: it would sort the whole table for the sake of a few rows, and
-- compile for as long as it looks.
set local enable_mergejoin = off;
set local jit = off;

-- One file at a time, so that no two make the journal, or wait for each other: the number is the word "reckon" in
-- ASCII, as in retire.sql.
do $reckon$
begin
  perform pg_advisory_xact_lock(125779785248622);
exception when lock_not_available then
  raise exception using
    errcode = 'lock_not_available',
    message = format('reckon: another file of reckon is running in database %s', current_database()),
    hint = 'Nothing was changed. Let it end, then run this again.';
end
$reckon$;

-- A row as the text that is read back as that row. Names in it stand with their schemas, whatever the path of the
-- session; triggers of the table find that path as it was.
create or replace function pg_temp.reckon_row_text(written record) returns text
  language plpgsql
  stable
  set search_path = pg_catalog, pg_temp
  as $reckon$
begin return textin(record_out(written)); end
$reckon$;

lock table public.token_usage in share row exclusive mode;

do $reckon$
declare
  wrong bigint;
  named text;
begin
  -- A rule puts other statements in the place of those below, or beside them.
  select count(*), string_agg(r.rulename, ', ' order by r.rulename)
    into wrong, named
    from pg_catalog.pg_rewrite as r
   where r.ev_class = 'public.token_usage'::regclass
     and r.ev_type in ('2', '3', '4')
     and r.ev_enabled in ('O', 'A');
  if wrong > 0 then
    raise exception using
      message = format('reckon: a rule acts on %s: %s', 'public.token_usage', named),
      hint = 'Nothing was changed. Read it; where it need not act on these rows, run alter table … disable rule … before this file and enable rule after it.';
  end if;
end
$reckon$;

do $reckon$
declare
  target constant regclass := 'public.token_usage'::regclass;
  caller_path constant text := current_setting('search_path');
  foreign_key record;
  key_type text;
  row_type text;
  column_names text[];
  given_columns text;
  settable_columns text;
  given_values text;
  settable_values text;
  read_now text;
  read_before text;
  wrong bigint;
  named text;
  planned bigint;
  done bigint;
  undone bigint := 0;
begin
  if to_regclass('reckon_journal.entries') is null then
    raise notice 'reckon: there is no journal, so there is nothing to undo';
    return;
  end if;
  lock table reckon_journal.entries in share row exclusive mode;

  -- An earlier version noted rows in another form, which its own undo.sql reads.
  if exists (
    select 1
      from pg_catalog.pg_attribute as a
     where a.attrelid = 'reckon_journal.entries'::regclass and a.attname = 'after_row'
  ) then
    select count(*) into wrong
      from reckon_journal.entries as e
     where e.plan_id = 'e577030758195aa4'
       and e.undone_at is null
       and (e.operation <> 'insert' and e.before_row is null or e.operation <> 'delete' and e.after_row is null);
  else
    select count(*) into wrong
      from reckon_journal.entries as e
     where e.plan_id = 'e577030758195aa4' and e.undone_at is null;
    if wrong = 0 then
      raise notice 'reckon: 0 rows undone';
      return;
    end if;
  end if;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s changes were noted by an earlier version of reckon', wrong),
      hint = 'Nothing was undone. Use the undo.sql that was written beside the files that were applied.';
  end if;

  select format_type(a.atttypid, a.atttypmod) into strict key_type
    from pg_catalog.pg_attribute as a
   where a.attrelid = target and a.attname = 'id' and not a.attisdropped;
  select format('%I.%I', n.nspname, t.typname) into strict row_type
    from pg_catalog.pg_class as c
    join pg_catalog.pg_type as t on t.oid = c.reltype
    join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
   where c.oid = target;
  -- A value that is as it was stays in place; what the server gives cannot be set.
  select array_agg(c.name order by c.attnum),
         string_agg(c.quoted, ', ' order by c.attnum) filter (where c.given),
         string_agg('(b.r).' || c.quoted, ', ' order by c.attnum) filter (where c.given),
         string_agg(c.quoted, ', ' order by c.attnum) filter (where c.settable),
         string_agg(
           format('case when row((b.r).%1$s)::text = row(u.%1$s)::text then u.%1$s else (b.r).%1$s end', c.quoted),
           ', ' order by c.attnum
         ) filter (where c.settable),
         string_agg('u.' || c.quoted, ', ' order by c.attnum) filter (where c.name in ('action_type', 'created_at', 'id', 'metadata', 'success', 'tokens_used', 'user_id')),
         string_agg('(b.r).' || c.quoted, ', ' order by c.attnum) filter (where c.name in ('action_type', 'created_at', 'id', 'metadata', 'success', 'tokens_used', 'user_id'))
    into column_names, given_columns, given_values, settable_columns, settable_values, read_now, read_before
    from (
      select a.attnum,
             a.attname::text as name,
             format('%I', a.attname) as quoted,
             a.attgenerated = '' as given,
             a.attgenerated = '' and a.attidentity <> 'a' as settable
        from pg_catalog.pg_attribute as a
       where a.attrelid = target and a.attnum > 0 and not a.attisdropped
    ) as c;

  -- One line a row: what it was before the first change and after the last.
  execute format(
    'create temporary table reckon_undo on commit drop as
     select e.row_id::%s as row_key,
            (array_agg(e.operation order by e.seq))[1] as first_operation,
            (array_agg(e.operation order by e.seq desc))[1] as last_operation,
            (array_agg(e.before_row order by e.seq))[1] as before_row,
            (array_agg(e.after_row order by e.seq desc))[1] as after_row,
            (array_agg(coalesce(e.after, e.before) order by e.seq desc))[1] as noted
       from reckon_journal.entries as e
      where e.plan_id = %L and e.undone_at is null
      group by e.row_id',
    key_type, 'e577030758195aa4'
  );
  analyze pg_temp.reckon_undo;

  -- The text of a row is read by the places of its columns, so they must be those of then.
  select count(*) into wrong
    from pg_temp.reckon_undo as p
   where (
       select array_agg(k.name order by k.place)
         from json_object_keys(p.noted) with ordinality as k (name, place)
     ) is distinct from column_names;
  if wrong > 0 then
    raise exception using
      message = format('reckon: the columns of %s are others than when %s rows were noted', target, wrong),
      hint = 'Nothing was undone. Take these rows back by hand from reckon_journal.entries.';
  end if;

  -- What somebody did to a row between two files of this plan is in no image, so nobody would see it go.
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select b.row_id, row_number() over (order by b.row_id) as place
        from (
          select e.row_id,
                 e.before_row,
                 lag(e.after_row) over w as left_row,
                 row_number() over w as step,
                 e.operation = 'delete' and lag(e.operation) over w = 'delete' as is_gone_twice
            from reckon_journal.entries as e
           where e.plan_id = 'e577030758195aa4' and e.undone_at is null
          window w as (partition by e.row_id order by e.seq)
        ) as b
       where b.step > 1 and (b.is_gone_twice or b.before_row is distinct from b.left_row)
       group by b.row_id
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows were changed by somebody else between two files of this plan: %s', wrong, named),
      hint = 'Nothing was undone. Each step stands in reckon_journal.entries: take these rows back by hand.';
  end if;

  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_key::text as row_id, row_number() over (order by p.row_key::text) as place
        from pg_temp.reckon_undo as p
        left join public.token_usage as u on u.id = p.row_key
       where case
               when p.last_operation = 'delete' then u.id is not null
               else u.id is null or pg_temp.reckon_row_text(u.*) is distinct from p.after_row
             end
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows were edited since: %s', wrong, named),
      hint = 'Nothing was undone. Take these rows back by hand from reckon_journal.entries, or put them as they were.';
  end if;

  -- A foreign key elsewhere must not act on the rows that leave, be it on the table or on a part of it.
  for foreign_key in
    with recursive tree (oid) as (
      select target::oid
      union
      select i.inhrelid from pg_catalog.pg_inherits as i join tree on i.inhparent = tree.oid
    )
    select c.conname as name,
           c.conrelid::regclass::text as referencing,
           c.confrelid::regclass::text as referenced,
           string_agg(format('r.%I = u.%I', ra.attname, ua.attname), ' and ') as same_key
      from pg_catalog.pg_constraint as c
     cross join lateral unnest(c.conkey, c.confkey) as k (referencing_no, referenced_no)
      join pg_catalog.pg_attribute as ra on ra.attrelid = c.conrelid and ra.attnum = k.referencing_no
      join pg_catalog.pg_attribute as ua on ua.attrelid = c.confrelid and ua.attnum = k.referenced_no
     where c.contype = 'f'
       and c.confrelid in (select oid from tree)
       and c.confdeltype in ('c', 'n', 'd')
       -- A key on the whole is found on each of its parts again.
       and not exists (
         select 1
           from pg_catalog.pg_constraint as up
          where up.oid = c.conparentid and up.confrelid in (select oid from tree)
       )
     group by c.oid, c.conname, c.conrelid, c.confrelid
     order by 2, 1
  loop
    execute format(
      'select count(*) from %s as r join %s as u on %s join %s',
      foreign_key.referencing, foreign_key.referenced, foreign_key.same_key, 'pg_temp.reckon_undo as p on p.row_key = u.id and p.first_operation = ''insert'' and p.last_operation <> ''delete'''
    ) into wrong;
    if wrong > 0 then
      raise exception using
        message = format('reckon: the foreign key %s would change %s rows of %s', foreign_key.name, wrong,
          foreign_key.referencing),
        hint = 'Nothing was changed. Point those rows at the rows that stay, then run this again.';
    end if;
  end loop;


  -- The rows as they were before. What pg_catalog has was noted without its schema, so it is looked for there first.
  perform set_config('search_path', concat_ws(', ', 'pg_catalog', nullif(caller_path, ''), 'pg_temp'), true);
  execute format(
    'create temporary table reckon_before on commit drop as
     select p.row_key, p.last_operation, p.after_row, p.before_row::%s as r
       from pg_temp.reckon_undo as p
      where p.first_operation <> ''insert''',
    row_type
  );
  perform set_config('search_path', caller_path, true);
  analyze pg_temp.reckon_before;

  -- Removed rows come back.
  select count(*) into planned from pg_temp.reckon_before as b where b.last_operation = 'delete';
  if planned > 0 then
  -- A trigger may change balances; [repair] allow_triggers = true leaves this check out.
  -- A partition may have triggers of its own.
  select count(*), string_agg(distinct t.tgname, ', ' order by t.tgname)
    into wrong, named
    from pg_catalog.pg_trigger as t
   where (
       t.tgrelid = 'public.token_usage'::regclass
       or t.tgtype & 1 <> 0
          and t.tgrelid in (select r.relid from pg_catalog.pg_partition_tree('public.token_usage'::regclass) as r)
     )
     and not t.tgisinternal
     and t.tgenabled in ('O', 'A')
     and t.tgtype & 4 <> 0;
  if wrong > 0 then
    raise exception using
      message = format('reckon: a trigger acts on INSERT of %s, by which rows would come back: %s', 'public.token_usage', named),
      hint = 'Nothing was changed. Disable it for undo.sql, or take these rows back by hand from reckon_journal.entries.';
  end if;
  end if;
  execute format(
    'insert into %s (%s) overriding system value
     select %s
       from pg_temp.reckon_before as b
      where b.last_operation = ''delete''',
    target, given_columns, given_values
  );
  get diagnostics done = row_count;
  if done <> planned then
    raise exception 'reckon: % rows came back instead of %; nothing was undone', done, planned;
  end if;
  undone := undone + done;

  -- Changed rows get their values back.
  select count(*) into planned from pg_temp.reckon_before as b where b.last_operation <> 'delete';
  execute format(
    'update %s as u
        set (%s) = row(%s)
       from pg_temp.reckon_before as b
      where %s = b.row_key
        and %s = b.after_row
        and b.last_operation <> ''delete''',
    target, settable_columns, settable_values, 'u.id', 'pg_temp.reckon_row_text(u.*)'
  );
  get diagnostics done = row_count;
  if done <> planned then
    raise exception 'reckon: % rows got their values back instead of %; nothing was undone', done, planned;
  end if;
  undone := undone + done;

  -- Inserted rows go.
  select count(*) into planned
    from pg_temp.reckon_undo as p
   where p.last_operation <> 'delete' and p.first_operation = 'insert';
  delete from public.token_usage as u
   using pg_temp.reckon_undo as p
   where u.id = p.row_key
     and pg_temp.reckon_row_text(u.*) = p.after_row
     and p.last_operation <> 'delete' and p.first_operation = 'insert';
  get diagnostics done = row_count;
  if done <> planned then
    raise exception 'reckon: % rows were removed instead of %; nothing was undone', done, planned;
  end if;
  undone := undone + done;

  -- What reckon reads of a row is as it was, or nothing is undone.
  execute format(
    'select count(*), string_agg(c.row_id, '', '' order by c.place) filter (where c.place <= 5)
       from (
         select b.row_key::text as row_id, row_number() over (order by b.row_key::text) as place
           from pg_temp.reckon_before as b
           left join %s as u on %s = b.row_key
          where row(%s)::text is distinct from row(%s)::text
       ) as c',
    target, 'u.id', read_now, read_before
  ) into wrong, named;
  if wrong > 0 then
    raise exception using
      message = format('reckon: a trigger changed %s rows while they were put back: %s', wrong, named),
      hint = 'Nothing was undone. Disable the trigger for undo.sql, or let it pass on rows as they are.';
  end if;
  select count(*) into wrong
    from pg_temp.reckon_undo as p
    left join public.token_usage as u on u.id = p.row_key
   where p.first_operation <> 'insert' and pg_temp.reckon_row_text(u.*) is distinct from p.before_row;
  if wrong > 0 then
    raise warning 'reckon: % rows are not quite as they were: a trigger changed them', wrong;
  end if;

  update reckon_journal.entries as e
     set undone_at = now()
   where e.plan_id = 'e577030758195aa4' and e.undone_at is null;
  raise notice 'reckon: % rows undone', undone;
end
$reckon$;

drop function pg_temp.reckon_row_text(record);

commit;
