begin
{{serial}}
  if to_regclass('reckon_journal.retirement') is null then
    if to_regnamespace('reckon_journal') is null then
      create schema reckon_journal;
      revoke all on schema reckon_journal from public;
    end if;
    create table reckon_journal.retirement (
      seq bigint generated always as identity primary key,
      table_oid oid not null,
      table_name text not null,
      retired_name text,
      certificate text not null,
      step integer not null check (step in (1, 2, 3)),
      digest text not null,
      shape text not null,
      done_at timestamptz not null default clock_timestamp(),
      done_by text not null default session_user,
      hold_until timestamptz,
      ended_at timestamptz,
      ended_by text
    );
    create unique index retirement_steps on reckon_journal.retirement (table_oid, step) where ended_at is null;
    alter table reckon_journal.retirement enable row level security;
    revoke all on table reckon_journal.retirement from public;
  end if;
end
