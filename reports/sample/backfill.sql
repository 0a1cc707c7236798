-- reckon, backfill: inserts the legacy rows that have no copy into public.token_usage.
-- Plan e577030758195aa4, made from the run of token_transactions.csv and token_usage.csv as of 2026-09-01T00:00:00.000000Z.
-- 20 rows; 10,887,500 tokens.
-- Needs: PostgreSQL 13 or later; select, insert and update (for its lock) on public.token_usage; the right to create temporary tables and, the first time, the schema reckon_journal; a role that row-level security lets see every row.
-- One transaction: when anything has changed since the run, it stops with an error and changes nothing. A second run changes nothing. undo.sql takes it back.
-- The legacy rows came from files: they are compared with public.token_transactions where that table exists.
-- WARNING: the rows were read from files, so the columns, constraints and triggers of public.token_usage could not be looked at beforehand.
-- Findings that a person has to look at, as comments at the end: 2.
begin;
set transaction isolation level read committed;
set local lock_timeout = '5s';
set local statement_timeout = '55s';
-- A table under row-level security that would hide rows from this role is an error, not an empty table.
set local row_security = off;
set local client_encoding = 'UTF8';
set local timezone = 'UTC';

-- No other writer until this short transaction ends.
lock table public.token_usage in share row exclusive mode;

-- The journal: what was before, and what was inserted, so that undo.sql can take it back.
do $reckon$
begin
  if to_regclass('reckon_journal.entries') is null then
    if to_regnamespace('reckon_journal') is null then
      create schema reckon_journal;
      revoke all on schema reckon_journal from public;
    end if;
    create table reckon_journal.entries (
      seq bigint generated always as identity primary key,
      plan_id text not null,
      operation text not null check (operation in ('insert', 'update', 'delete')),
      table_name text not null,
      row_id text not null,
      before json,
      after json,
      written_at timestamptz not null default now(),
      undone_at timestamptz
    );
    create index entries_by_row on reckon_journal.entries (plan_id, row_id);
    alter table reckon_journal.entries enable row level security;
    revoke all on table reckon_journal.entries from public;
  end if;
end
$reckon$;

-- The legacy rows behind the changes, as they were read from files.
set local timezone = 'UTC';

create temporary table reckon_legacy (
  row_id text,
  user_id text,
  label text,
  tokens numeric,
  created_at timestamptz
) on commit drop;

