select 'sha256/128:' || count(*) || ':' || coalesce(sum(r.high), 0) || ':' || coalesce(sum(r.low), 0)
  from (
    select ('x' || substr(h.hash, 1, 16))::bit(64)::bigint as high,
           ('x' || substr(h.hash, 17, 16))::bit(64)::bigint as low
      from (
        -- record_out, not a cast: somebody may have made one of their own.
        select encode(sha256(convert_to(textin(record_out(t.*)), 'UTF8')), 'hex') as hash
          from {{from}}
        -- Each row is hashed once, not once for each half.
        offset 0
      ) as h
  ) as r
