//! The SQL of a run, applied to a real server: afterwards only what is for people is left, and each
//! balance is what was said; taken back, both tables are what they were.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::files;
use super::generate::{self, Mood};
use super::ledger::{Ledgers, Row};
use super::notation;
use crate::postgres::cluster::{Cluster, Db};

const TABLES: [&str; 2] = ["public.legacy", "public.unified"];

/// The id as a UUID whose order is that of the ids.
fn uuid(id: &str) -> String {
    let mut hex: String = id.bytes().take(16).map(|byte| format!("{byte:02x}")).collect();
    while hex.len() < 32 {
        hex.push('0');
    }
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn with_uuids(mut ledgers: Ledgers) -> Ledgers {
    for row in ledgers.legacy.iter_mut().chain(&mut ledgers.unified) {
        row.id = uuid(&row.id);
        row.link = row.link.as_deref().map(uuid);
    }
    ledgers
}

fn insert(table: &str, rows: &[Row]) -> String {
    let quoted = |text: Option<&str>| match text.filter(|text| !text.is_empty()) {
        Some(text) => format!("'{text}'"),
        None => "null".to_owned(),
    };
    let mut sql = String::new();
    for row in rows {
        let mut refs = row.refs.iter().map(String::as_str);
        let cells = [
            quoted(Some(&row.id)),
            quoted(Some(&row.user)),
            quoted(Some(&row.label)),
            row.amount.map_or("null".to_owned(), |amount| amount.to_string()),
            quoted(row.at.map(files::instant).as_deref()),
            quoted(refs.next()),
            quoted(refs.next()),
            quoted(row.payment.then_some("paid")),
            quoted(row.link.as_deref()),
            quoted(row.migrated.then_some("token_transactions")),
            (!row.failed).to_string(),
        ];
        writeln!(sql, "insert into {table} values ({});", cells.join(", ")).unwrap();
    }
    sql
}

/// Puts the ledgers into the database, whatever was there.
fn fill(db: &Db, ledgers: &Ledgers) {
    let mut sql =
        "set client_min_messages = error; drop schema if exists reckon_journal cascade;\n".to_owned();
    for (table, rows) in TABLES.into_iter().zip([&ledgers.legacy, &ledgers.unified]) {
        writeln!(
            sql,
            "drop table if exists {table}; create table {table} (id uuid primary key, \"user\" text, action text, \
             amount bigint, at timestamptz, ref_a text, ref_b text, payment text, link text, migrated text, \
             success boolean not null default true);"
        )
        .unwrap();
        sql += &insert(table, rows);
    }
    db.sql(&sql);
}

fn configuration(ledgers: &Ledgers) -> String {
    let toml = files::toml_of(&ledgers.rules);
    toml.replace("path = \"legacy.csv\"", "table = \"public.legacy\"")
        .replace("path = \"unified.csv\"", "table = \"public.unified\"")
}

fn digests(db: &Db) -> Vec<String> {
    TABLES.iter().map(|table| db.digest(table)).collect()
}

/// A column of `balances.csv` by user.
fn column(out: &Path, name: &str) -> BTreeMap<String, String> {
    let mut reader = csv::Reader::from_path(out.join("balances.csv")).unwrap();
    let rows = reader.deserialize::<BTreeMap<String, String>>().map(|row| row.unwrap());
    rows.map(|row| (row["user_id"].clone(), row[name].clone())).collect()
}

/// Lines of the findings whose repair somebody could run.
fn executable(out: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(out.join("findings.csv")).unwrap();
    let rows = reader.deserialize::<BTreeMap<String, String>>().map(|row| row.unwrap());
    rows.filter(|row| !["review", "none"].contains(&row["repair"].as_str()))
        .map(|row| {
            format!("{} [{}] [{}] {}", row["class"], row["legacy_ids"], row["unified_ids"], row["repair"])
        })
        .collect()
}

fn apply(db: &Db, out: &Path) {
    for file in ["backfill.sql", "repair.sql", "dedupe.sql"] {
        db.file(&out.join(file));
    }
}

/// Mends until nothing executable is left, at most `rounds` times; each step keeps its word.
fn mend(db: &Db, ledgers: &Ledgers, rounds: usize) -> Result<(), TestCaseError> {
    let mut filled = ledgers.clone();
    filled.legacy.extend(files::grant_of_nothing(ledgers));
    fill(db, &filled);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("reckon.toml"), configuration(ledgers)).unwrap();
    let url = db.url();
    let night = |name: &str| {
        files::reconcile(folder.path(), ledgers.rules.as_of, name, &[], Some(&url));
        folder.path().join(name)
    };
    let text = notation::text(ledgers);
    let before = digests(db);
    let mut runs = vec![night("run0")];
    loop {
        let run = runs.last().unwrap().clone();
        let promised = column(&run, "corrected");
        let untouched = digests(db);
        apply(db, &run);
        let mended = digests(db);
        prop_assert_eq!(&mended[0], &untouched[0], "the legacy table is left alone\n{}", &text);
        apply(db, &run);
        prop_assert_eq!(&digests(db), &mended, "a second application changes nothing\n{}", &text);
        let checks = db.try_file(&run.join("verify.sql")).unwrap();
        let is_unmet = |line: &str| line.split('|').any(|cell| cell.trim() == "f");
        prop_assert!(!checks.lines().any(is_unmet), "{}\n{}", checks, &text);
        let next = night(&format!("run{}", runs.len()));
        prop_assert_eq!(column(&next, "recomputed"), promised, "{}", &text);
        let left = executable(&next);
        if left.is_empty() {
            break;
        }
        prop_assert!(
            runs.len() < rounds,
            "still to be mended after {} rounds: {:#?}\n{}",
            rounds,
            left,
            &text
        );
        runs.push(next);
    }
    for run in runs.iter().rev() {
        db.file(&run.join("undo.sql"));
    }
    prop_assert_eq!(digests(db), before, "taken back\n{}", &text);
    Ok(())
}

proptest! {
    #![proptest_config(generate::config(15))]

    #[test]
    fn what_is_mended_stays_mended_and_can_be_taken_back(ledgers in generate::ledgers(Mood::Everything)) {
        let db = Cluster::shared().database("mending");
        // A purchase under another label gets its label first, and its time in the next round.
        let rounds = if ledgers.rules.repair_time { 2 } else { 1 };
        mend(&db, &with_uuids(ledgers), rounds)?;
    }
}
