  -- No other row says that it is the copy, whatever it counts as.
  select count(*), string_agg(c.named, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select format('%s by row %s', p.reckon_legacy_id, n.id_text) as named,
             row_number() over (order by p.reckon_legacy_id, n.id_text) as place
        from pg_temp.reckon_rows as p
        join pg_temp.reckon_near as n on n.link = p.reckon_legacy_id
       where not exists (
         select 1
           from pg_temp.reckon_there as t
          where t.reckon_no = p.reckon_no and t.row_id = n.row_id
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s legacy rows are named by rows of %s already: %s', wrong, {{unified_literal}}, named),
      hint = 'Nothing was changed. Look at these rows: once they count, a row inserted now would be the second copy.';
  end if;

