//! What the README promises of the SQL, on the whole demo and on simulated ledgers in a real database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::postgres::{demo_in, without};
use super::program::{Run, reconcile};
use crate::postgres::cluster::{Cluster, Db};

const UNIFIED: &str = "public.token_usage";

/// The demo in a database, and a configuration that reads it there.
fn demo(folder: &Path) -> (Db, PathBuf) {
    let db = Cluster::shared().database("mend");
    let config = demo_in(&db);
    let file = folder.join("reckon.toml");
    std::fs::write(&file, without(&config, &["path = ", "stored = "])).unwrap();
    (db, file)
}

fn run(db: &Db, config: &Path, out: PathBuf) -> Run {
    let run = reconcile(config, &out, &[("DATABASE_URL", &db.url())]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    run
}

fn apply(db: &Db, run: &Run) {
    for file in ["backfill.sql", "repair.sql", "dedupe.sql"] {
        db.file(&run.out.join(file));
    }
}

/// What psql prints of `verify.sql`.
fn verify(db: &Db, run: &Run) -> String {
    db.try_file(&run.out.join("verify.sql")).unwrap()
}

/// Lines that have this cell.
fn count(printed: &str, cell: &str) -> usize {
    printed.lines().filter(|line| line.split('|').any(|found| found.trim() == cell)).count()
}

/// A column of `balances.csv` by user.
fn balances(run: &Run, column: &str) -> BTreeMap<String, String> {
    let table = run.table("balances.csv");
    table.rows().map(|row| (row.text("user_id").to_owned(), row.text(column).to_owned())).collect()
}

#[test]
fn after_the_sql_only_what_is_for_people_is_left_and_undo_takes_all_of_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let (db, config) = demo(folder.path());
    mends(&db, &config, folder.path());
}

/// Every kind of defect planted, many times over.
#[test]
fn simulated_ledgers_are_mended_to_the_last_row() {
    for seed in ["11", "12", "13"] {
        let folder = tempfile::tempdir().unwrap();
        let simulated = folder.path().join("simulated");
        let status = Command::new(env!("CARGO_BIN_EXE_reckon"))
            .args(["simulate", "--users", "150", "--rate", "0.9", "--seed", seed, "--format", "sql", "--out"])
            .arg(&simulated)
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        let db = Cluster::shared().database("simulated");
        db.file(&simulated.join("load.sql"));
        mends(&db, &simulated.join("reckon.toml"), folder.path());
    }
}

fn mends(db: &Db, config: &Path, folder: &Path) {
    let before = db.digest(UNIFIED);
    let first = run(db, config, folder.join("first"));
    let unmet = count(&verify(db, &first), "f");
    assert!(unmet > 0, "before the SQL, no expectation is met");
    apply(db, &first);

    let second = run(db, config, folder.join("second"));
    let findings = second.table("findings.csv");
    let executable: Vec<String> = findings
        .rows()
        .filter(|row| !["review", "none"].contains(&row.text("repair")))
        .map(|row| format!("{} {} {}", row.text("class"), row.text("legacy_ids"), row.text("unified_ids")))
        .collect();
    assert!(executable.is_empty(), "still to be mended:\n{}", executable.join("\n"));
    assert!(findings.rows().any(|row| row.text("repair") == "review"), "what is for people stays");
    assert_eq!(balances(&second, "recomputed"), balances(&first, "corrected"));

    let checks = verify(db, &first);
    assert_eq!(count(&checks, "f"), 0, "{checks}");
    assert!(count(&checks, "t") >= unmet, "{checks}");

    let mended = db.digest(UNIFIED);
    assert_ne!(mended, before);
    apply(db, &first);
    assert_eq!(db.digest(UNIFIED), mended, "a second application changes nothing");

    db.file(&first.out.join("undo.sql"));
    assert_eq!(db.digest(UNIFIED), before, "undo.sql takes back exactly what the others did");
    let third = run(db, config, folder.join("third"));
    assert_eq!(third.bytes("findings.csv"), first.bytes("findings.csv"));
}
