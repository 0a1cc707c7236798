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
{{find}}
{{absent}}
{{standing}}
  -- The longer of the hold that was promised when it was renamed and the one of this certificate.
  select r.done_at, r.retired_name, greatest(r.hold_until, r.done_at + {{hold}})
    into done_at, retired_name, hold_until
    from reckon_journal.retirement as r
   where r.table_oid = {{oid}} and r.step = 2 and r.ended_at is null;
  if done_at is null then
    raise exception using
      message = format('reckon: step 3: step 2 has not been done: the table is still called %s; it was not dropped', place),
      hint = 'Nothing was changed. Run the steps of this file in their order.';
  end if;
  if to_regclass(retired_name)::oid is distinct from {{oid}} then
    raise exception using
      message = format('reckon: step 3: %s was NOT dropped: step 2 called the table %s, and somebody has renamed it since',
                       place, retired_name),
      hint = 'Nothing was changed. Whoever took it back may need it. Run unretire.sql, then reckon cutover again, and use the retire.sql that it writes.';
  end if;
{{rest}}
end
