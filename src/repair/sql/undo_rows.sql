declare
  target constant regclass := {{unified_literal}}::regclass;
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
     where e.plan_id = {{plan}}
       and e.undone_at is null
       and (e.operation <> 'insert' and e.before_row is null or e.operation <> 'delete' and e.after_row is null);
  else
    select count(*) into wrong
      from reckon_journal.entries as e
     where e.plan_id = {{plan}} and e.undone_at is null;
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
   where a.attrelid = target and a.attname = {{key_name}} and not a.attisdropped;
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
         string_agg('u.' || c.quoted, ', ' order by c.attnum) filter (where c.name in ({{read}})),
         string_agg('(b.r).' || c.quoted, ', ' order by c.attnum) filter (where c.name in ({{read}}))
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
    key_type, {{plan}}
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
           where e.plan_id = {{plan}} and e.undone_at is null
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
        left join {{unified}} as u on {{id}} = p.row_key
       where case
               when p.last_operation = 'delete' then {{id}} is not null
               else {{id}} is null or {{row_text}} is distinct from p.after_row
             end
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows were edited since: %s', wrong, named),
      hint = 'Nothing was undone. Take these rows back by hand from reckon_journal.entries, or put them as they were.';
  end if;

{{cascade}}
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
{{no_triggers}}  execute format(
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
    target, settable_columns, settable_values, {{id_literal}}, {{row_text_literal}}
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
  delete from {{unified}} as u
   using pg_temp.reckon_undo as p
   where {{id}} = p.row_key
     and {{row_text}} = p.after_row
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
    target, {{id_literal}}, read_now, read_before
  ) into wrong, named;
  if wrong > 0 then
    raise exception using
      message = format('reckon: a trigger changed %s rows while they were put back: %s', wrong, named),
      hint = 'Nothing was undone. Disable the trigger for undo.sql, or let it pass on rows as they are.';
  end if;
  select count(*) into wrong
    from pg_temp.reckon_undo as p
    left join {{unified}} as u on {{id}} = p.row_key
   where p.first_operation <> 'insert' and {{row_text}} is distinct from p.before_row;
  if wrong > 0 then
    raise warning 'reckon: % rows are not quite as they were: a trigger changed them', wrong;
  end if;

  update reckon_journal.entries as e
     set undone_at = now()
   where e.plan_id = {{plan}} and e.undone_at is null;
  raise notice 'reckon: % rows undone', undone;
end
