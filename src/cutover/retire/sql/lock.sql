  begin
    execute format('lock table %s in {{mode}} mode', place);
  exception when lock_not_available then
    raise exception using
      errcode = 'lock_not_available',
      message = format('reckon: {{step}}: %s is in use: its lock was not to be had within %s',
                       place, current_setting('lock_timeout')),
      hint = 'Nothing was changed. Let the transactions that use the table end (pg_locks, pg_stat_activity), then run this again.';
  when undefined_table then
    raise exception using
      message = format('reckon: {{step}}: %s was renamed or dropped while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end;
  -- While this waited, the table may have been renamed and another put in its place.
  perform from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
   where c.oid = {{oid}} and format('%I.%I', n.nspname, c.relname) = place;
  if not found then
    raise exception using
      message = format('reckon: {{step}}: %s was renamed or replaced while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end if;
