//! What the program finds in ledgers with known truth: every planted defect, and nothing else.
//!
//! `reckon simulate` writes the truth from the rule book while it plants; `reckon reconcile` knows
//! nothing of it. `ACCURACY.md` is written from this run (`UPDATE_GOLDEN=1`) and compared otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::cases::program::reconcile;
use super::cases::table::{Row, Table};

/// Seed, users, months, share of users with a defect.
const LEDGERS: [(u64, u64, u32, &str); 6] = [
    (1, 700, 14, "1"),
    (2, 700, 14, "1"),
    (3, 700, 24, "1"),
    (4, 700, 6, "1"),
    (5, 1500, 14, "0.5"),
    (6, 2500, 36, "0.1"),
];

/// Classes of `findings.csv`; the last is not planted: any finding of it is one too many.
const CLASSES: [&str; 15] = [
    "unmigrated",
    "unmigrated_deduction",
    "amount_mismatch",
    "action_mismatch",
    "time_mismatch",
    "user_mismatch",
    "duplicate",
    "source_duplicate",
    "orphan",
    "split_grant",
    "mislabelled_purchase",
    "unmapped_action",
    "rejected_row",
    "balance_gap",
    "negative_balance",
];

/// A finding by what it says: class, severity, user, rows, repair.
type Said = [String; 6];

#[derive(Debug, Default)]
struct Score {
    planted: usize,
    found: usize,
    right: usize,
}

impl Score {
    fn share(right: usize, of: usize) -> String {
        if of == 0 { "–".to_owned() } else { format!("{:.3}", right as f64 / of as f64) }
    }
}

fn simulate(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reckon"))
        .arg("simulate")
        .args(args)
        .arg("--out")
        .arg(folder)
        .output()
        .unwrap()
}

fn ledger(folder: &Path, (seed, users, months, rate): (u64, u64, u32, &str)) -> PathBuf {
    let (seed, users, months) = (seed.to_string(), users.to_string(), months.to_string());
    let flags = ["--seed", &seed, "--users", &users, "--months", &months, "--rate", rate, "--usage", "3"];
    let output = simulate(folder, &flags);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join("reckon.toml")
}

fn said(row: Row<'_>) -> Said {
    ["class", "severity", "user_id", "legacy_ids", "unified_ids", "repair"]
        .map(|column| row.text(column).to_owned())
}

fn all_said(table: &Table) -> BTreeSet<Said> {
    let all: BTreeSet<Said> = table.rows().map(said).collect();
    assert_eq!(all.len(), table.rows().count(), "a finding stands twice");
    all
}

#[test]
fn every_planted_defect_is_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut classes: BTreeMap<String, Score> = BTreeMap::new();
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = String::new();
    for settings in LEDGERS {
        let place = folder.path().join(settings.0.to_string());
        let run = reconcile(&ledger(&place, settings), &place.join("run"), &[]);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert_eq!(run.summary()["conservation"]["holds"], true);
        let truth_table = Table::read(&place.join("truth.csv"));
        let (truth, found) = (all_said(&truth_table), all_said(&run.table("findings.csv")));
        for row in truth_table.rows() {
            let kind = kinds.entry(row.text("defect").to_owned()).or_default();
            kind.0 += 1;
            kind.1 += usize::from(found.contains(&said(row)));
        }
        for one in &truth {
            classes.entry(one[0].clone()).or_default().planted += 1;
        }
        for one in &found {
            let score = classes.entry(one[0].clone()).or_default();
            score.found += 1;
            score.right += usize::from(truth.contains(one));
        }
        for (name, rows) in [("missed", truth.difference(&found)), ("too much", found.difference(&truth))] {
            for one in rows.take(5) {
                writeln!(wrong, "seed {}: {name}: {one:?}", settings.0).unwrap();
            }
        }
    }
    for class in &CLASSES[..14] {
        assert!(classes.get(*class).is_some_and(|score| score.planted >= 20), "{class} is hardly planted");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    compare_to_document(&document(&classes, &kinds));
}

