-- reckon, dedupe: removes rows that are counted twice from public.token_usage.
-- Plan e577030758195aa4, made from the run of token_transactions.csv and token_usage.csv as of 2026-09-01T00:00:00.000000Z.
-- 8 rows; -3,750,000 tokens.
-- Needs: PostgreSQL 13 or later; select, update (for its locks) and delete on public.token_usage; the right to create temporary tables and, the first time, the schema reckon_journal, which later files use as the role that made it; a role that row-level security lets see every row.
-- One transaction: when anything has changed since the run, it stops with an error and changes nothing. A second run changes nothing. undo.sql takes it back.
-- WARNING: the rows were read from files, so the columns, constraints and triggers of public.token_usage could not be looked at beforehand.
-- Findings that a person has to look at, as comments at the end: 4.
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
      message = format('reckon: a trigger acts on INSERT of %s, by which undo.sql puts rows back: %s', 'public.token_usage', named),
      hint = 'Nothing was changed. Read it; set allow_triggers = true under [repair] if it may run for every row, otherwise disable it until it is sure that nothing will be taken back.';
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

-- The extra rows, and beside each the row that stays. The columns have the types of public.token_usage.
create temporary table reckon_removed on commit drop as
select u.id as row_id,
       u.user_id as user_id,
       u.action_type as action_1,
       u.tokens_used as tokens,
       u.created_at as created_at,
       null::boolean as succeeded,
       null::text as link,
       null::boolean as migrated,
       null::text[] as reference_set,
       u.id as kept_id,
       u.action_type as kept_action_1,
       u.tokens_used as kept_tokens,
       u.created_at as kept_created_at,
       u.action_type as kept_new_action_1,
       u.tokens_used as kept_new_tokens,
       u.created_at as kept_new_created_at,
       null::boolean as kept_succeeded,
       null::text as kept_link,
       null::boolean as kept_migrated,
       null::text[] as kept_reference_set
  from public.token_usage as u
  with no data;

