//! Every kind of dependency, planted alone: it is found, named, and the only thing in the way.

use super::plants::{PARTS, PLANTS, TEXTS, THROUGH_A_FUNCTION};
use super::plants_in_texts::{FURTHER_TEXTS, PUT_TOGETHER};
use super::world::World;

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
create function public.text_of_another() returns text language plpgsql as $$ begin
  execute 'delete from b.token_transactions where source ~ ''\\d+'''; return replace('a', '\\', '/'); end $$;
alter table a.token_transactions add constraint to_profile foreign key (user_id) references public.user_profiles;
create index on a.token_transactions (user_id);
create statistics a.st on user_id, source from a.token_transactions;
create sequence a.own owned by a.token_transactions.id;
";

#[test]
fn each_kind_planted_alone_is_found_named_and_in_the_way() {
    let world = World::new("plants");
    world.fresh_gate().must_be_go();
    for plant in PLANTS.iter().chain(TEXTS).chain(FURTHER_TEXTS).chain(PUT_TOGETHER).chain(PARTS) {
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
fn a_name_that_is_not_ascii_is_found_among_the_arguments_of_a_trigger() {
    let world = World::new("größen");
    let file = world.folder.path().join("reckon.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"a.token_transactions\"", "'a.\"größen\"'")).unwrap();
    world.db.sql(
        "alter table a.token_transactions rename to \"größen\";
         create function public.to_table() returns trigger language plpgsql as
         $$ begin execute format('insert into %s default values', tg_argv[0]); return new; end $$;
         create trigger booked after insert on public.household_members
         for each row execute function public.to_table('a.größen')",
    );
    assert_eq!(world.fresh_gate().evidence("triggers"), ["trigger public.booked possible"]);
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
fn a_name_that_may_be_that_of_something_else_can_be_accepted() {
    let world = World::new("other_names");
    world.db.sql(&format!("alter database \"{}\" set search_path = a, public", world.db.name));
    let cases = [
        (
            "a query of a WITH",
            "sql",
            "with token_transactions as (select * from public.token_usage) select count(*) from token_transactions",
        ),
        (
            "an alias",
            "sql",
            "select count(*) from public.user_profiles p join public.token_usage token_transactions \
             on token_transactions.user_id = p.user_id",
        ),
        (
            "a variable behind INTO and USING",
            "plpgsql",
            "declare token_transactions bigint; begin select count(*) into token_transactions from public.token_usage; \
             execute 'select $1' into token_transactions using token_transactions; return token_transactions; end",
        ),
    ];
    for (what, language, body) in cases {
        let function = format!("public.f() returns bigint language {language}");
        world.db.sql(&format!("create or replace function {function} as $$ {body} $$"));
        let gate = world.fresh_gate();
        assert_eq!(gate.evidence("functions"), ["function public.f possible"], "{what}");
        assert_eq!(gate.reasons(), ["functions"], "{what}");
        world.db.sql("drop function public.f()");
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
    let parts = ["partitioned table a.token_transactions certain", "partition a.of_2025 possible"];
    assert_eq!(gate.evidence("inheritance"), parts);
    assert_eq!(gate.evidence("views"), ["view public.v_2025 certain"]);
}

#[test]
fn what_is_no_table_is_no_go_and_what_it_shows_is_named() {
    let world = World::new("no_table");
    world.db.sql(
        "alter table a.token_transactions rename to rows_of_old;
         create view a.between as select * from a.rows_of_old",
    );
    for (kind, from) in [("materialized view", "a.between"), ("view", "a.rows_of_old")] {
        world.db.sql(&format!("create {kind} a.token_transactions as select * from {from}"));
        let gate = world.fresh_gate();
        assert_eq!((gate.code, gate.ok("inheritance").as_str()), (1, "false"), "{kind}");
        let mut expected = vec!["table a.rows_of_old certain".to_owned()];
        expected.push(format!("{kind} a.token_transactions certain"));
        expected.extend((from == "a.between").then(|| "view a.between certain".to_owned()));
        expected.sort();
        assert_eq!(gate.evidence("inheritance"), expected, "{kind}");
        let detail = gate.check("inheritance")["detail"].as_str().unwrap();
        assert!(detail.contains("a.token_transactions is no plain table: it is a view"), "{detail}");
        world.db.sql(&format!("drop {kind} a.token_transactions"));
    }
}

#[test]
fn jobs_of_a_scheduler_that_cannot_be_read_are_not_tested() {
    let mut world = World::new("schedulers");
    world.db.sql(
        "create role job_reader login; grant usage on schema a to job_reader;
         grant select on all tables in schema a, public to job_reader",
    );
    world.read_as("job_reader");
    for (schema, table) in [("pgagent", "pga_jobstep"), ("timetable", "task")] {
        world.db.sql(&format!("create schema {schema}"));
        for table in [None, Some(table)] {
            if let Some(table) = table {
                world.db.sql(&format!("create table {schema}.{table} (kind text)"));
            }
            let gate = world.fresh_gate();
            assert_eq!((gate.reasons(), gate.ok("jobs").as_str()), (vec!["jobs"], "not_tested"), "{schema}");
            let detail = gate.check("jobs")["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("schema {schema}")), "{detail}");
        }
        world.db.sql(&format!("drop schema {schema} cascade"));
    }
    world.db.sql("drop owned by job_reader; drop role job_reader");
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