fn document(classes: &BTreeMap<String, Score>, kinds: &BTreeMap<String, (usize, usize)>) -> String {
    let mut text = include_str!("head.md").to_owned();
    text += "\n| Class | Planted | Found | Precision | Recall |\n|---|--:|--:|--:|--:|\n";
    let none = Score::default();
    for class in CLASSES {
        let score = classes.get(class).unwrap_or(&none);
        let precision = Score::share(score.right, score.found);
        let recall = Score::share(score.right, score.planted);
        writeln!(text, "| `{class}` | {} | {} | {precision} | {recall} |", score.planted, score.found)
            .unwrap();
    }
    text += "\nBy kind of planted defect, as `--defects` names it:\n\n";
    text += "| Kind | Planted | Found |\n|---|--:|--:|\n";
    for (kind, (planted, found)) in kinds {
        writeln!(text, "| `{kind}` | {planted} | {found} |").unwrap();
    }
    text += "\nLedgers: ";
    let ledgers: Vec<String> = LEDGERS
        .iter()
        .map(|(seed, users, months, rate)| {
            format!("seed {seed}: {users} users, {months} months, rate {rate}")
        })
        .collect();
    text + &ledgers.join("; ") + ".\n" + include_str!("tail.md")
}

fn compare_to_document(text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ACCURACY.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(committed == text, "ACCURACY.md is not what this run gives; UPDATE_GOLDEN=1 writes:\n{text}");
}

#[test]
fn a_ledger_without_defects_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    for defects in ["none", "honest_twins,greedy_trap,zero_and_failed"] {
        let place = folder.path().join(defects);
        let flags = ["--seed", "9", "--users", "300", "--rate", "1", "--defects", defects];
        assert!(simulate(&place, &flags).status.success());
        let run = reconcile(&place.join("reckon.toml"), &place.join("run"), &[]);
        assert_eq!((run.code, run.table("findings.csv").rows().count()), (0, 0), "{defects}: {}", run.stderr);
    }
}

#[test]
fn causes_of_planted_patterns_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("uniform_shift", "constant_lag"),
        ("bulk_stamp", "bulk_stamp"),
        ("double_backfill", "double_backfill"),
        ("replay", "replay"),
        ("source_replay", "replay"),
        ("dual_write_copy", "dual_write_and_copy"),
        ("sign_era", "sign_era"),
        ("plug", "plug"),
    ];
    for (defect, cause) in cases {
        let place = folder.path().join(defect);
        let flags = ["--seed", "11", "--users", "60", "--rate", "0.5", "--defects", defect];
        assert!(simulate(&place, &flags).status.success());
        let run = reconcile(&place.join("reckon.toml"), &place.join("run"), &[]);
        let table = run.table("findings.csv");
        let causes: BTreeSet<&str> = table.rows().map(|row| row.text("cause")).collect();
        assert_eq!(causes, BTreeSet::from([cause]), "{defect}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["token_transactions.csv", "token_usage.csv", "user_profiles.csv", "truth.csv"];
    let bytes = |name: &str, seed: &str| -> Vec<Vec<u8>> {
        let place = folder.path().join(name);
        assert!(simulate(&place, &["--seed", seed, "--users", "50", "--rate", "0.5"]).status.success());
        files.iter().map(|file| fs::read(place.join(file)).unwrap()).collect()
    };
    let (first, again, other) = (bytes("a", "3"), bytes("b", "3"), bytes("c", "4"));
    assert_eq!(first, again);
    assert!(first.iter().zip(&other).all(|(first, other)| first != other));
}

#[test]
fn what_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "keep").unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["--users", "5", "--seed", "1"], "already and not empty"),
        (&["--users", "5", "--seed", "1", "--defects", "phantasm"], "no kind of defect"),
        (&["--users", "5", "--seed", "1", "--rate", "1.5"], "from 0 to 1"),
        (&["--users", "5", "--seed", "1", "--months", "2"], "6..=120"),
    ];
    for (flags, message) in cases {
        let output = simulate(folder.path(), flags);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");
}
