select 'sha256/128:' || count(*) || ':' || coalesce(sum(r.high), 0) || ':' || coalesce(sum(r.low), 0)
  from (
    select ('x' || encode(substr(h.hash, 1, 8), 'hex'))::bit(64)::bigint as high,
           ('x' || encode(substr(h.hash, 9, 8), 'hex'))::bit(64)::bigint as low
      -- record_out, not a cast: somebody may have made one of their own. offset 0: each row is hashed once.
      from (select sha256(convert_to(textin(record_out(t.*)), 'UTF8')) as hash from {{table}} as t offset 0) as h
  ) as r
