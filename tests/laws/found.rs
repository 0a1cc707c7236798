//! Ledgers on which the program and the rule book once differed: each a seed that failed, made small.

use super::tables::check;

#[test]
fn a_group_keeps_the_doubts_of_its_rows() {
    check(
        "which 150 is left for the split was a tie",
        "le0 ann sub 100 1s
         lc1 ann sub 50 3s
         lc2 ann sub 100 0
         le3 ann sub 150 1s
         ua0 ann subscription_grant 150 0
         uc1 ann subscription_grant 150 2s",
        "split_grant info [lc1 le0] [uc1] +0 split contested none
         unmigrated error [lc2] [] +100 none contested review",
    );
    check(
        "twins: one pairs, the other is split",
        "la0 ann sub 100 0
         la1 ann sub 100 1s
         la2 ann sub 100 1s
         la3 ann sub 100 0
         ua0 ann subscription_grant 50 0
         ua1 ann subscription_grant 50 0
         ua2 ann subscription_grant 100 1us",
        "split_grant info [la3] [ua0 ua1] +0 split interchangeable none
         unmigrated error [la1] [] +100 none forced backfill
         unmigrated error [la2] [] +100 none forced backfill",
    );
}

#[test]
fn of_twins_it_is_certain_that_one_is_left() {
    check(
        "whoever pairs with whom, one of la0 and la2 has no copy",
        "la0 ann sub 100 6s
         la2 ann sub 100 6s
         la3 ann sub 100 3s
         ua2 ann subscription_grant 100 0
         ua3 ann subscription_grant 100 1us",
        "time_mismatch warning [la0] [ua2] +0 mismatch contested none
         time_mismatch warning [la3] [ua3] +0 mismatch contested none
         unmigrated error [la2] [] +100 none interchangeable backfill",
    );
}

#[test]
fn evidence_of_payment() {
    check(
        "a paid admin grant beside a subscription at the same instant",
        "l1 ann sub 100 0
         u1 ann admin_grant 100 0 paid",
        "mislabelled_purchase warning [l1] [u1] +0 mismatch forced update",
    );
    check(
        "and after that repair: nothing",
        "l1 ann sub 100 0
         u1 ann token_pack_purchase 100 0 paid",
        "",
    );
    check(
        "a purchase half an hour later does not stand for a subscription",
        "l1 ann sub 100 0
         u1 ann token_pack_purchase 100 30m paid",
        "action_mismatch error [l1] [u1] +0 mismatch forced review",
    );
    check(
        "the row with the right label is kept",
        "reference-is-payment
         l1 ann sub 100 4s ref:R1
         u1 ann subscription_grant 100 4s ref:R1
         u2 ann token_pack_purchase 100 4s ref:R1",
        "duplicate error [l1] [u1] -100 reference forced review",
    );
}

#[test]
fn what_repeats_a_grant_of_its_own_user_is_nobody_elses() {
    let rows = "reference-is-payment
         la1 ann pack 150 4s
         lb0 bob sub 100 1us ref:R1
         ua5 bob subscription_grant 100 0 link:lb0
         uc6 bob trial_grant 150 4s ref:R1";
    check(
        "the payment of bob's own subscription",
        rows,
        "duplicate error [lb0] [uc6] -150 reference forced review
         mislabelled_purchase warning [lb0] [ua5] +0 link forced update
         unmigrated error [la1] [] +150 none forced backfill",
    );
    check(
        "and of another's, which lies nearer",
        &format!("{rows}\nlb3 ann admin 150 2s ref:R1\nub3 ann admin_grant 150 2s ref:R1"),
        "duplicate error [lb3] [uc6] -150 reference forced review
         mislabelled_purchase warning [lb0] [ua5] +0 link forced update
         mislabelled_purchase warning [lb3] [ub3] +0 reference forced update
         unmigrated error [la1] [] +150 none forced backfill",
    );
}

