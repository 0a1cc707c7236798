  -- Where the certified table is now: a rename keeps its oid, and no other table has it.
  select format('%I.%I', n.nspname, c.relname), n.nspname = {{schema}} and c.relname = {{name}}
    into place, is_in_place
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
   where c.oid = {{oid}};
