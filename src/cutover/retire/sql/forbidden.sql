  -- Both triggers are there, as step 1 makes them, and nobody has turned them off.
  select count(*) = 2 into is_forbidden
    from pg_catalog.pg_trigger as t
    join pg_catalog.pg_proc as p on p.oid = t.tgfoid
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
   where t.tgrelid = {{oid}}
     and t.tgname in ('reckon_retired', 'reckon_retired_row')
     and t.tgenabled = 'A'
     and n.nspname = 'reckon_journal'
     and p.proname = {{function_literal}};
