//! Crowds too large to enumerate: the program's pairs against a textbook optimum, which is slow and
//! simple.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::files;
use super::generate;
use super::ledger::{DAY, Ledgers, MINUTE, Row, SECOND};

/// Pairs, differing attributes and total |lag| in microseconds.
type Worth = (usize, i64, i64);

/// `findings.csv` as maps.
fn findings(text: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.unwrap()).collect()
}

/// Most pairs within `reach`, then least total lag: row by row over both lists in order of time.
fn on_a_line(legacy: &[i64], unified: &[i64], reach: i64) -> (usize, i64) {
    let better = |one: (usize, i64), other: (usize, i64)| {
        if (one.0, -one.1) >= (other.0, -other.1) { one } else { other }
    };
    let mut above = vec![(0, 0); unified.len() + 1];
    for l in legacy {
        let mut row = vec![(0, 0); unified.len() + 1];
        for (at, u) in unified.iter().enumerate() {
            row[at + 1] = better(above[at + 1], row[at]);
            if (l - u).abs() <= reach {
                row[at + 1] = better(row[at + 1], (above[at].0 + 1, above[at].1 + (l - u).abs()));
            }
        }
        above = row;
    }
    above[unified.len()]
}

/// Takes the instants that both lists have, as often as both have them.
fn without_exact(legacy: &mut Vec<i64>, unified: &mut Vec<i64>) {
    legacy.sort_unstable();
    unified.sort_unstable();
    let mut left = Vec::new();
    for at in legacy.drain(..) {
        match unified.binary_search(&at) {
            Ok(found) => drop(unified.remove(found)),
            Err(_) => left.push(at),
        }
    }
    *legacy = left;
}

fn row(side: char, number: usize, amount: i64, at: i64) -> Row {
    let label = if side == 'l' { "sub" } else { "subscription_grant" };
    Row::new(&format!("{side}{number:03}"), "ann", label, amount, at)
}

/// Instants on a coarse grid, so that many coincide; never as many as a bulk copy has.
fn instants(most: usize) -> impl Strategy<Value = Vec<i64>> {
    let instant = prop_oneof![3 => 0i64..400, 1 => 0i64..40].prop_map(|step| step * 7 * SECOND);
    prop::collection::vec(instant, 1..most).prop_map(|mut instants| {
        instants.sort_unstable();
        let mut kept: Vec<i64> = Vec::new();
        for at in instants {
            if kept.iter().rev().take_while(|other| **other == at).count() < 15 {
                kept.push(at);
            }
        }
        kept
    })
}

fn crowd(legacy: &[i64], unified: &[i64], reach: i64) -> Ledgers {
    let rows = |side: char, instants: &[i64]| -> Vec<Row> {
        instants.iter().enumerate().map(|(number, at)| row(side, number, 100, *at)).collect()
    };
    let mut ledgers =
        Ledgers { legacy: rows('l', legacy), unified: rows('u', unified), ..Ledgers::default() };
    ledgers.rules.tolerance = reach;
    ledgers.rules.window = 10 * MINUTE;
    ledgers
}

proptest! {
    #![proptest_config(generate::config(16))]

    #[test]
    fn equal_grants_on_a_line_are_paired_best(
        legacy in instants(160), unified in instants(160), reach in 1i64..120
    ) {
        let ledgers = crowd(&legacy, &unified, reach * SECOND);
        let run = files::run(&ledgers, &[]);
        let (mut legacy, mut unified) = (legacy, unified);
        without_exact(&mut legacy, &mut unified);
        let (pairs, total) = on_a_line(&legacy, &unified, reach * SECOND);
        prop_assert_eq!(run.summary["pairs"]["near"]["rows"].as_u64(), Some(pairs as u64));
        let near = lags(&run, &ledgers).into_iter().filter(|lag| *lag > 0 && *lag <= reach * SECOND);
        prop_assert_eq!(near.sum::<i64>(), total);
        let said = findings(&run.findings);
        let count = |class: &str| said.iter().filter(|row| row["class"] == class).count();
        let (late, rows) = (count("time_mismatch"), |side: &[Row]| side.len());
        prop_assert_eq!(count("unmigrated") + late + pairs + exact(&ledgers, &legacy), rows(&ledgers.legacy));
        let extra = count("orphan") + count("duplicate");
        prop_assert_eq!(extra + late + pairs + exact(&ledgers, &legacy), rows(&ledgers.unified));
    }
}

/// |lag| of each pair.
fn lags(run: &files::Run, ledgers: &Ledgers) -> Vec<i64> {
    let rows = ledgers.legacy.iter().chain(&ledgers.unified);
    let at: BTreeMap<&str, i64> = rows.map(|row| (row.id.as_str(), row.at.unwrap())).collect();
    let lag = |[legacy, unified]: &[Vec<String>; 2]| (at[&*legacy[0]] - at[&*unified[0]]).abs();
    run.pairs.values().map(lag).collect()
}

