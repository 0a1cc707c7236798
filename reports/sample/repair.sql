-- reckon, repair: sets amounts, actions and times right in public.token_usage.
-- Plan e577030758195aa4, made from the run of token_transactions.csv and token_usage.csv as of 2026-09-01T00:00:00.000000Z.
-- 24 rows; 234,992 tokens.
-- Needs: PostgreSQL 13 or later; select and update on public.token_usage; the right to create temporary tables and, the first time, the schema reckon_journal, which later files use as the role that made it; a role that row-level security lets see every row.
-- One transaction: when anything has changed since the run, it stops with an error and changes nothing. A second run changes nothing. undo.sql takes it back.
-- The legacy rows came from files: they are compared with public.token_transactions where that table exists.
-- WARNING: the rows were read from files, so the columns, constraints and triggers of public.token_usage could not be looked at beforehand.
-- Findings that a person has to look at, as comments at the end: 23.
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
  ('afe2a80d-99fd-4b73-9f77-6ac217598a77', '1bc72594-6a9d-4631-a1ed-8922ed96a5b0', 'renewal_grant', 250000, '2025-11-24T08:39:01.141262Z'::timestamptz, '{}'),
  ('a9e893a7-0b33-4968-83c4-05c9e25a25bf', 'a9b45f88-fc99-437e-b0d0-f40e0337cfdf', 'renewal_grant', 250000, '2025-12-10T11:47:31.516302Z'::timestamptz, '{}'),
  ('6f5bb330-d74c-4c35-951a-e228816ce04a', 'da98d66b-466d-4eff-823d-c99d1e290a53', 'subscription_grant', -5000000, '2025-08-31T13:49:15.273472Z'::timestamptz, '{}'),
  ('2a05e11d-0d67-4545-a55d-fc6a37cc0d22', 'e77c2218-0ae3-4ed3-b297-a7c402fd6918', 'renewal_grant', -250000, '2025-09-03T12:26:07.653599Z'::timestamptz, '{}'),
  ('0bce30de-9a67-4f58-8a50-f0bf16c021ce', '61026d3d-adf5-48f2-9d63-f841e81235c8', 'renewal_grant', 250000, '2025-12-28T21:39:24.993730Z'::timestamptz, '{}'),
  ('15980ffb-7e1e-4a14-a516-043240df4f2e', '9dc0d610-a50b-4cb0-b6ea-4bb5c68ddc40', 'renewal_grant', 250000, '2025-10-09T20:34:51.076383Z'::timestamptz, '{}'),
  ('76bfc76f-c07b-41f0-a218-3fd72c595aad', '9f95457b-e15a-46a2-8cd2-69837f6112e4', 'renewal_grant', -250000, '2025-09-03T17:22:29.888922Z'::timestamptz, '{}'),
  ('444eaae0-811d-489e-b6c5-5d6c89a73a2b', 'bb692583-045d-4b8f-b302-ad4dc5237ddb', 'renewal_grant', 250000, '2025-10-25T10:39:37.588562Z'::timestamptz, '{}'),
  ('7fd72261-0099-4875-a4d4-14c625ed2b6d', '171cfb2e-9c71-4c84-802c-ef2ca7539a66', 'pack_purchase', 500000, '2025-12-27T18:07:39.793214Z'::timestamptz, array['pi_31c6czC06zrswTymhvwJ2Eu5b']),
  ('a8db7b4c-3697-4889-a995-6f63d5ccfa6d', '1a0e1d1b-f243-42b1-8f63-8b6e3605afe8', 'pack_purchase', 1000000, '2026-03-13T10:46:18.832519Z'::timestamptz, array['pi_3Nrcyts4rKJ4GdDC99U5BMcUE']),
  ('c5a4eadf-7b70-43c9-8504-ccbb6074456b', '23d079a0-c8dd-43bd-a7f3-74f77e211f65', 'pack_purchase', 2500000, '2026-08-02T17:26:35.246009Z'::timestamptz, array['pi_3oijvAT3QYyrT9GjeR3nMYETa']),
  ('6296e7c0-3522-4a41-8d0c-7209900a7f48', '372b33ed-9b9f-49af-98c6-96409a7c679d', 'pack_purchase', 2500000, '2026-04-24T19:13:54.533353Z'::timestamptz, array['pi_3iuV14NW5C58r7nCUejRsp9Tm']),
  ('e066b259-7db8-4fe8-8ac3-18cd5abf3fbe', '5553eab6-c8cf-4072-9d44-8501c144e940', 'pack_purchase', 500000, '2026-06-26T20:53:07.931872Z'::timestamptz, array['pi_3B5Jd28NJhiEjqV5CimdkRnN4']),
  ('8fd61cf3-4fee-4a28-8aa7-a31f8291570e', '85108652-14c5-4413-9483-61a9b048ab6c', 'pack_purchase', 500000, '2026-07-31T11:26:19.208851Z'::timestamptz, array['pi_389NkQ9oYaL9Xk57jhQDtizd7']),
  ('a9f8d8b4-363d-49b8-a8b7-e762269277fd', '9a9a77d1-65d2-4937-9980-182b745c5f41', 'pack_purchase', 2500000, '2026-07-16T18:46:57.384395Z'::timestamptz, array['pi_3QCFizy2SZpQn8ZuUhHNZBRS5']),
  ('35619e6d-d463-4341-ab82-5b8f5a6085b7', 'b36fa88e-d538-4153-b664-dbb185fd2a7e', 'pack_purchase', 500000, '2026-08-09T07:18:09.592665Z'::timestamptz, array['pi_3bpvkjpKRFPbJ3cHGA31hQUFG']),
  ('2bb7cf26-fe0f-4fdb-b7d4-d2f0764acc39', 'ee149039-169f-4fa4-9ab9-9baf3b0d5552', 'pack_purchase', 1000000, '2026-02-13T09:04:04.193995Z'::timestamptz, array['pi_3e58Y0f8m04x57zJmbEydrK6k']),
  ('adb30aab-0637-46f4-9bcf-f3300ab4444b', 'f1cbf264-1b69-4bfb-bf70-c58910e2e608', 'pack_purchase', 500000, '2026-08-04T13:32:31.980689Z'::timestamptz, array['pi_3ATztPHBk1pW7iq49rzxxDg7k']),
  ('4d00c03e-b990-4d51-86c0-6598d5349390', 'f810eb62-f4c8-44ed-a1c6-05d709421242', 'pack_purchase', -1000000, '2026-01-15T18:40:49.564749Z'::timestamptz, array['pi_3E6iKnAw0hF4WJQL8KjCUGpJY']),
  ('cd312abd-54c3-4049-8bbf-d0642a7033d5', 'f8f4fefd-8dc3-4e84-9839-02a37cb44bdb', 'pack_purchase', -2500000, '2026-01-09T20:34:37.404586Z'::timestamptz, array['pi_3mjKTjSWiVsWzD7zwsqj3fs02']);

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

