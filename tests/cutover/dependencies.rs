//! Every kind of dependency, planted alone: it is found, named, and the only thing in the way.

use super::world::World;

/// A kind of dependency: what is planted, the check that it fails, the evidence, how it is taken back.
struct Plant {
    what: &'static str,
    sql: &'static str,
    check: &'static str,
    evidence: &'static [&'static str],
    undo: &'static str,
}

const PLANTS: &[Plant] = &[
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
const TEXTS: &[Plant] = &[
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
const PARTS: &[Plant] = &[
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
const THROUGH_A_FUNCTION: &[Plant] = &[
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
];

/// What looks like a dependency and is none.
const HARMLESS: &str = "
create function public.spoken_of() returns int language plpgsql as $$ begin
  -- used to read a.token_transactions
  /* and /* token_transactions */ again */
  return 1; end $$;
create table public.token_transactions_old (user_id uuid);
create function public.of_another() returns bigint language sql as $$ select count(*) from public.token_transactions_old $$;
create view public.v_old as select * from public.token_transactions_old;
create function public.no_path() returns int language plpgsql set search_path = '' as $$ begin
  return (select count(*) from token_transactions); exception when others then return 0; end $$;
create function public.other_schema() returns bigint language plpgsql as $$ begin
  return (select count(*) from b.token_transactions); end $$;
alter table a.token_transactions add constraint to_profile foreign key (user_id) references public.user_profiles;
create index on a.token_transactions (user_id);
create statistics a.st on user_id, source from a.token_transactions;
create sequence a.own owned by a.token_transactions.id;
";

#[test]
fn each_kind_planted_alone_is_found_named_and_in_the_way() {
    let world = World::new("plants");
    world.fresh_gate().must_be_go();
    for plant in PLANTS.iter().chain(TEXTS).chain(PARTS) {
        world.db.sql(plant.sql);
        let gate = world.fresh_gate();
        assert_eq!(gate.evidence(plant.check), plant.evidence, "{}", plant.what);
        assert_eq!((gate.code, gate.reasons()), (1, vec![plant.check]), "{}", plant.what);
        assert_eq!(gate.ok(plant.check), "false", "{}", plant.what);
        world.db.sql(plant.undo);
    }
    world.fresh_gate().must_be_go();
}

#[test]
fn what_hangs_on_a_function_that_names_the_table_is_found_with_it() {
    let world = World::new("through");
    for plant in THROUGH_A_FUNCTION {
        world.db.sql(plant.sql);
        let gate = world.fresh_gate();
        assert_eq!(gate.evidence(plant.check), plant.evidence, "{}", plant.what);
        let mut reasons = vec![plant.check, "functions"];
        reasons.sort_by_key(|name| {
            gate.certificate["checks"].as_array().unwrap().iter().position(|c| c["check"] == *name)
        });
        assert_eq!((gate.code, gate.reasons()), (1, reasons), "{}", plant.what);
        world.db.sql(plant.undo);
    }
    world.fresh_gate().must_be_go();
}

#[test]
fn what_only_looks_like_one_is_not_in_the_way() {
    let world = World::new("harmless");
    world.db.sql(HARMLESS);
    let gate = world.fresh_gate();
    gate.must_be_go();
    assert_eq!(gate.evidence("foreign_keys"), ["foreign key a.to_profile note"]);
    assert_eq!(gate.evidence("sequences"), ["sequence a.own note"]);
    assert_eq!(gate.evidence("functions"), Vec::<String>::new());
}

#[test]
fn a_path_of_the_database_decides_what_a_plain_name_means() {
    let world = World::new("path");
    world.db.sql(
        "create function public.plain() returns bigint language plpgsql as
         $$ begin return (select count(*) from token_transactions); end $$",
    );
    let cases = [
        ("a, public", "false", "function public.plain certain"),
        ("b, a", "false", "function public.plain possible"),
        ("public", "false", "function public.plain possible"),
    ];
    for (path, ok, evidence) in cases {
        world.db.sql(&format!("alter database \"{}\" set search_path = {path}", world.db.name));
        let gate = world.fresh_gate();
        assert_eq!(
            (gate.ok("functions").as_str(), gate.evidence("functions").join(";").as_str()),
            (ok, evidence),
            "{path}"
        );
    }
}

#[test]
fn a_path_of_the_job_is_nobody_elses() {
    let mut world = World::new("own_path");
    world.db.sql(
        "create role pathless login; grant usage on schema a to pathless;
         grant select on all tables in schema a, public to pathless;
         create function public.plain() returns bigint language plpgsql as
         $$ begin return (select count(*) from token_transactions); end $$;
         create function public.fixed() returns bigint language plpgsql set search_path = b as
         $$ begin return (select count(*) from token_transactions); end $$",
    );
    world.read_as("pathless");
    world.db.sql(&format!("alter database \"{}\" set search_path = a", world.db.name));
    world.db.sql("alter role pathless set search_path = b");
    assert_eq!(world.fresh_gate().evidence("functions"), ["function public.plain certain"]);
    world.db.sql(&format!("alter database \"{}\" reset search_path", world.db.name));
    world.db.sql("alter role pathless set search_path = a");
    assert_eq!(world.fresh_gate().evidence("functions"), ["function public.plain possible"]);
    world.db.sql("drop owned by pathless; drop role pathless");
}

#[test]
fn a_policy_for_the_job_alone_lets_no_client_in() {
    let mut world = World::new("own_policy");
    world.db.sql(
        "create role policed login; create role somebody; grant usage on schema a to policed;
         grant select on all tables in schema a, public to policed;
         alter table a.token_transactions enable row level security;
         create policy reckon_reads on a.token_transactions for select to policed using (true)",
    );
    world.read_as("policed");
    let gate = world.fresh_gate();
    gate.must_be_go();
    assert_eq!(gate.evidence("policies"), ["policy a.reckon_reads note"]);
    world.db.sql("alter policy reckon_reads on a.token_transactions to policed, somebody");
    assert_eq!(world.fresh_gate().evidence("policies"), ["policy a.reckon_reads possible"]);
    world.db.sql("drop owned by policed, somebody; drop role policed, somebody");
}

#[test]
fn functions_whose_sql_shows_no_name_are_told_by_name() {
    let world = World::new("dynamic");
    world.db.sql(
        "create function public.any_of(t text) returns void language plpgsql as $$ begin execute t; end $$;
         create function public.fixed() returns void language plpgsql as
         $$ begin execute 'select 1'; execute 'grant execute on function public.any_of to ' || 'x'; end $$;
         create function public.literal() returns void language plpgsql as $$ begin execute 'select 1'; end $$",
    );
    let gate = world.fresh_gate();
    gate.must_be_go();
    let detail = gate.check("functions")["detail"].as_str().unwrap();
    assert!(detail.contains("2 functions: public.any_of, public.fixed;"), "{detail}");
}

#[test]
fn partitions_are_named_and_what_uses_one_of_them_is_found() {
    let world = World::new("partitions");
    world.db.sql(
        "alter table a.token_transactions rename to plain;
         create table a.token_transactions (like a.plain) partition by range (created_at);
         create table a.of_2025 partition of a.token_transactions for values from ('2025-01-01') to ('2026-01-01');
         insert into a.token_transactions select * from a.plain; drop table a.plain;
         create view public.v_2025 as select * from a.of_2025;",
    );
    let gate = world.fresh_gate();
    assert_eq!(gate.reasons(), ["views", "inheritance"]);
    assert_eq!(gate.evidence("inheritance"), ["partition a.of_2025 possible"]);
    assert_eq!(gate.evidence("views"), ["view public.v_2025 certain"]);
}

#[test]
fn names_that_need_quotes_are_found_as_well() {
    let world = World::new("quotes");
    world.db.sql(
        "alter table a.token_transactions rename to \"Token Transactions\";
         create view public.\"V Grants\" as select user_id from a.\"Token Transactions\";
         create function public.f() returns bigint language sql as $$ select count(*) from a.\"Token Transactions\" $$;
         create function public.g() returns text language sql as $$ select 'token transactions'::text $$;",
    );
    let text = std::fs::read_to_string(world.folder.path().join("reckon.toml")).unwrap();
    let text = text.replace("\"a.token_transactions\"", "'a.\"Token Transactions\"'");
    std::fs::write(world.folder.path().join("reckon.toml"), text).unwrap();
    let gate = world.fresh_gate();
    assert_eq!(gate.evidence("views"), ["view public.V Grants certain"]);
    assert_eq!(gate.evidence("functions"), ["function public.f certain", "function public.g possible"]);
}
