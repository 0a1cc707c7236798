-- reckon, restore.sql: makes public.token_transactions again, empty, for its 1,326 rows as of 2026-11-28T12:00:00.000000Z.
--
-- 1. Run this file. It creates the table with its columns and primary key, and stops where there is a
--    table of that name.
-- 2. Load the rows, in the archive's folder in psql:
--      \copy public.token_transactions from 'public.token_transactions.csv' with (format csv, header, encoding 'UTF8')
--    or from a folder that the server can read:
--      copy public.token_transactions from '/FOLDER/ON/THE/SERVER/public.token_transactions.csv' with (format csv, header, encoding 'UTF8');
--    A column of type money wants: set lc_monetary = 'C';
--    psql before 18 stops at a value with a line of nothing but \. in it: then only the second way works.
-- 3. Run check.sql: its row says ok = true when every row is back. The digest is
--    sha256/128:1326:-88172645463325252:7046029254386353131
--
-- Not made again: other indexes and constraints, foreign keys, triggers, policies, grants, sequences.
-- The database needs these types first, where they are gone:
--    create type public.token_action_type as enum ('renewal_grant', 'chat');

begin;
set local lock_timeout = '5s';
set local statement_timeout = '55s';
set local client_encoding = 'UTF8';
set local search_path = pg_catalog, pg_temp;

create table public.token_transactions (
  -- was: default gen_random_uuid()
  id uuid not null,
  -- was: an identity column
  no bigint not null,
  action public.token_action_type,
  -- was: generated always as (tokens * 2)
  "user" integer,
  primary key (id)
);

commit;
