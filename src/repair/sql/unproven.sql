  -- A row that stands against a constraint of which nobody has looked whether it holds could not be written back.
  with recursive tree (oid) as (
    select {{unified}}::regclass::oid
    union
    select i.inhrelid from pg_catalog.pg_inherits as i join tree on i.inhparent = tree.oid
  )
  select count(*), string_agg(c.named, ', ' order by c.named)
    into wrong, named
    from (
      select distinct format('%I of %s', k.conname, k.conrelid::regclass) as named
        from tree
        join pg_catalog.pg_constraint as k on k.conrelid = tree.oid
        left join pg_catalog.pg_attribute as a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
       where k.contype in ('c', 'f', 'n')
         and not k.convalidated
         and pg_get_constraintdef(k.oid) not like '% NOT ENFORCED'
         and {{meets}}
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: constraints that were never validated (NOT VALID): %s', named),
      hint = 'Nothing was changed. A row that stands against one could not be written back. Run alter table … validate constraint … for each, or drop it, then run this again.';
  end if;

