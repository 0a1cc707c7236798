
{{acting}}

{{journal}}
{{legacy}}
-- Old and new values. The columns have the types of {{unified_comment}}.
create temporary table reckon_changes on commit drop as
select {{staged}}
  from {{unified}} as u
  with no data;

insert into pg_temp.reckon_changes ({{staged_names}}) values
{{rows}};
{{spelled}}
analyze pg_temp.reckon_changes;

{{update}}
{{legacy_again}}
{{closing}}