//! Ledgers made to mislead: each answer was worked out by hand from the rule book.

use super::tables;

/// What is said, in any order.
fn check(name: &str, rows: &str, expected: &str) {
    let mut lines: Vec<&str> = expected.lines().map(str::trim).collect();
    lines.sort_unstable();
    tables::check(name, rows, &lines.join("\n"));
}

#[test]
fn more_pairs_are_better_than_closer_ones() {
    check(
        "the nearest pair of a chain would leave both ends alone",
        "la ann sub 100 0
         lb ann sub 200 40m
         ua ann subscription_grant 200 30m
         ub ann subscription_grant 300 80m",
        "amount_mismatch error [la] [ua] -100 mismatch forced review
         amount_mismatch error [lb] [ub] -100 mismatch forced review",
    );
    check(
        "one partner for two: it goes where less differs, and the other may be the row out of reach",
        "la ann sub 100 0
         lb ann sub 200 0
         ua ann subscription_grant 200 30m
         ub ann subscription_grant 100 2h",
        "unmigrated error [la] [] +100 none forced review
         time_mismatch warning [lb] [ua] +0 mismatch forced none
         orphan warning [] [ub] ? none forced none",
    );
    check(
        "a chain of seven at the very tolerance",
        "l1 ann sub 100 0
         l2 ann sub 100 4s
         l3 ann sub 100 8s
         l4 ann sub 100 12s
         u1 ann subscription_grant 100 2s
         u2 ann subscription_grant 100 6s
         u3 ann subscription_grant 100 10s
         u4 ann subscription_grant 100 14s",
        "",
    );
    check(
        "a chain whose first link is missing: every row leans the other way",
        "l1 ann sub 100 0
         l2 ann sub 100 4s
         l3 ann sub 100 8s
         u2 ann subscription_grant 100 2s
         u3 ann subscription_grant 100 6s",
        "unmigrated error [l3] [] +100 none contested review",
    );
}

#[test]
fn of_many_at_several_instants_exactly_the_difference_is_said() {
    check(
        "as many in all, but not at each instant",
        "l1 ann sub 100 0
         l2 ann sub 100 0
         l3 ann sub 100 0
         l4 ann sub 100 10s
         l5 ann sub 100 10s
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 100 0
         u3 ann subscription_grant 100 10s
         u4 ann subscription_grant 100 10s
         u5 ann subscription_grant 100 10s",
        "time_mismatch warning [l3] [u5] +0 mismatch interchangeable none",
    );
    check(
        "five and three within tolerance of each other",
        "l1 ann sub 100 0
         l2 ann sub 100 0
         l3 ann sub 100 0
         l4 ann sub 100 1s
         l5 ann sub 100 1s
         u1 ann subscription_grant 100 1s
         u2 ann subscription_grant 100 1s
         u3 ann subscription_grant 100 1s",
        "unmigrated error [l2] [] +100 none interchangeable backfill
         unmigrated error [l3] [] +100 none interchangeable backfill",
    );
    check(
        "twins that lie in between: exact first, and the ends are one grant that moved",
        "l1 ann sub 100 0
         l2 ann sub 100 1s
         l3 ann sub 100 2s
         l4 ann sub 100 3s
         u1 ann subscription_grant 100 1s
         u2 ann subscription_grant 100 2s
         u3 ann subscription_grant 100 3s
         u4 ann subscription_grant 100 4s",
        "time_mismatch warning [l1] [u4] +0 mismatch forced none",
    );
}

#[test]
fn a_mismatch_stands_beside_the_exact_pair() {
    check(
        "which of the twins was booked with 90 is immaterial",
        "l1 ann sub 100 0
         l2 ann sub 100 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 90 0 marked",
        "amount_mismatch error [l2] [u2] +10 mismatch interchangeable update",
    );
    check(
        "the link decides, though the other is closer",
        "l1 ann sub 100 0
         l2 ann sub 100 1h
         u1 ann subscription_grant 100 0 link:l2
         u2 ann subscription_grant 90 1h",
        "amount_mismatch error [l1] [u2] +10 mismatch forced review
         time_mismatch warning [l2] [u1] +0 link forced none",
    );
    check(
        "a link to a row of another user is that user's grant, and an error",
        "l1 ann sub 100 0
         l2 bob sub 100 0
         u1 ann subscription_grant 100 0 link:l2
         u2 ann subscription_grant 100 0",
        "user_mismatch error [l2] [u1] +100 link forced review",
    );
}

