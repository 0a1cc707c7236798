  -- The table, now that nobody else can change it, against the certificate.
  shape := (
{{shape_query}}
  );
  if shape is distinct from {{shape}} then
    raise exception using
      message = format('reckon: {{step}}: the columns of %s are not those that were certified', place),
      hint = 'Nothing was changed. Run reckon cutover again: a column was added, removed, renamed or has another type.';
  end if;
  execute format({{digest_query}}, place) into digest;
  if digest is distinct from {{digest}} then
    raise exception using
      message = format('reckon: {{step}}: %s is not as it was certified: it has %s rows, certified were %s',
                       place, split_part(digest, ':', 2), {{rows}}),
      detail = format('Digest %s, certified %s.', digest, {{digest}}),
      hint = 'Nothing was changed. Somebody wrote to the table. Run reckon cutover again, and use the retire.sql that it writes.';
  end if;
