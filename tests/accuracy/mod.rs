//! What the program finds in ledgers with known truth: every planted defect, and nothing else.
//!
//! `reckon simulate` writes the truth from the rule book while it plants; `reckon reconcile` knows
//! nothing of it. `ACCURACY.md` is written from this run (`UPDATE_GOLDEN=1`) and compared otherwise.

mod document;
mod score;
mod simulated;
mod sql;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::cases::program::reconcile;
use score::Scores;
use simulated::simulate;

/// A ledger to be made and reconciled.
#[derive(Debug, Clone, Copy)]
struct Ledger {
    seed: u64,
    users: u64,
    months: u32,
    shape: &'static str,
    rate: &'static str,
    per_user: u32,
    defects: &'static str,
}

/// Everything but the policies, which set the configuration.
const NO_POLICY: &str = "all,-opening,-reset,-clamp,-expired,-pool";

const LEDGERS: [Ledger; 12] = [
    Ledger { seed: 1, users: 600, months: 14, shape: "b", rate: "1", per_user: 1, defects: NO_POLICY },
    Ledger { seed: 2, users: 500, months: 14, shape: "b", rate: "1", per_user: 3, defects: NO_POLICY },
    Ledger { seed: 3, users: 400, months: 24, shape: "a", rate: "1", per_user: 3, defects: NO_POLICY },
    Ledger { seed: 4, users: 400, months: 6, shape: "a", rate: "1", per_user: 6, defects: NO_POLICY },
    Ledger { seed: 5, users: 900, months: 14, shape: "b", rate: "0.5", per_user: 6, defects: NO_POLICY },
    Ledger { seed: 6, users: 1_000, months: 36, shape: "b", rate: "0.1", per_user: 2, defects: NO_POLICY },
    Ledger { seed: 7, users: 300, months: 2, shape: "b", rate: "1", per_user: 4, defects: NO_POLICY },
    with_policy(8, "all,-reset,-clamp,-expired,-pool"),
    with_policy(9, "all,-opening,-clamp,-expired,-pool"),
    with_policy(10, "all,-opening,-reset,-expired,-pool"),
    with_policy(11, "all,-opening,-reset,-clamp,-pool"),
    with_policy(12, "all,-opening,-reset,-clamp,-expired"),
];

/// One policy beside all defects: two would hide each other.
const fn with_policy(seed: u64, defects: &'static str) -> Ledger {
    Ledger { seed, users: 300, months: 12, shape: "b", rate: "1", per_user: 3, defects }
}

#[test]
fn every_planted_defect_is_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut scores = Scores::default();
    for ledger in LEDGERS {
        let place = folder.path().join(ledger.seed.to_string());
        let runs = ["csv", "parquet"].map(|format| {
            let place = place.join(format);
            let config = ledger.make(&place, format);
            let run = reconcile(&config, &place.join("run"), &[]);
            assert_eq!(run.code, 1, "{ledger:?} {format}: {}", run.stderr);
            assert_eq!(run.summary()["conservation"]["holds"], true);
            run
        });
        let [csv, parquet] = &runs;
        scores.take(&ledger, &place.join("csv"), csv);
        for file in ["findings.csv", "balances.csv"] {
            // What the two forms cannot both hold: text where a number should be.
            let same = simulated::without_evidence(&csv.table(file))
                == simulated::without_evidence(&parquet.table(file));
            assert!(same, "{ledger:?}: {file} from CSV is not that from Parquet");
        }
    }
    for class in &document::CLASSES {
        let planted = scores.classes.get(*class).map_or(0, |score| score.planted);
        assert!(planted >= 20, "{class} is hardly planted: {planted}");
    }
    assert!(scores.wrong.is_empty(), "\n{}", scores.wrong);
    document::compare(&document::of(&scores, &LEDGERS));
}

#[test]
fn a_ledger_without_defects_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let honest = "honest_twins,greedy_trap,zero_and_failed,legacy_usage,future,pending,two_profiles";
    for (shape, defects) in [("a", "none"), ("b", "none"), ("a", honest), ("b", honest)] {
        let place = folder.path().join(format!("{shape}-{}", defects.len()));
        let flags = [
            "--seed",
            "9",
            "--users",
            "300",
            "--rate",
            "1",
            "--per-user",
            "7",
            "--shape",
            shape,
            "--defects",
            defects,
        ];
        assert!(simulate(&place, &flags).status.success());
        let run = reconcile(&place.join("reckon.toml"), &place.join("run"), &[]);
        assert_eq!((run.code, run.table("findings.csv").rows().count()), (0, 0), "{defects}: {}", run.stderr);
    }
}

