-- The legacy rows behind the changes, as they were read.
set local timezone = {{legacy_zone}};

create temporary table reckon_legacy on commit drop as
select {{id}} as row_id,
       {{user}} as user_id,
       {{label}} as label,
       {{tokens}} as tokens,
       {{created_at}} as created_at{{further}}
  from {{legacy}} as l
  with no data;

insert into pg_temp.reckon_legacy (row_id, user_id, label, tokens, created_at{{further_names}}) values
{{rows}};

analyze pg_temp.reckon_legacy;

