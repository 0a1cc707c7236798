  -- One key that is not there would let its foreign key stop all rows without a word about the others.
  for foreign_key in
    select c.conname as name,
           c.confrelid::regclass::text as referenced,
           string_agg(format('r.%I = p.%I', ra.attname, pa.attname), ' and ') as same_key,
           string_agg(format('p.%I is not null', pa.attname), ' and ') as is_given,
           string_agg(format('p.%I::text', pa.attname), ' || '', '' || ' order by k.place) as key_text
      from pg_catalog.pg_constraint as c
     cross join lateral unnest(c.conkey, c.confkey) with ordinality as k (own_no, referenced_no, place)
      join pg_catalog.pg_attribute as ua on ua.attrelid = c.conrelid and ua.attnum = k.own_no
      join pg_catalog.pg_attribute as ra on ra.attrelid = c.confrelid and ra.attnum = k.referenced_no
      left join pg_catalog.pg_attribute as pa
             on pa.attrelid = 'pg_temp.reckon_rows'::regclass and pa.attname = ua.attname
      join pg_catalog.pg_class as t on t.oid = c.confrelid
     where c.contype = 'f'
       and c.conrelid = {{unified_literal}}::regclass
       and c.confrelid <> c.conrelid
       -- What this role may not see, the server checks alone.
       and has_schema_privilege(t.relnamespace, 'usage')
       and has_table_privilege(t.oid, 'select')
       and not row_security_active(t.oid)
     group by c.oid, c.conname, c.confrelid
    having bool_and(pa.attname is not null)
     order by c.conname
  loop
    execute format(
      'select count(*), string_agg(c.key, ''; '' order by c.place) filter (where c.place <= 5)
         from (
           select %1$s as key, row_number() over (order by %1$s) as place
             from pg_temp.reckon_rows as p
            where %2$s
              and not exists (select 1 from %3$s as r where %4$s)
              and not exists (select 1 from pg_temp.reckon_there as t where t.reckon_no = p.reckon_no)
         ) as c',
      foreign_key.key_text, foreign_key.is_given, foreign_key.referenced, foreign_key.same_key
    ) into wrong, named;
    if wrong > 0 then
      raise exception using
        message = format('reckon: the foreign key %s finds nothing in %s for %s of the rows to insert: %s',
          foreign_key.name, foreign_key.referenced, wrong, named),
        hint = 'Nothing was changed. Add what is missing there, or accept these findings with reckon waive and run reckon reconcile again.';
    end if;
  end loop;

