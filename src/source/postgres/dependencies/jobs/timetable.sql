-- Commands and parameters of pg_timetable, by key, since versions differ in their columns: name, what else
-- there is to say, command, whether that is SQL.
select 'timetable.' || coalesce(nullif(j->>'task_name', ''), nullif(j->>'name', ''), number),
  number || ' in {table}',
  coalesce(j->>'command', j->>'script', j->>'value'),
  (j->>'kind' is not distinct from 'SQL')::text
from (
  select j, 'number ' || coalesce(j->>'task_id', j->>'command_id', j->>'chain_config', '') as number
  from (select to_jsonb(t) as j from {table} as t) as kept
) as named
where coalesce(j->>'command', j->>'script', j->>'value') is not null
order by 1, 2, 3
