-- As hosted products have it: row-level security everywhere, each user sees his own rows; a table
-- that is nobody's business; a function that everybody may call and that writes as its owner.
drop schema b cascade;
insert into public.user_profiles select distinct user_id, 500 from a.token_transactions;
insert into public.household_members
  select distinct user_id, '20000000-0000-4000-8000-000000000001'::uuid from a.token_transactions;
insert into public.token_usage (user_id, action_type, model_used, tokens_used, created_at)
  select user_id, 'chat_conversation', 'm', 7, '2025-03-03 00:00:00+00'::timestamptz + n * interval '1 hour'
  from public.user_profiles, generate_series(1, 200) n;
alter table a.token_transactions enable row level security;
alter table public.token_usage enable row level security;
alter table public.token_usage force row level security;
alter table public.user_profiles enable row level security;
alter table public.household_members enable row level security;
create policy own on public.token_usage using (user_id = current_setting('app.user', true)::uuid);
create policy own on public.user_profiles for select using (user_id = current_setting('app.user', true)::uuid);
create table public.secrets (secret text);
insert into public.secrets values ('nobody reads this');
create sequence public.receipts;
create materialized view public.totals as select count(*) from public.household_members;
analyze a.token_transactions, public.token_usage, public.user_profiles, public.household_members;