/// Rows that an exact partner took.
fn exact(ledgers: &Ledgers, left: &[i64]) -> usize {
    ledgers.legacy.len() - left.len()
}

/// Attributes in which two rows of different instants differ, and their lag; none: too many.
fn differ(legacy: &Row, unified: &Row, window: i64) -> Option<(i64, i64)> {
    let lag = (legacy.at? - unified.at?).abs();
    let action = i64::from((legacy.label == "refund") != (unified.label == "admin_deduct"));
    let differing = 1 + action + i64::from(legacy.amount != unified.amount);
    (differing <= 2 && lag <= window).then_some((differing, lag))
}

/// Most pairs, fewest differing attributes, least lag: cheapest augmenting paths, found by Bellman
/// and Ford's rounds.
fn assigned(ledgers: &Ledgers) -> Worth {
    let (legacy, unified) = (&ledgers.legacy, &ledgers.unified);
    let cost = |l: usize, u: usize| differ(&legacy[l], &unified[u], ledgers.rules.window);
    let mut partner: Vec<Option<usize>> = vec![None; unified.len()];
    let mut taken = vec![false; legacy.len()];
    let mut worth = (0, 0, 0);
    loop {
        // Distance of each unified row from any free legacy row, and the legacy row before it.
        let mut near: Vec<Option<((i64, i64), usize)>> = vec![None; unified.len()];
        let mut changed = true;
        while changed {
            changed = false;
            for (l, &is_taken) in taken.iter().enumerate() {
                let at = partner.iter().position(|found| *found == Some(l));
                let start = match (is_taken, at.and_then(|at| near[at])) {
                    (false, _) => (0, 0),
                    (true, Some((far, _))) => {
                        let own = cost(l, at.expect("it has a partner")).expect("they were paired");
                        (far.0 - own.0, far.1 - own.1)
                    }
                    (true, None) => continue,
                };
                for (u, found) in near.iter_mut().enumerate() {
                    let Some(step) = cost(l, u).filter(|_| partner[u] != Some(l)) else { continue };
                    let far = (start.0 + step.0, start.1 + step.1);
                    if found.is_none_or(|(known, _)| far < known) {
                        *found = Some((far, l));
                        changed = true;
                    }
                }
            }
        }
        let free = (0..unified.len()).filter(|u| partner[*u].is_none());
        let Some((far, mut u)) = free.filter_map(|u| Some((near[u]?.0, u))).min() else { return worth };
        worth = (worth.0 + 1, worth.1 + far.0, worth.2 + far.1);
        loop {
            let (_, l) = near[u].expect("the path came here");
            let before = partner.iter().position(|found| *found == Some(l));
            partner[u] = Some(l);
            match before {
                Some(next) => u = next,
                None => {
                    taken[l] = true;
                    break;
                }
            }
        }
    }
}

/// Amounts of which no two to six make another, so that no part is taken for a whole.
const AMOUNTS: [i64; 4] = [1_601, 3_217, 4_817, 8_001];

fn mixed(side: char, most: usize) -> impl Strategy<Value = Vec<Row>> {
    let one = (0i64..2_000, 0..AMOUNTS.len(), 0..8u8);
    prop::collection::btree_map(0i64..2_000, one, 1..most).prop_map(move |rows| {
        let rows = rows.into_iter().enumerate().map(|(number, (minute, (_, amount, kind)))| {
            // Odd seconds on one side, even ones on the other: no two instants agree.
            let at = minute * MINUTE + if side == 'l' { 0 } else { SECOND };
            let mut row = row(side, number, AMOUNTS[amount], at);
            if kind == 0 {
                row.label = if side == 'l' { "refund" } else { "admin_deduct" }.into();
            }
            row
        });
        rows.collect()
    })
}

proptest! {
    #![proptest_config(generate::config(16))]

    #[test]
    fn mixed_crowds_are_paired_best(legacy in mixed('l', 40), unified in mixed('u', 40), hours in 1i64..40) {
        let mut ledgers = Ledgers { legacy, unified, ..Ledgers::default() };
        ledgers.rules.tolerance = 1;
        ledgers.rules.window = (hours * 60 * MINUTE).min(DAY);
        let run = files::run(&ledgers, &[]);
        let found = |id: &str| {
            let rows = ledgers.legacy.iter().chain(&ledgers.unified);
            rows.into_iter().find(|row| row.id == id).expect("a row of the ledgers").clone()
        };
        let mut worth = (0, 0, 0);
        for said in run.said.iter().filter(|said| said.rule == "mismatch") {
            let (legacy, unified) = (found(&said.legacy[0]), found(&said.unified[0]));
            let (differing, lag) = differ(&legacy, &unified, ledgers.rules.window).expect("a pair of the rung");
            worth = (worth.0 + 1, worth.1 + differing, worth.2 + lag);
        }
        prop_assert_eq!(worth, assigned(&ledgers), "{}", super::notation::text(&ledgers));
    }
}
