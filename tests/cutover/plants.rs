//! What is planted: every kind of dependency on the legacy table, alone.

/// A kind of dependency: what is planted, the check that it fails, the evidence, how it is taken back.
pub struct Plant {
    pub what: &'static str,
    pub sql: &'static str,
    pub check: &'static str,
    pub evidence: &'static [&'static str],
    pub undo: &'static str,
}

pub const PLANTS: &[Plant] = &[
    Plant {
        what: "view",
        sql: "create view public.v_grants as select user_id from a.token_transactions",
        check: "views",
        evidence: &["view public.v_grants certain"],
        undo: "drop view public.v_grants",
    },
    Plant {
        what: "view on a view, and a materialised one on that",
        sql: "create view public.v1 as select user_id, token_amount from a.token_transactions;
              create view b.v2 as select * from public.v1;
              create materialized view public.m3 as select count(*) from b.v2 with no data",
        check: "views",
        evidence: &["materialized view public.m3 certain", "view b.v2 certain", "view public.v1 certain"],
        undo: "drop view public.v1 cascade",
    },
    Plant {
        what: "foreign key of another table",
        sql: "create table public.receipts (grant_id uuid constraint receipts_grant references a.token_transactions)",
        check: "foreign_keys",
        evidence: &["foreign key public.receipts_grant certain"],
        undo: "drop table public.receipts",
    },
    Plant {
        what: "trigger on the table",
        sql: "create function public.stamp() returns trigger language plpgsql as $$ begin return new; end $$;
              create trigger stamped before insert on a.token_transactions for each row execute function public.stamp()",
        check: "triggers",
        evidence: &["trigger a.stamped certain"],
        undo: "drop function public.stamp() cascade",
    },
    Plant {
        what: "rule on the table",
        sql: "create rule shut as on delete to a.token_transactions do instead nothing",
        check: "rules",
        evidence: &["rule a.shut certain"],
        undo: "drop rule shut on a.token_transactions",
    },
    Plant {
        what: "rule of another table that names it",
        sql: "create rule mirror as on insert to public.household_members do also \
              insert into a.token_transactions (user_id) values (new.user_id)",
        check: "rules",
        evidence: &["rule public.mirror certain"],
        undo: "drop rule mirror on public.household_members",
    },
    Plant {
        what: "function, qualified",
        sql: "create function public.total() returns bigint language sql as $$ select sum(token_amount) from a.token_transactions $$",
        check: "functions",
        evidence: &["function public.total certain"],
        undo: "drop function public.total()",
    },
    Plant {
        what: "procedure, with a path of its own",
        sql: "create procedure public.sweep() language plpgsql set search_path = a, public as \
              $$ begin delete from Token_Transactions where false; end $$",
        check: "functions",
        evidence: &["procedure public.sweep certain"],
        undo: "drop procedure public.sweep()",
    },
    Plant {
        what: "function, quoted",
        sql: "create function public.quoted() returns bigint language plpgsql as \
              $$ begin return (select count(*) from \"a\".\"token_transactions\"); end $$",
        check: "functions",
        evidence: &["function public.quoted certain"],
        undo: "drop function public.quoted()",
    },
    Plant {
        what: "function, unqualified, where no path leads to any such table",
        sql: "create function public.loose() returns bigint language plpgsql as \
              $$ begin return (select count(*) from token_transactions); end $$",
        check: "functions",
        evidence: &["function public.loose possible"],
        undo: "drop function public.loose()",
    },
    Plant {
        what: "function with dynamic SQL",
        sql: "create function public.dyn(s text) returns bigint language plpgsql as $$ declare n bigint; begin \
              execute format('select count(*) from %I.%I', s, 'token_transactions') into n; return n; end $$",
        check: "functions",
        evidence: &["function public.dyn possible"],
        undo: "drop function public.dyn(text)",
    },
    Plant {
        what: "function in standard SQL",
        sql: "create function public.atomic() returns bigint language sql begin atomic \
              select count(*) from a.token_transactions; end",
        check: "functions",
        evidence: &["function public.atomic certain"],
        undo: "drop function public.atomic()",
    },
    Plant {
        what: "function that takes its row type",
        sql: "create function public.takes(r a.token_transactions) returns int language sql as $$ select 1 $$",
        check: "functions",
        evidence: &["function public.takes certain"],
        undo: "drop function public.takes(a.token_transactions)",
    },
    Plant {
        what: "policy on the table",
        sql: "create policy own_rows on a.token_transactions for select using (user_id is not null)",
        check: "policies",
        evidence: &["policy a.own_rows possible"],
        undo: "drop policy own_rows on a.token_transactions",
    },
    Plant {
        what: "policy of another table that reads it",
        sql: "create policy \"paid only\" on public.household_members for select \
              using (exists (select from a.token_transactions t where t.user_id = household_members.user_id))",
        check: "policies",
        evidence: &["policy public.paid only certain"],
        undo: "drop policy \"paid only\" on public.household_members",
    },
    Plant {
        what: "publication that lists it",
        sql: "create publication listed for table a.token_transactions",
        check: "publications",
        evidence: &["publication listed certain"],
        undo: "drop publication listed",
    },
    Plant {
        what: "publication of all tables",
        sql: "create publication everything for all tables",
        check: "publications",
        evidence: &["publication everything possible"],
        undo: "drop publication everything",
    },
    Plant {
        what: "publication of its schema",
        sql: "create publication of_schema for tables in schema a",
        check: "publications",
        evidence: &["publication of_schema possible"],
        undo: "drop publication of_schema",
    },
    Plant {
        what: "subscription that writes it",
        sql: "create subscription incoming connection 'dbname=nowhere' publication p with (connect = false);
              insert into pg_subscription_rel (srsubid, srrelid, srsubstate) \
              select oid, 'a.token_transactions'::regclass, 'r' from pg_subscription where subname = 'incoming'",
        check: "publications",
        evidence: &["subscription incoming certain"],
        undo: "alter subscription incoming set (slot_name = none); drop subscription incoming",
    },
    Plant {
        what: "sequence of the table that another table uses",
        sql: "create sequence a.numbers owned by a.token_transactions.id;
              create table public.invoices (number bigint default nextval('a.numbers'))",
        check: "sequences",
        evidence: &["default public.invoices.number certain", "sequence a.numbers note"],
        undo: "drop table public.invoices; drop sequence a.numbers",
    },
    Plant {
        what: "child table",
        sql: "create table public.child () inherits (a.token_transactions)",
        check: "inheritance",
        evidence: &["child table public.child certain"],
        undo: "drop table public.child",
    },
    Plant {
        what: "parent table",
        sql: "create table public.parent (user_id uuid); alter table a.token_transactions inherit public.parent",
        check: "inheritance",
        evidence: &["parent table public.parent certain"],
        undo: "alter table a.token_transactions no inherit public.parent; drop table public.parent",
    },
    Plant {
        what: "extension that it is a member of",
        sql: "alter extension plpgsql add table a.token_transactions",
        check: "inheritance",
        evidence: &["extension plpgsql certain"],
        undo: "alter extension plpgsql drop table a.token_transactions",
    },
    Plant {
        what: "column of its row type",
        sql: "create table public.snapshots (taken a.token_transactions)",
        check: "inheritance",
        evidence: &["table column public.snapshots.taken certain"],
        undo: "drop table public.snapshots",
    },
    Plant {
        what: "job",
        sql: "create schema cron; create table cron.job (jobid bigint, schedule text, command text, database text,
              username text, active bool, jobname text);
              insert into cron.job values (7, '0 3 * * *', 'delete from a.token_transactions where false',
              current_database(), 'postgres', true, 'sweep')",
        check: "jobs",
        evidence: &["job cron.sweep certain"],
        undo: "drop schema cron cascade",
    },
];

