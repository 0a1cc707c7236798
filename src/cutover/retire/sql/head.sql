begin;
set transaction isolation level read committed;
set local lock_timeout = '5s';
set local statement_timeout = '{{timeout_seconds}}s';
-- A table under row-level security that would hide rows from this role is an error, not an empty table.
set local row_security = off;
set local client_encoding = 'UTF8';
{{settings}}
