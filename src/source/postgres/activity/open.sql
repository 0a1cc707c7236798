-- Who has begun to write relation $1, or what inherits from it, and has not ended: kind, name, role, application,
-- state. Of a transaction that was prepared there is no session. Readers hold a lock that is not looked for.
with recursive member (oid) as (
  select $1::oid
  union
  select i.inhrelid from pg_catalog.pg_inherits i join member on i.inhparent = member.oid
)
select distinct
  case when l.pid is null then 'prepared transaction' else 'session' end,
  coalesce(p.gid, 'pid ' || l.pid::text, l.virtualtransaction),
  coalesce(a.usename::text, p.owner::text, 'unknown'),
  coalesce(a.application_name, ''),
  case when not l.granted then 'waits to write' when a.state like 'idle%' then 'has written and does nothing' else '' end
from pg_catalog.pg_locks l
left join pg_catalog.pg_stat_activity a on a.pid = l.pid
-- A prepared transaction is told by the lock that it holds on its own number.
left join pg_catalog.pg_locks own
  on l.pid is null and own.pid is null and own.locktype = 'transactionid'
  and own.virtualtransaction = l.virtualtransaction
left join pg_catalog.pg_prepared_xacts p on p.transaction = own.transactionid
where l.locktype = 'relation'
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
  and l.relation in (select oid from member)
  and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock')
  and l.pid is distinct from pg_backend_pid()
order by 1, 2
