//! `retire.sql` where all is as it was certified: the whole life of a table, and back.

use reckon::cutover::retire::{self, Sealed};
use reckon::domain::{Instant, Span};
use reckon::source::postgres::Database;

use super::retire_world::{DAY, INSERT, World, now, open, seal, table};

#[test]
fn the_whole_life() {
    let world = World::new("life");
    world.step(1).unwrap();
    assert_eq!((world.called().as_str(), world.in_force()), ("token_transactions", vec!["1".to_owned()]));
    for write in [
        INSERT,
        "update public.token_transactions set amount = 1 where id = 1",
        "delete from public.token_transactions where id = 1",
        "truncate public.token_transactions",
        "copy public.token_transactions (id) from stdin;\n8\n\\.\n",
        "set session_replication_role = replica; update public.token_transactions set amount = 1 where id = 1",
        "update public.token_transactions set amount = 1 where false",
    ] {
        let error = world.db.try_sql(write).unwrap_err();
        assert!(
            error.contains("public.token_transactions is being retired under certificate 4f1e"),
            "{write}: {error}"
        );
    }
    assert_eq!(world.db.value("select count(*) from public.token_transactions"), "3");
    world.step(2).unwrap();
    let retired = world.sealed.retired_name();
    assert_eq!(world.called(), retired.name);
    assert!(retired.name.starts_with("token_transactions_retired_20"), "{}", retired.name);
    assert!(world.db.try_sql(&INSERT.replace("token_transactions", &retired.name)).is_err());
    world.step(3).unwrap();
    assert_eq!((world.called().as_str(), world.in_force()), ("", vec![]));
    let left = "select count(*) from pg_proc where pronamespace = 'reckon_journal'::regnamespace";
    assert_eq!(world.db.value(left), "0", "the function of the triggers is gone");
    let steps = "select step, done_by, ended_by from reckon_journal.retirement order by seq";
    assert_eq!(
        world.db.query(steps),
        [["1", "postgres", "step 3"], ["2", "postgres", "step 3"], ["3", "postgres", "step 3"]]
    );
}

#[test]
fn the_file_runs_whole_and_again() {
    let world = World::new("whole");
    let said = world.retire().unwrap();
    assert_eq!(world.called(), "");
    assert!(said.contains("retired_name"), "an editor without notices sees how far it came: {said}");
    let state = world.state();
    world.retire().unwrap();
    assert_eq!(world.state(), state, "a second run changes nothing");
}

#[test]
fn each_step_runs_twice() {
    let world = World::new("twice");
    for number in [1, 2, 3] {
        world.step(number).unwrap();
        let state = world.state();
        world.steps(&(1..=number).collect::<Vec<_>>());
        assert_eq!(world.state(), state, "after step {number}");
    }
}

#[test]
fn steps_1_and_2_are_taken_back() {
    for numbers in [&[1][..], &[1, 2]] {
        let world = World::new("back");
        let before = world.state();
        world.steps(numbers);
        world.unretire().unwrap();
        let is_of_the_table = |row: &&Vec<String>| row[0] != "journal";
        let after = world.state();
        assert_eq!(
            after.iter().filter(is_of_the_table).collect::<Vec<_>>(),
            before.iter().filter(is_of_the_table).collect::<Vec<_>>(),
            "after steps {numbers:?}"
        );
        assert_eq!(world.in_force(), [""; 0]);
        world.unretire().unwrap();
        assert_eq!(world.state(), after, "a second run changes nothing");
        world.steps(numbers);
        world.unretire().unwrap();
        world.db.sql(INSERT);
    }
}

#[test]
fn what_was_never_retired_is_not_taken_back() {
    let world = World::new("never");
    let state = world.state();
    world.unretire().unwrap();
    assert_eq!(world.state(), state);
}

#[test]
fn after_the_drop_there_is_nothing_to_take_back() {
    let world = World::new("dropped");
    world.retire().unwrap();
    let error = world.unretire().unwrap_err();
    assert!(error.contains("there is no public.token_transactions of oid"), "{error}");
    assert!(error.contains("Step 3 dropped it at") && error.contains("restore.sql"), "{error}");
}

#[test]
fn a_new_certificate_goes_on_where_the_old_one_stopped() {
    let mut world = World::new("goes_on");
    world.sealed.hold = Span(30 * DAY);
    world.steps(&[1]);
    world.certify();
    world.sealed.expires_at = Instant(0);
    world.steps(&[1, 2]);
    assert_eq!(world.in_force(), ["1", "2"]);
    let by = "select string_agg(certificate, ' ' order by step) from reckon_journal.retirement";
    assert_eq!(world.db.value(by), "4f1e 4f1eb");
}

#[test]
fn a_later_certificate_cannot_shorten_the_hold() {
    let mut world = World::new("hold_kept");
    world.sealed.hold = Span(30 * DAY);
    world.steps(&[1, 2]);
    world.sealed.hold = Span(0);
    let error = world.step(3).unwrap_err();
    assert!(error.contains("was NOT dropped: it is held until"), "{error}");
}

#[test]
fn readers_go_on_while_writes_are_forbidden() {
    let world = World::new("readers");
    let mut reader: Database = open(&world.db);
    reader.rows_text("select count(*) from public.token_transactions").unwrap();
    world.step(1).unwrap();
    let error = world.step(2).unwrap_err();
    assert!(
        error.contains("step 2: public.token_transactions is in use"),
        "a rename waits for readers: {error}"
    );
    drop(reader);
    world.step(2).unwrap();
}

