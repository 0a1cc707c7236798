//! Files that are started at the same time.

use super::between::Mended;
use super::images::tables;
use super::world::CONFIG;

/// The number of the lock under which files run.
const LOCK: &str = "select pg_advisory_xact_lock(125779785248622)";

#[test]
fn files_that_start_at_once_before_there_is_a_journal_go_through_one_by_one() {
    let mended = Mended::with(&tables(""), CONFIG);
    let before = mended.db.digest("token_usage");
    for _ in 0..8 {
        std::thread::scope(|scope| {
            for file in ["repair", "dedupe", "repair", "dedupe"] {
                scope.spawn(|| mended.applied(file));
            }
        });
        mended.all_is_as_expected();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| mended.applied("undo"));
            }
        });
        assert_eq!(mended.db.digest("token_usage"), before);
        mended.db.sql("drop schema reckon_journal cascade");
    }
}

#[test]
fn a_file_that_waits_too_long_for_another_says_so() {
    let mended = Mended::with(&tables(""), CONFIG);
    let text = mended.text("dedupe").replace("lock_timeout = '5s'", "lock_timeout = '100ms'");
    std::thread::scope(|scope| {
        let holds = scope.spawn(|| mended.db.sql(&format!("begin; {LOCK}; select pg_sleep(3); commit;")));
        let held = "select count(*) from pg_locks where locktype = 'advisory' and granted and database = \
                    (select oid from pg_database where datname = current_database())";
        while mended.db.value(held) == "0" {}
        let error = mended.db.try_sql(&text).unwrap_err();
        let message = format!("another file of reckon is running in database {}", mended.db.name);
        assert!(error.contains(&message) && error.contains("Nothing was changed"), "{error}");
        holds.join().unwrap();
    });
    mended.applied("dedupe");
}
