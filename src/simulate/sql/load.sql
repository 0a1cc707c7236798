-- Loads the simulated ledgers into a fresh database: psql -d DATABASE -f load.sql
-- The rows stand in the other files, as copy blocks; keys and indexes come after them, which is quicker.
\set ON_ERROR_STOP on
begin;
\ir schema.sql
\ir token_transactions.sql
\ir token_usage.sql
\ir user_profiles.sql
\ir household_members.sql
alter table public.token_transactions add primary key (id);
alter table public.token_usage add primary key (id);
create index token_usage_user_created on public.token_usage (user_id, created_at desc);
commit;
analyze;
