select 'sha256:' || encode(sha256(convert_to(coalesce(string_agg(
         '"' || replace(a.attname, '"', '""') || '" ' || format_type(a.atttypid, a.atttypmod),
         chr(10) order by a.attnum), ''), 'UTF8')), 'hex')
  from pg_catalog.pg_attribute as a
 where a.attrelid = {{relation}}
   and a.attnum > 0
   and not a.attisdropped
