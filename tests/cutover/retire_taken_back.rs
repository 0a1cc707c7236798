//! `retire.sql` where the table was taken back, by hand or by `unretire.sql`: no step drops it.

use std::time::Duration;

use super::retire_world::{INSERT, World};

/// Triggers of step 1 that stand.
const TRIGGERS: &str = "select count(*) from pg_trigger where tgname like 'reckon_retired%'";

/// A step is refused with these words, and nothing is changed.
fn refused(world: &World, step: usize, words: &[&str]) {
    let before = world.state();
    let error = world.step(step).unwrap_err();
    for word in words {
        assert!(error.contains(word), "step {step}: {word:?} is missing in\n{error}");
    }
    assert_eq!(world.state(), before, "step {step}");
}

/// Runs this while somebody holds the table in a transaction that does `work`, and commits a while after.
fn while_open<T>(world: &World, work: &str, seconds: u32, run: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let script = format!("begin;\n{work}\nselect pg_sleep({seconds});\ncommit;");
        let other = scope.spawn(move || world.db.sql(&script));
        let asleep = "select count(*) from pg_stat_activity \
                      where datname = current_database() and wait_event = 'PgSleep'";
        while world.db.value(asleep) == "0" {
            std::thread::sleep(Duration::from_millis(20));
        }
        let result = run();
        other.join().unwrap();
        result
    })
}

/// `unretire.sql` without its own begin and commit.
fn unretire(world: &World) -> String {
    let text = world.text("unretire.sql");
    let (_, body) = text.split_once("\nbegin;\n").unwrap();
    body.trim_end().strip_suffix("commit;").unwrap().to_owned()
}

#[test]
fn a_table_that_was_given_back_its_name_by_hand_is_not_dropped() {
    for (name, by_hand, called) in [
        ("hand_name", "rename to token_transactions", "public.token_transactions"),
        ("hand_other", "rename to kept", "public.kept"),
        ("hand_schema", "set schema archive", "archive.token_transactions_retired_"),
    ] {
        let world = World::new(name);
        world.db.sql("create schema archive");
        world.steps(&[1, 2]);
        world.db.sql(&format!("alter table {} {by_hand}", world.sealed.retired_name().sql()));
        refused(&world, 2, &["step 2 called the table", called, "Run unretire.sql"]);
        refused(&world, 3, &[called, "was NOT dropped", "Run unretire.sql"]);
        assert!(world.retire().is_err(), "the file as a whole fails too");
        world.unretire().unwrap();
        assert_eq!(world.called(), "token_transactions");
        world.db.sql(INSERT);
        assert_eq!(world.db.value("select count(*) from public.token_transactions"), "4");
    }
}

#[test]
fn a_name_given_and_taken_again_is_the_retired_one() {
    let world = World::new("hand_again");
    world.steps(&[1, 2]);
    let retired = world.sealed.retired_name();
    world.db.sql(&format!("alter table {} rename to token_transactions", retired.sql()));
    world.db.sql(&format!("alter table public.token_transactions rename to {}", retired.name));
    world.steps(&[2, 3]);
    assert_eq!(world.called(), "");
}

#[test]
fn a_step_that_waits_for_unretire_sees_what_it_did() {
    for (name, by_hand) in [("wait", false), ("wait_hand", true)] {
        let world = World::new(name);
        world.steps(&[1, 2]);
        if by_hand {
            let retired = world.sealed.retired_name().sql();
            world.db.sql(&format!("alter table {retired} rename to token_transactions"));
        }
        let error = while_open(&world, &unretire(&world), 3, || world.step(3)).unwrap_err();
        assert!(error.contains("step 2 has not been done") && error.contains("was not dropped"), "{error}");
        assert_eq!((world.called().as_str(), world.in_force()), ("token_transactions", vec![]));
        world.db.sql(INSERT);
    }
}

#[test]
fn a_step_looks_at_the_journal_again_once_it_has_its_lock() {
    let world = World::new("wait_journal");
    world.steps(&[1, 2]);
    let ends = format!(
        "lock table {} in access exclusive mode;
         update reckon_journal.retirement set ended_at = now(), ended_by = 'somebody';",
        world.sealed.retired_name().sql()
    );
    let error = while_open(&world, &ends, 3, || world.step(3)).unwrap_err();
    assert!(error.contains("step 3") && error.contains("while this waited for its lock"), "{error}");
    assert_eq!(world.called(), world.sealed.retired_name().name);
}

#[test]
fn step_1_beside_unretire_leaves_no_triggers_that_nobody_knows_of() {
    let world = World::new("step_1_beside");
    world.steps(&[1]);
    world.db.sql("drop trigger reckon_retired on public.token_transactions");
    while_open(&world, &unretire(&world), 3, || world.step(1)).unwrap();
    assert_eq!((world.db.value(TRIGGERS).as_str(), world.in_force()), ("2", vec!["1".to_owned()]));
    world.unretire().unwrap();
    world.db.sql(INSERT);
}

#[test]
fn unretire_removes_triggers_that_no_journal_knows() {
    for (name, lost) in [
        ("lost_rows", "delete from reckon_journal.retirement"),
        ("lost_ended", "update reckon_journal.retirement set ended_at = now()"),
        ("lost_table", "drop table reckon_journal.retirement"),
    ] {
        let world = World::new(name);
        world.steps(&[1]);
        world.db.sql(lost);
        world.unretire().unwrap();
        world.db.sql(INSERT);
        let state = world.state();
        world.unretire().unwrap();
        assert_eq!(world.state(), state, "a second run changes nothing");
    }
}

#[test]
fn a_second_run_waits_for_the_first_and_says_so() {
    let world = World::new("serial");
    let held = "select pg_advisory_xact_lock(125779785248622);";
    for file in ["step 1", "unretire"] {
        let error = while_open(&world, held, 7, || match file {
            "unretire" => world.unretire(),
            _ => world.step(1),
        })
        .unwrap_err();
        assert!(error.contains(&format!("reckon: {file}: another")), "{error}");
        assert!(error.contains("Nothing was changed"), "{error}");
    }
}
