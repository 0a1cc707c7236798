  if clock_timestamp() < hold_until then
    raise exception using
      message = format('reckon: step 3: %s was NOT dropped: it is held until %s', place, hold_until),
      hint = 'Nothing was changed. Steps 1 and 2 are done. Run step 3 again after that time; until then unretire.sql takes them back.';
  end if;

{{lock}}
{{alone}}
{{compare}}
  if digest is distinct from {{archive_digest}} or shape is distinct from {{archive_shape}} then
    raise exception using
      message = format('reckon: step 3: %s was NOT dropped: the archive holds another table (digest %s)',
                       place, {{archive_digest}}),
      detail = format('Digest of the table: %s.', digest),
      hint = 'Nothing was changed. Run unretire.sql, then reckon cutover --archive DIR for the table as it is, and use the retire.sql that it writes.';
  end if;

  begin
    execute format('drop table %s', place);
  exception when dependent_objects_still_exist then
    get stacked diagnostics dependents = pg_exception_detail;
    raise exception using
      errcode = 'dependent_objects_still_exist',
      message = format('reckon: step 3: %s was NOT dropped: other objects depend on it', place),
      detail = dependents,
      hint = 'Nothing was changed. Remove or change what depends on it, then run step 3 again. Do not drop it with cascade.';
  end;
  drop function if exists {{function}}();
  update reckon_journal.retirement as r
     set ended_at = clock_timestamp(), ended_by = 'step 3'
   where r.table_oid = {{oid}} and r.ended_at is null;
  insert into reckon_journal.retirement
    (table_oid, table_name, retired_name, certificate, step, digest, shape, ended_at, ended_by)
  values
    ({{oid}}, {{table_literal}}, retired_name, {{certificate}}, 3, digest, shape, clock_timestamp(), 'step 3');
  raise notice 'reckon: step 3: % was dropped; its archive holds % rows', place, {{rows}};
