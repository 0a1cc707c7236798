//! The oracle against tables that a person can check, and the program against the same tables.
//!
//! A case is a ledger in the notation of `notation.rs` and the findings as
//! `class severity [legacy ids] [unified ids] effect rule verdict repair`.

use super::agree;
use super::notation::ledgers;
use super::oracle::judge;

/// The oracle says exactly this, and so does the program.
pub fn check(name: &str, rows: &str, expected: &str) {
    let ledgers = ledgers(rows);
    let lines: Vec<String> = judge(&ledgers).said.iter().map(|said| said.line()).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected, "oracle, {name}");
    if let Err(difference) = agree::compare(&ledgers) {
        panic!("program, {name}{difference}");
    }
}

#[test]
fn greedy_pairing_loses_and_the_optimum_does_not() {
    check(
        "three pairs",
        "tolerance 60s
         l1 ann sub 100 0
         l2 ann sub 100 60s
         l3 ann sub 100 120s
         u1 ann subscription_grant 100 55s
         u2 ann subscription_grant 100 115s
         u3 ann subscription_grant 100 175s",
        "",
    );
}

#[test]
fn of_k_identical_rows_and_m_copies_the_difference_is_said() {
    check(
        "three and one",
        "l1 ann sub 100 0
         l2 ann sub 100 0
         l3 ann sub 100 0
         u1 ann subscription_grant 100 0",
        "unmigrated error [l2] [] +100 none interchangeable backfill
         unmigrated error [l3] [] +100 none interchangeable backfill",
    );
    check(
        "one and three, marked",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 0 marked
         u2 ann subscription_grant 100 0 marked
         u3 ann subscription_grant 100 0 marked",
        "duplicate error [l1] [u2] -100 exact interchangeable dedupe
         duplicate error [l1] [u3] -100 exact interchangeable dedupe",
    );
    check(
        "as many on both sides",
        "l1 ann sub 100 0
         l2 ann sub 100 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 100 0",
        "",
    );
}

#[test]
fn equally_good_partners_are_contested() {
    check(
        "one second before and after",
        "l1 ann sub 100 10s
         u1 ann subscription_grant 100 9s marked
         u2 ann subscription_grant 100 11s marked",
        "duplicate error [l1] [u2] -100 near contested review",
    );
    check(
        "which of two is missing",
        "l1 ann sub 100 9s
         l2 ann sub 100 11s
         u1 ann subscription_grant 100 10s",
        "unmigrated error [l2] [] +100 none contested review",
    );
}

#[test]
fn copies_and_originals() {
    check(
        "dual write plus backfill",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 100 1s marked",
        "duplicate error [l1] [u2] -100 near forced dedupe",
    );
    check(
        "the linked copy is kept",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 100 1s link:l1",
        "duplicate error [l1] [u1] -100 near forced dedupe",
    );
    check(
        "unmarked and within tolerance: somebody must look",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 100 2s",
        "duplicate error [l1] [u2] -100 near forced review",
    );
    check(
        "beyond tolerance it repeats nothing",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 100 2s+1us",
        "orphan warning [] [u2] ? none forced none",
    );
    check(
        "webhook replayed, both tables, far apart",
        "l1 ann pack 500 0 ref:R1
         l2 ann pack 500 3d ref:R1
         u1 ann token_pack_purchase 500 0 ref:R1
         u3 bob token_pack_purchase 500 0 ref:R2
         u4 bob token_pack_purchase 500 30m ref:R2",
        "duplicate error [] [u4] -500 reference forced dedupe
         source_duplicate warning [l2] [] +0 reference forced none",
    );
    check(
        "two honest packs in a minute",
        "u1 ann token_pack_purchase 500 0 ref:R1
         u2 ann token_pack_purchase 500 1s ref:R2",
        "",
    );
    check(
        "a phantom is no duplicate of what it does not name",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 100 1s link:l9",
        "orphan error [] [u2] ? none forced review",
    );
}

#[test]
fn pairs_that_differ() {
    check(
        "amount",
        "l1 ann sub 100 0
         u1 ann subscription_grant 90 0 marked",
        "amount_mismatch error [l1] [u1] +10 mismatch forced update",
    );
    check(
        "amount, without evidence",
        "l1 ann sub 100 0
         u1 ann subscription_grant 90 0",
        "amount_mismatch error [l1] [u1] +10 mismatch forced review",
    );
    check(
        "action",
        "l1 ann sub 100 0
         u1 ann trial_grant 100 0 link:l1",
        "action_mismatch error [l1] [u1] +0 link forced update",
    );
    check(
        "a refund copied as a grant",
        "l1 ann refund -100 0
         u1 ann admin_grant 100 0 marked",
        "action_mismatch error [l1] [u1] -200 mismatch forced update",
    );
    check(
        "time, at the edge of the window and beyond",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 1h
         l2 bob sub 100 0
         u2 bob subscription_grant 100 1h+1us",
        "orphan warning [] [u2] ? none forced none
         time_mismatch warning [l1] [u1] +0 mismatch forced none
         unmigrated error [l2] [] +100 none forced review",
    );
    check(
        "time is repaired where configured",
        "repair-time
         l1 ann sub 100 0
         u1 ann subscription_grant 100 30m marked",
        "time_mismatch warning [l1] [u1] +0 mismatch forced update",
    );
    check(
        "three attributes are no pair",
        "l1 ann sub 100 0
         u1 ann trial_grant 90 30m",
        "unmigrated error [l1] [] +100 none forced backfill",
    );
    check(
        "paid for, but typed as an admin grant",
        "l1 ann pack 500 0 paid
         u1 ann admin_grant 500 0 paid
         u2 bob admin_grant 500 0 paid",
        "mislabelled_purchase warning [] [u2] +0 none forced update
         mislabelled_purchase warning [l1] [u1] +0 exact forced update",
    );
}

