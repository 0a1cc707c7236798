  if exists (
    select 1
      from pg_temp.{{staged}} as p
     where not exists (select 1 from {{unified}} as u where {{id}} = p.{{column}})
  ) then
    update pg_temp.{{staged}} as p
       set {{column}} = {{id}}
      from {{unified}} as u
     where {{id_key}} = p.{{column}}::text
       and not exists (select 1 from {{unified}} as u where {{id}} = p.{{column}});
  end if;
