declare
  target constant regclass := {{unified_literal}}::regclass;
  foreign_key record;
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

  -- Of a row that stands in an heir, only what it has from this table would come back, and into this table.
  select count(*), string_agg(distinct u.tableoid::regclass::text, ', ' order by u.tableoid::regclass::text)
    into wrong, named
    from pg_temp.reckon_removed as p
    join {{unified}} as u on {{id}} = p.row_id
    join pg_catalog.pg_class as c on c.oid = u.tableoid
   where u.tableoid <> target and not c.relispartition;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s extra rows stand in heirs of %s: %s', wrong, target, named),
      hint = 'Nothing was changed. Remove them there by hand: undo.sql could not bring them back.';
  end if;

{{cascade}}{{unproven}}  select count(*) into planned from pg_temp.reckon_removed as p;

  with removed as (
    delete from {{unified}} as u
     using pg_temp.reckon_removed as p
     where {{id}} = p.row_id
       and {{same}}
    returning {{id_text}} as row_id, row_to_json(u.*) as before, {{row_text}} as before_row
  ), noted as (
    insert into reckon_journal.entries (plan_id, operation, table_name, row_id, before, before_row)
    select {{plan}}, 'delete', {{unified_literal}}, r.row_id, r.before, r.before_row
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
