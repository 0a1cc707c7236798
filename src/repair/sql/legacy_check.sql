declare
  wrong bigint;
  named text;
begin
{{when_missing}}  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select q.row_id::text as row_id, row_number() over (order by q.row_id::text) as place
        from pg_temp.reckon_legacy as q
       where q.row_id not in (
         select p.row_id
           from pg_temp.reckon_legacy as p
           join {{legacy}} as l on {{same_id}}
          where {{same_user}}
            and {{label}} = p.label
            and {{same_tokens}}
            and {{same_created_at}}{{same_further}}
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s of the legacy rows changed or vanished since they were read: %s', wrong, named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;
end
