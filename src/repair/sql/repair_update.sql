declare
  wrong bigint;
  named text;
  planned bigint;
  updated_rows bigint;
begin
  perform 1
     from {{unified}} as u
     join pg_temp.reckon_changes as p on {{id}} = p.row_id
    order by p.row_id
      for update of u;

  -- Each row is as it was read, or changed already as planned.
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_id::text as row_id, row_number() over (order by p.row_id::text) as place
        from pg_temp.reckon_changes as p
       where not exists (
         select 1
           from {{unified}} as u
          where {{id}} = p.row_id
            and {{same_user}}
            and (({{is_old}}) or ({{is_new}})){{same_evidence}}
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows changed or vanished since they were read: %s', wrong, named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;

{{digits}}{{unproven}}  select count(*) into planned
    from pg_temp.reckon_changes as p
    join {{unified}} as u on {{id}} = p.row_id
   where {{is_old}};

  with as_read as (
    select p.row_id, row_to_json(u.*) as before, {{row_text}} as before_row
      from pg_temp.reckon_changes as p
      join {{unified}} as u on {{id}} = p.row_id
     where {{is_old}}
  ), updated as (
    update {{unified}} as u
       set {{assignments}}
      from pg_temp.reckon_changes as p
     where {{id}} = p.row_id
       and {{same_user}}
       and {{is_old}}
    returning p.row_id, {{id_text}} as row_text, row_to_json(u.*) as after, {{row_text}} as after_row
  ), noted as (
    insert into reckon_journal.entries (plan_id, operation, table_name, row_id, before, before_row, after, after_row)
    select {{plan}}, 'update', {{unified_literal}}, n.row_text, b.before, b.before_row, n.after, n.after_row
      from updated as n
      join as_read as b on b.row_id = n.row_id
    returning 1
  )
  select count(*) into updated_rows from noted;

  if updated_rows <> planned then
    raise exception using
      message = format('reckon: %s rows were changed instead of %s', updated_rows, planned),
      hint = 'Nothing was changed. A trigger or rule held rows back.';
  end if;

  -- Each stands there as it was written.
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_id::text as row_id, row_number() over (order by p.row_id::text) as place
        from pg_temp.reckon_changes as p
       where not exists (
         select 1
           from {{unified}} as u
          where {{id}} = p.row_id
            and {{same_user}}
            and {{is_new}}{{same_evidence}}
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: a trigger changed what was written for %s rows: %s', wrong, named),
      hint = 'Nothing was changed. Disable the trigger for the repair, or let it pass on such rows as they are.';
  end if;
  raise notice 'reckon: % rows changed, % were changed already',
    updated_rows, (select count(*) from pg_temp.reckon_changes as p) - updated_rows;
end
