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
{{serial}}
  has_journal := to_regclass('reckon_journal.retirement') is not null;
  -- The triggers forbid writes whether or not the journal knows of them.
  select count(*) > 0 into has_triggers
    from pg_catalog.pg_trigger as t
   where t.tgrelid = {{oid}} and t.tgname in ('reckon_retired', 'reckon_retired_row');
  if not has_journal and not has_triggers then
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
  if has_journal then
    perform from reckon_journal.retirement as r
     where r.table_oid = {{oid}} and r.ended_at is null;
    is_retired := found;
  end if;
  if not is_retired and not has_triggers then
    raise notice 'reckon: unretire: nothing to do, % is not retired', place;
    return;
  end if;

{{lock}}
  if has_journal then
    perform from reckon_journal.retirement as r
     where r.table_oid = {{oid}} and r.step = 2 and r.ended_at is null;
    is_renamed := found and not is_in_place;
  end if;
  if is_renamed and to_regclass({{table_literal}}) is not null then
    raise exception using
      message = format('reckon: unretire: %s cannot have its name back: there is another %s', place, {{table_literal}}),
      hint = 'Nothing was changed. Rename that one or drop it, then run this again.';
  end if;
  execute format('drop trigger if exists reckon_retired on %s', place);
  execute format('drop trigger if exists reckon_retired_row on %s', place);
  drop function if exists {{function}}();
  if is_renamed then
    select n.nspname, c.relname into current_schema_name, current_table_name
      from pg_catalog.pg_class as c
      join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
     where c.oid = {{oid}};
    if current_schema_name <> {{schema}} then
      execute format('alter table %s set schema %I', place, {{schema}});
    end if;
    if current_table_name <> {{name}} then
      execute format('alter table %I.%I rename to %I', {{schema}}, current_table_name, {{name}});
    end if;
    place := {{table_literal}};
  end if;
  if has_journal then
    update reckon_journal.retirement as r
       set ended_at = clock_timestamp(), ended_by = 'unretire'
     where r.table_oid = {{oid}} and r.ended_at is null;
  end if;
  raise notice 'reckon: unretire: % can be written again', place;
end