#[test]
fn what_a_policy_takes_away_and_something_else_takes_then_is_planted_too() {
    let folder = tempfile::tempdir().unwrap();
    // Users, seed, share, use, kinds; and how many have a deduction behind the end of their trial, or are
    // planted so.
    let ledgers = [
        ("20", "36", "0.2", "10", "expired", 1),
        ("700", "1", "0.05", "10", "expired", 3),
        ("150", "5", "1", "3", "all,-opening,-reset,-clamp,-pool", 8),
    ];
    for (users, seed, rate, usage, defects, count) in ledgers {
        let place = folder.path().join(seed);
        let flags = [
            ["--users", users],
            ["--seed", seed],
            ["--rate", rate],
            ["--usage", usage],
            ["--defects", defects],
        ];
        assert!(simulate(&place, &flags.concat()).status.success());
        let run = reconcile(&place.join("reckon.toml"), &place.join("run"), &[]);
        let below_zero = |table: super::cases::table::Table, user: &str| -> BTreeSet<String> {
            let rows = table.rows().filter(|row| row.text("class") == "negative_balance");
            rows.map(|row| row.text(user).to_owned()).collect()
        };
        let found = below_zero(run.table("findings.csv"), "user_id");
        let truth = super::cases::table::Table::read(&place.join("truth_findings.csv"));
        assert_eq!(found, below_zero(truth, "user_id"), "{seed}");
        assert_eq!(found.len(), count, "{seed}");
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

/// All files of a folder, by name.
fn bytes_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_the_threads_and_another_does_not() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["csv", "parquet", "sql"] {
        let bytes = |name: &str, seed: &str, threads: &str| {
            let place = folder.path().join(format!("{format}-{name}"));
            let flags =
                ["--seed", seed, "--users", "500", "--rate", "0.5", "--threads", threads, "--format", format];
            assert!(simulate(&place, &flags).status.success());
            bytes_of(&place)
        };
        let (first, again, other) = (bytes("a", "3", "1"), bytes("b", "3", "7"), bytes("c", "4", "2"));
        assert!(first == again, "{format}: the bytes depend on the number of threads");
        let tables = ["token_transactions", "token_usage", "user_profiles", "truth"];
        for ((name, one), (_, other)) in first.iter().zip(&other) {
            let is_table = tables.iter().any(|table| name.starts_with(table));
            assert!(!is_table || one != other, "{format}: another seed, the same {name}");
        }
    }
}

#[test]
fn a_second_ledger_can_lack_users_and_has_all_else() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |name: &str, vanished: &str| -> BTreeSet<String> {
        let place = folder.path().join(name);
        let flags = ["--seed", "5", "--users", "400", "--rate", "0.3", "--vanished", vanished];
        assert!(simulate(&place, &flags).status.success());
        fs::read_to_string(place.join("token_transactions.csv")).unwrap().lines().map(str::to_owned).collect()
    };
    let (before, after) = (rows("before", "0"), rows("after", "0.1"));
    assert!(after.len() < before.len() && after.len() * 2 > before.len());
    assert!(after.is_subset(&before));
}

#[test]
fn kinds_have_the_shares_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let flags = [
        "--seed",
        "6",
        "--users",
        "2000",
        "--rate",
        "0",
        "--defect-share",
        "replay=0.1,orphan=0.02",
        "--defects",
        "none",
    ];
    assert!(simulate(folder.path(), &flags).status.success());
    let truth = super::cases::table::Table::read(&folder.path().join("truth_findings.csv"));
    let count = |kind: &str| truth.rows().filter(|row| row.text("defect") == kind).count();
    assert!((150..250).contains(&count("replay")), "{}", count("replay"));
    assert!((20..60).contains(&count("orphan")), "{}", count("orphan"));
    assert_eq!(truth.rows().count(), count("replay") + count("orphan"));
}

#[test]
fn what_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "keep").unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["--users", "5", "--seed", "1"], "already and not empty"),
        (&["--users", "5", "--seed", "1", "--defects", "phantasm"], "no kind of defect"),
        (&["--users", "5", "--seed", "1", "--rate", "1.5"], "from 0 to 1"),
        (&["--users", "5", "--seed", "1", "--rate", "NaN"], "from 0 to 1"),
        (&["--users", "5", "--seed", "1", "--months", "0"], "1..=120"),
        (&["--users", "5", "--seed", "1", "--defect-share", "replay"], "KIND=SHARE"),
        (&["--users", "5", "--seed", "1", "--defect-share", "replay=7"], "from 0 to 1"),
        (&["--users", "5", "--seed", "1", "--as-of", "soon"], "--as-of soon"),
        (&["--users", "5", "--seed", "1", "--format", "typescript"], "csv, parquet, sql"),
    ];
    for (flags, message) in cases {
        let output = simulate(folder.path(), flags);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was written");
}
