-- The legacy rows behind the changes, as they were read from files.
set local timezone = {{legacy_zone}};

create temporary table reckon_legacy on commit drop as
select null::text as row_id,
       null::text as user_id,
       null::text as label,
       null::numeric as tokens,
       null::timestamptz as created_at{{further}}
  with no data;

insert into pg_temp.reckon_legacy (row_id, user_id, label, tokens, created_at{{further_names}}) values
{{rows}};

analyze pg_temp.reckon_legacy;

