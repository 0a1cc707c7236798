//! `retire.sql` where something is not as it was certified: it stops with an error, nothing is changed.

use std::sync::mpsc;

use reckon::cutover::retire;
use reckon::domain::{Instant, Span};

use super::retire_world::{DAY, INSERT, World};

/// A step after others and after what happened in between: refused with these words, nothing changed.
fn refuses(name: &str, done: &[usize], happened: &str, step: usize, words: &[&str]) {
    let world = World::new(name);
    world.steps(done);
    world.db.sql(happened);
    refused(&world, step, words);
}

fn refused(world: &World, step: usize, words: &[&str]) {
    let before = world.state();
    let error = world.step(step).unwrap_err();
    for word in words {
        assert!(error.contains(word), "step {step}: {word:?} is missing in\n{error}");
    }
    assert!(
        error.contains(&format!("reckon: step {step}:")) && error.contains("Nothing was changed"),
        "{error}"
    );
    assert_eq!(world.state(), before, "step {step}");
}

/// As somebody would who knows the triggers.
fn force(write: &str) -> String {
    format!(
        "alter table public.token_transactions disable trigger user; {write};
         alter table public.token_transactions enable always trigger reckon_retired;
         alter table public.token_transactions enable always trigger reckon_retired_row;"
    )
}

#[test]
fn a_write_after_the_certificate_stops_every_step() {
    let more = "it has 4 rows, certified were 3";
    refuses("write_1", &[], INSERT, 1, &["is not as it was certified", more, "Run reckon cutover again"]);
    refuses("write_2", &[1], &force(INSERT), 2, &["is not as it was certified", more]);
    let world = World::new("write_3");
    world.steps(&[1, 2]);
    let retired = world.sealed.retired_name().name;
    world.db.sql(&force(INSERT).replace("token_transactions", &retired));
    // The table has another name now: there is no other certificate before it has its own again.
    refused(&world, 3, &["is not as it was certified", more, "Run unretire.sql, then reckon cutover again"]);
    let mut world = world;
    world.unretire().unwrap();
    world.certify();
    world.retire().unwrap();
    assert_eq!(world.called(), "");
}

#[test]
fn a_client_that_goes_on_after_an_error_changes_nothing_either() {
    let world = World::new("goes_on_after");
    world.db.sql(INSERT);
    let before = world.state();
    let said = world.db.try_sql(&format!("\\set ON_ERROR_STOP off\n{}", world.text("retire.sql")));
    assert!(said.is_ok(), "psql itself sees no failure: {said:?}");
    assert_eq!(world.state(), before);
}

#[test]
fn it_sees_any_change_of_the_rows() {
    let same_count = "it has 3 rows, certified were 3";
    for (at, change) in [
        "update public.token_transactions set amount = 100.5 where id = 1",
        "update public.token_transactions set amount = amount + 0.01 where id = 2",
        "update public.token_transactions set note = null where id = 3",
        "update public.token_transactions set created_at = created_at + interval '1 microsecond' where id = 2",
        "delete from public.token_transactions where id = 3; insert into public.token_transactions \
           select 4, user_id, amount, note, created_at from public.token_transactions where id = 2",
    ]
    .iter()
    .enumerate()
    {
        // The text of a numeric(12,2) is the same for 100.5: nothing has changed.
        if at == 0 {
            let world = World::new("same_value");
            world.db.sql(change);
            world.step(1).unwrap();
        } else {
            refuses(&format!("change_{at}"), &[], change, 1, &["is not as it was certified", same_count]);
        }
    }
}

#[test]
fn it_sees_any_change_of_the_columns() {
    for (at, change) in [
        "add column more int",
        "drop column note",
        "rename column note to notes",
        "alter column amount type numeric(14, 2)",
        "alter column id type bigint",
    ]
    .iter()
    .enumerate()
    {
        let change = format!("alter table public.token_transactions {change}");
        refuses(&format!("column_{at}"), &[1], &change, 2, &["the columns of public.token_transactions"]);
    }
}

#[test]
fn the_expiry_gates_step_1_only() {
    let mut world = World::new("expired");
    let good = world.sealed.expires_at;
    world.sealed.expires_at = Instant(good.0 - 2 * DAY);
    refused(&world, 1, &["the certificate 4f1e has expired at", "Run reckon cutover again"]);
    world.sealed.expires_at = good;
    world.step(1).unwrap();
    world.sealed.expires_at = Instant(good.0 - 2 * DAY);
    world.steps(&[1, 2, 3]);
    assert_eq!(world.called(), "");
}

#[test]
fn the_steps_go_in_their_order() {
    let order = "Run the steps of this file in their order";
    refuses("order_2", &[], "", 2, &["step 1 has not been done", order]);
    refuses("order_3", &[], "", 3, &["step 2 has not been done", order]);
    refuses("order_13", &[1], "", 3, &["step 2 has not been done", "it was not dropped", order]);
    let world = World::new("order_back");
    world.steps(&[1]);
    world.unretire().unwrap();
    refused(&world, 2, &["step 1 has not been done: writes to public.token_transactions are not forbidden"]);
}