insert into pg_temp.reckon_legacy (row_id, user_id, label, tokens, created_at) values
  ('d1775389-5ad8-41e6-b51b-cdb0bb27e27f', '080299f4-a252-44ad-9fb7-1d79ef180e9f', 'pack_purchase', 500000, '2026-07-31T14:40:19.195711Z'::timestamptz),
  ('c78fcb6d-8e82-4d4c-b946-883053df4a65', '10ead414-5004-4dcd-95c4-a8aa69f3284b', 'renewal_grant', 250000, '2025-10-31T17:29:28.349094Z'::timestamptz),
  ('8003ce16-b5bb-46c8-9f84-3578ef0f899e', '21685ac7-078f-40d8-91fb-9ef12120746c', 'renewal_grant', 250000, '2026-05-18T09:16:34.085219Z'::timestamptz),
  ('e2da21c9-5f5f-4d22-84f6-56c649e6298e', '2ceefc71-01d6-4101-9cb6-d1eb9271dc6d', 'pack_purchase', 2500000, '2026-06-23T19:06:41.573235Z'::timestamptz),
  ('9811cf1b-8cd4-4993-9c43-a3cf4d2a5757', '2dd13528-579b-421a-850f-17b191dfc3a8', 'renewal_grant', 250000, '2025-12-03T18:44:09.939666Z'::timestamptz),
  ('f7575dd9-251a-4a8c-b4c9-bb5f616ce8f4', '50381ccc-6629-434b-b729-f93d5524f47e', 'renewal_grant', -250000, '2026-01-07T13:42:49.710453Z'::timestamptz),
  ('ee77dcdd-e81f-45ea-b079-5239d57d264c', '6dc2bdcc-7bb2-4002-ac28-74e7ca0b63d2', 'renewal_grant', 250000, '2026-04-26T21:04:01.221713Z'::timestamptz),
  ('c7bfcfea-47cb-4f3d-a4db-8d0e99d6e1fe', '811dc75b-9632-4dcb-9bfa-59897fbc8220', 'subscription_grant', -5000000, '2025-08-06T18:11:10.284968Z'::timestamptz),
  ('c48454ab-6f23-4e10-9cb7-e0ead7584b78', '9ee409df-3606-4c73-96f0-4c2d222e9142', 'renewal_grant', 250000, '2026-04-15T08:00:24.520457Z'::timestamptz),
  ('0b55eb1e-86bc-49ea-996e-872fdba9c83d', '9efc6d59-27a0-4163-8315-2f78c77e8b26', 'renewal_grant', 250000, '2026-02-13T13:35:25.115469Z'::timestamptz),
  ('2f9abeed-a374-4b14-9a21-8acea4cfa997', 'a374de0e-4178-4852-a5ef-f5c5d559eea8', 'renewal_grant', 250000, '2025-10-13T18:30:20.605533Z'::timestamptz),
  ('ef0b3d01-1f43-4fea-a92b-7ac81cb242f8', 'be5712b9-ee53-4410-8863-136292a2b0f1', 'renewal_grant', 250000, '2026-04-15T16:23:43.994083Z'::timestamptz),
  ('ba681857-dcf1-4648-acc6-4afe71a78035', 'd165e915-49ec-4533-8883-8a18ef0899cf', 'renewal_grant', -250000, '2026-01-13T07:53:58.824490Z'::timestamptz),
  ('3293d02d-c8b1-4acd-b4fb-d2828c09920b', 'd25c5ada-106e-432a-b251-df4ee14567e8', 'renewal_grant', 250000, '2025-11-28T17:50:53.968764Z'::timestamptz),
  ('30734037-3a1b-45b6-9b5e-7370c5d5be7d', 'f2aee1d6-9c41-46e1-a7ec-65d834a94635', 'renewal_grant', 250000, '2026-06-25T13:13:29.727521Z'::timestamptz),
  ('24d65308-d21b-4eed-a7e8-09b47053f9e8', '41c97819-7c93-44e5-9433-84e7af2f2715', 'admin_deduct', -7000, '2026-01-28T17:39:24.480591Z'::timestamptz),
  ('44fa85aa-8872-4efc-9a8b-dcd22a2a5f83', '575cad77-8978-42df-8f46-42141b44fc31', 'admin_deduct', -46500, '2026-05-02T20:44:22.950191Z'::timestamptz),
  ('916115a3-5a58-4fce-ad4c-4e163a344590', 'bad375c9-d69f-4441-9db0-32e56c2507af', 'admin_deduct', -14500, '2025-09-26T18:56:05.045870Z'::timestamptz),
  ('09df5cfd-4d00-4d97-88b8-21711512acb3', 'bb9ccf04-460a-4836-966c-37c8d5357bfa', 'admin_deduct', -25500, '2026-02-26T14:54:39.650149Z'::timestamptz),
  ('5f8dba14-7a95-4101-b169-14a233551b9f', 'cd3e47bb-6fb0-42a7-a9bf-31932e377e6d', 'admin_deduct', -19000, '2025-12-29T19:42:23.333929Z'::timestamptz);

analyze pg_temp.reckon_legacy;

do $reckon$
declare
  wrong bigint;
  named text;
