-- reckon, backfill: inserts the legacy rows that have no copy into public.token_usage.
-- Plan e577030758195aa4, made from the run of token_transactions.csv and token_usage.csv as of 2026-09-01T00:00:00.000000Z.
-- 20 rows; 10,887,500 tokens.
-- Needs: PostgreSQL 13 or later; select, insert and update (for its lock) on public.token_usage; the right to create temporary tables and, the first time, the schema reckon_journal, which later files use as the role that made it; a role that row-level security lets see every row.
-- One transaction: when anything has changed since the run, it stops with an error and changes nothing. A second run changes nothing. undo.sql takes it back.
-- The legacy rows came from files: they are compared with public.token_transactions where that table exists.
-- Users are UUIDs. Where public.token_usage holds them as text and the legacy table is not there, one user of whom there is no row, or rows in both cases of letters, stops the whole file.
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
-- Values are written into the journal, and read from it, in one form whatever the session says.
set local datestyle = 'ISO, MDY';
set local intervalstyle = 'postgres';
set local bytea_output = 'hex';
set local extra_float_digits = 3;
set local lc_monetary = 'C';
set local xmloption = 'content';
set local array_nulls = on;
set local quote_all_identifiers = off;

-- Of values inside JSON the server has no statistics: it would sort the whole table for the sake of a few rows, and
-- compile for as long as it looks.
set local enable_mergejoin = off;
set local jit = off;

-- One file at a time, so that no two make the journal, or wait for each other: the number is the word "reckon" in
-- ASCII, as in retire.sql.
do $reckon$
begin
  perform pg_advisory_xact_lock(125779785248622);
exception when lock_not_available then
  raise exception using
    errcode = 'lock_not_available',
    message = format('reckon: another file of reckon is running in database %s', current_database()),
    hint = 'Nothing was changed. Let it end, then run this again.';
end
$reckon$;

-- A row as the text that is read back as that row. Names in it stand with their schemas, whatever the path of the
-- session; triggers of the table find that path as it was.
create or replace function pg_temp.reckon_row_text(written record) returns text
  language plpgsql
  stable
  set search_path = pg_catalog, pg_temp
  as $reckon$
begin return textin(record_out(written)); end
$reckon$;

-- No other writer until this short transaction ends.
lock table public.token_usage in share row exclusive mode;

do $reckon$
declare
  wrong bigint;
  named text;
begin
  -- A rule puts other statements in the place of those below, or beside them.
  select count(*), string_agg(r.rulename, ', ' order by r.rulename)
    into wrong, named
    from pg_catalog.pg_rewrite as r
   where r.ev_class = 'public.token_usage'::regclass
     and r.ev_type in ('2', '3', '4')
     and r.ev_enabled in ('O', 'A');
  if wrong > 0 then
    raise exception using
      message = format('reckon: a rule acts on %s: %s', 'public.token_usage', named),
      hint = 'Nothing was changed. Read it; where it need not act on these rows, run alter table … disable rule … before this file and enable rule after it.';
  end if;
  -- A trigger may change balances; [repair] allow_triggers = true leaves this check out.
  -- A partition may have triggers of its own.
  select count(*), string_agg(distinct t.tgname, ', ' order by t.tgname)
    into wrong, named
    from pg_catalog.pg_trigger as t
   where (
       t.tgrelid = 'public.token_usage'::regclass
       or t.tgtype & 1 <> 0
          and t.tgrelid in (select r.relid from pg_catalog.pg_partition_tree('public.token_usage'::regclass) as r)
     )
     and not t.tgisinternal
     and t.tgenabled in ('O', 'A')
     and t.tgtype & 4 <> 0;
  if wrong > 0 then
    raise exception using
      message = format('reckon: a trigger acts on INSERT of %s: %s', 'public.token_usage', named),
      hint = 'Nothing was changed. Read it; set allow_triggers = true under [repair] if it may run for every row, otherwise disable it for the backfill.';
  end if;
end
$reckon$;

-- The journal: what was before, and what was inserted, so that undo.sql can take it back.
do $reckon$
begin
  if to_regclass('reckon_journal.entries') is null then
    if to_regnamespace('reckon_journal') is null then
      create schema reckon_journal;
      revoke all on schema reckon_journal from public;
    end if;
    -- before and after are for people; before_row and after_row hold the row exactly, as a text that is read
    -- back as a row of the table.
    create table reckon_journal.entries (
      seq bigint generated always as identity primary key,
      plan_id text not null,
      operation text not null check (operation in ('insert', 'update', 'delete')),
      table_name text not null,
      row_id text not null,
      before json,
      before_row text,
      after json,
      after_row text,
      written_at timestamptz not null default now(),
      undone_at timestamptz
    );
    create index entries_by_row on reckon_journal.entries (plan_id, row_id);
    alter table reckon_journal.entries enable row level security;
    revoke all on table reckon_journal.entries from public;
  elsif not exists (
    select 1
      from pg_catalog.pg_attribute as a
     where a.attrelid = 'reckon_journal.entries'::regclass and a.attname = 'after_row'
  ) then
    alter table reckon_journal.entries add column before_row text, add column after_row text;
  end if;
