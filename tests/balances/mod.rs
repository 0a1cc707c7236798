//! Ledgers with known policies and planted gaps, through the program itself.
//!
//! The stored balances are kept here row by row, in the plainest way; the program must explain each
//! gap, but for exactly what was planted on top.

mod keep;
mod ledger;

use std::collections::BTreeMap;

use crate::cases::program::reconcile;
use keep::Policies;
use ledger::{Ledger, Planted};

/// One row of `balances.csv`.
type Row = BTreeMap<String, String>;

fn rows(text: &[u8]) -> Vec<Row> {
    csv::Reader::from_reader(text).deserialize().map(Result::unwrap).collect()
}

fn number(row: &Row, column: &str) -> i128 {
    row[column].parse().unwrap_or_else(|_| panic!("{column}: {:?}", row[column]))
}

/// What a run says against what was planted.
fn check(seed: u64, policies: Policies, users: usize) -> BTreeMap<(Planted, String), u64> {
    let ledger = Ledger::new(seed, policies, users);
    let folder = tempfile::tempdir().unwrap();
    ledger.write(folder.path());
    let run = reconcile(&folder.path().join("reckon.toml"), &folder.path().join("run"), &[]);
    let found = rows(&run.bytes("balances.csv"));
    assert_eq!(found.len(), users, "{}", run.stderr);
    let mut counts = BTreeMap::new();
    let mut rest = 0;
    for (row, user) in found.iter().zip(&ledger.users) {
        let context = format!("seed {seed}, {policies:?}, {:?}: {row:?}", user.planted);
        assert_eq!(row["user_id"], user.id, "{context}");
        assert_eq!(number(row, "recomputed"), user.sum, "{context}");
        assert_eq!(number(row, "gap"), user.stored - user.sum, "{context}");
        let causes: i128 =
            row.keys().filter(|column| column.starts_with("cause_")).map(|column| number(row, column)).sum();
        assert_eq!(causes + number(row, "unexplained"), number(row, "gap"), "{context}");
        assert_eq!(number(row, "unexplained"), user.noise, "{context}");
        assert_eq!(row["explanation"] == "several", !row["alternatives"].is_empty(), "{context}");
        rest += user.noise.abs();
        *counts.entry((user.planted, row["explanation"].clone())).or_default() += 1;
    }
    let summary = run.summary();
    assert_eq!(summary["balances"]["unexplained_tokens_absolute"].as_i64(), Some(rest as i64));
    let gaps: Vec<Row> = rows(&run.bytes("findings.csv"));
    let gaps: Vec<&str> = gaps
        .iter()
        .filter(|finding| finding["class"] == "balance_gap")
        .map(|finding| finding["user_id"].as_str())
        .collect();
    for user in &ledger.users {
        // Configured policies and findings explain all but what was planted on top. Usage that was
        // never taken off stands in no configuration; where a reset or a floor forgets it anyway,
        // they may explain the balance too.
        let forgets = policies.reset || policies.clamp;
        if user.planted == Planted::NotDeducted && forgets {
            continue;
        }
        let expected = user.noise != 0 || user.planted == Planted::NotDeducted && user.used != 0;
        assert_eq!(gaps.contains(&user.id.as_str()), expected, "seed {seed}, {policies:?}, {}", user.id);
    }
    counts
}

#[test]
fn every_gap_is_explained_but_for_what_was_planted_on_top() {
    let all = [
        Policies::default(),
        Policies { opening: 100, ..Policies::default() },
        Policies { opening: 100, failed: true, ..Policies::default() },
        Policies { opening: 100, clamp: true, ..Policies::default() },
        Policies { opening: 100, reset: true, ..Policies::default() },
        Policies { expiry: true, ..Policies::default() },
        Policies { opening: 100, failed: true, clamp: true, reset: true, expiry: true },
    ];
    let mut seen = BTreeMap::new();
    for (seed, policies) in all.into_iter().enumerate() {
        for ((planted, explanation), count) in check(seed as u64 + 1, policies, 120) {
            *seen.entry((planted, explanation)).or_insert(0) += count;
        }
    }
    // The ledgers are no easy ones: all kinds occur, and nothing hides in `several`.
    for planted in Planted::ALL {
        assert!(seen.keys().any(|(kind, _)| *kind == planted), "{planted:?} was never planted");
    }
    let several: u64 = seen.iter().filter(|((_, how), _)| how == "several").map(|(_, count)| count).sum();
    let explained: u64 = seen.iter().filter(|((_, how), _)| how == "unique").map(|(_, count)| count).sum();
    assert!(several * 4 < explained, "{several} against {explained}");
}
