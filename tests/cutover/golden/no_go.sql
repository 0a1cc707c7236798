-- reckon, retire.sql: NO-GO. The legacy table must not be retired; nothing here changes anything.
--
-- - views: public.grants_by_month reads it
-- - backup: not acknowledged

do $reckon$
begin
  raise exception using
    message = 'reckon: NO-GO: the legacy table must not be retired',
    detail = 'views: public.grants_by_month reads it
backup: not acknowledged',
    hint = 'Nothing was changed. Mend what is named, then run reckon cutover again.';
end
$reckon$;
