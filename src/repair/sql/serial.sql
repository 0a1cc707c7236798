begin
  perform pg_advisory_xact_lock(125779785248622);
exception when lock_not_available then
  raise exception using
    errcode = 'lock_not_available',
    message = format('reckon: another file of reckon is running in database %s', current_database()),
    hint = 'Nothing was changed. Let it end, then run this again.';
end