begin
  -- The rows came from files: their table need not be here.
  if to_regclass('public.token_transactions') is null then
    raise notice 'reckon: there is no table % here, so its rows were not checked', 'public.token_transactions';
    return;
  end if;
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_id::text as row_id, row_number() over (order by p.row_id::text) as place
        from pg_temp.reckon_legacy as p
       where not exists (
         select 1
           from public.token_transactions as l
          where l.id::text = p.row_id
            and l.user_id::text = p.user_id
            and coalesce(l.action_type::text, '') = p.label
            and (l.tokens_used)::numeric = p.tokens
            and (l.created_at)::timestamptz = p.created_at
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s of the legacy rows changed or vanished since they were read: %s', wrong, named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;
end
$reckon$;

set local timezone = 'UTC';

-- The rows to insert. The columns have the types of public.token_usage.
create temporary table reckon_rows on commit drop as
select 0::bigint as reckon_no,
       null::text as reckon_legacy_id,
       u.id as id,
       u.user_id as user_id,
       u.action_type as action_type,
       u.tokens_used as tokens_used,
       u.created_at as created_at,
       u.success as success,
       u.metadata as metadata
  from public.token_usage as u
  with no data;

insert into pg_temp.reckon_rows (reckon_no, reckon_legacy_id, id, user_id, action_type, tokens_used, created_at, success, metadata) values
  (0, 'd1775389-5ad8-41e6-b51b-cdb0bb27e27f', '6cf94ce4-1ff8-5730-9a2d-69716d6e2fc5', '080299f4-a252-44ad-9fb7-1d79ef180e9f', 'token_pack_purchase', 500000, '2026-07-31T14:40:19.195711Z'::timestamptz, 'true', '{"legacy_id":"d1775389-5ad8-41e6-b51b-cdb0bb27e27f","migrated_from":"public.token_transactions","payment_intent":"pi_35zt5iL28x5KYWyi0apahz3ka"}'),
  (1, 'c78fcb6d-8e82-4d4c-b946-883053df4a65', 'b40ff6b3-fd08-5639-bad4-659d904f1963', '10ead414-5004-4dcd-95c4-a8aa69f3284b', 'subscription_grant', 250000, '2025-10-31T17:29:28.349094Z'::timestamptz, 'true', '{"legacy_id":"c78fcb6d-8e82-4d4c-b946-883053df4a65","migrated_from":"public.token_transactions"}'),
  (2, '8003ce16-b5bb-46c8-9f84-3578ef0f899e', 'fa36248d-ef99-59ef-92d0-f8514a279d19', '21685ac7-078f-40d8-91fb-9ef12120746c', 'subscription_grant', 250000, '2026-05-18T09:16:34.085219Z'::timestamptz, 'true', '{"legacy_id":"8003ce16-b5bb-46c8-9f84-3578ef0f899e","migrated_from":"public.token_transactions"}'),
  (3, 'e2da21c9-5f5f-4d22-84f6-56c649e6298e', '16becea1-fc31-5f9f-baca-8651d78920d9', '2ceefc71-01d6-4101-9cb6-d1eb9271dc6d', 'token_pack_purchase', 2500000, '2026-06-23T19:06:41.573235Z'::timestamptz, 'true', '{"legacy_id":"e2da21c9-5f5f-4d22-84f6-56c649e6298e","migrated_from":"public.token_transactions","payment_intent":"pi_3utLAhCZni848GJfnh2S6wU4g"}'),
  (4, '9811cf1b-8cd4-4993-9c43-a3cf4d2a5757', '5ff985b7-5f22-5cf4-8431-c47f15ec91a8', '2dd13528-579b-421a-850f-17b191dfc3a8', 'subscription_grant', 250000, '2025-12-03T18:44:09.939666Z'::timestamptz, 'true', '{"legacy_id":"9811cf1b-8cd4-4993-9c43-a3cf4d2a5757","migrated_from":"public.token_transactions"}'),
  (5, 'f7575dd9-251a-4a8c-b4c9-bb5f616ce8f4', '73aad91e-326e-549f-baa7-9236016a1a07', '50381ccc-6629-434b-b729-f93d5524f47e', 'subscription_grant', 250000, '2026-01-07T13:42:49.710453Z'::timestamptz, 'true', '{"legacy_id":"f7575dd9-251a-4a8c-b4c9-bb5f616ce8f4","migrated_from":"public.token_transactions"}'),
  (6, 'ee77dcdd-e81f-45ea-b079-5239d57d264c', '47f2cfc4-77d7-5f80-8435-27f87e9f6908', '6dc2bdcc-7bb2-4002-ac28-74e7ca0b63d2', 'subscription_grant', 250000, '2026-04-26T21:04:01.221713Z'::timestamptz, 'true', '{"legacy_id":"ee77dcdd-e81f-45ea-b079-5239d57d264c","migrated_from":"public.token_transactions"}'),
  (7, 'c7bfcfea-47cb-4f3d-a4db-8d0e99d6e1fe', 'aa6284d8-7330-53aa-9d82-43b79b35accd', '811dc75b-9632-4dcb-9bfa-59897fbc8220', 'subscription_grant', 5000000, '2025-08-06T18:11:10.284968Z'::timestamptz, 'true', '{"legacy_id":"c7bfcfea-47cb-4f3d-a4db-8d0e99d6e1fe","migrated_from":"public.token_transactions"}'),
  (8, 'c48454ab-6f23-4e10-9cb7-e0ead7584b78', 'd905b808-1118-594a-b946-915caf3078a9', '9ee409df-3606-4c73-96f0-4c2d222e9142', 'subscription_grant', 250000, '2026-04-15T08:00:24.520457Z'::timestamptz, 'true', '{"legacy_id":"c48454ab-6f23-4e10-9cb7-e0ead7584b78","migrated_from":"public.token_transactions"}'),
  (9, '0b55eb1e-86bc-49ea-996e-872fdba9c83d', '977ff678-3e1d-5816-9e03-9a7b66180090', '9efc6d59-27a0-4163-8315-2f78c77e8b26', 'subscription_grant', 250000, '2026-02-13T13:35:25.115469Z'::timestamptz, 'true', '{"legacy_id":"0b55eb1e-86bc-49ea-996e-872fdba9c83d","migrated_from":"public.token_transactions"}'),
  (10, '2f9abeed-a374-4b14-9a21-8acea4cfa997', '3ffbee19-3ed2-5be5-9ab2-b994fece5b66', 'a374de0e-4178-4852-a5ef-f5c5d559eea8', 'subscription_grant', 250000, '2025-10-13T18:30:20.605533Z'::timestamptz, 'true', '{"legacy_id":"2f9abeed-a374-4b14-9a21-8acea4cfa997","migrated_from":"public.token_transactions"}'),
  (11, 'ef0b3d01-1f43-4fea-a92b-7ac81cb242f8', '98a805f2-69be-5079-84f8-b96e6efa11d2', 'be5712b9-ee53-4410-8863-136292a2b0f1', 'subscription_grant', 250000, '2026-04-15T16:23:43.994083Z'::timestamptz, 'true', '{"legacy_id":"ef0b3d01-1f43-4fea-a92b-7ac81cb242f8","migrated_from":"public.token_transactions"}'),
  (12, 'ba681857-dcf1-4648-acc6-4afe71a78035', 'fbc039da-3992-5339-94b3-e3ca8ad41c08', 'd165e915-49ec-4533-8883-8a18ef0899cf', 'subscription_grant', 250000, '2026-01-13T07:53:58.824490Z'::timestamptz, 'true', '{"legacy_id":"ba681857-dcf1-4648-acc6-4afe71a78035","migrated_from":"public.token_transactions"}'),
  (13, '3293d02d-c8b1-4acd-b4fb-d2828c09920b', 'e41f6a23-cd82-553b-a0bc-ce7d3a8c9c6b', 'd25c5ada-106e-432a-b251-df4ee14567e8', 'subscription_grant', 250000, '2025-11-28T17:50:53.968764Z'::timestamptz, 'true', '{"legacy_id":"3293d02d-c8b1-4acd-b4fb-d2828c09920b","migrated_from":"public.token_transactions"}'),
  (14, '30734037-3a1b-45b6-9b5e-7370c5d5be7d', 'c9323b52-39ab-5bfd-a1a2-1e215734f01e', 'f2aee1d6-9c41-46e1-a7ec-65d834a94635', 'subscription_grant', 250000, '2026-06-25T13:13:29.727521Z'::timestamptz, 'true', '{"legacy_id":"30734037-3a1b-45b6-9b5e-7370c5d5be7d","migrated_from":"public.token_transactions"}'),
  (15, '24d65308-d21b-4eed-a7e8-09b47053f9e8', 'd97c409a-158d-5733-a96b-1cdfa6fe45c9', '41c97819-7c93-44e5-9433-84e7af2f2715', 'admin_deduct', 7000, '2026-01-28T17:39:24.480591Z'::timestamptz, 'true', '{"legacy_id":"24d65308-d21b-4eed-a7e8-09b47053f9e8","migrated_from":"public.token_transactions"}'),
  (16, '44fa85aa-8872-4efc-9a8b-dcd22a2a5f83', '00239900-e311-537e-89ea-bde9748b5c3e', '575cad77-8978-42df-8f46-42141b44fc31', 'admin_deduct', 46500, '2026-05-02T20:44:22.950191Z'::timestamptz, 'true', '{"legacy_id":"44fa85aa-8872-4efc-9a8b-dcd22a2a5f83","migrated_from":"public.token_transactions"}'),
  (17, '916115a3-5a58-4fce-ad4c-4e163a344590', 'cb5e984e-390a-540f-a481-a0c6dda40b82', 'bad375c9-d69f-4441-9db0-32e56c2507af', 'admin_deduct', 14500, '2025-09-26T18:56:05.045870Z'::timestamptz, 'true', '{"legacy_id":"916115a3-5a58-4fce-ad4c-4e163a344590","migrated_from":"public.token_transactions"}'),
  (18, '09df5cfd-4d00-4d97-88b8-21711512acb3', 'd7771efd-7cfb-58b6-9f32-cf8cb3371d59', 'bb9ccf04-460a-4836-966c-37c8d5357bfa', 'admin_deduct', 25500, '2026-02-26T14:54:39.650149Z'::timestamptz, 'true', '{"legacy_id":"09df5cfd-4d00-4d97-88b8-21711512acb3","migrated_from":"public.token_transactions"}'),
  (19, '5f8dba14-7a95-4101-b169-14a233551b9f', '2ed72837-3ef0-55ce-9fc7-3eb128df1dc3', 'cd3e47bb-6fb0-42a7-a9bf-31932e377e6d', 'admin_deduct', 19000, '2025-12-29T19:42:23.333929Z'::timestamptz, 'true', '{"legacy_id":"5f8dba14-7a95-4101-b169-14a233551b9f","migrated_from":"public.token_transactions"}');

-- What is known of these users and actions: rows, and the sum over their ids of 56 bits of SHA-256.
create temporary table reckon_known on commit drop as
select 0::bigint as no, u.user_id as user_id, u.action_type as action_1, 0::bigint as row_count, 0::numeric as fingerprint
  from public.token_usage as u
  with no data;

insert into pg_temp.reckon_known (no, user_id, action_1, row_count, fingerprint) values
  (0, '080299f4-a252-44ad-9fb7-1d79ef180e9f', 'token_pack_purchase', 0, 0),
  (1, '10ead414-5004-4dcd-95c4-a8aa69f3284b', 'subscription_grant', 8, 254681060215847060),
  (2, '21685ac7-078f-40d8-91fb-9ef12120746c', 'subscription_grant', 8, 292112922636462663),
  (3, '2ceefc71-01d6-4101-9cb6-d1eb9271dc6d', 'token_pack_purchase', 2, 68320832772289122),
  (4, '2dd13528-579b-421a-850f-17b191dfc3a8', 'subscription_grant', 5, 203161768720438698),
  (5, '41c97819-7c93-44e5-9433-84e7af2f2715', 'admin_deduct', 0, 0),
  (6, '50381ccc-6629-434b-b729-f93d5524f47e', 'subscription_grant', 9, 258870875720615183),
  (7, '575cad77-8978-42df-8f46-42141b44fc31', 'admin_deduct', 0, 0),
  (8, '6dc2bdcc-7bb2-4002-ac28-74e7ca0b63d2', 'subscription_grant', 4, 175195156501580159),
  (9, '811dc75b-9632-4dcb-9bfa-59897fbc8220', 'subscription_grant', 1, 44551732709287234),
  (10, '9ee409df-3606-4c73-96f0-4c2d222e9142', 'subscription_grant', 2, 36914472318216061),
  (11, '9efc6d59-27a0-4163-8315-2f78c77e8b26', 'subscription_grant', 3, 101104588655916343),
  (12, 'a374de0e-4178-4852-a5ef-f5c5d559eea8', 'subscription_grant', 11, 447389295945019225),
  (13, 'bad375c9-d69f-4441-9db0-32e56c2507af', 'admin_deduct', 0, 0),
  (14, 'bb9ccf04-460a-4836-966c-37c8d5357bfa', 'admin_deduct', 0, 0),
  (15, 'be5712b9-ee53-4410-8863-136292a2b0f1', 'subscription_grant', 2, 85798179879652961),
  (16, 'cd3e47bb-6fb0-42a7-a9bf-31932e377e6d', 'admin_deduct', 0, 0),
  (17, 'd165e915-49ec-4533-8883-8a18ef0899cf', 'subscription_grant', 8, 312250937747883928),
  (18, 'd25c5ada-106e-432a-b251-df4ee14567e8', 'subscription_grant', 11, 327890360242063949),
  (19, 'f2aee1d6-9c41-46e1-a7ec-65d834a94635', 'subscription_grant', 1, 35833895157337417);

-- Rows that repair.sql and dedupe.sql of this run change: counted neither then nor now.
create temporary table reckon_touched on commit drop as
select u.id as row_id
  from public.token_usage as u
  with no data;

analyze pg_temp.reckon_rows;
analyze pg_temp.reckon_known;

do $reckon$
declare
  wrong bigint;
  named text;
  planned bigint;
  there bigint;
  inserted_rows bigint;
begin
  -- A trigger may change balances; [repair] allow_triggers = true leaves this check out.
  select count(*), string_agg(t.tgname, ', ' order by t.tgname)
    into wrong, named
    from pg_catalog.pg_trigger as t
   where t.tgrelid = 'public.token_usage'::regclass
     and not t.tgisinternal
     and t.tgenabled in ('O', 'A')
     and t.tgtype & 4 <> 0;
  if wrong > 0 then
    raise exception using
      message = format('reckon: a trigger acts on INSERT of %s: %s', 'public.token_usage', named),
      hint = 'Nothing was changed. Read it; set allow_triggers = true under [repair] if it may run for every row.';
  end if;

  -- Rows of this plan that are there already.
  create temporary table reckon_there on commit drop as
  select p.reckon_no, u.id as row_id
    from pg_temp.reckon_rows as p
    join public.token_usage as u on u.id = p.id;
  analyze pg_temp.reckon_there;

  -- The same, and what other parts of this plan have inserted.
  create temporary table reckon_own on commit drop as
  select t.row_id::text as row_id
    from pg_temp.reckon_there as t
   union
  select e.row_id
    from reckon_journal.entries as e
   where e.plan_id = 'e577030758195aa4'
     and e.operation = 'insert'
     and e.undone_at is null;
  analyze pg_temp.reckon_own;

  -- A row of these users and actions that is neither known nor inserted by this plan.
  select count(*), string_agg(c.named, '; ' order by c.named) filter (where c.place <= 5)
    into wrong, named
    from (
      select g.named, row_number() over (order by g.named) as place
        from (
          select k.no, format('user %s, action %s', min(u.user_id::text), min(coalesce(u.action_type::text, ''))) as named
            from pg_temp.reckon_known as k
            join public.token_usage as u on u.user_id = k.user_id and u.action_type = k.action_1
           where not exists (select 1 from pg_temp.reckon_touched as t where t.row_id = u.id)
             and not exists (select 1 from pg_temp.reckon_own as o where o.row_id = u.id::text)
           group by k.no, k.row_count, k.fingerprint
          having count(*) > k.row_count
              or (count(*) = k.row_count and sum(('x' || encode(substring(sha256(convert_to(lower(u.id::text), 'UTF8')) from 1 for 7), 'hex'))::bit(56)::bigint) <> k.fingerprint)
        ) as g
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: rows that the run has not seen appeared for %s', named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;

  -- A row that is there already must be the one that would be inserted.
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select u.id::text as row_id, row_number() over (order by u.id::text) as place
        from pg_temp.reckon_there as t
        join pg_temp.reckon_rows as p on p.reckon_no = t.reckon_no
        join public.token_usage as u on u.id = t.row_id
       where not (
         jsonb_build_object('id', u.id, 'user_id', u.user_id, 'action_type', u.action_type, 'tokens_used', u.tokens_used, 'created_at', u.created_at, 'success', u.success, 'metadata', u.metadata)
         @> jsonb_build_object('id', p.id, 'user_id', p.user_id, 'action_type', p.action_type, 'tokens_used', p.tokens_used, 'created_at', p.created_at, 'success', p.success, 'metadata', p.metadata)
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows are there already with other content: %s', wrong, named),
      hint = 'Nothing was changed. Look at these rows, then run reckon reconcile again.';
  end if;

  select count(*) into planned from pg_temp.reckon_rows as p;
  select count(distinct t.reckon_no), count(*) - count(distinct t.reckon_no) into there, wrong
    from pg_temp.reckon_there as t;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s legacy rows have several copies already', wrong),
      hint = 'Nothing was changed. Run reckon reconcile again: it will name them.';
  end if;

  with inserted as (
    insert into public.token_usage as u (id, user_id, action_type, tokens_used, created_at, success, metadata, model_used)
    select p.id, p.user_id, p.action_type, p.tokens_used, p.created_at, p.success, p.metadata, 'migration'
      from pg_temp.reckon_rows as p
     where not exists (select 1 from pg_temp.reckon_there as t where t.reckon_no = p.reckon_no)
     order by p.reckon_no
    returning u.id::text as row_id, row_to_json(u.*) as after
  ), noted as (
    insert into reckon_journal.entries (plan_id, operation, table_name, row_id, after)
    select 'e577030758195aa4', 'insert', 'public.token_usage', i.row_id, i.after
      from inserted as i
    returning 1
  )
  select count(*) into inserted_rows from noted;

  if inserted_rows <> planned - there then
    raise exception using
      message = format('reckon: %s rows were inserted instead of %s', inserted_rows, planned - there),
      hint = 'Nothing was changed. A trigger or rule held rows back.';
  end if;
  raise notice 'reckon: % rows inserted, % were there already', inserted_rows, there;
end
$reckon$;

commit;

-- To be looked at: nothing below is executed.
-- c3cf42a2d38dca43 unmigrated user=098288bf-8354-464c-a362-86e2cfb4e92c legacy=dcc98793-37e8-4be1-80fd-52854239b370: legacy says renewal_grant 250000 tokens at 2025-12-03T11:00:15.094116Z; sign=negative
-- c7ee636ad3fbcab1 unmigrated user=3a773b94-5860-48c2-ab75-5c336b993c37 legacy=99f9efb3-628f-4c5c-b45e-262a961edb3e: legacy says renewal_grant 250000 tokens at 2025-11-13T17:35:34.204873Z; sign=negative
