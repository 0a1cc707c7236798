-- What the statistics count for relation $1 and its members: when they were read and last set back,
-- rows written, scans, the last scans where the server keeps them ($2), whether anything is counted, and
-- which database and relation it is.
with recursive member (oid) as (
  select $1::oid
  union
  select i.inhrelid from pg_catalog.pg_inherits i join member on i.inhparent = member.oid
), counted as (
  select to_jsonb(s) as s from pg_catalog.pg_stat_all_tables s join member on member.oid = s.relid
)
select
  (extract(epoch from clock_timestamp()) * 1000000)::bigint::text,
  (select (extract(epoch from d.stats_reset) * 1000000)::bigint::text
     from pg_catalog.pg_stat_database d where d.datname = current_database()),
  coalesce(sum((s->>'n_tup_ins')::bigint), 0)::text,
  coalesce(sum((s->>'n_tup_upd')::bigint), 0)::text,
  coalesce(sum((s->>'n_tup_del')::bigint), 0)::text,
  coalesce(sum((s->>'seq_scan')::bigint), 0)::text,
  coalesce(sum((s->>'idx_scan')::bigint), 0)::text,
  (extract(epoch from max((s->>'last_seq_scan')::timestamptz)) * 1000000)::bigint::text,
  (extract(epoch from max((s->>'last_idx_scan')::timestamptz)) * 1000000)::bigint::text,
  current_setting('track_counts'),
  pg_is_in_recovery()::text,
  count(*)::text,
  current_database() || '/' || (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
    || '/' || $1
from counted
