-- The functions that view $1 calls, by itself or as operators, and that may read tables: name, has it a role of
-- its own, which, and does its author promise that it reads none. Functions of the server's own are known;
-- one in C that gives a single value is taken for a helper of an extension.
select distinct
  quote_ident(n.nspname) || '.' || quote_ident(p.proname),
  p.prosecdef::text,
  pg_get_userbyid(p.proowner)::text,
  (p.provolatile = 'i' and not p.proretset and p.prokind = 'f')::text
from pg_catalog.pg_rewrite r
join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = r.oid
left join pg_catalog.pg_operator o
  on d.refclassid = 'pg_catalog.pg_operator'::regclass and o.oid = d.refobjid
join pg_catalog.pg_proc p
  on p.oid = case when d.refclassid = 'pg_catalog.pg_proc'::regclass then d.refobjid else o.oprcode end
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where r.ev_class = $1::oid
  and r.ev_type = '1'
  and n.nspname <> 'pg_catalog'
  and (p.proretset or p.prokind <> 'f' or l.lanname not in ('internal', 'c'))
order by 1, 2, 3, 4
