  -- A text may write amounts in another form than plain digits: then nobody knows how it writes a new one.
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select {{id_text}} as row_id, row_number() over (order by {{id_text}}) as place
        from {{unified}} as u
       where {{amount}} !~ '^-?[0-9]+$'
         and exists (select 1 from pg_temp.{{staged}} as p where {{concerns}})
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows of %s write their amount in another form than plain digits: %s', wrong,
        {{unified_literal}}, named),
      hint = 'Nothing was changed. Do it by hand, or give the column a type of numbers and run reckon reconcile again.';
  end if;