#[test]
fn a_payment_that_another_user_holds_is_not_granted_again() {
    check(
        "one payment, two users",
        "la0 ann sub 100 0 ref:R1
         ua0 bob subscription_grant 100 0 ref:R1 marked paid",
        "orphan error [] [ua0] ? none forced review
         unmigrated error [la0] [] +100 none forced review",
    );
}

#[test]
fn a_refund_is_repeated_by_a_refund() {
    check(
        "its first copy was booked as a grant",
        "la3 ann refund -100 0 ref:R2
         ud1 ann admin_grant 100 0
         ua6 bob admin_deduct 50 1h ref:R2",
        "action_mismatch error [la3] [ud1] -200 mismatch forced review
         duplicate error [la3] [ua6] +50 reference forced review",
    );
}

#[test]
fn a_refund_never_becomes_a_purchase() {
    check(
        "a deduction and a paid grant",
        "l1 bob refund 50 0 ref:R1
         u1 bob token_pack_purchase 150 0 ref:R1 paid
         l2 cyd refund 200 1d
         u2 cyd subscription_grant 200 1d marked paid
         l3 dan refund 150 2d
         u3 dan token_pack_purchase 150 2d paid",
        "action_mismatch error [l1] [u1] -200 reference forced review
         action_mismatch error [l2] [u2] -400 mismatch forced update
         action_mismatch error [l3] [u3] -300 mismatch forced review",
    );
}

#[test]
fn later_than_as_of_is_a_warning() {
    check(
        "a row that cannot be read",
        "as-of 5m
         u1 - trial_grant 150 30m",
        "rejected_row warning [] [u1] ? none forced review",
    );
}

#[test]
fn the_kept_row_that_lies_nearest_is_the_one_repeated() {
    check(
        "the copy of its own grant, not the pair a microsecond away",
        "l1 ann sub 200 2s
         l2 ann admin 100 1us ref:R1
         u1 ann token_pack_purchase 200 2s link:l1
         u2 ann subscription_grant 200 1s+999999us
         u3 ann subscription_grant 200 2s marked",
        "action_mismatch error [l1] [u1] +0 link forced update
         action_mismatch error [l2] [u2] -100 mismatch forced review
         duplicate error [l1] [u3] -200 exact forced review",
    );
}

#[test]
fn a_row_that_repeats_a_grant_booked_on_another_user_is_still_that_users_copy() {
    check(
        "two users that swap grants a microsecond apart",
        "l0 ann sub 50 1h
         l1 cyd sub 50 1h+1us
         u9 cyd subscription_grant 50 1h link:l0
         u8 ann subscription_grant 50 1h+1us",
        "user_mismatch error [l0] [u9] +50 link forced review
         user_mismatch error [l1] [u8] +50 user forced review",
    );
}

#[test]
fn a_copy_at_the_moment_of_a_pair_that_differs_in_more() {
    check(
        "it says what the old row says, when the new one came",
        "l0 ann sub 100 29d+23h
         u0 ann subscription_grant 100 30d+1us
         u1 ann subscription_grant 50 30d",
        "amount_mismatch error [l0] [u1] +50 mismatch forced review
         duplicate error [l0] [u0] -100 near forced review",
    );
    check(
        "a reference of two users: the row that says the same is repeated, not the nearer one",
        "l0 ann sub 100 0
         l1 ann pack 100 0
         u0 bob token_pack_purchase 100 2d ref:R1
         u1 ann subscription_grant 100 0 ref:R1
         u2 bob token_pack_purchase 100 0 ref:R1",
        "duplicate error [l1] [u0] -100 reference forced review
         user_mismatch error [l1] [u2] +100 user forced review",
    );
    check(
        "of two rows with the reference one alone has the payment",
        "l0 ann sub 100 0 ref:R1
         u0 ann subscription_grant 100 0 ref:R1
         u1 ann subscription_grant 100 1d ref:R1 paid",
        "duplicate error [l0] [u1] -100 reference forced review",
    );
}
