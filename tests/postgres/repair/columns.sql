select a.attname,
       format_type(a.atttypid, a.atttypmod),
       format_type(a.atttypid, null),
       a.attnotnull,
       coalesce(case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end, t.typdefault),
       a.attgenerated <> '' or a.attidentity <> '',
       (select string_agg(e.enumlabel, '|' order by e.enumsortorder) from pg_enum e where e.enumtypid = a.atttypid),
       coalesce(format_type(nullif(t.typbasetype, 0), t.typtypmod), format_type(a.atttypid, a.atttypmod))
  from pg_attribute a
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where a.attrelid = TABLE and a.attnum > 0 and not a.attisdropped
 order by a.attnum
