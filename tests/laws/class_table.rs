//! The table of classes in `docs/semantics.md`, line by line: what is kept, what is for review, what
//! may be executed.

use super::tables::check;

#[test]
fn rows_left_over_in_the_legacy_table() {
    check(
        "backfilled: grant and deduction",
        "l1 ann sub 100 0
         l2 ann refund 50 0",
        "unmigrated error [l1] [] +100 none forced backfill
         unmigrated_deduction error [l2] [] -50 none forced backfill",
    );
    check(
        "for review: a free row of the same user, action and amount, years away",
        "as-of 900d
         l1 ann sub 100 0
         u1 ann subscription_grant 100 800d",
        "orphan warning [] [u1] ? none forced none
         unmigrated error [l1] [] +100 none forced review",
    );
    check(
        "backfilled: of another amount, or taken",
        "l1 ann sub 100 0
         l2 ann sub 100 9d
         u1 ann subscription_grant 100 9d
         u2 ann subscription_grant 101 5d",
        "orphan warning [] [u2] ? none forced none
         unmigrated error [l1] [] +100 none forced backfill",
    );
}

#[test]
fn pairs_of_two_users() {
    check(
        "found by its instant, or by a link",
        "l1 ann sub 100 0
         u1 bob subscription_grant 100 0 marked
         l2 ann sub 200 1d
         u2 bob subscription_grant 200 1d link:l2",
        "user_mismatch error [l1] [u1] +100 user forced review
         user_mismatch error [l2] [u2] +200 link forced review",
    );
    check(
        "users that swap grants",
        "l1 ann sub 100 0
         l2 bob sub 200 1s
         u1 bob subscription_grant 100 0
         u2 ann subscription_grant 200 1s",
        "user_mismatch error [l1] [u1] +100 user forced review
         user_mismatch error [l2] [u2] +200 user forced review",
    );
    check(
        "users that swap grants of one amount, within the window",
        "l1 ann sub 100 0
         l2 bob sub 100 30m
         u1 bob subscription_grant 100 0
         u2 ann subscription_grant 100 30m",
        "user_mismatch error [l1] [u1] +100 user forced review
         user_mismatch error [l2] [u2] +100 user forced review",
    );
    check(
        "two candidates are none",
        "l1 ann sub 100 0
         u1 bob subscription_grant 100 0
         u2 cyd subscription_grant 100 0",
        "orphan warning [] [u1] ? none forced none
         orphan warning [] [u2] ? none forced none
         unmigrated error [l1] [] +100 none forced backfill",
    );
}

