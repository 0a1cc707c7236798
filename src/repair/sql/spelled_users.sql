  -- A UUID is the same in either case: a new row names its user as the table does, or else as the legacy row.
  if exists (select 1 from pg_temp.reckon_rows as p where pg_typeof(p.{{user}}) <> 'uuid'::regtype) then
    create temporary table reckon_spelling on commit drop as
    select {{user_key}} as user_key, count(distinct {{user_text}}) as spellings, min({{user_text}}) as user_text
      from {{unified}} as u
     where {{user_key}} in (select {{planned_key}} from pg_temp.reckon_rows as p)
     group by {{user_key}};
    analyze pg_temp.reckon_spelling;

    if to_regclass({{legacy_literal}}) is not null then
      update pg_temp.reckon_rows as p
         set {{user}} = {{legacy_user_text}}
        from {{legacy}} as l
       where {{legacy_id_key}} = p.reckon_legacy_id;
    else
      select count(*), string_agg(c.user_text, ', ' order by c.place) filter (where c.place <= 5)
        into wrong, named
        from (
          select p.{{user}}::text as user_text, row_number() over (order by p.{{user}}::text) as place
            from pg_temp.reckon_rows as p
           where p.{{user}}::text ~ {{uuid}}
             and not exists (
               select 1
                 from pg_temp.reckon_spelling as s
                where s.user_key = {{planned_key}} and s.spellings = 1
             )
        ) as c;
      if wrong > 0 then
        raise exception using
          message = format('reckon: it cannot be told in which case of letters the user of %s rows is written in %s: %s',
            wrong, {{unified_literal}}, named),
          hint = 'Nothing was changed. Let the legacy table stand in this database, or insert these rows by hand.';
      end if;
    end if;

    update pg_temp.reckon_rows as p
       set {{user}} = s.user_text
      from pg_temp.reckon_spelling as s
     where s.user_key = {{planned_key}}
       and s.spellings = 1;
  end if;

