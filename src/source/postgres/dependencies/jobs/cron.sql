-- Jobs of pg_cron for this database, by key, since versions differ in their columns: name, what else there is
-- to say, command, whether that is SQL.
select coalesce('cron.' || nullif(j->>'jobname', ''), 'cron.job ' || (j->>'jobid')),
  'job ' || (j->>'jobid') || ', schedule ' || coalesce(j->>'schedule', '')
    || case when j->>'active' = 'false' then ', not active' else '' end,
  j->>'command',
  'true'
from (select to_jsonb(t) as j from {table} as t) as jobs
where coalesce(j->>'database', current_database()) = current_database()
order by (j->>'jobid')::bigint