end
$reckon$;

-- The legacy rows behind the changes, as they were read from files.
set local timezone = 'UTC';

create temporary table reckon_legacy on commit drop as
select null::text as row_id,
       null::text as user_id,
       null::text as label,
       null::numeric as tokens,
       null::timestamptz as created_at,
       null::text[] as reference_set
  with no data;

insert into pg_temp.reckon_legacy (row_id, user_id, label, tokens, created_at, reference_set) values
  ('d1775389-5ad8-41e6-b51b-cdb0bb27e27f', '080299f4-a252-44ad-9fb7-1d79ef180e9f', 'pack_purchase', 500000, '2026-07-31T14:40:19.195711Z'::timestamptz, array['pi_35zt5iL28x5KYWyi0apahz3ka']),
  ('c78fcb6d-8e82-4d4c-b946-883053df4a65', '10ead414-5004-4dcd-95c4-a8aa69f3284b', 'renewal_grant', 250000, '2025-10-31T17:29:28.349094Z'::timestamptz, '{}'),
  ('8003ce16-b5bb-46c8-9f84-3578ef0f899e', '21685ac7-078f-40d8-91fb-9ef12120746c', 'renewal_grant', 250000, '2026-05-18T09:16:34.085219Z'::timestamptz, '{}'),
  ('e2da21c9-5f5f-4d22-84f6-56c649e6298e', '2ceefc71-01d6-4101-9cb6-d1eb9271dc6d', 'pack_purchase', 2500000, '2026-06-23T19:06:41.573235Z'::timestamptz, array['pi_3utLAhCZni848GJfnh2S6wU4g']),
  ('9811cf1b-8cd4-4993-9c43-a3cf4d2a5757', '2dd13528-579b-421a-850f-17b191dfc3a8', 'renewal_grant', 250000, '2025-12-03T18:44:09.939666Z'::timestamptz, '{}'),
  ('f7575dd9-251a-4a8c-b4c9-bb5f616ce8f4', '50381ccc-6629-434b-b729-f93d5524f47e', 'renewal_grant', -250000, '2026-01-07T13:42:49.710453Z'::timestamptz, '{}'),
  ('ee77dcdd-e81f-45ea-b079-5239d57d264c', '6dc2bdcc-7bb2-4002-ac28-74e7ca0b63d2', 'renewal_grant', 250000, '2026-04-26T21:04:01.221713Z'::timestamptz, '{}'),
  ('c7bfcfea-47cb-4f3d-a4db-8d0e99d6e1fe', '811dc75b-9632-4dcb-9bfa-59897fbc8220', 'subscription_grant', -5000000, '2025-08-06T18:11:10.284968Z'::timestamptz, '{}'),
  ('c48454ab-6f23-4e10-9cb7-e0ead7584b78', '9ee409df-3606-4c73-96f0-4c2d222e9142', 'renewal_grant', 250000, '2026-04-15T08:00:24.520457Z'::timestamptz, '{}'),
  ('0b55eb1e-86bc-49ea-996e-872fdba9c83d', '9efc6d59-27a0-4163-8315-2f78c77e8b26', 'renewal_grant', 250000, '2026-02-13T13:35:25.115469Z'::timestamptz, '{}'),
  ('2f9abeed-a374-4b14-9a21-8acea4cfa997', 'a374de0e-4178-4852-a5ef-f5c5d559eea8', 'renewal_grant', 250000, '2025-10-13T18:30:20.605533Z'::timestamptz, '{}'),
  ('ef0b3d01-1f43-4fea-a92b-7ac81cb242f8', 'be5712b9-ee53-4410-8863-136292a2b0f1', 'renewal_grant', 250000, '2026-04-15T16:23:43.994083Z'::timestamptz, '{}'),
  ('ba681857-dcf1-4648-acc6-4afe71a78035', 'd165e915-49ec-4533-8883-8a18ef0899cf', 'renewal_grant', -250000, '2026-01-13T07:53:58.824490Z'::timestamptz, '{}'),
  ('3293d02d-c8b1-4acd-b4fb-d2828c09920b', 'd25c5ada-106e-432a-b251-df4ee14567e8', 'renewal_grant', 250000, '2025-11-28T17:50:53.968764Z'::timestamptz, '{}'),
  ('30734037-3a1b-45b6-9b5e-7370c5d5be7d', 'f2aee1d6-9c41-46e1-a7ec-65d834a94635', 'renewal_grant', 250000, '2026-06-25T13:13:29.727521Z'::timestamptz, '{}'),
  ('24d65308-d21b-4eed-a7e8-09b47053f9e8', '41c97819-7c93-44e5-9433-84e7af2f2715', 'admin_deduct', -7000, '2026-01-28T17:39:24.480591Z'::timestamptz, '{}'),
  ('44fa85aa-8872-4efc-9a8b-dcd22a2a5f83', '575cad77-8978-42df-8f46-42141b44fc31', 'admin_deduct', -46500, '2026-05-02T20:44:22.950191Z'::timestamptz, '{}'),
  ('916115a3-5a58-4fce-ad4c-4e163a344590', 'bad375c9-d69f-4441-9db0-32e56c2507af', 'admin_deduct', -14500, '2025-09-26T18:56:05.045870Z'::timestamptz, '{}'),
  ('09df5cfd-4d00-4d97-88b8-21711512acb3', 'bb9ccf04-460a-4836-966c-37c8d5357bfa', 'admin_deduct', -25500, '2026-02-26T14:54:39.650149Z'::timestamptz, '{}'),
  ('5f8dba14-7a95-4101-b169-14a233551b9f', 'cd3e47bb-6fb0-42a7-a9bf-31932e377e6d', 'admin_deduct', -19000, '2025-12-29T19:42:23.333929Z'::timestamptz, '{}');

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
      select q.row_id::text as row_id, row_number() over (order by q.row_id::text) as place
        from pg_temp.reckon_legacy as q
       where q.row_id not in (
         select p.row_id
           from pg_temp.reckon_legacy as p
           join public.token_transactions as l on lower(l.id::text) = lower(p.row_id::text)
          where lower(l.user_id::text) = lower(p.user_id::text)
            and coalesce(l.action_type::text, '') = p.label
            and (l.tokens_used)::text::numeric is not distinct from p.tokens
            and (l.created_at)::timestamptz is not distinct from p.created_at
            and array(select r.text from unnest(array[btrim(case when l.stripe_payment_intent_id::text ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower(l.stripe_payment_intent_id::text) else l.stripe_payment_intent_id::text end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) @> p.reference_set and array(select r.text from unnest(array[btrim(case when l.stripe_payment_intent_id::text ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower(l.stripe_payment_intent_id::text) else l.stripe_payment_intent_id::text end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) <@ p.reference_set
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

-- What is known of these users: how many grants and deductions that count, how many of them without an id, and
-- 56 bits of SHA-256 of each id, label, amount and time; of very many rows the sum of these bits.
create temporary table reckon_known on commit drop as
select 0::bigint as no, u.user_id as user_id, 0::bigint as row_count, 0::bigint as blank_count, 0::numeric as fingerprint, null::text[] as prints
  from public.token_usage as u
  with no data;

insert into pg_temp.reckon_known (no, user_id, row_count, blank_count, fingerprint, prints) values
  (0, '080299f4-a252-44ad-9fb7-1d79ef180e9f', 14, 0, null, '{f1d310a02c971c,078d75a75c9352,385c9c914e3f89,404d330ab80a6e,d8265f66962b3e,b79690883e6e14,bbadfc107173a7,3ebbe7ddc4cb09,41533d43a86be6,4d3533d2de4d6c,f0bb1afe89588b,16a2bf23499e0e,9b1d43eb57abe6,3a98b3450ca618}'),
  (1, '10ead414-5004-4dcd-95c4-a8aa69f3284b', 10, 0, null, '{1a57b0243e7a60,661f06efc85d97,02007a946ef417,3eaab93b80ee40,50555d8538eeb3,fc6491c0eb68e5,d653ace77c725e,b243e39fce21e6,93c5e708fdd842,cec59e90c14903}'),
  (2, '21685ac7-078f-40d8-91fb-9ef12120746c', 9, 0, null, '{fe58144806041a,d62fe60229c9b5,2e4df92134ee3c,2136ca3e431225,5dc71dca2f5dc6,354c964e2bad55,9add69d1333003,5ea6afc58c3877,1fd7519769c25e}'),
  (3, '2ceefc71-01d6-4101-9cb6-d1eb9271dc6d', 4, 0, null, '{48f733816e31aa,a424b0e5eb515e,30436b2214645b,b086eb7c2ed3f5}'),
  (4, '2dd13528-579b-421a-850f-17b191dfc3a8', 7, 0, null, '{d93590b49aecc4,c0465167037cfc,8a25f1cab111f0,3b4652c11e7350,c866de736b5092,207e1de8e82c44,549f8c6068f33f}'),
  (5, '41c97819-7c93-44e5-9433-84e7af2f2715', 2, 0, null, '{b5702583ebe4cf,851ac2dec7ded7}'),
  (6, '50381ccc-6629-434b-b729-f93d5524f47e', 10, 0, null, '{4573245d5df92d,0096e3b67e9ac3,d049e23996dad8,28b26a04293086,229cf0334e5a82,5f6bb11ec9e98a,a61057178a8283,8a839d7dae0a74,793fbc7621bace,fb4e17eb316b65}'),
  (7, '575cad77-8978-42df-8f46-42141b44fc31', 2, 0, null, '{07d3a5b3fe594d,91ac060904edff}'),
  (8, '6dc2bdcc-7bb2-4002-ac28-74e7ca0b63d2', 5, 0, null, '{fd4f637e93f9b0,6de7b56e5afe20,0870230d3c13ce,6f38ab73b60d2c,a837bd009b7077}'),
  (9, '811dc75b-9632-4dcb-9bfa-59897fbc8220', 3, 0, null, '{002d3e873cdb5c,dda0abbf16eacc,e689b1b5b69ec1}'),
  (10, '9ee409df-3606-4c73-96f0-4c2d222e9142', 3, 0, null, '{fbfc6e299bf8ca,26d1ab2b7e5838,d3e3585d4acf56}'),
  (11, '9efc6d59-27a0-4163-8315-2f78c77e8b26', 5, 0, null, '{dcf29d4456f2e8,dc8cf6c5525f37,82b68cb17d18ed,1e2fc1d816e57c,a68a36126fd4fe}'),
  (12, 'a374de0e-4178-4852-a5ef-f5c5d559eea8', 13, 0, null, '{53eea771fe6c30,98a1e3a7d9fac5,cba5b095e5fe24,598749ce8709ac,c1bce9bc21d421,bb31e442cee501,e7a91dd18ae159,3e3eb964ef4205,880d9dc3a5856d,f21f796570df82,e81009a2597fb0,ad36a798a6f11b,8a91b89cdbbd74}'),
  (13, 'bad375c9-d69f-4441-9db0-32e56c2507af', 3, 0, null, '{891efab7c29073,43a9060d0e53e2,3bce4abd194df4}'),
  (14, 'bb9ccf04-460a-4836-966c-37c8d5357bfa', 2, 0, null, '{e4ad774473de0e,5499cdf5bfdd95}'),
  (15, 'be5712b9-ee53-4410-8863-136292a2b0f1', 4, 0, null, '{94f3b761a0f34b,417456e7ffa137,71fbabdba9eeff,09e6b96038f8ff}'),
  (16, 'cd3e47bb-6fb0-42a7-a9bf-31932e377e6d', 2, 0, null, '{fab8265a65b6b1,99cfbe6fa7f88e}'),
  (17, 'd165e915-49ec-4533-8883-8a18ef0899cf', 10, 0, null, '{1757c026d8e92f,55dae54ef5cc9d,e08615d52283b1,e35c47406d5fd7,d07f73393d76e5,b60def19720343,1ada9f74dac59e,daa4b8d5a77e7f,41c7debeadb3a7,fccc457dc5a9b0}'),
  (18, 'd25c5ada-106e-432a-b251-df4ee14567e8', 13, 0, null, '{6eadc53d6997f9,a37f61e80c8780,08707375fa64e7,00bad210e76108,f0568b84e144a3,c1f5472dd0ee73,eb802cbfd87275,97ba28cfd4e42b,e20a2a686fa3b9,fe88208f9c7305,c979dcb531a9b3,52c0a1cbe6f42b,4b3aa853c47ffb}'),
  (19, 'f2aee1d6-9c41-46e1-a7ec-65d834a94635', 3, 0, null, '{93ab13a6199220,11a4ba58d19f03,66505a413aa589}');

-- Rows that repair.sql and dedupe.sql of this run change: counted neither then nor now.
create temporary table reckon_touched on commit drop as
select u.id as row_id
  from public.token_usage as u
  with no data;

-- Rows of which the run knew that they carry a reference of a row to insert.
create temporary table reckon_carriers (reference text, row_id text) on commit drop;

analyze pg_temp.reckon_rows;
analyze pg_temp.reckon_known;
analyze pg_temp.reckon_touched;

do $reckon$
declare
  wrong bigint;
  named text;
begin
  -- A UUID is the same in either case: a new row names its user as the table does, or else as the legacy row.
  if exists (select 1 from pg_temp.reckon_rows as p where pg_typeof(p.user_id) <> 'uuid'::regtype) then
    create temporary table reckon_spelling on commit drop as
    select lower(u.user_id::text) as user_key, count(distinct u.user_id::text) as spellings, min(u.user_id::text) as user_text
      from public.token_usage as u
     where lower(u.user_id::text) in (select lower(p.user_id::text) from pg_temp.reckon_rows as p)
     group by lower(u.user_id::text);
    analyze pg_temp.reckon_spelling;

    if to_regclass('public.token_transactions') is not null then
      update pg_temp.reckon_rows as p
         set user_id = l.user_id::text
        from public.token_transactions as l
       where lower(l.id::text) = p.reckon_legacy_id;
    else
      select count(*), string_agg(c.user_text, ', ' order by c.place) filter (where c.place <= 5)
        into wrong, named
        from (
          select p.user_id::text as user_text, row_number() over (order by p.user_id::text) as place
            from pg_temp.reckon_rows as p
           where p.user_id::text ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$'
             and not exists (
               select 1
                 from pg_temp.reckon_spelling as s
                where s.user_key = lower(p.user_id::text) and s.spellings = 1
             )
        ) as c;
      if wrong > 0 then
        raise exception using
          message = format('reckon: it cannot be told in which case of letters the user of %s rows is written in %s: %s',
            wrong, 'public.token_usage', named),
          hint = 'Nothing was changed. Let the legacy table stand in this database, or insert these rows by hand.';
      end if;
    end if;

    update pg_temp.reckon_rows as p
       set user_id = s.user_text
      from pg_temp.reckon_spelling as s
     where s.user_key = lower(p.user_id::text)
       and s.spellings = 1;
  end if;

end
$reckon$;

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

-- One look at the table, however long it is: rows of these users that count, or that have a label without a meaning
-- and an amount that is missing; and rows of anybody that name a legacy row, or carry what it was paid with.
create temporary table reckon_near on commit drop as
select u.id as row_id,
       u.id::text as id_text,
       u.user_id as user_id,
       u.user_id::text as user_text,
       coalesce(u.action_type::text, '') as label,
       ltrim(case when u.tokens_used::text ~* E'^\\s*[-+]?[0-9]+([.][0-9]*)?(e[-+]?[0-9]{1,2})?\\s*$' then case when abs(u.tokens_used::text::numeric) < 9223372036854775808 and u.tokens_used::text::numeric = trunc(u.tokens_used::text::numeric) then trunc(u.tokens_used::text::numeric)::text else '' end else '' end, '-') as tokens,
       lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')::text) as link,
       array[btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'payment_intent')) else (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') end, E' \t\n\r\f')] as reference_set,
       coalesce(u.action_type::text, '') in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase', 'admin_deduct')
       and (coalesce(btrim(u.success::text, E' \t\n\r\f'), '') in ('', 'null') or u.success::text ~* E'^\\s*(true|t|yes|y|on|[+]?0*1([.]0*)?)\\s*$')
       and coalesce(u.tokens_used::text !~ E'^\\s*[-+]?0+([.]0*)?\\s*$', true) as counts,
       (not coalesce(u.action_type::text, '') in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase', 'admin_deduct') and (btrim(coalesce(u.action_type::text, ''), '/') = '' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') like '%grant' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') like '%purchase' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') like '%bonus' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') like '%credit' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') like '%refund' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') = any (array['admingrant', 'subscriptiongrant', 'trialgrant', 'tokenpackpurchase', 'admindeduct', 'admingrants', 'subscriptiongrants', 'trialgrants', 'tokenpackpurchases', 'admindeducts']::text[])))
       and coalesce(u.tokens_used::text !~ E'^\\s*[-+]?0+([.]0*)?\\s*$', true) as is_unclear,
       nullif(lower(u.id::text), '') as known_id,
       left(encode(sha256(convert_to(nullif(lower(u.id::text), '') || chr(10) || coalesce(u.action_type::text, '') || chr(10) || case when u.tokens_used::text ~* E'^\\s*[-+]?[0-9]+([.][0-9]*)?(e[-+]?[0-9]{1,2})?\\s*$' then case when abs(u.tokens_used::text::numeric) < 9223372036854775808 and u.tokens_used::text::numeric = trunc(u.tokens_used::text::numeric) then trunc(u.tokens_used::text::numeric)::text else '' end else '' end, 'UTF8')), 'hex'), 14) as print
  from public.token_usage as u
 where lower(u.user_id::text) in (select lower(k.user_id::text) from pg_temp.reckon_known as k)
   and (coalesce(u.action_type::text, '') in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase', 'admin_deduct')
     and (coalesce(btrim(u.success::text, E' \t\n\r\f'), '') in ('', 'null') or u.success::text ~* E'^\\s*(true|t|yes|y|on|[+]?0*1([.]0*)?)\\s*$')
     and coalesce(u.tokens_used::text !~ E'^\\s*[-+]?0+([.]0*)?\\s*$', true)
     or ltrim(case when u.tokens_used::text ~* E'^\\s*[-+]?[0-9]+([.][0-9]*)?(e[-+]?[0-9]{1,2})?\\s*$' then case when abs(u.tokens_used::text::numeric) < 9223372036854775808 and u.tokens_used::text::numeric = trunc(u.tokens_used::text::numeric) then trunc(u.tokens_used::text::numeric)::text else '' end else '' end, '-') in (select ltrim(case when p.tokens_used::text ~* E'^\\s*[-+]?[0-9]+([.][0-9]*)?(e[-+]?[0-9]{1,2})?\\s*$' then case when abs(p.tokens_used::text::numeric) < 9223372036854775808 and p.tokens_used::text::numeric = trunc(p.tokens_used::text::numeric) then trunc(p.tokens_used::text::numeric)::text else '' end else '' end, '-') from pg_temp.reckon_rows as p union all select '')
        and (not coalesce(u.action_type::text, '') in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase', 'admin_deduct') and (btrim(coalesce(u.action_type::text, ''), '/') = '' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') like '%grant' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') like '%purchase' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') like '%bonus' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') like '%credit' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') like '%refund' or regexp_replace(lower((coalesce(u.action_type::text, '')) collate "C"), '[^a-z0-9]', '', 'g') = any (array['admingrant', 'subscriptiongrant', 'trialgrant', 'tokenpackpurchase', 'admindeduct', 'admingrants', 'subscriptiongrants', 'trialgrants', 'tokenpackpurchases', 'admindeducts']::text[])))
        and coalesce(u.tokens_used::text !~ E'^\\s*[-+]?0+([.]0*)?\\s*$', true))
    or lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')::text) in (select p.reckon_legacy_id from pg_temp.reckon_rows as p)
    or (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') is not null and btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'payment_intent')) else (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') end, E' \t\n\r\f') in (select unnest(l.reference_set) from pg_temp.reckon_legacy as l);
