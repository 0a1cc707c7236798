declare
  foreign_key record;
  wrong bigint;
  named text;
  planned bigint;
  there bigint;
  inserted_rows bigint;
begin
{{no_triggers}}{{spelled_users}}  -- Rows of this plan that are there already.
  create temporary table reckon_there on commit drop as
  select p.reckon_no, {{id}} as row_id
    from pg_temp.reckon_rows as p
    join {{unified}} as u on {{own}};
  analyze pg_temp.reckon_there;

  -- The same, and what other parts of this plan have inserted.
  create temporary table reckon_own on commit drop as
  select t.row_id::text as row_id
    from pg_temp.reckon_there as t
   union
  select e.row_id
    from reckon_journal.entries as e
   where e.plan_id = {{plan}}
     and e.operation = 'insert'
     and e.undone_at is null;
  analyze pg_temp.reckon_own;

  -- The rows of these users that count and that this plan has nothing to do with. A row of another label may be
  -- the missing one too, and so may be one that failed when the run looked.
  create temporary table reckon_beside on commit drop as
  select k.no, {{user_text}} as user_text, {{label}} as label,
         left(encode(sha256(convert_to({{known_id}} || chr(10) || {{label}}, 'UTF8')), 'hex'), 14) as print
    from pg_temp.reckon_known as k
    join {{unified}} as u on {{same_user}}
   where {{counts}}
     and not exists (select 1 from pg_temp.reckon_touched as t where {{is_touched}})
     and not exists (select 1 from pg_temp.reckon_own as o where o.row_id = {{id_text}});
  create temporary table reckon_seen on commit drop as
  select distinct k.no, l.print
    from pg_temp.reckon_known as k
   cross join lateral unnest(k.prints) as l (print);
  analyze pg_temp.reckon_beside;
  analyze pg_temp.reckon_seen;

  -- Each of them was seen by the run. One that has gone hides none that has come.
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
      message = format('reckon: rows that the run has not seen appeared for %s', named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;

{{not_named}}{{not_carried}}  -- A row that is there already must be the one that would be inserted.
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select {{id_text}} as row_id, row_number() over (order by {{id_text}}) as place
        from pg_temp.reckon_there as t
        join pg_temp.reckon_rows as p on p.reckon_no = t.reckon_no
        join {{unified}} as u on {{id}} = t.row_id
       where not (
         jsonb_build_object({{there}})
         @> jsonb_build_object({{wanted}})
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows are there already with other content: %s', wrong, named),
      hint = 'Nothing was changed. Look at these rows, then run reckon reconcile again.';
  end if;

{{digits}}{{keys_there}}  select count(*) into planned from pg_temp.reckon_rows as p;
  select count(distinct t.reckon_no), count(*) - count(distinct t.reckon_no) into there, wrong
    from pg_temp.reckon_there as t;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s legacy rows have several copies already', wrong),
      hint = 'Nothing was changed. Run reckon reconcile again: it will name them.';
  end if;

  with inserted as (
    insert into {{unified}} as u ({{columns}})
    select {{values}}
      from pg_temp.reckon_rows as p
     where not exists (select 1 from pg_temp.reckon_there as t where t.reckon_no = p.reckon_no)
     order by p.reckon_no
    returning {{id_text}} as row_id, row_to_json(u.*) as after, {{row_text}} as after_row
  ), noted as (
    insert into reckon_journal.entries (plan_id, operation, table_name, row_id, after, after_row)
    select {{plan}}, 'insert', {{unified_literal}}, i.row_id, i.after, i.after_row
      from inserted as i
    returning 1
  )
  select count(*) into inserted_rows from noted;

  if inserted_rows <> planned - there then
    raise exception using
      message = format('reckon: %s rows were inserted instead of %s', inserted_rows, planned - there),
      hint = 'Nothing was changed. A trigger or rule held rows back.';
  end if;
{{succeeded}}  raise notice 'reckon: % rows inserted, % were there already', inserted_rows, there;
end