#[test]
fn a_table_is_held_as_long_as_was_promised() {
    let mut world = World::new("hold");
    world.sealed.hold = Span(14 * DAY);
    world.steps(&[1, 2]);
    refused(&world, 3, &["was NOT dropped: it is held until 20"]);
    let error = world.retire().unwrap_err();
    assert!(error.contains("was NOT dropped"), "the file as a whole fails too: {error}");
    let passed = "update reckon_journal.retirement set done_at = done_at - interval '14 days', \
                  hold_until = hold_until - interval '14 days' where step = 2";
    world.db.sql(passed);
    world.step(3).unwrap();
    assert_eq!(world.called(), "");
}

#[test]
fn without_an_archive_nothing_is_dropped() {
    let mut world = World::new("no_archive");
    let archive = world.sealed.archive.take();
    world.steps(&[1, 2]);
    refused(
        &world,
        3,
        &["was NOT dropped: the certificate names no archive", "reckon cutover --archive DIR"],
    );
    assert!(!world.text("retire.sql").contains("drop table"));
    world.sealed.archive = archive;
    world.step(3).unwrap();
}

#[test]
fn the_archive_of_other_rows_or_columns_drops_nothing() {
    let mut world = World::new("wrong_archive");
    world.steps(&[1, 2]);
    let good = world.sealed.archive.clone().unwrap();
    let words = &[
        "was NOT dropped: the archive holds another table",
        "Run unretire.sql, then reckon cutover --archive DIR",
    ];
    for wrong in [0, 1, 2] {
        let mut archive = good.clone();
        match wrong {
            0 => archive.digest.rows += 1,
            1 => archive.digest.low += 1,
            _ => archive.shape.push('0'),
        }
        world.sealed.archive = Some(archive);
        refused(&world, 3, words);
    }
    world.sealed.archive = Some(good);
    world.step(3).unwrap();
}

#[test]
fn what_depends_on_it_stops_the_drop() {
    for (name, planted, named) in [
        (
            "view",
            "create view public.report as select id from public.token_transactions",
            "view public.report",
        ),
        (
            "foreign_key",
            "create table public.child (id int references public.token_transactions)",
            "constraint child_id_fkey on table public.child",
        ),
    ] {
        let world = World::new(name);
        world.db.sql(planted);
        world.steps(&[1, 2]);
        refused(
            &world,
            3,
            &["was NOT dropped: other objects depend on it", named, "Do not drop it with cascade"],
        );
        world.unretire().unwrap();
        assert_eq!(world.called(), "token_transactions");
    }
}

#[test]
fn triggers_that_somebody_took_away_are_missed() {
    let gone = "drop trigger reckon_retired on public.token_transactions";
    let off = "alter table public.token_transactions disable trigger reckon_retired_row";
    let weaker = "alter table public.token_transactions enable trigger reckon_retired";
    for (at, change) in [gone, off, weaker].into_iter().enumerate() {
        let mut world = World::new(&format!("triggers_{at}"));
        world.steps(&[1]);
        world.db.sql(change);
        refused(
            &world,
            2,
            &["the triggers that forbid writes to public.token_transactions are gone or turned off"],
        );
        let good = world.sealed.expires_at;
        world.sealed.expires_at = Instant(0);
        refused(&world, 1, &["has expired", "Run unretire.sql, then reckon cutover again"]);
        world.sealed.expires_at = good;
        world.steps(&[1, 2]);
        assert_eq!(world.in_force(), ["1", "2"], "step 1 puts them back");
    }
}

#[test]
fn another_table_of_the_same_name_is_not_the_certified_one() {
    let copy = "alter table public.token_transactions rename to elsewhere;
         create table public.token_transactions (like public.elsewhere including all);
         insert into public.token_transactions select * from public.elsewhere";
    refuses(
        "replaced",
        &[],
        copy,
        1,
        &["the certified table public.token_transactions is called public.elsewhere now"],
    );
    refuses("replaced_2", &[1], copy, 2, &["is called public.elsewhere now"]);
    let gone = format!("{copy}; drop table public.elsewhere");
    refuses("replaced_gone", &[], &gone, 1, &["has no table of oid", "a copy of it has another oid"]);
}

#[test]
fn a_tree_of_tables_is_refused() {
    let child = "create table public.child () inherits (public.token_transactions)";
    refuses("tree", &[], child, 1, &["is no plain table"]);
}

