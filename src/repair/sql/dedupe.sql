
{{acting}}

{{journal}}

-- The extra rows, and beside each the row that stays. The columns have the types of {{unified_comment}}.
create temporary table reckon_removed on commit drop as
select {{staged}}
  from {{unified}} as u
  with no data;

insert into pg_temp.reckon_removed ({{staged_names}}) values
{{rows}};
{{spelled}}
analyze pg_temp.reckon_removed;

{{delete}}

{{closing}}