-- Old and new values. The columns have the types of public.token_usage.
create temporary table reckon_changes on commit drop as
select u.id as row_id,
       u.user_id as user_id,
       u.action_type as old_action_1,
       u.tokens_used as old_tokens,
       u.created_at as old_created_at,
       u.action_type as new_action_1,
       u.tokens_used as new_tokens,
       u.created_at as new_created_at,
       null::boolean as succeeded,
       null::text as link,
       null::boolean as migrated,
       null::text[] as reference_set
  from public.token_usage as u
  with no data;

insert into pg_temp.reckon_changes (row_id, user_id, old_action_1, old_tokens, old_created_at, new_action_1, new_tokens, new_created_at, succeeded, link, migrated, reference_set) values
  ('0aa44e83-f5c9-463e-a7e9-620ae1992957', '1bc72594-6a9d-4631-a1ed-8922ed96a5b0', 'subscription_grant', 249999, '2025-11-24T08:39:01.141262Z'::timestamptz, 'subscription_grant', 250000, '2025-11-24T08:39:01.141262Z'::timestamptz, true, 'afe2a80d-99fd-4b73-9f77-6ac217598a77', true, '{}'),
  ('c1a921d4-0da0-4e99-987a-b76deadd9ac1', 'a9b45f88-fc99-437e-b0d0-f40e0337cfdf', 'subscription_grant', 250009, '2025-12-10T11:47:31.516302Z'::timestamptz, 'subscription_grant', 250000, '2025-12-10T11:47:31.516302Z'::timestamptz, true, 'a9e893a7-0b33-4968-83c4-05c9e25a25bf', true, '{}'),
  ('34f6cf5e-182e-4ba8-b0b2-d37b326b52ed', 'da98d66b-466d-4eff-823d-c99d1e290a53', 'subscription_grant', 4990000, '2025-08-31T13:49:15.273472Z'::timestamptz, 'subscription_grant', 5000000, '2025-08-31T13:49:15.273472Z'::timestamptz, true, '6f5bb330-d74c-4c35-951a-e228816ce04a', true, '{}'),
  ('1d960a0c-6c1e-4b92-935f-3c5ff95bc85c', 'e77c2218-0ae3-4ed3-b297-a7c402fd6918', 'subscription_grant', 25000, '2025-09-03T12:26:07.653599Z'::timestamptz, 'subscription_grant', 250000, '2025-09-03T12:26:07.653599Z'::timestamptz, true, '2a05e11d-0d67-4545-a55d-fc6a37cc0d22', true, '{}'),
  ('df67c096-203c-4db3-8d3a-f0012e44d617', '61026d3d-adf5-48f2-9d63-f841e81235c8', 'admin_grant', 250000, '2025-12-28T21:39:24.993730Z'::timestamptz, 'subscription_grant', 250000, '2025-12-28T21:39:24.993730Z'::timestamptz, true, '0bce30de-9a67-4f58-8a50-f0bf16c021ce', true, '{}'),
  ('4e667ce2-9671-4344-a074-4c977cc2ab57', '9dc0d610-a50b-4cb0-b6ea-4bb5c68ddc40', 'admin_grant', 250000, '2025-10-09T20:34:51.076383Z'::timestamptz, 'subscription_grant', 250000, '2025-10-09T20:34:51.076383Z'::timestamptz, true, '15980ffb-7e1e-4a14-a516-043240df4f2e', true, '{}'),
  ('77851bf1-5087-484a-be2c-b107952e176d', '9f95457b-e15a-46a2-8cd2-69837f6112e4', 'admin_grant', 250000, '2025-09-03T17:22:29.888922Z'::timestamptz, 'subscription_grant', 250000, '2025-09-03T17:22:29.888922Z'::timestamptz, true, '76bfc76f-c07b-41f0-a218-3fd72c595aad', true, '{}'),
  ('dd8a06d3-5883-4b7e-9b5b-b9ffeeff3137', 'bb692583-045d-4b8f-b302-ad4dc5237ddb', 'admin_grant', 250000, '2025-10-25T10:39:37.588562Z'::timestamptz, 'subscription_grant', 250000, '2025-10-25T10:39:37.588562Z'::timestamptz, true, '444eaae0-811d-489e-b6c5-5d6c89a73a2b', true, '{}'),
  ('e1ebdcf2-36d8-49e1-ab26-92f938b943a0', '08ab226b-dac9-4ecf-96a1-605d9e704314', 'admin_grant', 2500000, '2026-02-06T09:46:00.428180Z'::timestamptz, 'token_pack_purchase', 2500000, '2026-02-06T09:46:00.428180Z'::timestamptz, true, null, false, array['pi_3JUJLE9jbv8ZnJgJWo3pxzrUe']),
  ('8abe2819-9d8d-46ce-9dc7-5a7826bf9cf8', '171cfb2e-9c71-4c84-802c-ef2ca7539a66', 'admin_grant', 500000, '2025-12-27T18:07:40.132085Z'::timestamptz, 'token_pack_purchase', 500000, '2025-12-27T18:07:40.132085Z'::timestamptz, true, null, false, array['pi_31c6czC06zrswTymhvwJ2Eu5b']),
  ('64eb4c08-1644-4d44-bf7f-13af292ec297', '1a0e1d1b-f243-42b1-8f63-8b6e3605afe8', 'admin_grant', 1000000, '2026-03-13T10:46:19.056237Z'::timestamptz, 'token_pack_purchase', 1000000, '2026-03-13T10:46:19.056237Z'::timestamptz, true, null, false, array['pi_3Nrcyts4rKJ4GdDC99U5BMcUE']),
  ('2ffbbdfe-8c17-4fca-bd3f-4ee26133d539', '23d079a0-c8dd-43bd-a7f3-74f77e211f65', 'admin_grant', 2500000, '2026-08-02T17:26:35.550143Z'::timestamptz, 'token_pack_purchase', 2500000, '2026-08-02T17:26:35.550143Z'::timestamptz, true, null, false, array['pi_3oijvAT3QYyrT9GjeR3nMYETa']),
  ('5712f734-f358-4cc5-97ab-1543f838befd', '33aca11c-7ba1-48d8-a7f3-f2896019fdc0', 'admin_grant', 500000, '2026-08-10T08:35:29.962376Z'::timestamptz, 'token_pack_purchase', 500000, '2026-08-10T08:35:29.962376Z'::timestamptz, true, null, false, array['pi_3MZZ2vF4Piu70vh61gp5sQxQx']),
  ('f9cb4e71-0289-4be8-bd2b-a70c4a78d559', '372b33ed-9b9f-49af-98c6-96409a7c679d', 'admin_grant', 2500000, '2026-04-24T19:13:54.540160Z'::timestamptz, 'token_pack_purchase', 2500000, '2026-04-24T19:13:54.540160Z'::timestamptz, true, null, false, array['pi_3iuV14NW5C58r7nCUejRsp9Tm']),
  ('2a6eb714-ccc4-42fa-bc66-022e8bda03a2', '5553eab6-c8cf-4072-9d44-8501c144e940', 'admin_grant', 500000, '2026-06-26T20:53:07.937426Z'::timestamptz, 'token_pack_purchase', 500000, '2026-06-26T20:53:07.937426Z'::timestamptz, true, null, false, array['pi_3B5Jd28NJhiEjqV5CimdkRnN4']),
  ('57cc7340-90f2-4b92-a9c9-8d4a5ddf5c02', '85108652-14c5-4413-9483-61a9b048ab6c', 'admin_grant', 500000, '2026-07-31T11:26:19.502912Z'::timestamptz, 'token_pack_purchase', 500000, '2026-07-31T11:26:19.502912Z'::timestamptz, true, null, false, array['pi_389NkQ9oYaL9Xk57jhQDtizd7']),
  ('0b9227b1-3f0f-4c32-a81b-427db94be586', '9a9a77d1-65d2-4937-9980-182b745c5f41', 'admin_grant', 2500000, '2026-07-16T18:46:57.769176Z'::timestamptz, 'token_pack_purchase', 2500000, '2026-07-16T18:46:57.769176Z'::timestamptz, true, null, false, array['pi_3QCFizy2SZpQn8ZuUhHNZBRS5']),
  ('faa73eb9-f45e-4c50-96e2-d4b8d5d8778c', 'b36fa88e-d538-4153-b664-dbb185fd2a7e', 'admin_grant', 500000, '2026-08-09T07:18:09.634410Z'::timestamptz, 'token_pack_purchase', 500000, '2026-08-09T07:18:09.634410Z'::timestamptz, true, null, false, array['pi_3bpvkjpKRFPbJ3cHGA31hQUFG']),
  ('f07c6f38-f8f4-46f5-a61d-7dd181438414', 'b5bffd24-a4a9-4a69-97a0-85b229b65748', 'admin_grant', 500000, '2026-02-09T07:03:02.014363Z'::timestamptz, 'token_pack_purchase', 500000, '2026-02-09T07:03:02.014363Z'::timestamptz, true, null, false, array['pi_3hf4PxY8m6NwBoMSu8aezDCuM']),
  ('ce393fb1-8107-41e4-9b18-15e35456e7dc', 'dad5de89-5925-4513-b4c3-1f3f047b3fbf', 'admin_grant', 2500000, '2025-12-27T20:33:21.981592Z'::timestamptz, 'token_pack_purchase', 2500000, '2025-12-27T20:33:21.981592Z'::timestamptz, true, null, false, array['pi_3BLKwSeCSWHYLAQEJHKTHfCtu']),
  ('eae8d29a-c29a-4093-af72-3d571a5a138a', 'ee149039-169f-4fa4-9ab9-9baf3b0d5552', 'admin_grant', 1000000, '2026-02-13T09:04:04.559025Z'::timestamptz, 'token_pack_purchase', 1000000, '2026-02-13T09:04:04.559025Z'::timestamptz, true, null, false, array['pi_3e58Y0f8m04x57zJmbEydrK6k']),
  ('7c369dad-cd09-4b91-91c6-fd810f9dc7a3', 'f1cbf264-1b69-4bfb-bf70-c58910e2e608', 'admin_grant', 500000, '2026-08-04T13:32:32.231792Z'::timestamptz, 'token_pack_purchase', 500000, '2026-08-04T13:32:32.231792Z'::timestamptz, true, null, false, array['pi_3ATztPHBk1pW7iq49rzxxDg7k']),
  ('9c132b22-43d3-41e0-95a5-04c0853a28dd', 'f810eb62-f4c8-44ed-a1c6-05d709421242', 'admin_grant', 1000000, '2026-01-15T18:40:49.582283Z'::timestamptz, 'token_pack_purchase', 1000000, '2026-01-15T18:40:49.582283Z'::timestamptz, true, null, false, array['pi_3E6iKnAw0hF4WJQL8KjCUGpJY']),
  ('06b46dcd-d1c8-4ec2-94e3-4f3f68833652', 'f8f4fefd-8dc3-4e84-9839-02a37cb44bdb', 'admin_grant', 2500000, '2026-01-09T20:34:37.578154Z'::timestamptz, 'token_pack_purchase', 2500000, '2026-01-09T20:34:37.578154Z'::timestamptz, true, null, false, array['pi_3mjKTjSWiVsWzD7zwsqj3fs02']);

