-- The snapshot's name, the server's time when it was taken in microseconds since 1970 (the
-- transaction may have begun earlier and waited for locks), the role, whether this is a standby.
select
  pg_export_snapshot(),
  (extract(epoch from statement_timestamp()) * 1000000)::bigint::text,
  current_user::text,
  pg_is_in_recovery()::text
