declare
  target constant regclass := {{unified_literal}}::regclass;
  foreign_key record;
  key_type text;
  given_columns text;
  settable_columns text;
  given_values text;
  settable_values text;
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

  select format_type(a.atttypid, a.atttypmod) into strict key_type
    from pg_catalog.pg_attribute as a
   where a.attrelid = target and a.attname = {{key_name}} and not a.attisdropped;
  -- A JSON null is noted beside the before-image, in which it looks like the null of SQL.
  select string_agg(c.name, ', ' order by c.attnum),
         string_agg(c.value, ', ' order by c.attnum),
         string_agg(c.name, ', ' order by c.attnum) filter (where c.settable),
         string_agg(c.value, ', ' order by c.attnum) filter (where c.settable)
    into given_columns, given_values, settable_columns, settable_values
    from (
      select a.attnum,
             a.attidentity <> 'a' as settable,
             format('%I', a.attname) as name,
             case
               when coalesce(nullif(t.typbasetype, 0), t.oid) in ('json'::regtype, 'jsonb'::regtype)
                 then format('case when p.before_nulls @> %L then ''null'' else b.%I end',
                   to_jsonb(a.attname::text), a.attname)
               else format('b.%I', a.attname)
             end as value
        from pg_catalog.pg_attribute as a
        join pg_catalog.pg_type as t on t.oid = a.atttypid
       where a.attrelid = target and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    ) as c;

  -- One line a row: what it was before the first change and after the last.
  execute format(
    'create temporary table reckon_undo on commit drop as
     select e.row_id::%s as row_key,
            (array_agg(e.operation order by e.seq))[1] as first_operation,
            (array_agg(e.operation order by e.seq desc))[1] as last_operation,
            (array_agg(e.before order by e.seq))[1] as before,
            (array_agg(to_jsonb(e.*) -> ''before_nulls'' order by e.seq))[1] as before_nulls,
            (array_agg(e.after order by e.seq desc))[1] as after
       from reckon_journal.entries as e
      where e.plan_id = %L and e.undone_at is null
      group by e.row_id',
    key_type, {{plan}}
  );
  analyze pg_temp.reckon_undo;

  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_key::text as row_id, row_number() over (order by p.row_key::text) as place
        from pg_temp.reckon_undo as p
        left join {{unified}} as u on {{id}} = p.row_key
       where case
               when p.last_operation = 'delete' then {{id}} is not null
               else {{id}} is null or to_jsonb(u.*) is distinct from p.after::jsonb
             end
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows were edited since: %s', wrong, named),
      hint = 'Nothing was undone. Take these rows back by hand from reckon_journal.entries, or put them as they were.';
  end if;

{{cascade}}
  -- Removed rows come back.
  select count(*) into planned
    from pg_temp.reckon_undo as p
   where p.last_operation = 'delete' and p.first_operation <> 'insert';
  execute format(
    'insert into %s (%s) overriding system value
     select %s from pg_temp.reckon_undo as p, json_populate_record(null::%s, p.before) as b
      where p.last_operation = ''delete'' and p.first_operation <> ''insert''',
    target, given_columns, given_values, target
  );
  get diagnostics done = row_count;
  if done <> planned then
    raise exception 'reckon: % rows came back instead of %; nothing was undone', done, planned;
  end if;
  undone := undone + done;

  -- Changed rows get their values back.
  select count(*) into planned
    from pg_temp.reckon_undo as p
   where p.last_operation <> 'delete' and p.first_operation <> 'insert';
  execute format(
    'update %1$s as u
        set (%2$s) = (select %4$s from json_populate_record(null::%1$s, p.before) as b)
       from pg_temp.reckon_undo as p
      where %3$s = p.row_key
        and to_jsonb(u.*) = p.after::jsonb
        and p.last_operation <> ''delete'' and p.first_operation <> ''insert''',
    target, settable_columns, {{id_literal}}, settable_values
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
     and to_jsonb(u.*) = p.after::jsonb
     and p.last_operation <> 'delete' and p.first_operation = 'insert';
  get diagnostics done = row_count;
  if done <> planned then
    raise exception 'reckon: % rows were removed instead of %; nothing was undone', done, planned;
  end if;
  undone := undone + done;

  select count(*) into wrong
    from pg_temp.reckon_undo as p
    left join {{unified}} as u on {{id}} = p.row_key
   where p.first_operation <> 'insert' and to_jsonb(u.*) is distinct from p.before::jsonb;
  if wrong > 0 then
    raise warning 'reckon: % rows are not quite as they were: a trigger changed them', wrong;
  end if;

  update reckon_journal.entries as e
     set undone_at = now()
   where e.plan_id = {{plan}} and e.undone_at is null;
  raise notice 'reckon: % rows undone', undone;
end
