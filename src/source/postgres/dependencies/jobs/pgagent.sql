-- Steps of the jobs of pgAgent that may run in this database: name, what else there is to say, command,
-- whether that is SQL: it is a shell script where the kind is b. A connection of its own may lead here.
select 'pgagent.' || coalesce(nullif(j->>'jstname', ''), 'step ' || (j->>'jstid')),
  'step ' || (j->>'jstid') || ' of job ' || coalesce(j->>'jstjobid', '')
    || case when j->>'jstenabled' = 'false' then ', not enabled' else '' end,
  j->>'jstcode',
  (j->>'jstkind' is distinct from 'b')::text
from (select to_jsonb(t) as j from {table} as t) as steps
where coalesce(j->>'jstconnstr', '') <> '' or coalesce(j->>'jstdbname', '') in ('', current_database())
order by (j->>'jstid')::bigint