#[test]
fn sums_that_fit_by_chance() {
    check(
        "two ways to make 150",
        "l1 ann sub 150 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 50 1s
         u3 ann subscription_grant 60 0
         u4 ann subscription_grant 90 1s",
        "orphan warning [] [u3] ? none contested none
         orphan warning [] [u4] ? none contested none
         split_grant info [l1] [u1 u2] +0 split contested none",
    );
    check(
        "seven parts are too many: one is the grant with another amount, the others repeat it",
        "l1 ann sub 70 0
         u1 ann subscription_grant 10 0
         u2 ann subscription_grant 10 0
         u3 ann subscription_grant 10 0
         u4 ann subscription_grant 10 0
         u5 ann subscription_grant 10 0
         u6 ann subscription_grant 10 0
         u7 ann subscription_grant 10 0",
        "amount_mismatch error [l1] [u1] +60 mismatch interchangeable review
         duplicate error [l1] [u2] -10 exact interchangeable review
         duplicate error [l1] [u3] -10 exact interchangeable review
         duplicate error [l1] [u4] -10 exact interchangeable review
         duplicate error [l1] [u5] -10 exact interchangeable review
         duplicate error [l1] [u6] -10 exact interchangeable review
         duplicate error [l1] [u7] -10 exact interchangeable review",
    );
    check(
        "a part that lies beyond the tolerance is none",
        "l1 ann sub 150 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 50 2s+1us",
        "amount_mismatch error [l1] [u1] +50 mismatch forced review
         orphan warning [] [u2] ? none forced none",
    );
    check(
        "a whole grant is no part: the exact pair goes first",
        "l1 ann sub 150 0
         l2 ann sub 100 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 50 0",
        "amount_mismatch error [l1] [u2] +100 mismatch forced review",
    );
}

#[test]
fn users_that_swap_their_grants() {
    check(
        "two swapped",
        "l1 ann sub 100 0
         l2 bob sub 200 0
         u1 bob subscription_grant 100 0
         u2 ann subscription_grant 200 0",
        "user_mismatch error [l1] [u1] +100 user forced review
         user_mismatch error [l2] [u2] +200 user forced review",
    );
    check(
        "the same amount at the same instant, swapped, is what it should be",
        "l1 ann sub 100 0
         l2 bob sub 100 0
         u1 bob subscription_grant 100 0
         u2 ann subscription_grant 100 0",
        "",
    );
    check(
        "two users miss it, one has it: nobody can tell whose it is",
        "l1 ann sub 100 0
         l2 bob sub 100 0
         u1 cyd subscription_grant 100 0",
        "unmigrated error [l1] [] +100 none forced backfill
         unmigrated error [l2] [] +100 none forced backfill
         orphan warning [] [u1] ? none forced none",
    );
    check(
        "a ring of three",
        "l1 ann sub 100 0
         l2 bob sub 150 0
         l3 cyd sub 200 0
         u1 bob subscription_grant 100 0
         u2 cyd subscription_grant 150 0
         u3 ann subscription_grant 200 0",
        "user_mismatch error [l1] [u1] +100 user forced review
         user_mismatch error [l2] [u2] +150 user forced review
         user_mismatch error [l3] [u3] +200 user forced review",
    );
}

#[test]
fn replays_far_apart() {
    check(
        "a webhook a month later: beyond the window a person decides",
        "l1 ann pack 100 0 ref:R1
         u1 ann token_pack_purchase 100 0 ref:R1
         u2 ann token_pack_purchase 100 30d ref:R1
         u3 ann token_pack_purchase 100 30m ref:R1",
        "duplicate error [l1] [u2] -100 reference forced review
         duplicate error [l1] [u3] -100 reference forced dedupe",
    );
    check(
        "in the old table, too",
        "l1 ann pack 100 0 ref:R1
         l2 ann pack 100 30d ref:R1
         u1 ann token_pack_purchase 100 0 ref:R1",
        "source_duplicate warning [l2] [] +0 reference forced none",
    );
    check(
        "replayed in both: as many on both sides",
        "l1 ann pack 100 0 ref:R1
         l2 ann pack 100 30d ref:R1
         u1 ann token_pack_purchase 100 1s ref:R1
         u2 ann token_pack_purchase 100 30d+1s ref:R1",
        "",
    );
    check(
        "the copies that a backfill made of one row, run three times",
        "l1 ann sub 100 0
         u1 ann subscription_grant 100 0
         u2 ann subscription_grant 100 20d link:l1
         u3 ann subscription_grant 100 21d link:l1",
        "duplicate error [l1] [u1] -100 near forced review
         duplicate error [l1] [u3] -100 link forced review
         time_mismatch warning [l1] [u2] +0 link forced none",
    );
}

#[test]
fn a_copy_is_removed_only_where_nothing_waits_for_it() {
    check(
        "two grants, both copied and stamped at one instant: neither copy is too many",
        "la ann sub 100 0
         lb ann sub 100 5d
         ua ann subscription_grant 100 40d marked
         ub ann subscription_grant 100 40d marked",
        "unmigrated error [la] [] +100 none forced review
         unmigrated error [lb] [] +100 none forced review
         orphan error [] [ua] ? none forced review
         duplicate error [] [ub] -100 exact interchangeable review",
    );
}