/// Names in texts that are handed to functions.
pub const TEXTS: &[Plant] = &[
    Plant {
        what: "argument of a trigger",
        sql: "create function public.to_table() returns trigger language plpgsql as
              $$ begin execute format('insert into %s default values', tg_argv[0]); return new; end $$;
              create trigger booked after insert on public.household_members
              for each row execute function public.to_table('a.token_transactions')",
        check: "triggers",
        evidence: &["trigger public.booked possible"],
        undo: "drop function public.to_table() cascade",
    },
    Plant {
        what: "default that names a sequence of the table by text",
        sql: "create sequence a.numbers owned by a.token_transactions.id;
              create table public.bills (n bigint default nextval('a.numbers'::text::regclass))",
        check: "sequences",
        evidence: &["default public.bills.n possible", "sequence a.numbers note"],
        undo: "drop table public.bills; drop sequence a.numbers",
    },
    Plant {
        what: "default that hands the name to a function",
        sql: "create function public.rows_in(t text) returns bigint language plpgsql as
              $$ declare n bigint; begin execute 'select count(*) from ' || t into n; return n; end $$;
              create table public.counts (n bigint default public.rows_in('a.token_transactions'))",
        check: "defaults",
        evidence: &["default public.counts.n possible"],
        undo: "drop table public.counts; drop function public.rows_in(text)",
    },
    Plant {
        what: "view with the name in a string",
        sql: "create view public.as_xml as select query_to_xml('select * from a.token_transactions', true, false, '')",
        check: "views",
        evidence: &["view public.as_xml possible"],
        undo: "drop view public.as_xml",
    },
    Plant {
        what: "foreign table that leads back",
        sql: "create foreign data wrapper nowhere; create server itself foreign data wrapper nowhere;
              create foreign table public.mirrored (id uuid) server itself options (table_name 'token_transactions')",
        check: "views",
        evidence: &["foreign table public.mirrored possible"],
        undo: "drop foreign data wrapper nowhere cascade",
    },
    Plant {
        what: "policy with the name in a string",
        sql: "create policy by_xml on public.household_members
              using (query_to_xml('select 1 from a.token_transactions', true, false, '') is not null)",
        check: "policies",
        evidence: &["policy public.by_xml possible"],
        undo: "drop policy by_xml on public.household_members",
    },
    Plant {
        what: "rule with the name in a string",
        sql: "create rule by_xml as on insert to public.household_members do also
              select query_to_xml('select 1 from a.token_transactions', true, false, '')",
        check: "rules",
        evidence: &["rule public.by_xml possible"],
        undo: "drop rule by_xml on public.household_members",
    },
];

