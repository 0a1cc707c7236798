  -- Still a table of its own, now that nobody else can change that: rows of a partition or of a child are rows
  -- of its parent, which a drop takes away there without a word.
  perform from pg_catalog.pg_class as c
   where c.oid = {{oid}}
     and (c.relkind <> 'r'
          or exists (select from pg_catalog.pg_inherits as i where i.inhrelid = c.oid or i.inhparent = c.oid));
  if found then
    raise exception using
      message = format('reckon: {{step}}: %s is no plain table: it is a view or foreign table, or part of an inheritance or partition tree', place),
      hint = 'Nothing was changed. A trigger on it would not see every write, and its rows may be those of another table. Detach it, or retire the tables of the tree one by one.';
  end if;
  -- What a drop takes along without a word, and the certificate did not allow.
  select string_agg(found.what, ', ' order by found.what) into companions
    from (
      select format('rule %I', r.rulename) as what
        from pg_catalog.pg_rewrite as r
       where r.ev_class = {{oid}} and r.rulename <> '_RETURN'
      union
      select format('trigger %I', t.tgname)
        from pg_catalog.pg_trigger as t
        join pg_catalog.pg_proc as p on p.oid = t.tgfoid
        join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
       where t.tgrelid = {{oid}} and not t.tgisinternal
         and (n.nspname, p.proname) <> ('reckon_journal', {{function_literal}})
      union
      select format('publication %I', p.pubname)
        from pg_catalog.pg_publication_rel as l
        join pg_catalog.pg_publication as p on p.oid = l.prpubid
       where l.prrelid = {{oid}}
      union
      -- With all tables, or with all of its schema.
      select format('publication %I', t.pubname)
        from pg_catalog.pg_publication_tables as t
        join pg_catalog.pg_namespace as n on n.nspname = t.schemaname
        join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = t.tablename
       where c.oid = {{oid}} and t.pubname <> all ({{publications}})
      union
      select format('subscription number %s', s.srsubid)
        from pg_catalog.pg_subscription_rel as s
       where s.srrelid = {{oid}}
    ) as found;
  if companions is not null then
    raise exception using
      message = format('reckon: {{step}}: %s is in use again: since it was certified it got %s', place, companions),
      hint = 'Nothing was changed. Ask whoever did it; take it away, then run this again.';
  end if;
