  if standing is distinct from (
    select array_agg(r.seq order by r.seq)
      from reckon_journal.retirement as r
     where r.table_oid = {{oid}} and r.ended_at is null
  ) then
    raise exception using
      message = format('reckon: {{step}}: steps for %s were done or taken back while this waited for its lock', place),
      hint = 'Nothing was changed. Look at what happened to the table, then run this again.';
  end if;
  -- The table, now that nobody else can change it, against the certificate.
  shape := (
{{shape_query}}
  );
  if shape is distinct from {{shape}} then
    raise exception using
      message = format('reckon: {{step}}: the columns of %s are not those that were certified', place),
      hint = 'Nothing was changed. A column was added, removed, renamed or has another type. {{again}}';
  end if;
  execute format({{digest_query}}, place) into digest;
  if digest is distinct from {{digest}} then
    raise exception using
      message = format('reckon: {{step}}: %s is not as it was certified: it has %s rows, certified were %s',
                       place, split_part(digest, ':', 2), {{rows}}),
      detail = format('Digest %s, certified %s.', digest, {{digest}}),
      hint = 'Nothing was changed. Somebody wrote to the table. {{again}}';
  end if;