/// Dynamic SQL that has a part of the name.
pub const PARTS: &[Plant] = &[
    Plant {
        what: "function that puts the name together",
        sql: "create function public.count_of(what text) returns bigint language plpgsql as
              $$ declare n bigint; begin execute format('select count(*) from a.token_%s', what) into n; return n; end $$",
        check: "functions",
        evidence: &["function public.count_of possible"],
        undo: "drop function public.count_of(text)",
    },
    Plant {
        what: "function that puts the end of the name behind something",
        sql: "create function public.clear(kind text) returns void language plpgsql as
              $$ begin execute 'delete from a.' || kind || '_transactions where false'; end $$",
        check: "functions",
        evidence: &["function public.clear possible"],
        undo: "drop function public.clear(text)",
    },
];

/// What hangs on a function that names the table: the function is in the way as well.
pub const THROUGH_A_FUNCTION: &[Plant] = &[
    Plant {
        what: "trigger elsewhere",
        sql: "create function public.copy_grant() returns trigger language plpgsql as $$ begin
              insert into a.token_transactions (user_id) values (new.user_id); return new; end $$;
              create trigger copied after insert on public.token_usage for each row execute function public.copy_grant()",
        check: "triggers",
        evidence: &["trigger public.copied certain"],
        undo: "drop function public.copy_grant() cascade",
    },
    Plant {
        what: "event trigger",
        sql: "create function public.on_ddl() returns event_trigger language plpgsql as $$ begin
              perform count(*) from a.token_transactions; end $$;
              create event trigger watch on ddl_command_end when tag in ('CREATE AGGREGATE') execute function public.on_ddl()",
        check: "triggers",
        evidence: &["event trigger watch certain"],
        undo: "drop event trigger watch; drop function public.on_ddl()",
    },
    Plant {
        what: "default",
        sql: "create function public.granted() returns bigint language plpgsql as $$ begin
              return (select count(*) from a.token_transactions); end $$;
              create table public.marks (n bigint default public.granted())",
        check: "defaults",
        evidence: &["default public.marks.n certain"],
        undo: "drop table public.marks; drop function public.granted()",
    },
    Plant {
        what: "check constraint, generated column and index",
        sql: "create function public.known(u uuid) returns bool language plpgsql immutable as $$ begin
              return exists (select from a.token_transactions where user_id = u); end $$;
              create table public.seats (u uuid constraint must_be_known check (public.known(u)),
              k bool generated always as (public.known(u)) stored);
              create index seats_known on public.seats (public.known(u))",
        check: "defaults",
        evidence: &[
            "constraint public.must_be_known certain",
            "default public.seats.k certain",
            "index public.seats_known certain",
        ],
        undo: "drop table public.seats; drop function public.known(uuid)",
    },
    Plant {
        what: "view over a function",
        sql: "create function public.rows_of() returns bigint language plpgsql as $$ begin
              return (select count(*) from a.token_transactions); end $$;
              create view public.v_count as select public.rows_of()",
        check: "views",
        evidence: &["view public.v_count certain"],
        undo: "drop view public.v_count; drop function public.rows_of()",
    },
    Plant {
        what: "policy over a function",
        sql: "create function public.may(u uuid) returns bool language plpgsql as $$ begin
              return exists (select from a.token_transactions where user_id = u); end $$;
              create policy may_see on public.household_members using (public.may(user_id))",
        check: "policies",
        evidence: &["policy public.may_see certain"],
        undo: "drop policy may_see on public.household_members; drop function public.may(uuid)",
    },
    Plant {
        what: "view over an operator",
        sql: "create function public.known(u uuid, n int) returns bool language plpgsql as $$ begin
              return exists (select from a.token_transactions where user_id = u limit n); end $$;
              create operator public.@@@ (leftarg = uuid, rightarg = int, function = public.known);
              create view public.v_op as select user_id operator(public.@@@) 1 as is_known from public.user_profiles",
        check: "views",
        evidence: &["view public.v_op certain"],
        undo: "drop view public.v_op; drop operator public.@@@ (uuid, int); drop function public.known(uuid, int)",
    },
    Plant {
        what: "check constraint of a domain",
        sql: "create function public.known(u uuid) returns bool language plpgsql immutable as $$ begin
              return exists (select from a.token_transactions where user_id = u); end $$;
              create domain public.known_user as uuid constraint must_be_known check (public.known(value))",
        check: "defaults",
        evidence: &["constraint public.must_be_known certain"],
        undo: "drop domain public.known_user; drop function public.known(uuid)",
    },
    Plant {
        what: "trigger over a function that only has the name in a string",
        sql: "create function public.mark() returns trigger language plpgsql as
              $$ begin new.metadata := jsonb_build_object('migrated_from', 'token_transactions'); return new; end $$;
              create trigger marks before insert on public.token_usage for each row execute function public.mark()",
        check: "triggers",
        evidence: &["trigger public.marks possible"],
        undo: "drop function public.mark() cascade",
    },
    Plant {
        what: "views over such a function",
        sql: "create function public.src() returns text language sql immutable as $$ select 'token_transactions'::text $$;
              create view public.v_src as select public.src() as s; create view public.v_over as select * from public.v_src",
        check: "views",
        evidence: &["view public.v_over possible", "view public.v_src possible"],
        undo: "drop view public.v_src cascade; drop function public.src()",
    },
];