insert into pg_temp.reckon_removed (row_id, user_id, action_1, tokens, created_at, succeeded, link, migrated, reference_set, kept_id, kept_action_1, kept_tokens, kept_created_at, kept_new_action_1, kept_new_tokens, kept_new_created_at, kept_succeeded, kept_link, kept_migrated, kept_reference_set) values
  ('ceb9937d-d911-4615-85b5-56192c54b359', '15e69bd1-6d5c-4f25-9fdc-19ff20d0e26e', 'subscription_grant', 250000, '2026-02-10T07:15:09.795287Z'::timestamptz, true, 'b2871260-1f42-4c75-80f8-76245225d3ac', true, '{}', '0076bb78-3058-4625-9e25-844f02960524', 'subscription_grant', 250000, '2026-02-10T07:15:09.795287Z'::timestamptz, 'subscription_grant', 250000, '2026-02-10T07:15:09.795287Z'::timestamptz, true, 'b2871260-1f42-4c75-80f8-76245225d3ac', true, '{}'),
  ('6bcbcf4d-b88a-4377-bac1-8d71ede11372', '3115e268-b169-42d0-a1d2-0cda3e01cbfb', 'subscription_grant', 250000, '2025-09-25T10:31:54.990569Z'::timestamptz, true, '1a74e413-98e0-4251-94b9-fef2d483ae50', true, '{}', '09a2c56c-bb68-4924-94d1-a8dbde496b97', 'subscription_grant', 250000, '2025-09-25T10:31:54.990569Z'::timestamptz, 'subscription_grant', 250000, '2025-09-25T10:31:54.990569Z'::timestamptz, true, '1a74e413-98e0-4251-94b9-fef2d483ae50', true, '{}'),
  ('800896cf-f5ad-4060-a6c3-c4fbb20701df', '65858ee0-c353-48e2-863d-3006d075336e', 'subscription_grant', 250000, '2025-12-21T12:32:07.690701Z'::timestamptz, true, '9f325b7c-8146-4515-9e4f-411ecf4d5b61', true, '{}', '70fb95cb-7f10-445c-8a7c-f256993cc111', 'subscription_grant', 250000, '2025-12-21T12:32:07.690701Z'::timestamptz, 'subscription_grant', 250000, '2025-12-21T12:32:07.690701Z'::timestamptz, true, '9f325b7c-8146-4515-9e4f-411ecf4d5b61', true, '{}'),
  ('169acb50-4ade-40c1-a923-481d9e961dd1', '6a5e02fd-4319-48b3-b34c-3b99bcce9b1a', 'subscription_grant', 250000, '2025-09-20T11:45:21.574015Z'::timestamptz, true, '3830cf6e-e068-4982-888a-a6232dd0836f', true, '{}', '15d586be-b411-4eb6-8d0b-62454393080e', 'subscription_grant', 250000, '2025-09-20T11:45:21.574015Z'::timestamptz, 'subscription_grant', 250000, '2025-09-20T11:45:21.574015Z'::timestamptz, true, '3830cf6e-e068-4982-888a-a6232dd0836f', true, '{}'),
  ('a5822d40-3214-41f7-89a4-b91b3eabf886', '810a3c26-4b98-42d3-8aa8-dd1530a0caf9', 'token_pack_purchase', 500000, '2026-04-12T15:51:53.459323Z'::timestamptz, true, null, false, array['pi_3vZSMNBCiKuFY9352A0qLmxFk'], '1b313762-f578-471c-9abf-d779fa4e32f8', 'token_pack_purchase', 500000, '2026-04-12T15:50:52.459323Z'::timestamptz, 'token_pack_purchase', 500000, '2026-04-12T15:50:52.459323Z'::timestamptz, true, null, false, array['pi_3vZSMNBCiKuFY9352A0qLmxFk']),
  ('401b2b20-e900-4752-b3c5-2ae4c08f3a16', '834e93ec-a221-4977-b838-7b830eac7b06', 'token_pack_purchase', 1000000, '2026-04-04T16:11:58.171874Z'::timestamptz, true, null, false, array['pi_35D7f8ai52LG8VCNHsfVx4P3B'], '5efbde00-9c9f-40d9-9331-901470e06584', 'token_pack_purchase', 1000000, '2026-04-04T16:10:23.171874Z'::timestamptz, 'token_pack_purchase', 1000000, '2026-04-04T16:10:23.171874Z'::timestamptz, true, null, false, array['pi_35D7f8ai52LG8VCNHsfVx4P3B']),
  ('e3125b8d-ef98-419e-a824-d4a6c07dad62', 'a4c3101f-4a13-48b6-9e29-283174d8445a', 'subscription_grant', 250000, '2025-11-12T20:09:04.712870Z'::timestamptz, true, 'd3da6d64-d101-418c-9af1-af3eb8f8a3d7', true, '{}', '6d8dabdb-aec6-43ad-a659-2fe374d65529', 'subscription_grant', 250000, '2025-11-12T20:09:04.712870Z'::timestamptz, 'subscription_grant', 250000, '2025-11-12T20:09:04.712870Z'::timestamptz, true, 'd3da6d64-d101-418c-9af1-af3eb8f8a3d7', true, '{}'),
  ('2ce5152c-f1cf-41b4-ba3d-bd718b9aac9e', 'c22d0219-ce6f-4d68-aa13-df862026ff7a', 'token_pack_purchase', 1000000, '2026-02-27T20:12:42.761181Z'::timestamptz, true, null, false, array['pi_39pVtmBZfMd7GMwLfSm2UuE04'], '4ce71827-c339-4847-bbab-e03453eb5232', 'token_pack_purchase', 1000000, '2026-02-27T20:05:42.761181Z'::timestamptz, 'token_pack_purchase', 1000000, '2026-02-27T20:05:42.761181Z'::timestamptz, true, null, false, array['pi_39pVtmBZfMd7GMwLfSm2UuE04']);

