-- The policies that apply when role $2 reads relation $1.
select
  p.polname::text,
  p.polpermissive::text,
  pg_get_expr(p.polqual, p.polrelid)
from pg_catalog.pg_policy p
where p.polrelid = $1::oid
  and p.polcmd in ('r', '*')
  and exists (
    select from unnest(p.polroles) as role (oid)
    where case when role.oid = 0 then true else pg_has_role($2::name, role.oid, 'usage') end)
order by p.polname