analyze pg_temp.reckon_near;
do $reckon$
declare
  wrong bigint;
  named text;
begin
  -- The rows of these users that count and that this plan has nothing to do with. A row of another label may be
  -- the missing one too, and so may be one that failed when the run looked.
  create temporary table reckon_beside on commit drop as
  select k.no, n.user_text, n.label, n.print
    from pg_temp.reckon_known as k
    join pg_temp.reckon_near as n on lower(n.user_id::text) = lower(k.user_id::text)
   where n.counts
     and not exists (select 1 from pg_temp.reckon_touched as t where lower(t.row_id::text) = lower(n.row_id::text))
     and not exists (select 1 from pg_temp.reckon_own as o where o.row_id = n.id_text);
  create temporary table reckon_seen on commit drop as
  select distinct k.no, l.print
    from pg_temp.reckon_known as k
   cross join lateral unnest(k.prints) as l (print);
  analyze pg_temp.reckon_beside;
  analyze pg_temp.reckon_seen;

  -- Each of them was seen by the run as it is. One that has gone hides none that has come.
  select count(*), string_agg(c.named, '; ' order by c.named) filter (where c.place <= 5)
    into wrong, named
    from (
      select g.named, row_number() over (order by g.named) as place
        from (
          select k.no,
                 format('user %s, action %s', min(b.user_text),
                   coalesce(min(b.label) filter (where s.print is null), min(b.label))) as named
            from pg_temp.reckon_beside as b
            join pg_temp.reckon_known as k on k.no = b.no
            left join pg_temp.reckon_seen as s on s.no = b.no and s.print = b.print
           group by k.no, k.row_count, k.blank_count, k.fingerprint
          having count(*) > k.row_count
              or count(*) filter (where b.print is null) > k.blank_count
              or case
                   when k.fingerprint is null then count(b.print) > count(s.print)
                   else count(*) <> k.row_count
                     or coalesce(sum(('x' || b.print)::bit(56)::bigint), 0) <> k.fingerprint
                 end
        ) as g
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: rows that the run has not seen as they are appeared for %s', named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;

  -- Nor has one come by a label without a meaning: it may be the missing one by another name.
  select count(*), string_agg(c.named, '; ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select format('user %s, action %s by row %s', n.user_text, n.label, n.id_text) as named,
             row_number() over (order by n.user_text, n.label, n.id_text) as place
        from pg_temp.reckon_near as n
       where n.is_unclear
         and exists (
           select 1
             from pg_temp.reckon_rows as p
            where lower(n.user_id::text) = lower(p.user_id::text)
              and (n.tokens = '' or n.tokens = ltrim(case when p.tokens_used::text ~* E'^\\s*[-+]?[0-9]+([.][0-9]*)?(e[-+]?[0-9]{1,2})?\\s*$' then case when abs(p.tokens_used::text::numeric) < 9223372036854775808 and p.tokens_used::text::numeric = trunc(p.tokens_used::text::numeric) then trunc(p.tokens_used::text::numeric)::text else '' end else '' end, '-'))
         )
         and not exists (select 1 from pg_temp.reckon_touched as t where lower(t.row_id::text) = lower(n.row_id::text))
         and not exists (select 1 from pg_temp.reckon_own as o where o.row_id = n.id_text)
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: rows that the run has not seen appeared for %s', named),
      hint = 'Nothing was changed. Their label has no meaning, and they may be what is missing: give it one in the configuration and run reckon reconcile again.';
  end if;

  -- No other row says that it is the copy, whatever it counts as.
  select count(*), string_agg(c.named, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select format('%s by row %s', p.reckon_legacy_id, n.id_text) as named,
             row_number() over (order by p.reckon_legacy_id, n.id_text) as place
        from pg_temp.reckon_rows as p
        join pg_temp.reckon_near as n on n.link = p.reckon_legacy_id
       where not exists (
         select 1
           from pg_temp.reckon_there as t
          where t.reckon_no = p.reckon_no and t.row_id = n.row_id
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s legacy rows are named by rows of %s already: %s', wrong, 'public.token_usage', named),
      hint = 'Nothing was changed. Look at these rows: once they count, a row inserted now would be the second copy.';
  end if;

  -- No other row carries the reference of one that is to be inserted, under whatever user and label.
  select count(*), string_agg(c.named, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select format('%s by row %s', r.reference, n.id_text) as named,
             row_number() over (order by r.reference, n.id_text) as place
        from pg_temp.reckon_near as n
       cross join lateral unnest(n.reference_set) as r (reference)
       where (n.counts or n.is_unclear)
         and r.reference in (select unnest(l.reference_set) from pg_temp.reckon_legacy as l)
         and not exists (select 1 from pg_temp.reckon_own as o where o.row_id = n.id_text)
         and not exists (
           select 1
             from pg_temp.reckon_carriers as k
            where k.reference = r.reference and k.row_id = n.known_id
         )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s references of the rows to insert are carried by rows that the run has not seen: %s', wrong, named),
      hint = 'Nothing was changed. Look at these rows and run reckon reconcile again; where one cannot be read, mend it or accept the finding with reckon waive.';
  end if;

  -- A row that is there already must be the one that would be inserted.
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select u.id::text as row_id, row_number() over (order by u.id::text) as place
        from pg_temp.reckon_there as t
        join pg_temp.reckon_rows as p on p.reckon_no = t.reckon_no
        join public.token_usage as u on u.id = t.row_id
       where not (jsonb_build_object('id', u.id, 'user_id', u.user_id, 'action_type', u.action_type, 'tokens_used', u.tokens_used, 'created_at', u.created_at, 'success', u.success, 'metadata', u.metadata)
         @> jsonb_build_object('id', p.id, 'user_id', p.user_id, 'action_type', p.action_type, 'tokens_used', p.tokens_used, 'created_at', p.created_at, 'success', p.success, 'metadata', p.metadata))
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows are there already with other content: %s', wrong, named),
      hint = 'Nothing was changed. Look at these rows, then run reckon reconcile again.';
  end if;
end
$reckon$;

do $reckon$
declare
  wrong bigint;
  named text;
  foreign_key record;
begin
  -- One key that is not there would let its foreign key stop all rows without a word about the others.
  for foreign_key in
    select c.conname as name,
           c.confrelid::regclass::text as referenced,
           string_agg(format('r.%I = p.%I', ra.attname, pa.attname), ' and ') as same_key,
           string_agg(format('p.%I is not null', pa.attname), ' and ') as is_given,
           string_agg(format('p.%I::text', pa.attname), ' || '', '' || ' order by k.place) as key_text
      from pg_catalog.pg_constraint as c
     cross join lateral unnest(c.conkey, c.confkey) with ordinality as k (own_no, referenced_no, place)
      join pg_catalog.pg_attribute as ua on ua.attrelid = c.conrelid and ua.attnum = k.own_no
      join pg_catalog.pg_attribute as ra on ra.attrelid = c.confrelid and ra.attnum = k.referenced_no
      left join pg_catalog.pg_attribute as pa
             on pa.attrelid = 'pg_temp.reckon_rows'::regclass and pa.attname = ua.attname
      join pg_catalog.pg_class as t on t.oid = c.confrelid
     where c.contype = 'f'
       and c.conrelid = 'public.token_usage'::regclass
       and c.confrelid <> c.conrelid
       -- What this role may not see, the server checks alone.
       and has_schema_privilege(t.relnamespace, 'usage')
       and has_table_privilege(t.oid, 'select')
       and not row_security_active(t.oid)
     group by c.oid, c.conname, c.confrelid
    having bool_and(pa.attname is not null)
     order by c.conname
  loop
    execute format(
      'select count(*), string_agg(c.key, ''; '' order by c.place) filter (where c.place <= 5)
         from (
           select %1$s as key, row_number() over (order by %1$s) as place
             from pg_temp.reckon_rows as p
            where %2$s
              and not exists (select 1 from %3$s as r where %4$s)
              and not exists (select 1 from pg_temp.reckon_there as t where t.reckon_no = p.reckon_no)
         ) as c',
      foreign_key.key_text, foreign_key.is_given, foreign_key.referenced, foreign_key.same_key
    ) into wrong, named;
    if wrong > 0 then
      raise exception using
        message = format('reckon: the foreign key %s finds nothing in %s for %s of the rows to insert: %s',
          foreign_key.name, foreign_key.referenced, wrong, named),
        hint = 'Nothing was changed. Add what is missing there, or accept these findings with reckon waive and run reckon reconcile again.';
    end if;
  end loop;

end
$reckon$;

do $reckon$
declare
  wrong bigint;
  named text;
  planned bigint;
  there bigint;
  inserted_rows bigint;
begin
  select count(*) into planned from pg_temp.reckon_rows as p;
  select count(distinct t.reckon_no), count(*) - count(distinct t.reckon_no) into there, wrong
    from pg_temp.reckon_there as t;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s legacy rows have several copies already', wrong),
      hint = 'Nothing was changed. Run reckon reconcile again: it will name them.';
  end if;

  create temporary table reckon_new on commit drop as
  select u.id as row_id
    from public.token_usage as u
    with no data;

  with inserted as (
    insert into public.token_usage as u (id, user_id, action_type, tokens_used, created_at, success, metadata, model_used)
    select p.id, p.user_id, p.action_type, p.tokens_used, p.created_at, p.success, p.metadata, 'migration'
      from pg_temp.reckon_rows as p
     where not exists (select 1 from pg_temp.reckon_there as t where t.reckon_no = p.reckon_no)
     order by p.reckon_no
    returning u.id as row_id, u.id::text as id_text, row_to_json(u.*) as after, pg_temp.reckon_row_text(u.*) as after_row
  ), noted as (
    insert into reckon_journal.entries (plan_id, operation, table_name, row_id, after, after_row)
    select 'e577030758195aa4', 'insert', 'public.token_usage', i.id_text, i.after, i.after_row
      from inserted as i
    returning 1
  )
  insert into pg_temp.reckon_new (row_id)
  select i.row_id from inserted as i;
  get diagnostics inserted_rows = row_count;
  analyze pg_temp.reckon_new;

  if inserted_rows <> planned - there then
    raise exception using
      message = format('reckon: %s rows were inserted instead of %s', inserted_rows, planned - there),
      hint = 'Nothing was changed. A trigger or rule held rows back.';
  end if;

  -- Each stands there as it was written.
  select count(*), string_agg(c.legacy_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.reckon_legacy_id as legacy_id, row_number() over (order by p.reckon_no) as place
        from pg_temp.reckon_rows as p
       where not exists (select 1 from pg_temp.reckon_there as t where t.reckon_no = p.reckon_no)
         and not exists (
           select 1
             from pg_temp.reckon_new as i
             join public.token_usage as u on u.id = i.row_id
            where u.id = p.id
              and jsonb_build_object('id', u.id, 'user_id', u.user_id, 'action_type', u.action_type, 'tokens_used', u.tokens_used, 'created_at', u.created_at, 'success', u.success, 'metadata', u.metadata)
              @> jsonb_build_object('id', p.id, 'user_id', p.user_id, 'action_type', p.action_type, 'tokens_used', p.tokens_used, 'created_at', p.created_at, 'success', p.success, 'metadata', p.metadata)
         )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: a trigger changed what was written for %s legacy rows: %s', wrong, named),
      hint = 'Nothing was changed. Disable the trigger for the backfill, or let it pass on such rows as they are.';
  end if;
  raise notice 'reckon: % rows inserted, % were there already', inserted_rows, there;
end
$reckon$;

-- The same once more: others may have written there meanwhile.
set local timezone = 'UTC';

do $reckon$
declare
  wrong bigint;
  named text;
begin
  -- The rows came from files: their table need not be here.
  if to_regclass('public.token_transactions') is null then
    return;
  end if;
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select q.row_id::text as row_id, row_number() over (order by q.row_id::text) as place
        from pg_temp.reckon_legacy as q
       where q.row_id not in (
         select p.row_id
           from pg_temp.reckon_legacy as p
           join public.token_transactions as l on lower(l.id::text) = lower(p.row_id::text)
          where lower(l.user_id::text) = lower(p.user_id::text)
            and coalesce(l.action_type::text, '') = p.label
            and (l.tokens_used)::text::numeric is not distinct from p.tokens
            and (l.created_at)::timestamptz is not distinct from p.created_at
            and array(select r.text from unnest(array[btrim(case when l.stripe_payment_intent_id::text ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower(l.stripe_payment_intent_id::text) else l.stripe_payment_intent_id::text end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) @> p.reference_set and array(select r.text from unnest(array[btrim(case when l.stripe_payment_intent_id::text ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower(l.stripe_payment_intent_id::text) else l.stripe_payment_intent_id::text end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) <@ p.reference_set
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

drop function pg_temp.reckon_row_text(record);

commit;

-- To be looked at: nothing below is executed.
-- c3cf42a2d38dca43 unmigrated user=098288bf-8354-464c-a362-86e2cfb4e92c legacy=dcc98793-37e8-4be1-80fd-52854239b370: legacy says renewal_grant 250000 tokens at 2025-12-03T11:00:15.094116Z; sign=negative
-- c7ee636ad3fbcab1 unmigrated user=3a773b94-5860-48c2-ab75-5c336b993c37 legacy=99f9efb3-628f-4c5c-b45e-262a961edb3e: legacy says renewal_grant 250000 tokens at 2025-11-13T17:35:34.204873Z; sign=negative
