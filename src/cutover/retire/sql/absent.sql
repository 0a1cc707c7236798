  if place is null then
    select max(r.done_at) into done_at
      from reckon_journal.retirement as r
     where r.table_oid = {{oid}} and r.step = 3;
    if done_at is not null then
      raise notice 'reckon: {{step}}: nothing to do, the table was dropped at %', done_at;
      return;
    end if;
    raise exception using
      message = format('reckon: {{step}}: database %s has no table of oid %s, which is %s as it was certified',
                       current_database(), {{oid}}, {{table_literal}}),
      hint = 'Nothing was changed. This is another database, or somebody dropped the table; a copy of it has another oid. Run reckon cutover again for the table that is there.';
  end if;
