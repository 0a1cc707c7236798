declare
  place text;
  is_in_place boolean;
  is_forbidden boolean;
  done_at timestamptz;
  standing bigint[];
  shape text;
  digest text;
  companions text;
begin
{{find}}
{{absent}}
{{standing}}
{{forbidden}}
  select r.done_at into done_at
    from reckon_journal.retirement as r
   where r.table_oid = {{oid}} and r.step = 1 and r.ended_at is null;
  if done_at is not null and is_forbidden then
    raise notice 'reckon: step 1: nothing to do, writes to % have been forbidden since %', place, done_at;
    return;
  end if;
  if not is_in_place then
    raise exception using
      message = format('reckon: step 1: the certified table %s is called %s now', {{table_literal}}, place),
      hint = 'Nothing was changed. Where step 2 renamed it, run unretire.sql, then reckon cutover again. Otherwise give it back its name, or run reckon cutover for the table as it is called now.';
  end if;
  if clock_timestamp() >= {{expires_at}}::timestamptz then
    raise exception using
      message = format('reckon: step 1: the certificate %s has expired at %s', {{certificate}}, {{expires_at}}),
      hint = case when done_at is null
        then 'Nothing was changed. Run reckon cutover again, and use the retire.sql that it writes.'
        else 'Nothing was changed. Run unretire.sql, then reckon cutover again, and use the retire.sql that it writes.'
      end;
  end if;

{{lock}}
{{alone}}
{{compare}}
  create or replace function {{function}}() returns trigger
    language plpgsql
    set search_path = pg_catalog, pg_temp
    as {{body}};
  revoke all on function {{function}}() from public;
  drop trigger if exists reckon_retired on {{table}};
  drop trigger if exists reckon_retired_row on {{table}};
  create trigger reckon_retired
    before insert or update or delete or truncate on {{table}}
    for each statement execute function {{function}}();
  -- What arrives by logical replication fires triggers of rows only.
  create trigger reckon_retired_row
    before insert or update or delete on {{table}}
    for each row execute function {{function}}();
  alter table {{table}} enable always trigger reckon_retired;
  alter table {{table}} enable always trigger reckon_retired_row;

  if done_at is null then
    insert into reckon_journal.retirement (table_oid, table_name, certificate, step, digest, shape)
    values ({{oid}}, {{table_literal}}, {{certificate}}, 1, digest, shape);
  end if;
  raise notice 'reckon: step 1: writes to % are forbidden from now on', place;
end