-- A UUID is the same in either case: the rows are named as the table writes them.
do $reckon$
begin
  if exists (
    select 1
      from pg_temp.reckon_removed as p
     where not exists (select 1 from public.token_usage as u where u.id = p.row_id)
  ) then
    update pg_temp.reckon_removed as p
       set row_id = u.id
      from public.token_usage as u
     where lower(u.id::text) = p.row_id::text
       and not exists (select 1 from public.token_usage as u where u.id = p.row_id);
  end if;
  if exists (
    select 1
      from pg_temp.reckon_removed as p
     where not exists (select 1 from public.token_usage as u where u.id = p.kept_id)
  ) then
    update pg_temp.reckon_removed as p
       set kept_id = u.id
      from public.token_usage as u
     where lower(u.id::text) = p.kept_id::text
       and not exists (select 1 from public.token_usage as u where u.id = p.kept_id);
  end if;
end
$reckon$;

analyze pg_temp.reckon_removed;

do $reckon$
declare
  target constant regclass := 'public.token_usage'::regclass;
  foreign_key record;
  wrong bigint;
  named text;
  planned bigint;
  removed_rows bigint;
begin
  perform 1
     from public.token_usage as u
    where u.id in (
      select p.row_id from pg_temp.reckon_removed as p
      union all
      select p.kept_id from pg_temp.reckon_removed as p
    )
    order by u.id
      for update of u;

  -- Rows that this plan has removed already are done.
  delete from pg_temp.reckon_removed as p
   where not exists (select 1 from public.token_usage as u where u.id = p.row_id)
     and exists (
       select 1
         from reckon_journal.entries as e
        where e.plan_id = 'e577030758195aa4'
          and lower(e.row_id::text) = p.row_id::text
          and e.operation = 'delete'
          and e.undone_at is null
     );

  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_id::text as row_id, row_number() over (order by p.row_id::text) as place
        from pg_temp.reckon_removed as p
       where not exists (
         select 1
           from public.token_usage as u
          where u.id = p.row_id
            and lower(u.user_id::text) is not distinct from lower(p.user_id::text) and u.action_type is not distinct from p.action_1 and u.tokens_used is not distinct from p.tokens and u.created_at::timestamptz is not distinct from p.created_at::timestamptz
            and (coalesce(btrim(u.success::text, E' \t\n\r\f'), '') in ('', 'null') or u.success::text ~* E'^\\s*(true|t|yes|y|on|[+]?0*1([.]0*)?)\\s*$') = p.succeeded
            and case when not (lower(coalesce(btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$') then case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end end is not distinct from p.link
            and (not (lower(coalesce(btrim((nullif(u.metadata::text, '')::jsonb ->> 'migrated_from'), E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or (nullif(u.metadata::text, '')::jsonb ->> 'migrated_from') collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or (nullif(u.metadata::text, '')::jsonb ->> 'migrated_from') ~* E'^\\s*(false|f|no|n|off|[-+]?0+([.]0*)?)\\s*$')) = p.migrated
            and array(select r.text from unnest(array[btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'payment_intent')) else (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) @> p.reference_set and array(select r.text from unnest(array[btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'payment_intent')) else (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) <@ p.reference_set
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s extra rows changed or vanished since they were read: %s', wrong, named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;

  select count(*), string_agg(c.row_id, ', ' order by c.place) filter (where c.place <= 5)
    into wrong, named
    from (
      select p.row_id::text as row_id, row_number() over (order by p.row_id::text) as place
        from pg_temp.reckon_removed as p
       where not exists (
         select 1
           from public.token_usage as u
          where u.id = p.kept_id
            and lower(u.user_id::text) is not distinct from lower(p.user_id::text)
            and ((u.action_type is not distinct from p.kept_action_1 and u.tokens_used is not distinct from p.kept_tokens and u.created_at::timestamptz is not distinct from p.kept_created_at::timestamptz) or (u.action_type is not distinct from p.kept_new_action_1 and u.tokens_used is not distinct from p.kept_new_tokens and u.created_at::timestamptz is not distinct from p.kept_new_created_at::timestamptz))
            and (coalesce(btrim(u.success::text, E' \t\n\r\f'), '') in ('', 'null') or u.success::text ~* E'^\\s*(true|t|yes|y|on|[+]?0*1([.]0*)?)\\s*$') = p.kept_succeeded
            and case when not (lower(coalesce(btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$') then case when (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'legacy_id')) else (nullif(u.metadata::text, '')::jsonb ->> 'legacy_id') end end is not distinct from p.kept_link
            and (not (lower(coalesce(btrim((nullif(u.metadata::text, '')::jsonb ->> 'migrated_from'), E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or (nullif(u.metadata::text, '')::jsonb ->> 'migrated_from') collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or (nullif(u.metadata::text, '')::jsonb ->> 'migrated_from') ~* E'^\\s*(false|f|no|n|off|[-+]?0+([.]0*)?)\\s*$')) = p.kept_migrated
            and array(select r.text from unnest(array[btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'payment_intent')) else (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) @> p.kept_reference_set and array(select r.text from unnest(array[btrim(case when (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then lower((nullif(u.metadata::text, '')::jsonb ->> 'payment_intent')) else (nullif(u.metadata::text, '')::jsonb ->> 'payment_intent') end, E' \t\n\r\f')]) as r (text) where not (lower(coalesce(btrim(r.text, E' \t\n\r\f'), '') collate "C") in ('null', E'\\n', 'none', 'nil', 'nan', 'undefined', '<null>', '(null)', '<na>', 'n/a', '#n/a', '#ref!', '#null!', '#value!', '#name?', '#num!', '#div/0!', 'na', 'n.a.', 'n.a', '#na', 'unknown', 'tbd', '') or r.text collate "C" ~* E'^\\s*([[{]([][{},:"\\s]|null|false|0)*[]}]|[\\s!-/:-@[-`{-~\\u00a0\\u00b7\\u2010-\\u2015\\u2022\\u2026\\u2212\\u3000]+|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\\s*$' or r.text collate "C" ~* E'^\\s*(true|false|[-+]?0+([.]0*)?)\\s*$')) <@ p.kept_reference_set
       )
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: the row that should stay changed or vanished for %s extra rows: %s', wrong, named),
      hint = 'Nothing was changed. Run reckon reconcile again and use the SQL that it writes.';
  end if;

  -- Of a row that stands in an heir, only what it has from this table would come back, and into this table.
  select count(*), string_agg(distinct u.tableoid::regclass::text, ', ' order by u.tableoid::regclass::text)
    into wrong, named
    from pg_temp.reckon_removed as p
    join public.token_usage as u on u.id = p.row_id
    join pg_catalog.pg_class as c on c.oid = u.tableoid
   where u.tableoid <> target and not c.relispartition;
  if wrong > 0 then
    raise exception using
      message = format('reckon: %s extra rows stand in heirs of %s: %s', wrong, target, named),
      hint = 'Nothing was changed. Remove them there by hand: undo.sql could not bring them back.';
  end if;

  -- A foreign key elsewhere must not act on the rows that leave, be it on the table or on a part of it.
  for foreign_key in
    with recursive tree (oid) as (
      select target::oid
      union
      select i.inhrelid from pg_catalog.pg_inherits as i join tree on i.inhparent = tree.oid
    )
    select c.conname as name,
           c.conrelid::regclass::text as referencing,
           c.confrelid::regclass::text as referenced,
           string_agg(format('r.%I = u.%I', ra.attname, ua.attname), ' and ') as same_key
      from pg_catalog.pg_constraint as c
     cross join lateral unnest(c.conkey, c.confkey) as k (referencing_no, referenced_no)
      join pg_catalog.pg_attribute as ra on ra.attrelid = c.conrelid and ra.attnum = k.referencing_no
      join pg_catalog.pg_attribute as ua on ua.attrelid = c.confrelid and ua.attnum = k.referenced_no
     where c.contype = 'f'
       and c.confrelid in (select oid from tree)
       and c.confdeltype in ('c', 'n', 'd')
       -- A key on the whole is found on each of its parts again.
       and not exists (
         select 1
           from pg_catalog.pg_constraint as up
          where up.oid = c.conparentid and up.confrelid in (select oid from tree)
       )
     group by c.oid, c.conname, c.conrelid, c.confrelid
     order by 2, 1
  loop
    execute format(
      'select count(*) from %s as r join %s as u on %s join %s',
      foreign_key.referencing, foreign_key.referenced, foreign_key.same_key, 'pg_temp.reckon_removed as p on p.row_id = u.id'
    ) into wrong;
    if wrong > 0 then
      raise exception using
        message = format('reckon: the foreign key %s would change %s rows of %s', foreign_key.name, wrong,
          foreign_key.referencing),
        hint = 'Nothing was changed. Point those rows at the rows that stay, then run this again.';
    end if;
  end loop;

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
         and true
    ) as c;
  if wrong > 0 then
    raise exception using
      message = format('reckon: constraints that were never validated (NOT VALID): %s', named),
      hint = 'Nothing was changed. A row that stands against one could not be written back. Run alter table … validate constraint … for each, or drop it, then run this again.';
  end if;

  select count(*) into planned from pg_temp.reckon_removed as p;

  with removed as (
    delete from public.token_usage as u
     using pg_temp.reckon_removed as p
     where u.id = p.row_id
       and lower(u.user_id::text) is not distinct from lower(p.user_id::text) and u.action_type is not distinct from p.action_1 and u.tokens_used is not distinct from p.tokens and u.created_at::timestamptz is not distinct from p.created_at::timestamptz
    returning u.id::text as row_id, row_to_json(u.*) as before, pg_temp.reckon_row_text(u.*) as before_row
  ), noted as (
    insert into reckon_journal.entries (plan_id, operation, table_name, row_id, before, before_row)
    select 'e577030758195aa4', 'delete', 'public.token_usage', r.row_id, r.before, r.before_row
      from removed as r
    returning 1
  )
  select count(*) into removed_rows from noted;

  if removed_rows <> planned then
    raise exception using
      message = format('reckon: %s rows were removed instead of %s', removed_rows, planned),
      hint = 'Nothing was changed. A trigger or rule held rows back.';
  end if;
  raise notice 'reckon: % rows removed', removed_rows;
end
$reckon$;

drop function pg_temp.reckon_row_text(record);

commit;

-- To be looked at: nothing below is executed.
-- 94cd84ad01e77249 duplicate user=3f183a3a-b72e-47f6-b160-8647101c5a99 legacy=daaee087-858b-4000-bbd4-27f6972107fc unified=74dd31b0-c6d8-4222-9409-615aaf1e97d9: legacy says pack_purchase 2500000 tokens at 2026-05-03T13:58:08.321304Z; unified says token_pack_purchase 2500000 tokens at 2026-05-06T13:58:08.381268Z; repeats=9d6928a5-0abd-41f8-b15c-df15f623c0ee
-- 5ded7b9cf7e1494a duplicate user=54d59e2b-07f3-458c-b52b-9227a3b3b7c9 unified=d079e259-0972-488a-be17-7a43de7226fb: unified says trial_grant 50000 tokens at 2026-05-18T11:45:34.870032Z; repeats=2f7a4639-f406-4aee-8aa7-33a6b6625162
-- 21d8fc3908f07c5c duplicate user=59dd5dc9-ae2b-451a-80a9-97720d44b743 legacy=2ce574ff-327e-409e-bd66-5e7e48795e52 unified=43119f2e-f156-46be-90d4-bf4808a31dfc: legacy says renewal_grant 250000 tokens at 2026-06-09T11:35:37.828065Z; unified says subscription_grant 250000 tokens at 2026-06-09T11:35:39.011684Z; repeats=9a328785-7796-4239-bc60-50a37d134256
-- ba625106ed181907 duplicate user=9ae44252-d807-4f35-b8e8-c1f28d6aeb90 legacy=41069ad6-32e4-4a80-b2f7-9a4cd22b258b unified=5bb527d5-1656-4a63-aced-93c2a6b0a723: legacy says renewal_grant 250000 tokens at 2026-07-01T11:44:46.344399Z; unified says subscription_grant 250000 tokens at 2026-07-01T11:44:47.335330Z; repeats=f8d923ce-e414-4bea-81dc-fdc8f9d5d271
