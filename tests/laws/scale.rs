//! One user with thousands of grants: still the optimum, and in no time worth measuring.

use super::files;
use super::ledger::{Ledgers, MINUTE, Row, SECOND};

const GRANTS: usize = 2_000;

fn ledgers(legacy: usize, unified: usize, at: impl Fn(usize) -> (i64, i64)) -> Ledgers {
    let row = |side: char, n: usize, label: &str, at: i64| {
        Row::new(&format!("{side}{n:05}"), "ann", label, 100, at)
    };
    Ledgers {
        legacy: (0..legacy).map(|n| row('l', n, "sub", at(n).0)).collect(),
        unified: (0..unified).map(|n| row('u', n, "subscription_grant", at(n).1)).collect(),
        ..Ledgers::default()
    }
}

fn lines(ledgers: &Ledgers) -> Vec<String> {
    files::run(ledgers, &[]).said.iter().map(|said| said.line()).collect()
}

#[test]
fn as_many_identical_grants_on_both_sides_say_nothing() {
    assert_eq!(lines(&ledgers(GRANTS, GRANTS, |_| (0, 0))), Vec::<String>::new());
}

#[test]
fn of_identical_grants_exactly_the_difference_is_missing() {
    let expected: Vec<String> = (GRANTS - 10..GRANTS)
        .map(|n| format!("unmigrated error [l{n:05}] [] +100 none interchangeable backfill"))
        .collect();
    assert_eq!(lines(&ledgers(GRANTS, GRANTS - 10, |_| (0, 0))), expected);
}

#[test]
fn of_identical_grants_exactly_the_difference_is_too_much() {
    let lines = lines(&ledgers(GRANTS - 10, GRANTS, |_| (0, 0)));
    let extra: Vec<&str> = lines.iter().map(|line| line.split(['[', ']']).nth(3).unwrap()).collect();
    let expected: Vec<String> = (GRANTS - 10..GRANTS).map(|n| format!("u{n:05}")).collect();
    assert_eq!(extra, expected);
    for line in lines {
        assert!(
            line.starts_with("duplicate error [l") && line.ends_with(" -100 exact interchangeable review"),
            "{line}"
        );
    }
}

/// The greedy trap, two thousand times: the nearest partner is the wrong one but at the end.
#[test]
fn a_long_chain_is_paired_whole() {
    let mut chain = ledgers(GRANTS, GRANTS, |n| (n as i64 * MINUTE, n as i64 * MINUTE + 55 * SECOND));
    chain.rules.tolerance = MINUTE;
    assert_eq!(lines(&chain), Vec::<String>::new());
}

/// The same chain with one copy missing in the middle: exactly one legacy row is left.
#[test]
fn a_long_chain_with_a_gap_misses_one() {
    let mut chain = ledgers(GRANTS, GRANTS, |n| (n as i64 * MINUTE, n as i64 * MINUTE + 55 * SECOND));
    chain.rules.tolerance = 57 * SECOND;
    chain.unified.remove(GRANTS / 2);
    // All before the gap lean on the copy before their own, which lies nearer.
    assert_eq!(lines(&chain), ["unmigrated error [l00000] [] +100 none forced backfill"]);
}