#[test]
fn a_table_that_joined_a_tree_between_two_steps_is_refused() {
    let attach = |name: &str| {
        format!(
            "create table public.archive_all (like {name}) partition by range (created_at);
             alter table public.archive_all attach partition {name} default"
        )
    };
    let inherit = |name: &str| {
        format!("create table public.heap (id integer, user_id uuid); alter table {name} inherit public.heap")
    };
    let certified = "public.token_transactions";
    refuses("attached_2", &[1], &attach(certified), 2, &["is no plain table"]);
    refuses("inherits_2", &[1], &inherit(certified), 2, &["is no plain table"]);
    for (name, join) in [("attached_3", &attach as &dyn Fn(&str) -> String), ("inherits_3", &inherit)] {
        let world = World::new(name);
        world.steps(&[1, 2]);
        let retired = world.sealed.retired_name().sql();
        world.db.sql(&join(&retired));
        refused(&world, 3, &["is no plain table", "Detach it"]);
        let leave = match name {
            "attached_3" => format!("alter table public.archive_all detach partition {retired}"),
            _ => format!("alter table {retired} no inherit public.heap"),
        };
        world.db.sql(&leave);
        world.step(3).unwrap();
        assert_eq!(world.called(), "", "{name}");
    }
}

#[test]
fn what_a_drop_would_take_along_and_was_not_certified_is_refused() {
    let stamp =
        "create function public.stamp() returns trigger language plpgsql as $$ begin return new; end $$";
    for (name, planted, named) in [
        ("rule", "create rule shut as on delete to {} do instead nothing", "rule shut"),
        ("publication", "create publication listed for table {}", "publication listed"),
        ("everything", "create publication everything for all tables", "publication everything"),
        ("of_schema", "create publication of_schema for tables in schema public", "publication of_schema"),
        (
            "trigger",
            "create trigger stamped before insert on {} for each row execute function public.stamp()",
            "trigger stamped",
        ),
    ] {
        let words = ["is in use again", named];
        let plant = |table: &str| format!("{stamp}; {}", planted.replace("{}", table));
        refuses(&format!("{name}_1"), &[], &plant("public.token_transactions"), 1, &words);
        refuses(&format!("{name}_2"), &[1], &plant("public.token_transactions"), 2, &words);
        let world = World::new(&format!("{name}_3"));
        world.steps(&[1, 2]);
        world.db.sql(&plant(&world.sealed.retired_name().sql()));
        refused(&world, 3, &words);
    }
}

#[test]
fn a_publication_that_was_accepted_is_not_refused_unless_it_lists_the_table_since() {
    let mut world = World::new("accepted");
    world.db.sql("create publication accepted for tables in schema public");
    world.sealed.publications = vec!["other".to_owned(), "accepted".to_owned()];
    world.steps(&[1]);
    world.db.sql("alter publication accepted add table public.token_transactions");
    refused(&world, 2, &["is in use again", "publication accepted"]);
    world.db.sql("alter publication accepted drop table public.token_transactions");
    world.steps(&[2, 3]);
    assert_eq!(world.called(), "");
}

#[test]
fn a_taken_name_is_not_overwritten() {
    let world = World::new("taken");
    world.steps(&[1]);
    let retired = world.sealed.retired_name().sql();
    world.db.sql(&format!("create table {retired} (id int)"));
    refused(&world, 2, &[&format!("there is a {retired} already")]);
    world.db.sql(&format!("drop table {retired}"));
    world.steps(&[2]);
    world.db.sql("create table public.token_transactions (id int)");
    let error = world.unretire().unwrap_err();
    assert!(
        error.contains("cannot have its name back: there is another public.token_transactions"),
        "{error}"
    );
    world.db.sql("drop table public.token_transactions");
    world.unretire().unwrap();
}

#[test]
fn a_writer_that_has_not_committed_is_waited_for_and_then_seen() {
    let world = World::new("writer");
    let (begun, has_begun) = mpsc::channel();
    std::thread::scope(|scope| {
        // Holds its row for longer than a step waits for its lock.
        let writer = scope.spawn(|| {
            begun.send(()).unwrap();
            world.db.sql(&format!("begin; {INSERT}; select pg_sleep(8); commit;"));
        });
        has_begun.recv().unwrap();
        let writes = "select count(*) from pg_locks where relation = 'public.token_transactions'::regclass \
                      and mode = 'RowExclusiveLock' and granted";
        while world.db.value(writes) == "0" {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        refused(&world, 1, &["is in use: its lock was not to be had within 5s"]);
        // This time it waits until the writer has committed, and sees what it wrote.
        refused(&world, 1, &["it has 4 rows, certified were 3"]);
        writer.join().unwrap();
    });
}

#[test]
fn a_no_go_holds_reasons_and_nothing_to_run() {
    let world = World::new("no_go");
    let reasons = [
        "views: public.report reads it".to_owned(),
        "it's\n; drop table public.token_transactions; --".to_owned(),
    ];
    let file = retire::refused(&reasons);
    assert_eq!(file.name, "retire.sql");
    assert!(file.text.starts_with("-- reckon, retire.sql: NO-GO."), "{}", file.text);
    assert!(file.text.contains("\n-- - views: public.report reads it\n"), "{}", file.text);
    let state = world.state();
    let error = world.db.try_sql(&file.text).unwrap_err();
    assert!(error.contains("reckon: NO-GO") && error.contains("views: public.report reads it"), "{error}");
    assert_eq!(world.state(), state);
    for word in ["begin;", "rename", "lock table", "create trigger"] {
        assert!(!file.text.contains(word), "{word}");
    }
}
