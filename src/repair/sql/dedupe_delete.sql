declare
  target constant regclass := {{unified_literal}}::regclass;
  foreign_key record;
  json_column name;
  wrong bigint;
  named text;
  planned bigint;
  removed_rows bigint;
begin
  perform 1
     from {{unified}} as u
    where {{id}} in (
      select p.row_id from pg_temp.reckon_removed as p
      union all
      select p.kept_id from pg_temp.reckon_removed as p
    )
    order by {{id}}
      for update of u;

  -- Rows that this plan has removed already are done.
  delete from pg_temp.reckon_removed as p
   where not exists (select 1 from {{unified}} as u where {{id}} = p.row_id)
     and exists (
       select 1
         from reckon_journal.entries as e
        where e.plan_id = {{plan}}
          and {{journal_row}} = p.row_id::text
          and e.operation = 'delete'
          and e.undone_at is null
     );

  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_id::text as row_id, row_number() over (order by p.row_id::text) as place
        from pg_temp.reckon_removed as p
       where not exists (
         select 1
           from {{unified}} as u
          where {{id}} = p.row_id
            and {{same}}{{same_evidence}}
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s extra rows changed or vanished since they were read: %s', wrong, named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;

  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_id::text as row_id, row_number() over (order by p.row_id::text) as place
        from pg_temp.reckon_removed as p
       where not exists (
         select 1
           from {{unified}} as u
          where {{id}} = p.kept_id
            and {{same_user}}
            and ({{kept}}){{kept_evidence}}
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: the row that should stay changed or vanished for %s extra rows: %s', wrong, named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;

{{cascade}}{{json_nulls}}  select count(*) into planned from pg_temp.reckon_removed as p;

  with removed as (
    delete from {{unified}} as u
     using pg_temp.reckon_removed as p
     where {{id}} = p.row_id
       and {{same}}
    returning {{id_text}} as row_id, row_to_json(u.*) as before
  ), noted as (
    insert into reckon_journal.entries (plan_id, operation, table_name, row_id, before, before_nulls)
    select {{plan}}, 'delete', {{unified_literal}}, r.row_id, r.before,
           (select array_agg(n.column_name order by n.column_name) from pg_temp.reckon_nulls as n where n.row_id = r.row_id)
      from removed as r
    returning 1
  )
  select count(*) into removed_rows from noted;

  if removed_rows <> planned then
    raise exception using
      message = format('reckon: %s rows were removed instead of %s', removed_rows, planned),
      hint = 'Nothing was changed. A trigger or rule held rows back.';
  end if;
  raise notice 'reckon: % rows removed', removed_rows;
end