#[test]
fn an_editor_sends_the_whole_file_at_once() {
    let world = World::new("at_once");
    let said = world.db.query(&world.text("retire.sql"));
    assert_eq!(world.called(), "");
    let steps: Vec<&str> = said.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(steps, ["1", "1", "2", "1", "2", "3"], "after each step, what was done so far");
}

#[test]
fn two_at_once_do_it_once() {
    let world = World::new("two");
    std::thread::scope(|scope| {
        let run = || world.db.try_sql(&world.text("retire.sql"));
        let both = [scope.spawn(run), scope.spawn(run)];
        let results = both.map(|run| run.join().unwrap());
        assert!(results.iter().any(Result::is_ok), "{results:?}");
        for error in results.iter().filter_map(|result| result.as_ref().err()) {
            assert!(error.contains("while this waited for its lock"), "{error}");
        }
    });
    assert_eq!(world.called(), "");
    assert_eq!(world.db.value("select count(*) from reckon_journal.retirement"), "3");
}

#[test]
fn its_owner_needs_no_superuser() {
    let world = World::new("owner");
    world.db.sql(&format!(
        "create role retire_owner; create role retire_reader; grant create on database \"{}\" to retire_owner;
         alter table public.token_transactions owner to retire_owner;
         alter table public.token_transactions enable row level security;
         grant create on schema public to retire_owner;
         grant select on public.token_transactions to retire_reader;",
        world.db.name
    ));
    let run = |role: &str, name: &str| {
        world.db.try_sql(&format!("set session authorization {role};\n{}", world.text(name)))
    };
    let before = world.state();
    let error = run("retire_reader", "retire.sql").unwrap_err();
    assert!(error.contains("permission denied"), "{error}");
    assert_eq!(world.state(), before);
    run("retire_owner", "retire.sql").unwrap();
    assert_eq!(world.called(), "");
    let read = "set role retire_reader; select * from reckon_journal.retirement";
    let error = world.db.try_sql(read).unwrap_err();
    assert!(error.contains("permission denied for schema reckon_journal"), "{error}");
}

#[test]
fn a_cascade_that_would_write_is_stopped_too() {
    let world = World::of(
        "cascade",
        "create table public.users (id int primary key); insert into public.users values (1), (2);
         create table public.grants (id int, user_id int references public.users on delete cascade);
         insert into public.grants values (1, 1);",
        "public.grants",
    );
    world.steps(&[1]);
    for user in [1, 2] {
        let error = world.db.try_sql(&format!("delete from public.users where id = {user}")).unwrap_err();
        assert!(error.contains("public.grants is being retired"), "user {user}: {error}");
    }
    world.steps(&[2, 3]);
    world.db.sql("delete from public.users where id = 1");
}

#[test]
fn names_that_need_quotes() {
    let name = "Order's \"grants\" {{table}} $forbid$";
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    let schema = format!(
        "create schema \"My schema\"; create table \"My schema\".{quoted} (\"select\" int, \"a b\" text);
         insert into \"My schema\".{quoted} values (1, 'x');"
    );
    let world = World::of("quotes", &schema, &format!("My schema.{name}"));
    world.steps(&[1, 2]);
    assert_eq!(world.called(), world.sealed.retired_name().name);
    world.unretire().unwrap();
    assert_eq!(world.called(), name);
    world.retire().unwrap();
    assert_eq!(world.called(), "");
}

#[test]
fn a_name_that_is_too_long_is_cut() {
    let sealed = |name: &str| Sealed {
        issued_at: Instant(1_795_824_000_000_000),
        ..seal(&reckon::source::postgres::TableState {
            table: table(&format!("public.{name}")),
            oid: 1,
            digest: Default::default(),
            shape: String::new(),
        })
    };
    let long = "a".repeat(63);
    let cases = [
        ("t", "t_retired_20261128".to_owned()),
        (long.as_str(), format!("{}_retired_20261128", "a".repeat(46))),
        ("ééééééééééééééééééééééééééééééé", format!("{}_retired_20261128", "é".repeat(23))),
        ("aéééééééééééééééééééééééééééééé", format!("a{}_retired_20261128", "é".repeat(22))),
    ];
    for (name, expected) in cases {
        assert_eq!(sealed(name).retired_name().name, expected, "{name}");
    }
    let world = World::of("long", &format!("create table public.{long} (id int)"), &format!("public.{long}"));
    world.steps(&[1, 2]);
    assert_eq!(world.called().len(), 63);
    world.unretire().unwrap();
    assert_eq!(world.called(), long);
}

#[test]
fn the_same_seal_makes_the_same_text() {
    let world = World::new("same");
    assert_eq!(retire::files(&world.sealed), retire::files(&world.sealed.clone()));
    let text = world.text("retire.sql");
    let header: Vec<&str> = text.lines().take_while(|line| line.starts_with("--")).collect();
    for part in [
        "Certificate 4f1e, issued ",
        &world.sealed.expires_at.rfc3339(),
        "3 rows; digest sha256/128:3:",
        &world.sealed.retired_name().sql(),
        "Needs: PostgreSQL 13 or later",
    ] {
        assert!(header.iter().any(|line| line.contains(part)), "{part}\n{text}");
    }
    assert!(text.lines().all(|line| !line.trim_start().starts_with('\\')), "no command of psql");
    assert!(!text.contains("{{"), "{text}");
    assert!(world.sealed.issued_at <= now());
}
