-- The snapshot's name, the server's time of its transaction in microseconds since 1970, the role,
-- whether this is a standby.
select
  pg_export_snapshot(),
  (extract(epoch from transaction_timestamp()) * 1000000)::bigint::text,
  current_user::text,
  pg_is_in_recovery()::text
