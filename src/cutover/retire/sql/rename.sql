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
{{find}}
{{absent}}
{{standing}}
  select r.done_at, r.retired_name into done_at, retired_name
    from reckon_journal.retirement as r
   where r.table_oid = {{oid}} and r.step = 2 and r.ended_at is null;
  if done_at is not null and to_regclass(retired_name)::oid is distinct from {{oid}} then
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
   where r.table_oid = {{oid}} and r.step = 1 and r.ended_at is null;
  if not found then
    raise exception using
      message = format('reckon: step 2: step 1 has not been done: writes to %s are not forbidden', place),
      hint = 'Nothing was changed. Run the steps of this file in their order.';
  end if;
  if not is_in_place then
    raise exception using
      message = format('reckon: step 2: the certified table %s is called %s now', {{table_literal}}, place),
      hint = 'Nothing was changed. Give it back its name, then run this again.';
  end if;

{{lock}}
{{alone}}
{{compare}}
{{forbidden}}
  if not is_forbidden then
    raise exception using
      message = format('reckon: step 2: the triggers that forbid writes to %s are gone or turned off', place),
      hint = 'Nothing was changed. Its rows are still those that were certified: run step 1 again. Where this certificate has expired, run unretire.sql, then reckon cutover again.';
  end if;
  if to_regclass({{retired_literal}}) is not null then
    raise exception using
      message = format('reckon: step 2: there is a %s already', {{retired_literal}}),
      hint = 'Nothing was changed. Rename it or drop it, then run this again.';
  end if;

  alter table {{table}} rename to {{retired_name}};
  insert into reckon_journal.retirement
    (table_oid, table_name, retired_name, certificate, step, digest, shape, hold_until)
  values
    ({{oid}}, {{table_literal}}, {{retired_literal}}, {{certificate}}, 2, digest, shape,
     clock_timestamp() + {{hold}});
  raise notice 'reckon: step 2: % is called % now', {{table_literal}}, {{retired_literal}};
end
