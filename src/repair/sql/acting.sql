declare
  wrong bigint;
  named text;
begin
  -- A rule puts other statements in the place of those below, or beside them.
  select count(*), string_agg(r.rulename, ', ' order by r.rulename)
    into wrong, named
    from pg_catalog.pg_rewrite as r
   where r.ev_class = {{unified_literal}}::regclass
     and r.ev_type in ('2', '3', '4')
     and r.ev_enabled in ('O', 'A');
  if wrong > 0 then
    raise exception using
      message = format('reckon: a rule acts on %s: %s', {{unified_literal}}, named),
      hint = 'Nothing was changed. Read it; where it need not act on these rows, run alter table … disable rule … before this file and enable rule after it.';
  end if;
{{no_triggers}}end
