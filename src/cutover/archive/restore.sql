{{title}}
--
-- 1. Run this file. It creates the table with its columns and primary key, and stops where there is a
--    table of that name.
-- 2. Load the rows, in the archive's folder in psql:
{{psql}}
--    or from a folder that the server can read:
{{server}}
--    A column of type money wants: set lc_monetary = 'C';
--    psql before 18 stops at a value with a line of nothing but \. in it: then only the second way works.
-- 3. Run check.sql: its row says ok = true when every row is back. The digest is
{{digest}}
--
-- Not made again: other indexes and constraints, foreign keys, triggers, policies, grants, sequences.
{{needs}}
begin;
set local lock_timeout = '5s';
set local statement_timeout = '55s';
set local client_encoding = 'UTF8';
set local search_path = pg_catalog, pg_temp;

create table {{table}} (
{{columns}}
);

commit;
