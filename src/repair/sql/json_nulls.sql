  -- A JSON null is not the null of SQL, though both are null in a before-image.
  create temporary table reckon_nulls (row_id text, column_name text) on commit drop;
  for json_column in
    select a.attname
      from pg_catalog.pg_attribute as a
      join pg_catalog.pg_type as t on t.oid = a.atttypid
     where a.attrelid = {{unified_literal}}::regclass
       and a.attnum > 0
       and not a.attisdropped
       and coalesce(nullif(t.typbasetype, 0), t.oid) in ('json'::regtype, 'jsonb'::regtype)
  loop
    execute format(
      'insert into pg_temp.reckon_nulls
       select %s, %L from %s as u join %s where btrim(u.%I::text) = ''null''',
      {{id_text_literal}}, json_column, {{unified_literal}}, {{leaving}}, json_column
    );
  end loop;

