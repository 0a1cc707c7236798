-- The legacy rows behind the changes, as they were read from files.
set local timezone = {{legacy_zone}};

create temporary table reckon_legacy (
  row_id text,
  user_id text,
  label text,
  tokens numeric,
  created_at timestamptz
) on commit drop;
