  -- No other row carries the reference of one that is to be inserted, under whatever user and label.
  select count(*), string_agg(c.named, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select format('%s by row %s', r.reference, n.id_text) as named,
             row_number() over (order by r.reference, n.id_text) as place
        from pg_temp.reckon_near as n
       cross join lateral unnest(n.reference_set) as r (reference)
       where (n.counts or n.is_unclear)
         and r.reference in (select unnest(l.reference_set) from pg_temp.reckon_legacy as l)
         and not exists (select 1 from pg_temp.reckon_own as o where o.row_id = n.id_text)
         and not exists (
           select 1
             from pg_temp.reckon_carriers as k
            where k.reference = r.reference and k.row_id = n.known_id
         )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s references of the rows to insert are carried by rows that the run has not seen: %s', wrong, named),
      hint = 'Nothing was changed. Look at these rows and run reckon reconcile again; where one cannot be read, mend it or accept the finding with reckon waive.';
  end if;

