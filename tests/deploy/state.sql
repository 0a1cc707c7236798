-- Every right and policy of this database, one row each; what nobody changed is spelt out as well.
select 'relation', c.oid::regclass::text, a.grantee::regrole::text, a.privilege_type, a.is_grantable::text
from pg_class c
cross join aclexplode(coalesce(c.relacl, acldefault(case c.relkind when 'S' then 's' else 'r' end::"char", c.relowner))) a
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
union all
select 'column', t.attrelid::regclass::text || '.' || t.attname, a.grantee::regrole::text, a.privilege_type, a.is_grantable::text
from pg_attribute t cross join aclexplode(t.attacl) a
where t.attrelid >= 16384
union all
select 'schema', n.nspname, a.grantee::regrole::text, a.privilege_type, a.is_grantable::text
from pg_namespace n cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
union all
select 'database', d.datname, a.grantee::regrole::text, a.privilege_type, a.is_grantable::text
from pg_database d cross join aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
where d.datname = current_database()
union all
select 'policy', p.polrelid::regclass::text || '.' || p.polname, p.polroles::regrole[]::text, p.polcmd::text,
  pg_get_expr(p.polqual, p.polrelid)
from pg_policy p
order by 1, 2, 3, 4, 5
