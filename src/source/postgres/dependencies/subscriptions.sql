-- Subscriptions that write one of the relations $1: number, state of the table.
select r.srsubid::text, min(r.srsubstate)::text
from pg_catalog.pg_subscription_rel r
where r.srrelid = any ($1::oid[])
group by 1
order by 1
