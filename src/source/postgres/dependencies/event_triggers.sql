-- Event triggers that the statements of retire.sql fire: name, function, event, tags.
select e.evtname::text, e.evtfoid::regproc::text, e.evtevent::text,
  coalesce(array_to_string(e.evttags, ', '), 'every command')
from pg_catalog.pg_event_trigger e
where e.evtenabled in ('O', 'A')
  and e.evtevent in ('ddl_command_start', 'ddl_command_end', 'sql_drop', 'table_rewrite')
  and (e.evttags is null or e.evttags && array[
    'CREATE SCHEMA', 'CREATE TABLE', 'CREATE INDEX', 'ALTER TABLE', 'CREATE FUNCTION', 'CREATE TRIGGER',
    'DROP TRIGGER', 'DROP FUNCTION', 'DROP TABLE', 'GRANT', 'REVOKE', 'COMMENT'])
order by 1
