declare
  place text;
  is_in_place boolean;
  is_renamed boolean;
begin
  if to_regclass('reckon_journal.retirement') is null then
    raise notice 'reckon: unretire: nothing to do, no table of this database was retired';
    return;
  end if;
{{find}}
  if place is null then
    raise exception using
      message = format('reckon: unretire: there is no %s of oid %s to give back in database %s',
                       {{table_literal}}, {{oid}}, current_database()),
      detail = coalesce(
        (select format('Step 3 dropped it at %s.', max(r.done_at))
           from reckon_journal.retirement as r
          where r.table_oid = {{oid}} and r.step = 3
         having count(*) > 0),
        'No step 3 dropped it.'),
      hint = 'Nothing was changed. Make it again from its archive: run restore.sql, load the rows as that file says, and run check.sql.';
  end if;
  perform from reckon_journal.retirement as r
   where r.table_oid = {{oid}} and r.ended_at is null;
  if not found then
    raise notice 'reckon: unretire: nothing to do, % is not retired', place;
    return;
  end if;

{{lock}}
  perform
    from reckon_journal.retirement as r
   where r.table_oid = {{oid}} and r.step = 2 and r.ended_at is null;
  is_renamed := found and not is_in_place;
  if is_renamed and to_regclass({{table_literal}}) is not null then
    raise exception using
      message = format('reckon: unretire: %s cannot have its name back: there is another %s', place, {{table_literal}}),
      hint = 'Nothing was changed. Rename that one or drop it, then run this again.';
  end if;
  execute format('drop trigger if exists reckon_retired on %s', place);
  execute format('drop trigger if exists reckon_retired_row on %s', place);
  drop function if exists {{function}}();
  if is_renamed then
    execute format('alter table %s rename to %I', place, {{name}});
  end if;
  update reckon_journal.retirement as r
     set ended_at = clock_timestamp(), ended_by = 'unretire'
   where r.table_oid = {{oid}} and r.ended_at is null;
  raise notice 'reckon: unretire: % can be written again', {{table_literal}};
end