/// Twenty-one users whose rows are half an hour late, and two of them where the copy of one stands at
/// the instant of the other's grant.
#[test]
fn a_shifted_ledger_swaps_no_users() {
    let late = |users: std::ops::Range<u32>| -> String {
        users
            .map(|n| format!("lx{n} user{n} sub 10 {n}d\nux{n} user{n} subscription_grant 10 {n}d+30m\n"))
            .collect()
    };
    let found = |users: std::ops::Range<u32>| -> String {
        users.map(|n| format!("time_mismatch warning [lx{n}] [ux{n}] +0 mismatch forced none\n")).collect()
    };
    let rows = "l1 ann sub 100 0
                l2 bob sub 100 30m
                u1 ann subscription_grant 100 30m
                u2 bob subscription_grant 100 1h\n";
    check(
        "many share the lag",
        &(rows.to_owned() + &late(10..29)),
        &("time_mismatch warning [l1] [u1] +0 mismatch forced none
           time_mismatch warning [l2] [u2] +0 mismatch forced none\n"
            .to_owned()
            + &found(10..29)),
    );
    check(
        "few share it, and it explains both",
        &(rows.to_owned() + &late(10..11)),
        &("time_mismatch warning [l1] [u1] +0 mismatch forced none
           time_mismatch warning [l2] [u2] +0 mismatch forced none\n"
            .to_owned()
            + &found(10..11)),
    );
    let without_u2 = rows.replace("u2 bob subscription_grant 100 1h\n", "");
    check(
        "few share it, and it explains one of the two alone",
        &(without_u2 + &late(10..14)),
        &(found(10..14)
            + "unmigrated error [l1] [] +100 none forced review
               user_mismatch error [l2] [u1] +100 user forced review"),
    );
    check(
        "too few do: by the letter, bob's grant went to ann",
        rows,
        "orphan warning [] [u2] ? none forced none
         unmigrated error [l1] [] +100 none forced review
         user_mismatch error [l2] [u1] +100 user forced review",
    );
}

#[test]
fn pairs_that_differ_in_one_attribute_or_in_two() {
    check(
        "one attribute, and a link, a mark or a reference: executed",
        "l1 ann sub 100 0
         u1 ann subscription_grant 90 0 link:l1
         l2 bob sub 100 0
         u2 bob subscription_grant 90 0 marked
         l3 cyd sub 100 0 ref:R1
         u3 cyd subscription_grant 90 0 ref:R1",
        "amount_mismatch error [l1] [u1] +10 link forced update
         amount_mismatch error [l2] [u2] +10 mismatch forced update
         amount_mismatch error [l3] [u3] +10 reference forced update",
    );
    check(
        "a mark beside a link to another row shows nothing",
        "l1 ann sub 100 0
         u1 ann subscription_grant 90 0 marked link:l9",
        "amount_mismatch error [l1] [u1] +10 mismatch forced review",
    );
    check(
        "two attributes: for review, the first names the class",
        "l1 ann sub 100 0
         u1 ann trial_grant 90 0 marked
         l2 bob sub 100 0
         u2 bob subscription_grant 90 30m link:l2",
        "action_mismatch error [l1] [u1] +10 mismatch forced review
         amount_mismatch error [l2] [u2] +10 link forced review",
    );
    check(
        "time: only where it is asked for, and then under the same condition",
        "repair-time
         l1 ann sub 100 0
         u1 ann subscription_grant 100 30m
         l2 bob sub 100 0
         u2 bob subscription_grant 100 9d link:l2",
        "time_mismatch warning [l1] [u1] +0 mismatch forced none
         time_mismatch warning [l2] [u2] +0 link forced update",
    );
}

#[test]
fn rows_that_repeat_a_kept_one() {
    check(
        "same link: executed; the first written is kept",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 0 link:l1
         u2 ann subscription_grant 100 10m link:l1",
        "duplicate error [l1] [u2] -100 link forced dedupe",
    );
    check(
        "beyond the window: for review",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 0 link:l1
         u2 ann subscription_grant 100 9d link:l1",
        "duplicate error [l1] [u2] -100 link forced review",
    );
    check(
        "of another amount: for review",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 0 link:l1
         u2 ann subscription_grant 120 0 link:l1",
        "duplicate error [l1] [u2] -120 link forced review",
    );
    check(
        "another reference: another grant",
        "l1 ann pack 500 0 ref:R1
         u1 ann token_pack_purchase 500 0 ref:R1
         u2 ann token_pack_purchase 500 1s ref:R2",
        "",
    );
    check(
        "the row paired by link is kept before the exact one, that before the older",
        "l1 ann sub 100 2s
         u1 ann subscription_grant 100 1s marked
         u2 ann subscription_grant 100 2s marked",
        "duplicate error [l1] [u1] -100 near forced dedupe",
    );
    check(
        "a reference used twice in the legacy table: what is kept has its copy",
        "l1 ann pack 500 0 ref:R1
         l2 ann pack 500 9d ref:R1
         u1 ann token_pack_purchase 500 9d ref:R1",
        "source_duplicate warning [l1] [] +0 reference forced none",
    );
}

#[test]
fn rows_that_share_a_reference() {
    check(
        "a reference on several grants that were copied each for itself names no single payment",
        "l1 ann sub 500 0 ref:S1
         l2 ann sub 500 5d ref:S1
         l3 ann sub 500 6d ref:S1
         l4 ann sub 500 7d ref:S1 ref:R4
         u1 ann subscription_grant 500 0 ref:S1
         u2 ann subscription_grant 500 5d ref:S1",
        "unmigrated error [l3] [] +500 none forced review
         unmigrated error [l4] [] +500 none forced review",
    );
    check(
        "beside it one that does",
        "l1 ann sub 500 0 ref:S1
         l2 ann sub 500 5d ref:S1 ref:R2
         l3 ann sub 500 6d ref:S1 ref:R2
         u1 ann subscription_grant 500 0 ref:S1
         u2 ann subscription_grant 500 5d ref:S1",
        "source_duplicate warning [l3] [] +0 reference forced none",
    );
    check(
        "the same reference on another amount, another label, or a reversal: no repetition",
        "l1 ann pack 500 0 ref:R1
         l2 ann pack 900 5d ref:R1
         l3 bob pack 500 0 ref:R2
         l4 bob sub 500 5d ref:R2
         l5 cyd pack 500 0 ref:R3
         l6 cyd pack -500 5d ref:R3
         l7 dan pack 500 0
         l8 dan pack 500 0
         u1 ann token_pack_purchase 500 0 ref:R1
         u3 bob token_pack_purchase 500 0 ref:R2
         u5 cyd token_pack_purchase 500 0 ref:R3
         u7 dan token_pack_purchase 500 0
         u8 dan token_pack_purchase 500 0",
        "unmigrated error [l2] [] +900 none forced review
         unmigrated error [l4] [] +500 none forced review
         unmigrated error [l6] [] +500 none forced review",
    );
}

#[test]
fn rows_left_over_in_the_unified_table() {
    check(
        "marked or linked, whatever the action: an error",
        "u1 ann trial_grant 100 0 marked
         u2 bob subscription_grant 100 0 link:l9",
        "orphan error [] [u1] ? none forced review
         orphan error [] [u2] ? none forced review",
    );
    check(
        "unmarked: a warning, but for what is written there alone",
        "u1 ann trial_grant 100 0
         u2 bob subscription_grant 100 0
         u3 cyd admin_deduct 100 0",
        "orphan warning [] [u2] ? none forced none
         orphan warning [] [u3] ? none forced none",
    );
}

#[test]
fn parts_and_bulk_copies() {
    check(
        "a split changes nothing, marked or not",
        "l1 ann sub 150 0
         u1 ann subscription_grant 100 0 marked
         u2 ann subscription_grant 50 0 marked",
        "split_grant info [l1] [u1 u2] +0 split forced none",
    );
    check(
        "two ways to make it up: contested, and the third part with it",
        "l1 ann sub 150 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 50 1s
         u3 ann subscription_grant 50 0+1s marked",
        "duplicate error [l1] [u3] -50 exact contested review
         split_grant info [l1] [u1 u2] +0 split contested none",
    );
    check(
        "fewer rows are no better than more",
        "l1 ann sub 100 0
         u1 ann subscription_grant 50 1s
         u2 ann subscription_grant 50 1s
         u3 ann subscription_grant 30 0
         u4 ann subscription_grant 40 1s
         u5 ann subscription_grant 30 1s",
        "duplicate error [] [u5] -30 near contested review
         orphan warning [] [u3] ? none contested none
         orphan warning [] [u4] ? none contested none
         split_grant info [l1] [u1 u2] +0 split contested none",
    );
    let copies: String =
        (10..31).map(|n| format!("u{n} user{n} subscription_grant 100 30d marked\n")).collect();
    let legacy: String = (10..31).map(|n| format!("l{n} user{n} sub 100 {n}h\n")).collect();
    let line = |repair: &str| -> String {
        (10..31)
            .map(|n| format!("time_mismatch warning [l{n}] [u{n}] +0 stamped forced {repair}\n"))
            .collect()
    };
    let late = "as-of 1d
         l1 ann sub 100 23h+50m
         u1 ann subscription_grant 100 1d+10m link:l1";
    let said = |effect, repair| format!("time_mismatch warning [l1] [u1] {effect} link forced {repair}");
    check("it counts after as-of", late, &said("+0", "none"));
    check("or is brought before it", &format!("repair-time\n{late}"), &said("+100", "update"));
    check("stamped: nothing to do", &format!("{legacy}{copies}"), &line("none"));
    check("or updated where asked", &format!("repair-time\n{legacy}{copies}"), &line("update"));
}

#[test]
fn nothing_is_explained_away() {
    check(
        "the copy and the application's own row, with ids of one purchase of different kinds",
        "l1 ann pack 300 0 ref:pi_1
         u1 ann token_pack_purchase 300 0 link:l1 marked
         u2 ann token_pack_purchase 300 0 ref:cs_1",
        "duplicate error [l1] [u2] -300 exact forced review",
    );
    check(
        "of one kind: two purchases",
        "l1 ann pack 300 0 ref:pi_1
         u1 ann token_pack_purchase 300 0 link:l1 marked
         u2 ann token_pack_purchase 300 0 ref:pi_2",
        "",
    );
    check(
        "rows that name others are no parts of a grant",
        "l1 ann sub 300 0
         u1 ann subscription_grant 100 0 link:l77 marked
         u2 ann subscription_grant 200 0 link:l78 marked",
        "amount_mismatch error [l1] [u1] +200 mismatch contested review
         orphan error [] [u2] ? none contested review",
    );
    check(
        "a goodwill grant minutes later is no mislabelled purchase",
        "l1 ann pack 300 0 paid
         u1 ann admin_grant 300 20m",
        "action_mismatch error [l1] [u1] +0 mismatch forced review",
    );
    check(
        "unless it shows a payment itself",
        "l1 ann pack 300 0 paid
         u1 ann admin_grant 300 20m paid",
        "mislabelled_purchase warning [l1] [u1] +0 mismatch forced update",
    );
}
