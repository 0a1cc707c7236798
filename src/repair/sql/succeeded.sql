
  -- The server fills the column itself: what it gives must count as success.
  select count(*) into wrong
    from pg_temp.reckon_rows as p
    join {{unified}} as u on {{own}}
   where not {{succeeded}};
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s new rows do not count as succeeded: see the column %s', wrong, {{column}}),
      hint = 'Nothing was changed. Insert these rows by hand.';
  end if;
