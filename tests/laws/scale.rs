//! One user with thousands of grants: still the optimum, and in no time worth measuring.

use super::files;
use super::ledger::{DAY, Ledgers, MINUTE, Row, SECOND};

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

/// More candidates than are held at once: every amount is wrong by one, every pair lies within the
/// window, and each row finds its own.
#[test]
fn thousands_of_wrong_amounts_in_one_day_find_their_own() {
    const ROWS: usize = 1_500;
    let mut day = Ledgers::default();
    day.rules.window = DAY;
    for n in 0..ROWS {
        let (at, amount) = (n as i64 * 50 * SECOND, 1_000 + (n as i64 * 7_919) % 5_000 * 10);
        day.legacy.push(Row::new(&format!("l{n:05}"), "ann", "sub", amount, at));
        let id = format!("u{:05}", ROWS - n);
        day.unified.push(Row::new(&id, "ann", "subscription_grant", amount + 1, at));
    }
    let expected: Vec<String> = (0..ROWS)
        .map(|n| format!("amount_mismatch error [l{n:05}] [u{:05}] -1 mismatch forced review", ROWS - n))
        .collect();
    assert_eq!(lines(&day), expected);
}

/// One grant a second, each copied 0.3 s late, one not at all: which one is beyond doubt.
#[test]
fn the_missing_one_of_near_duplicates_is_named() {
    let at = |n: usize| (n as i64 * SECOND, n as i64 * SECOND + SECOND * 3 / 10);
    let mut day = ledgers(GRANTS, GRANTS, at);
    day.unified.remove(GRANTS / 2);
    assert_eq!(lines(&day), ["unmigrated error [l01000] [] +100 none forced backfill"]);
}

/// Two amounts that alternate within tolerance, all copies half an hour late: no pair is crossed.
#[test]
fn interleaved_twins_keep_apart() {
    let late = 30 * MINUTE + SECOND;
    let mut twins = ledgers(GRANTS, GRANTS, |n| (n as i64 * 2 * MINUTE, n as i64 * 2 * MINUTE + late));
    for (n, row) in twins.legacy.iter_mut().chain(&mut twins.unified).enumerate() {
        row.amount = Some(100 + (n % 2) as i64);
    }
    let lines = lines(&twins);
    assert_eq!(lines.len(), GRANTS);
    for line in lines {
        let ids: Vec<&str> = line.split(['[', ']']).collect();
        assert!(line.starts_with("time_mismatch warning"), "{line}");
        let number = |id: &str| id[1..].parse::<usize>().unwrap();
        assert_eq!(number(ids[1]) % 2, number(ids[3]) % 2, "{line}");
    }
}

/// More possible parts than can be tried: nothing is done in silence.
#[test]
fn a_bound_that_is_hit_is_said() {
    let mut crowd = Ledgers::default();
    crowd.legacy.push(Row::new("l0", "ann", "sub", 60, 0));
    for n in 0..60 {
        crowd.unified.push(Row::new(&format!("u{n:02}"), "ann", "subscription_grant", 10, n * 1_000));
    }
    let run = files::run(&crowd, &[]);
    let lines: Vec<String> = run.said.iter().map(|said| said.line()).collect();
    assert!(lines.iter().all(|line| line.contains(" contested ") && line.ends_with(" review")), "{lines:?}");
    assert_eq!(lines.len(), 60);
    let warnings = run.summary["warnings"].to_string();
    assert!(
        warnings.contains("split: user ann, action subscription_grant, 60 rows around legacy row l0"),
        "{warnings}"
    );
}

/// Every grant one short of the next one's copy: whatever their number, the copy within tolerance is the
/// better one, since it differs in the amount alone.
#[test]
fn copies_of_another_amount_go_to_the_grant_that_lies_near() {
    for rows in [63, 64, 100] {
        let mut chain =
            ledgers(rows, rows, |n| (n as i64 * 11 * SECOND, n as i64 * 11 * SECOND + 10 * SECOND));
        for row in &mut chain.unified {
            (row.amount, row.migrated) = (Some(130), true);
        }
        let updates = lines(&chain).iter().filter(|line| line.ends_with(" update")).count();
        assert_eq!(updates, rows - 1, "{rows} rows a side");
    }
}

/// A reference of thousands of rows of different amounts names no payment, and pairs nothing.
#[test]
fn a_reference_that_everything_shares_holds_nothing_up() {
    let mut house = ledgers(4_000, 4_000, |n| (n as i64 * MINUTE, n as i64 * MINUTE));
    for (n, row) in house.legacy.iter_mut().chain(&mut house.unified).enumerate() {
        row.amount = Some(100 + (n % 4_000 % 7) as i64);
        row.refs = [format!("cus_{}", n % 3)].into();
    }
    let run = files::run(&house, &[]);
    assert_eq!(run.summary["pairs"]["exact"]["rows"], 4_000);
    assert!(run.said.is_empty(), "{:?}", run.said.first().map(|said| said.line()));
    assert!(run.summary["warnings"].to_string().contains("reference: user ann"));
}
