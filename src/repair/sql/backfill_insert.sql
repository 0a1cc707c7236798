declare
  wrong bigint;
  named text;
  planned bigint;
  there bigint;
  inserted_rows bigint;
begin
  select count(*) into planned from pg_temp.reckon_rows as p;
  select count(distinct t.reckon_no), count(*) - count(distinct t.reckon_no) into there, wrong
    from pg_temp.reckon_there as t;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s legacy rows have several copies already', wrong),
      hint = 'Nothing was changed. Run reckon reconcile again: it will name them.';
  end if;

  create temporary table reckon_new on commit drop as
  select {{id}} as row_id
    from {{unified}} as u
    with no data;

  with inserted as (
    insert into {{unified}} as u ({{columns}})
    select {{values}}
      from pg_temp.reckon_rows as p
     where not exists (select 1 from pg_temp.reckon_there as t where t.reckon_no = p.reckon_no)
     order by p.reckon_no
    returning {{id}} as row_id, {{id_text}} as id_text, row_to_json(u.*) as after, {{row_text}} as after_row
  ), noted as (
    insert into reckon_journal.entries (plan_id, operation, table_name, row_id, after, after_row)
    select {{plan}}, 'insert', {{unified_literal}}, i.id_text, i.after, i.after_row
      from inserted as i
    returning 1
  )
  insert into pg_temp.reckon_new (row_id)
  select i.row_id from inserted as i;
  get diagnostics inserted_rows = row_count;
  analyze pg_temp.reckon_new;

  if inserted_rows <> planned - there then
    raise exception using
      message = format('reckon: %s rows were inserted instead of %s', inserted_rows, planned - there),
      hint = 'Nothing was changed. A trigger or rule held rows back.';
  end if;

  -- Each stands there as it was written.
  select count(*), string_agg(c.legacy_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.reckon_legacy_id as legacy_id, row_number() over (order by p.reckon_no) as place
        from pg_temp.reckon_rows as p
       where not exists (select 1 from pg_temp.reckon_there as t where t.reckon_no = p.reckon_no)
         and not exists (
           select 1
             from pg_temp.reckon_new as i
             join {{unified}} as u on {{id}} = i.row_id
            where {{own}}
              and {{as_planned}}
         )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: a trigger changed what was written for %s legacy rows: %s', wrong, named),
      hint = 'Nothing was changed. Disable the trigger for the backfill, or let it pass on such rows as they are.';
  end if;
{{succeeded}}  raise notice 'reckon: % rows inserted, % were there already', inserted_rows, there;
end