#[test]
fn users_parts_and_stamps() {
    check(
        "credited to the household's admin",
        "l1 ann sub 100 0
         u1 bob subscription_grant 100 0",
        "user_mismatch error [l1] [u1] +100 user forced review",
    );
    check(
        "it repeats a grant of its own user",
        "l1 ann sub 100 0
         l2 bob sub 100 1s
         u1 bob subscription_grant 100 0
         u2 bob subscription_grant 100 1s",
        "duplicate error [l2] [u1] -100 near forced review
         unmigrated error [l1] [] +100 none forced backfill",
    );
    check(
        "one grant in two rows, and two in one",
        "l1 ann sub 150 0
         u1 ann subscription_grant 100 1s
         u2 ann subscription_grant 50 2s
         l2 bob sub 100 1d
         l3 bob sub 50 1d
         u3 bob subscription_grant 150 1d",
        "split_grant info [l1] [u1 u2] +0 split forced none
         split_grant info [l2 l3] [u3] +0 split forced none",
    );
    let stamped: String =
        (10..31).map(|n| format!("u{n} user{n} subscription_grant 100 30d marked\n")).collect();
    let legacy = "l1 user10 sub 100 0\n";
    let orphans = |from: u32| -> String {
        (from..31).map(|n| format!("orphan error [] [u{n}] ? none forced review\n")).collect()
    };
    check(
        "twenty others share the instant",
        &(legacy.to_owned() + &stamped),
        &(orphans(11) + "time_mismatch warning [l1] [u10] +0 stamped forced none"),
    );
    let fewer: String = stamped.lines().take(20).map(|line| format!("{line}\n")).collect();
    let lines: String = orphans(10).lines().take(20).map(|line| format!("{line}\n")).collect();
    check(
        "nineteen do not",
        &(legacy.to_owned() + &fewer),
        &(lines + "unmigrated error [l1] [] +100 none forced review"),
    );
}

#[test]
fn edges_of_as_of_and_settle() {
    check(
        "exactly as-of − settle is a finding, a microsecond later is pending",
        "as-of 10m
         l1 ann sub 100 5m
         l2 bob sub 100 5m+1us
         l3 cyd sub 100 10m
         l4 dan sub 100 10m+1us",
        "unmigrated error [l1] [] +100 none forced backfill",
    );
    check(
        "a partner may lie after as-of, up to the window",
        "as-of 10m
         l1 ann sub 100 10m
         u1 ann subscription_grant 100 10m+1s
         l2 bob sub 100 0
         u2 bob subscription_grant 100 1h
         l3 cyd sub 100 0
         u3 cyd subscription_grant 100 1h+1us link:l3",
        "time_mismatch warning [l2] [u2] +0 mismatch forced none
         unmigrated error [l3] [] +100 none forced review",
    );
}

#[test]
fn rows_that_do_not_count() {
    check(
        "zero, failed, usage, ignored, unmapped, rejected",
        "l1 ann sub 0 0
         l2 ann chat 5 0
         l3 ann old 5 0
         l4 ann mystery 5 0
         l5 - sub 5 0
         l6 ann sub n/a 0
         l7 ann sub 5 -
         l8 ann sub 100 1d
         u1 ann subscription_grant 0 0
         u2 ann subscription_grant 100 1d failed
         u3 ann chat_conversation 5 0
         u4 ann bonus_credit 5 0",
        "rejected_row error [l5] [] ? none forced review
         rejected_row error [l6] [] ? none forced review
         rejected_row error [l7] [] ? none forced review
         unmapped_action error [] [u4] ? none forced review
         unmapped_action error [l4] [] ? none forced review
         unmigrated error [l8] [] +100 none forced backfill",
    );
    check(
        "the rarer sign may be a reversal",
        "l1 ann sub 100 0
         l2 ann sub 100 1d
         l3 ann sub -100 2d
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 100 1d",
        "unmigrated error [l3] [] +100 none forced review",
    );
}
