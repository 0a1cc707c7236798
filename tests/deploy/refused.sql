-- Tried one line at a time by the role of the job, in a session that is not read only.
insert into public.token_usage (user_id, action_type, model_used, tokens_used) values (gen_random_uuid(), 'admin_grant', 'x', 1)
insert into a.token_transactions (user_id) values (gen_random_uuid())
insert into public.user_profiles values (gen_random_uuid(), 1)
insert into public.household_members values (gen_random_uuid(), gen_random_uuid())
with added as (insert into public.user_profiles values (gen_random_uuid(), 1) returning user_id) select * from added
update public.token_usage set tokens_used = 0
update a.token_transactions set token_amount = 0
update public.user_profiles set vibe_assistant_tokens_remaining = 0
delete from public.token_usage
delete from a.token_transactions
merge into public.user_profiles p using a.token_transactions t on p.user_id = t.user_id when matched then delete
truncate public.token_usage
truncate a.token_transactions cascade
copy public.token_usage from '/dev/null'
copy public.user_profiles from stdin
copy public.token_usage to '/tmp/token_usage'
copy public.token_usage to program 'cat > /tmp/token_usage'
copy public.token_usage from program 'echo'
select * from public.secrets
select * from public.token_usage for update
select * from public.token_usage for share
do 'begin lock table public.token_usage in share mode; end'
do 'begin lock table public.token_usage in access exclusive mode; end'
select nextval('public.receipts')
select setval('public.receipts', 7)
select a.grant_annual_tokens('10000000-0000-4000-8000-000000000001')
select public.grant_trial_tokens('10000000-0000-4000-8000-000000000001')
create table public.new_table (a int)
create table a.new_table (a int)
create table public.new_copy as select * from public.token_usage
select * into public.new_copy from public.token_usage
create view public.new_view as select 1 as a
create materialized view public.new_view as select 1 as a
create sequence public.new_sequence
create function public.new_function() returns int language sql as 'select 1'
create function a.new_function() returns int language sql as 'select 1'
create type public.new_type as (a int)
create domain public.new_domain as int
create schema new_schema
create database new_database
create role new_role
create extension file_fdw
create publication new_publication
create publication new_publication for table public.token_usage
create subscription new_subscription connection 'host=127.0.0.1' publication p with (connect = false)
create event trigger new_trigger on ddl_command_start execute function public.grant_trial_tokens()
create foreign data wrapper new_wrapper
create tablespace new_space location '/tmp'
create index on public.token_usage (tokens_used)
create trigger new_trigger before insert on public.token_usage for each row execute function suppress_redundant_updates_trigger()
create rule new_rule as on insert to public.token_usage do instead nothing
create policy new_policy on public.token_usage using (true)
create statistics public.new_statistics on user_id, action_type from public.token_usage
alter table public.token_usage disable row level security
alter table public.token_usage add column a int
alter table public.token_usage owner to reckon
alter table a.token_transactions rename to gone
alter policy reckon_reads on public.token_usage using (false)
alter function public.grant_trial_tokens security definer
alter sequence public.receipts restart
alter schema a rename to gone
alter system set work_mem = '1GB'
alter role reckon superuser
alter role reckon createrole
alter role reckon bypassrls
alter role reckon connection limit 100
alter role postgres password 'x'
alter database postgres set work_mem = '1GB'
alter default privileges for role postgres grant all on tables to reckon
comment on table public.token_usage is 'x'
drop table public.token_usage
drop table a.token_transactions
drop policy reckon_reads on public.token_usage
drop function public.grant_trial_tokens
drop schema a cascade
drop database postgres
drop role reckon
grant postgres to reckon
grant pg_write_server_files to reckon
grant insert on public.token_usage to reckon; insert into public.token_usage (user_id, action_type, model_used, tokens_used) values (gen_random_uuid(), 'admin_grant', 'x', 1)
reassign owned by postgres to reckon
set role postgres
set session authorization postgres
set session_replication_role = replica
reindex table public.token_usage
cluster public.token_usage using token_usage_pkey
refresh materialized view public.totals
select lo_import('/etc/hostname')
select pg_read_file('postgresql.conf')
select pg_ls_dir('.')
select pg_reload_conf()
select pg_stat_reset()
select pg_switch_wal()
select pg_create_restore_point('x')
select pg_create_physical_replication_slot('x')
select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres' limit 1
