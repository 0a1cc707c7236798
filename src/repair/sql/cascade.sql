  -- A foreign key elsewhere must not act on the rows that leave, be it on the table or on a part of it.
  for foreign_key in
    with recursive tree (oid) as (
      select target::oid
      union
      select i.inhrelid from pg_catalog.pg_inherits as i join tree on i.inhparent = tree.oid
    )
    select c.conname as name,
           c.conrelid::regclass::text as referencing,
           c.confrelid::regclass::text as referenced,
           string_agg(format('r.%I = u.%I', ra.attname, ua.attname), ' and ') as same_key
      from pg_catalog.pg_constraint as c
     cross join lateral unnest(c.conkey, c.confkey) as k (referencing_no, referenced_no)
      join pg_catalog.pg_attribute as ra on ra.attrelid = c.conrelid and ra.attnum = k.referencing_no
      join pg_catalog.pg_attribute as ua on ua.attrelid = c.confrelid and ua.attnum = k.referenced_no
     where c.contype = 'f'
       and c.confrelid in (select oid from tree)
       and c.confdeltype in ('c', 'n', 'd')
       -- A key on the whole is found on each of its parts again.
       and not exists (
         select 1
           from pg_catalog.pg_constraint as up
          where up.oid = c.conparentid and up.confrelid in (select oid from tree)
       )
     group by c.oid, c.conname, c.conrelid, c.confrelid
     order by 2, 1
  loop
    execute format(
      'select count(*) from %s as r join %s as u on %s join %s',
      foreign_key.referencing, foreign_key.referenced, foreign_key.same_key, {{leaving}}
    ) into wrong;
    if wrong > 0 then
      raise exception using
        message = format('reckon: the foreign key %s would change %s rows of %s', foreign_key.name, wrong,
          foreign_key.referencing),
        hint = 'Nothing was changed. Point those rows at the rows that stay, then run this again.';
    end if;
  end loop;

