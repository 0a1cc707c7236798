declare
  wrong bigint;
  named text;
begin
  -- The rows of these users that count and that this plan has nothing to do with. A row of another label may be
  -- the missing one too, and so may be one that failed when the run looked.
  create temporary table reckon_beside on commit drop as
  select k.no, n.user_text, n.label, n.print
    from pg_temp.reckon_known as k
    join pg_temp.reckon_near as n on {{near_user_key}} = {{known_key}}
   where n.counts
     and not exists (select 1 from pg_temp.reckon_touched as t where {{is_touched}})
     and not exists (select 1 from pg_temp.reckon_own as o where o.row_id = n.id_text);
  create temporary table reckon_seen on commit drop as
  select distinct k.no, l.print
    from pg_temp.reckon_known as k
   cross join lateral unnest(k.prints) as l (print);
  analyze pg_temp.reckon_beside;
  analyze pg_temp.reckon_seen;

  -- Each of them was seen by the run as it is. One that has gone hides none that has come.
  select count(*), string_agg(c.named, '; ' order by c.named) filter (where c.place <= 5)
    into wrong, named
    from (
      select g.named, row_number() over (order by g.named) as place
        from (
          select k.no,
                 format('user %s, action %s', min(b.user_text),
                   coalesce(min(b.label) filter (where s.print is null), min(b.label))) as named
            from pg_temp.reckon_beside as b
            join pg_temp.reckon_known as k on k.no = b.no
            left join pg_temp.reckon_seen as s on s.no = b.no and s.print = b.print
           group by k.no, k.row_count, k.blank_count, k.fingerprint
          having count(*) > k.row_count
              or count(*) filter (where b.print is null) > k.blank_count
              or case
                   when k.fingerprint is null then count(b.print) > count(s.print)
                   else count(*) <> k.row_count
                     or coalesce(sum(('x' || b.print)::bit(56)::bigint), 0) <> k.fingerprint
                 end
        ) as g
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: rows that the run has not seen as they are appeared for %s', named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;

  -- Nor has one come by a label without a meaning: it may be the missing one by another name.
  select count(*), string_agg(c.named, '; ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select format('user %s, action %s by row %s', n.user_text, n.label, n.id_text) as named,
             row_number() over (order by n.user_text, n.label, n.id_text) as place
        from pg_temp.reckon_near as n
       where n.is_unclear
         and exists (
           select 1
             from pg_temp.reckon_rows as p
            where {{near_user_key}} = {{planned_user_key}}
              and (n.tokens = '' or n.tokens = {{missing_tokens}})
         )
         and not exists (select 1 from pg_temp.reckon_touched as t where {{is_touched}})
         and not exists (select 1 from pg_temp.reckon_own as o where o.row_id = n.id_text)
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: rows that the run has not seen appeared for %s', named),
      hint = 'Nothing was changed. Their label has no meaning, and they may be what is missing: give it one in the configuration and run reckon reconcile again.';
  end if;

{{not_named}}{{not_carried}}  -- A row that is there already must be the one that would be inserted.
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select {{id_text}} as row_id, row_number() over (order by {{id_text}}) as place
        from pg_temp.reckon_there as t
        join pg_temp.reckon_rows as p on p.reckon_no = t.reckon_no
        join {{unified}} as u on {{id}} = t.row_id
       where not ({{as_planned}})
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows are there already with other content: %s', wrong, named),
      hint = 'Nothing was changed. Look at these rows, then run reckon reconcile again.';
  end if;
end
