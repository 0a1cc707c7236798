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
