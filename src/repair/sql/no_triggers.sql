  -- A trigger may change balances; [repair] allow_triggers = true leaves this check out.
  -- A partition may have triggers of its own.
  select count(*), string_agg(distinct t.tgname, ', ' order by t.tgname)
    into wrong, named
    from pg_catalog.pg_trigger as t
   where (
       t.tgrelid = {{unified_literal}}::regclass
       or t.tgtype & 1 <> 0
          and t.tgrelid in (select r.relid from pg_catalog.pg_partition_tree({{unified_literal}}::regclass) as r)
     )
     and not t.tgisinternal
     and t.tgenabled in ('O', 'A')
     and t.tgtype & 4 <> 0;
  if wrong > 0 then
    raise exception using
      message = format('reckon: a trigger acts on INSERT of %s{{why}}: %s', {{unified_literal}}, named),
      hint = 'Nothing was changed. {{way_out}}';
  end if;
