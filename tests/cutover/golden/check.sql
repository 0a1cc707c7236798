-- reckon, check.sql: is public.token_transactions the table that was archived? Reads only.
begin transaction isolation level repeatable read read only;
set local row_security = off;
set local client_encoding = 'UTF8';
-- Under these settings the text of a row, and so its digest, is the same in every session.
set local search_path = pg_catalog, pg_temp;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local extra_float_digits = 1;
set local bytea_output = 'hex';
set local lc_monetary = 'C';
set local quote_all_identifiers = off;

select c.digest = 'sha256/128:1326:-88172645463325252:7046029254386353131' and c.shape = 'sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a' as ok,
       c.digest,
       'sha256/128:1326:-88172645463325252:7046029254386353131' as archived_digest,
       c.shape,
       'sha256:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a' as archived_shape
  from (
select (
select 'sha256/128:' || count(*) || ':' || coalesce(sum(r.high), 0) || ':' || coalesce(sum(r.low), 0)
  from (
    select ('x' || substr(h.hash, 1, 16))::bit(64)::bigint as high,
           ('x' || substr(h.hash, 17, 16))::bit(64)::bigint as low
      from (
        -- record_out, not a cast: somebody may have made one of their own.
        select encode(sha256(convert_to(textin(record_out(t.*)), 'UTF8')), 'hex') as hash
          from public.token_transactions as t
        -- Each row is hashed once, not once for each half.
        offset 0
      ) as h
  ) as r
) as digest, (
select 'sha256:' || encode(sha256(convert_to(coalesce(string_agg(
         '"' || replace(a.attname, '"', '""') || '" ' || format_type(a.atttypid, a.atttypmod),
         chr(10) order by a.attnum), ''), 'UTF8')), 'hex')
  from pg_catalog.pg_attribute as a
 where a.attrelid = 'public.token_transactions'::regclass
   and a.attnum > 0
   and not a.attisdropped
) as shape
  ) as c;

commit;
