-- The snapshot's name, the server's time of its transaction in microseconds since 1970, the role.
select
  pg_export_snapshot(),
  (extract(epoch from transaction_timestamp()) * 1000000)::bigint::text,
  current_user::text