-- A UUID is the same in either case: the rows are named as the table writes them.
do $reckon$
begin
  if exists (
    select 1
      from pg_temp.reckon_changes as p
     where not exists (select 1 from public.token_usage as u where u.id = p.row_id)
  ) then
    update pg_temp.reckon_changes as p
       set row_id = u.id
      from public.token_usage as u
     where lower(u.id::text) = p.row_id::text
       and not exists (select 1 from public.token_usage as u where u.id = p.row_id);
  end if;
end
$reckon$;

analyze pg_temp.reckon_changes;

do $reckon$
declare
  wrong bigint;
  named text;
  planned bigint;
  updated_rows bigint;
begin
  perform 1
     from public.token_usage as u
     join pg_temp.reckon_changes as p on u.id = p.row_id
    order by p.row_id
      for update of u;

  -- Each row is as it was read, or changed already as planned.
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_id::text as row_id, row_number() over (order by p.row_id::text) as place
        from pg_temp.reckon_changes as p
       where not exists (
         select 1
           from public.token_usage as u
          where u.id = p.row_id
            and lower(u.user_id::text) is not distinct from lower(p.user_id::text)
            and ((u.action_type is not distinct from p.old_action_1 and u.tokens_used is not distinct from p.old_tokens and u.created_at::timestamptz is not distinct from p.old_created_at::timestamptz) or (u.action_type is not distinct from p.new_action_1 and u.tokens_used is not distinct from p.new_tokens and u.created_at::timestamptz is not distinct from p.new_created_at::timestamptz))
            and (coalesce(btrim(u.success::text, E' \t\n\r\f'), '') in ('', 'null') or u.success::text ~* E'^\\s*(true|t|yes|y|on|[+]?0*1([.]0*)?)\\s*$') = p.succeeded
            and case when not (lower(coalesce(btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$') then case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end end is not distinct from p.link
            and (not (lower(coalesce(btrim((nullif(u.metadata::text, '')::jsonb ->> 'migrated_from'), E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or (nullif(u.metadata::text, '')::jsonb ->> 'migrated_from') collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or (nullif(u.metadata::text, '')::jsonb ->> 'migrated_from') ~* E'^\\s*(false|f|no|n|off|[-+]?0+([.]0*)?)\\s*$')) = p.migrated
            and array(select r.text from unnest(array[btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'payment_intent')) else (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) @> p.reference_set and array(select r.text from unnest(array[btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'payment_intent')) else (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) <@ p.reference_set
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s rows changed or vanished since they were read: %s', wrong, named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;

  -- A row that stands against a constraint of which nobody has looked whether it holds could not be written back.
  with recursive tree (oid) as (
    select 'public.token_usage'::regclass::oid
    union
    select i.inhrelid from pg_catalog.pg_inherits as i join tree on i.inhparent = tree.oid
  )
  select count(*), string_agg(c.named, ', ' order by c.named)
    into wrong, named
    from (
      select distinct format('%I of %s', k.conname, k.conrelid::regclass) as named
        from tree
        join pg_catalog.pg_constraint as k on k.conrelid = tree.oid
        left join pg_catalog.pg_attribute as a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
       where k.contype in ('c', 'f', 'n')
         and not k.convalidated
         and pg_get_constraintdef(k.oid) not like '% NOT ENFORCED'
         and (k.contype <> 'f' or a.attname in ('action_type', 'tokens_used'))
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: constraints that were never validated (NOT VALID): %s', named),
      hint = 'Nothing was changed. A row that stands against one could not be written back. Run alter table … validate constraint … for each, or drop it, then run this again.';
  end if;

  select count(*) into planned
    from pg_temp.reckon_changes as p
    join public.token_usage as u on u.id = p.row_id
   where u.action_type is not distinct from p.old_action_1 and u.tokens_used is not distinct from p.old_tokens and u.created_at::timestamptz is not distinct from p.old_created_at::timestamptz;

  with as_read as (
    select p.row_id, row_to_json(u.*) as before, pg_temp.reckon_row_text(u.*) as before_row
      from pg_temp.reckon_changes as p
      join public.token_usage as u on u.id = p.row_id
     where u.action_type is not distinct from p.old_action_1 and u.tokens_used is not distinct from p.old_tokens and u.created_at::timestamptz is not distinct from p.old_created_at::timestamptz
  ), updated as (
    update public.token_usage as u
       set action_type = case when p.new_action_1 is distinct from p.old_action_1 then p.new_action_1 else u.action_type end,
           tokens_used = case when p.new_tokens is distinct from p.old_tokens then p.new_tokens else u.tokens_used end
      from pg_temp.reckon_changes as p
     where u.id = p.row_id
       and lower(u.user_id::text) is not distinct from lower(p.user_id::text)
       and u.action_type is not distinct from p.old_action_1 and u.tokens_used is not distinct from p.old_tokens and u.created_at::timestamptz is not distinct from p.old_created_at::timestamptz
    returning p.row_id, u.id::text as row_text, row_to_json(u.*) as after, pg_temp.reckon_row_text(u.*) as after_row
  ), noted as (
    insert into reckon_journal.entries (plan_id, operation, table_name, row_id, before, before_row, after, after_row)
    select 'e577030758195aa4', 'update', 'public.token_usage', n.row_text, b.before, b.before_row, n.after, n.after_row
      from updated as n
      join as_read as b on b.row_id = n.row_id
    returning 1
  )
  select count(*) into updated_rows from noted;

  if updated_rows <> planned then
    raise exception using
      message = format('reckon: %s rows were changed instead of %s', updated_rows, planned),
      hint = 'Nothing was changed. A trigger or rule held rows back.';
  end if;

  -- Each stands there as it was written.
  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_id::text as row_id, row_number() over (order by p.row_id::text) as place
        from pg_temp.reckon_changes as p
       where not exists (
         select 1
           from public.token_usage as u
          where u.id = p.row_id
            and lower(u.user_id::text) is not distinct from lower(p.user_id::text)
            and u.action_type is not distinct from p.new_action_1 and u.tokens_used is not distinct from p.new_tokens and u.created_at::timestamptz is not distinct from p.new_created_at::timestamptz
            and (coalesce(btrim(u.success::text, E' \t\n\r\f'), '') in ('', 'null') or u.success::text ~* E'^\\s*(true|t|yes|y|on|[+]?0*1([.]0*)?)\\s*$') = p.succeeded
            and case when not (lower(coalesce(btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$') then case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end end is not distinct from p.link
            and (not (lower(coalesce(btrim((nullif(u.metadata::text, '')::jsonb ->> 'migrated_from'), E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or (nullif(u.metadata::text, '')::jsonb ->> 'migrated_from') collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or (nullif(u.metadata::text, '')::jsonb ->> 'migrated_from') ~* E'^\\s*(false|f|no|n|off|[-+]?0+([.]0*)?)\\s*$')) = p.migrated
            and array(select r.text from unnest(array[btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'payment_intent')) else (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) @> p.reference_set and array(select r.text from unnest(array[btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'payment_intent')) else (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) <@ p.reference_set
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: a trigger changed what was written for %s rows: %s', wrong, named),
      hint = 'Nothing was changed. Disable the trigger for the repair, or let it pass on such rows as they are.';
  end if;
  raise notice 'reckon: % rows changed, % were changed already',
    updated_rows, (select count(*) from pg_temp.reckon_changes as p) - updated_rows;
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
-- e5db89fc871e2a1f amount_mismatch user=628db4c6-18e5-4f7b-8e61-2c0ced56602b legacy=84c41aa8-9492-400c-a70f-49722ea7db39 unified=b9c98bb4-a2df-45b7-9148-035ad09157d3: legacy says renewal_grant 250000 tokens at 2026-08-12T11:30:45.628306Z; unified says subscription_grant 200000 tokens at 2026-08-12T11:30:45.642709Z
-- bb0d12ddb49b349d amount_mismatch user=cac3637e-1d05-498c-b076-61f16ce17473 legacy=bcd8e76b-a1fc-4a5e-83f5-7f200f3ec4b1 unified=36e322c7-6c68-46df-95e9-decafc1fc3ef: legacy says renewal_grant 250000 tokens at 2026-05-03T19:18:07.195427Z; unified says subscription_grant 200000 tokens at 2026-05-03T19:18:07.209852Z
-- a63576177145a7dc action_mismatch user=167a117e-8eb8-4d95-bbb5-f4631092c41d legacy=bb6b9933-657f-436e-8388-7c79536acd21 unified=10ad167c-63a5-48f7-aaa3-9dd22536d47b: legacy says renewal_grant 250000 tokens at 2025-12-26T12:00:49.154952Z; unified says admin_grant 249999 tokens at 2025-12-26T12:00:49.154952Z; also_differs=amount; copy_shown_by=link
-- 2d794142cfcdbefb user_mismatch user=1fda017a-974c-4537-8022-c88f6dcc624f legacy=bb450355-137b-4610-8567-13087ac98941 unified=69909cf2-fca3-4dc4-9e85-c1cefeef5cef: legacy says renewal_grant 250000 tokens at 2026-08-10T18:30:40.544749Z; unified says subscription_grant 250000 tokens at 2026-08-10T18:30:40.544749Z; unified_user=1aa4775d-b829-47b1-adfe-fe511b5a16a8; unified_user_effect_tokens=-250000
-- 68454a4a34173ec4 user_mismatch user=627fa0aa-efb5-42aa-8103-658522cfd956 legacy=5e618539-d39c-433a-9f83-7cc376ae7e7f unified=d33e9fc4-e9cd-43ec-9ae6-75cc1d5dc325: legacy says renewal_grant 250000 tokens at 2025-07-15T20:36:57.133729Z; unified says subscription_grant 250000 tokens at 2025-07-15T20:36:57.133729Z; unified_user=e9911aa1-2b5f-4780-a2f5-b7c7b6d025e6; unified_user_effect_tokens=-250000; copy_shown_by=link
-- 214db95afe7ae7d9 orphan user=82ec2ae9-080c-45d5-97ca-f146fd2d34fa unified=652565b1-7cf1-447c-93f3-aa132ea8ac73: unified says subscription_grant 250000 tokens at 2026-02-01T13:16:22.041984Z; link_to_nothing=0d05187e-b099-419e-95a9-e7cd99a999d8
-- b24b5cbfb3ac7acb orphan user=966fcd32-05d0-4238-94f6-dcf04cb1b7d1 unified=1b384dee-ec86-4649-b1eb-aa35ae6bb87c: unified says subscription_grant 5000000 tokens at 2025-12-06T14:51:55.971085Z; link_to_nothing=e70bdb9b-5b02-448d-a33f-91f55078ea74
-- cc42d1b10bbc2344 orphan user=d1b4cf3c-9fae-4f29-b152-12e4fc8834f0 unified=6cc9681e-972e-45fa-8794-c0b783b14617: unified says subscription_grant 250000 tokens at 2025-07-26T09:26:24.330873Z; link_to_nothing=ef9b375e-04b4-45e7-b5c4-fb9f2e94799d
-- 8c6f35d264a169ef orphan user=dcc90dbe-6c0a-4895-bbea-2aabecbdadc8 unified=0faf6b68-1bfa-4580-a466-567ed03f1957: unified says subscription_grant 250000 tokens at 2026-02-06T10:40:13.908054Z; link_to_nothing=fa93c706-0e61-4187-a0f3-47527676ded1
-- 046e92e9d27cddc3 unmapped_action user=102e99b0-e517-4eb6-abf5-275700e478e3 legacy=8c06b9d3-9466-4000-a8c5-fbf321a19b31: legacy says loyalty_bonus 10000 tokens at 2026-01-17T09:53:34.014280Z; label=loyalty_bonus
-- 264904d59b179c14 unmapped_action user=5b5d6ae4-60c7-449f-b32e-29dc5abf143f legacy=f1d3c92a-eefe-4bb5-86f6-625466237d5c: legacy says loyalty_bonus 10000 tokens at 2025-10-22T13:12:25.311315Z; label=loyalty_bonus
-- 81da19f59f26c269 unmapped_action user=8270af7c-d22b-4a0b-81b2-b79f63a52a2e legacy=a65bc25f-2aea-4639-a360-90aeaf84de8f: legacy says loyalty_bonus 10000 tokens at 2025-09-19T15:18:14.004460Z; label=loyalty_bonus
-- 827354c14f676f68 unmapped_action user=974db98b-8b8d-4394-8ebd-555fe9049d5e unified=8dba5457-049e-4083-9228-551902b6ac38: unified says referral_bonus 20000 tokens at 2026-04-07T15:24:25.006561Z; label=referral_bonus
-- 51c7e35e40f1149a unmapped_action user=9b239bc1-bee7-4b6c-92ec-ae55a971225a unified=dfe6ccbb-47ed-419a-9629-8bf25ca85d33: unified says referral_bonus 20000 tokens at 2026-04-20T20:27:01.420616Z; label=referral_bonus
-- 69b06b0de9b71983 rejected_row legacy=758a7395-b060-4183-b28f-16b9e003a817: legacy says renewal_grant 250000 tokens at 2025-10-03T18:40:02.586070Z; reason=no user_id
-- ab75a5d3832d08f2 rejected_row user=7bc248d0-f03a-4845-8fa0-e7ae2f78d49b legacy=24d9518c-1ede-47aa-8628-257b33ddf634: legacy says renewal_grant 250000 tokens; reason=no created_at
-- e695db5d6c5f10d0 rejected_row user=c725cd67-e2b9-4c1f-8558-9b84033bbab6 legacy=aeba2d2c-61c0-46ad-b42e-a15d5c1dd847: legacy says renewal_grant 250000 tokens; reason=no created_at
-- bacf8a31f3461496 rejected_row user=cccc6d46-5648-4499-804b-174fa9bf9f3c legacy=43c8d991-1ba2-4b02-84a6-e67332aa1e4e: legacy says renewal_grant 250000 tokens; reason=no created_at
-- 407c41d1f7e5de01 balance_gap user=cef0d865-94e8-483e-b6ae-142f8dd6f286: stored=19465; recomputed=27242; gap=-7777; unexplained=-7777; explanation=unexplained
-- 7562abb508e0be4e balance_gap user=d0003fa6-ebfc-413f-831a-fe0c56767c9b: stored=3543067; recomputed=3530722; gap=12345; unexplained=12345; explanation=unexplained
-- 0cf2645156b1a3f3 balance_gap user=d67cb1d8-741a-4630-8532-717ab3766d86: stored=30240; recomputed=30209; gap=31; unexplained=31; explanation=unexplained
-- 6c354dc20095b6c9 negative_balance user=6f9b95dd-a901-4782-a04c-31d8e5fdb427: unified says at 2026-08-30T21:00:00.000000Z; first_at=2026-08-30T21:00:00.000000Z; first_balance=-6482; lowest_at=2026-08-31T11:00:00.000000Z; lowest_balance=-132910; balance_at_as_of=-132910; opening=100
-- 352e23d3469eb2df negative_balance user=eda6473a-077a-4da7-ae42-d5d46f0f0260: unified says at 2026-08-30T21:00:00.000000Z; first_at=2026-08-30T21:00:00.000000Z; first_balance=-6270; lowest_at=2026-08-31T11:00:00.000000Z; lowest_balance=-132284; balance_at_as_of=-132284; opening=100
