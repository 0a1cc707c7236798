//! A payment booked again does not stand for another payment.

use super::files;
use super::ledger::{DAY, Ledgers, MINUTE, PURCHASE, Row, SECOND};
use super::tables::check;

#[test]
fn a_replay_is_not_the_grant_of_another_payment() {
    let granted = "l1 ann pack 500 0 ref:pi_1
         u1 ann token_pack_purchase 500 0 ref:pi_1";
    let both = "duplicate error [l1] [u2] -500 reference forced dedupe
         unmigrated error [l2] [] +500 none forced backfill";
    for (name, legacy, unified) in [("near", "10s", "9s"), ("at its very instant", "10s", "10s")] {
        let rows = format!(
            "{granted}
             l2 ann pack 500 {legacy} ref:pi_2
             u2 ann token_pack_purchase 500 {unified} ref:pi_1"
        );
        check(name, &rows, both);
    }
    check(
        "of another amount",
        &format!(
            "{granted}
             l2 ann pack 700 20m ref:pi_2
             u2 ann token_pack_purchase 500 20m ref:pi_1"
        ),
        "duplicate error [l1] [u2] -500 reference forced dedupe
         unmigrated error [l2] [] +700 none forced backfill",
    );
    check(
        "at another time",
        &format!(
            "{granted}
             l2 ann pack 500 40m ref:pi_2
             u2 ann token_pack_purchase 500 20m ref:pi_1"
        ),
        both,
    );
}

#[test]
fn a_row_booked_again_takes_no_other_payment_s_grant() {
    let granted = "l1 ann pack 500 0 ref:pi_1
         l2 ann pack 500 20m ref:pi_1
         u1 ann token_pack_purchase 500 0 ref:pi_1";
    let alone = "source_duplicate warning [l2] [] +0 reference forced none";
    let others: String =
        (0..20).map(|n| format!("x{n:02} user{n:02} trial_grant 10 40d\n")).collect::<Vec<_>>().concat();
    for (name, unified) in [
        ("of another amount", "u2 ann token_pack_purchase 900 30m ref:pi_2"),
        ("at another time", "u2 ann token_pack_purchase 500 30m ref:pi_2"),
        ("of another user", "u2 bob token_pack_purchase 500 20m ref:pi_2"),
        ("of a bulk copy", &format!("u2 ann token_pack_purchase 500 40d ref:pi_2\n{others}")),
    ] {
        check(name, &format!("{granted}\n{unified}"), alone);
    }
}

#[test]
fn what_has_no_payment_of_the_kind_is_paired_as_before() {
    let granted = "l1 ann pack 500 0 ref:pi_1
         u1 ann token_pack_purchase 500 0 ref:pi_1
         u2 ann token_pack_purchase 500 10s ref:pi_1";
    for (name, legacy) in [
        ("no payment", "l2 ann pack 500 10s"),
        ("one of another kind", "l2 ann pack 500 10s ref:cs_2"),
        ("one that says no kind", "l2 ann pack 500 10s ref:R2"),
    ] {
        check(name, &format!("{granted}\n{legacy}"), "");
    }
    check(
        "the one of two that may be",
        &format!(
            "{granted}
             l2 ann pack 500 10s ref:pi_2
             l3 ann pack 500 10s"
        ),
        "unmigrated error [l2] [] +500 none forced backfill",
    );
    check(
        "a payment that was not granted before stays a contradicted pair",
        "l1 ann pack 500 0 ref:pi_1
         l2 ann pack 500 10s ref:pi_2
         u1 ann token_pack_purchase 500 0 ref:pi_1
         u2 ann token_pack_purchase 500 10s ref:pi_9",
        "",
    );
    check(
        "what was granted was another amount",
        "l1 ann pack 900 0 ref:pi_1
         l2 ann pack 500 10s ref:pi_2
         u1 ann token_pack_purchase 900 0 ref:pi_1
         u2 ann token_pack_purchase 500 10s ref:pi_1",
        "",
    );
}

/// With so many rows order of time is tried first, and places that no optimum reaches across.
#[test]
fn a_replay_among_a_hundred_shifted_purchases_stands_for_none() {
    let mut ledgers = Ledgers::default();
    let mut add = |n: i64, reference: &str, copy: &str| {
        let at = n * 10 * MINUTE;
        let mut legacy = Row::new(&format!("l{n:03}"), "ann", "pack", 500, at);
        legacy.refs = [reference.to_owned()].into();
        let mut unified = Row::new(&format!("u{n:03}"), "ann", PURCHASE, 500, at + 3 * MINUTE);
        unified.refs.extend(Some(copy.to_owned()).filter(|copy| !copy.is_empty()));
        ledgers.legacy.push(legacy);
        ledgers.unified.push(unified);
    };
    add(-200, "pi_first", "pi_first");
    (0..100).for_each(|n| add(n, &format!("pi_{n}"), if n == 50 { "pi_first" } else { "" }));
    let run = files::run(&ledgers, &[]);
    let (shifted, said): (Vec<_>, Vec<_>) = run.said.iter().partition(|said| said.class == "time_mismatch");
    assert_eq!(shifted.len(), 100);
    assert_eq!(
        said.iter().map(|said| said.line()).collect::<Vec<_>>(),
        [
            "duplicate error [l-200] [u050] -500 reference forced review",
            "unmigrated error [l050] [] +500 none forced review"
        ]
    );
}

/// So many rows that look different that ids, or the order of time, decide: who might be kept apart is left over.
#[test]
fn a_replay_in_a_crowd_that_is_too_large_is_left_over_and_contested() {
    const CROWD: usize = 12_300;
    for (lag, of) in [(0, 12_299), (SECOND, CROWD)] {
        let mut ledgers = Ledgers::default();
        let mut add = |side: char, name: &str, at: i64, reference: &str| {
            let (label, rows) = match side {
                'l' => ("pack", &mut ledgers.legacy),
                _ => (PURCHASE, &mut ledgers.unified),
            };
            let row = Row::new(&format!("{side}{name}"), "ann", label, 500, at);
            rows.push(Row { refs: [reference.to_owned()].into(), ..row });
        };
        ['l', 'u'].into_iter().for_each(|side| add(side, "first", -DAY, "pi_first"));
        for n in 0..CROWD {
            let name = format!("{n:05}");
            add('l', &name, 0, &format!("pi_{n}"));
            add('u', &name, lag, &if n == 70 { "pi_first".to_owned() } else { format!("R{n}") });
        }
        let run = files::run(&ledgers, &[]);
        let lines: Vec<String> = run.said.iter().map(|said| said.line()).collect();
        assert_eq!(lines[0], "duplicate error [lfirst] [u00070] -500 reference contested review");
        let is_missing = lines[1].starts_with("unmigrated error [l");
        assert!(is_missing && lines[1].ends_with("] [] +500 none contested review"), "{}", lines[1]);
        assert_eq!(lines.len(), 2);
        let warnings = run.summary["warnings"].to_string();
        assert!(warnings.contains(&format!("user ann, {CROWD} × {of} rows")), "{warnings}");
    }
}
