//! One holder at a time: its rows, how its balance is kept, and what is said of the gap.

use super::super::replay::{End, Event, Policies, Policy, RowEvent, Stretch, Timeline, Use, What};
use super::edit::{Change, Edit};
use super::holder::{Holder, Premises, Rows};
use super::world::{Choice, Expiry, Failed, KeptFloor, Opening, Reset, World};
use super::*;
use crate::config::{ExpiryOrder, Floor};
use crate::domain::{
    ActionNo, Instant, Ledger, Marks, Population, Roster, RowId, Side, Span, Total, UserUsage,
};

const DAY: i64 = 86_400_000_000;

/// Two grant actions, `sub` and `trial`.
fn books() -> Books {
    let ledger = |side| Ledger {
        side,
        entries: Vec::new(),
        bystanders: Vec::new(),
        rejected: Vec::new(),
        labels: Vec::new(),
        folded: Total::default(),
        control: Total::default(),
        population: Population::default(),
        signs: Vec::new(),
        unreadable_balances: 0,
        unreadable_ends: Vec::new(),
        any: Marks::default(),
        has_wall_times: false,
    };
    Books {
        roster: Roster::new(vec![RowId::parse("ada")]),
        actions: vec!["sub".into(), "trial".into()],
        references: Vec::new(),
        legacy: ledger(Side::Legacy),
        unified: ledger(Side::Unified),
        usage: vec![UserUsage::default()],
        usage_by_day: Vec::new(),
        settled: Default::default(),
        as_of: Instant(1_000 * DAY),
    }
}

fn row(number: usize, action: u16, tokens: i64) -> RowEvent {
    let (row, action) = (number as u32, ActionNo(action));
    RowEvent { row, user: UserNo(0), action, tokens, paid: false, end: End::NotSaid }
}

/// `day what tokens`: `sub` and `trial` grant, `take` deducts, `use`, `fail` (failed use). Who has no row joins
/// at as-of.
fn timeline(text: &str) -> Timeline {
    let mut events: Vec<Event> = Vec::new();
    if text.is_empty() {
        let events = vec![Event { at: Instant(1_000 * DAY), what: What::Joined }];
        return Timeline { holder: UserNo(0), events, as_of: Instant(1_000 * DAY) };
    }
    for (number, line) in text.split(';').map(str::trim).enumerate() {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [day, what, tokens] = cells[..] else { panic!("day, what, tokens: {line:?}") };
        let (at, tokens) = (Instant(day.parse::<i64>().unwrap() * DAY), tokens.parse::<i64>().unwrap());
        if events.is_empty() {
            events.push(Event { at, what: What::Joined });
        }
        let stretch = Some(Stretch { first: at, last: at, rows: 1, tokens: i128::from(tokens) });
        let what = match what {
            "sub" => What::Grant(row(number, 0, tokens)),
            "trial" => What::Grant(row(number, 1, tokens)),
            "take" => What::Deduction(row(number, 0, tokens)),
            "use" => What::Use(Use { succeeded: stretch, failed: None }),
            "fail" => What::Use(Use { succeeded: None, failed: stretch }),
            other => panic!("{other}"),
        };
        events.push(Event { at, what });
    }
    Timeline { holder: UserNo(0), events, as_of: Instant(1_000 * DAY) }
}

/// What is said of a stored balance: `explanation: cause tokens, …`, other sets behind ` | `.
fn said(rows: &str, stored: i128, change: impl FnMut(&mut Policy)) -> String {
    let books = books();
    let policies = Policies::plain(&books).with(change);
    let timeline = timeline(rows);
    let premises =
        Premises { policies: &policies, count_failed: false, opening_shown: None, only_known: false };
    let holder = Holder::new(Rows { timeline: &timeline, edits: &[] }, None, premises);
    let done = timeline.replay(&policies);
    let effects = PolicyEffects {
        opening: done.totals[0],
        reset: done.totals[6] + done.totals[7],
        clamp: done.totals[8] + done.totals[9],
        expiry: done.totals[5],
        ..PolicyEffects::default()
    };
    let word = |cause: &Cause| format!("{} {}", cause.cause.name(), cause.tokens);
    let found = explanations(&holder, stored, &effects);
    for found in &found {
        let sum: i128 = found.shares.iter().map(|share| share.tokens).sum();
        assert_eq!(holder.plain + sum, stored, "{rows}");
    }
    let sets = found.iter().map(|found| found.shares.iter().map(word).collect::<Vec<_>>().join(", "));
    sets.collect::<Vec<_>>().join(" | ")
}

#[test]
fn a_balance_that_was_never_decremented_is_usage_and_opening_tokens() {
    // 600,100 stored, 167,222 recomputed: 432,778 use + 100.
    let rows = "1 sub 600000; 5 use 400000; 9 use 32778";
    let opening = |policy: &mut Policy| policy.opening_tokens = 100;
    assert_eq!(said(rows, 600_100, opening), "usage_not_deducted 432778, opening 100");
    assert_eq!(said(rows, 600_101, opening), "");
}

#[test]
fn one_policy_that_was_kept_otherwise_is_told_from_the_rows() {
    let plain = |_: &mut Policy| {};
    let cases = [
        // The second plan replaced what was left of the first: 100 − 30 are gone.
        ("1 sub 100; 2 use 30; 3 sub 50; 4 use 5", 45, "reset -70"),
        // Only trials replace.
        ("1 sub 100; 3 trial 50; 4 sub 70", 120, "reset -100"),
        // Nobody is ever below zero.
        ("1 sub 100; 2 use 130; 3 use 9; 4 sub 50; 5 take 20", 30, "reset 39 | clamp 39"),
        ("1 sub 100; 2 use 130; 3 trial 30; 4 use 10; 5 sub 50", 70, "reset 30 | clamp 30"),
        // Failed use was counted.
        ("1 sub 100; 2 use 30; 3 fail 7", 63, "failed_usage -7"),
        // A reset and a floor together: 100; replaced by 60; 60 − 90 → 0; 20; 35.
        ("1 trial 100; 2 sub 60; 3 use 90; 4 trial 20; 5 trial 15", 35, "reset -100, clamp 30"),
        // Nothing gives this.
        ("1 sub 100; 2 use 30; 3 sub 50", 77, ""),
    ];
    for (rows, stored, expected) in cases {
        assert_eq!(said(rows, stored, plain), expected, "{rows}");
    }
}

#[test]
fn what_all_configured_policies_give_is_shown_as_they_moved_it() {
    // 100 − 130 → 0 (30 held back); 60; replaced by 50 (60 gone); 50 − 55 → 0 (5 held back).
    let rows = "1 sub 100; 2 use 130; 3 trial 60; 4 sub 50; 5 use 55";
    let kept = |policy: &mut Policy| {
        policy.floor = Floor::Clamp;
        policy.resets[0] = true;
    };
    assert!(said(rows, 0, kept).starts_with("reset -60, clamp 35"), "{}", said(rows, 0, kept));
}

#[test]
fn expiry_goes_by_the_unused_part_or_by_the_whole_grant() {
    let rows = "1 sub 50; 2 trial 100; 3 use 30";
    let ends = |policy: &mut Policy| {
        policy.order = ExpiryOrder::EarliestExpiry;
        policy.expires = true;
        policy.after[1] = Some(Span(56 * DAY));
    };
    assert_eq!(said(rows, 50, ends), "expiry -70");
    assert_eq!(said(rows, 20, ends), "expiry -100");
}

#[test]
fn a_balance_kept_without_lots_is_the_one_that_a_replay_gives() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let books = books();
    let whats = ["sub", "trial", "take", "use", "use", "use", "fail"];
    for round in 0..3_000 {
        let lines: Vec<String> = (0..1 + next(9))
            .map(|at| format!("{} {} {}", at, whats[next(7) as usize], 1 + next(90)))
            .collect();
        let timeline = timeline(&lines.join(";"));
        let (resets, floor, opening, failed) = (next(4), next(3), next(2) as i64 * 7, next(2) == 1);
        let policies = Policies::plain(&books).with(|policy| {
            policy.resets = vec![resets & 1 == 1, resets & 2 == 2];
            policy.floor = [Floor::Debt, Floor::Clamp, Floor::WriteOff][floor as usize];
            policy.opening_tokens = opening;
            policy.count_failed_usage = failed;
        });
        let world = World::new(&timeline, &[], &[], |_| 0, &policies, false);
        let choice = Choice {
            failed: Failed::Configured,
            opening: Opening::Configured,
            reset: Reset::Configured,
            floor: KeptFloor::Configured,
            ..Choice::default()
        };
        let balance = timeline.replay(&policies).balance;
        assert_eq!(world.balance(&choice), balance, "round {round}: {lines:?} {resets} {floor}");
        // Lot by lot, nothing ends: the same again.
        assert_eq!(world.balance(&Choice { expiry: Expiry::Configured, ..choice }), balance, "round {round}");
    }
}

/// `day what tokens` that the findings bring in, as one finding of this cause.
fn missing(cause: GapCause, row: &str) -> Edit {
    let change = match timeline(row).events[..] {
        [_, Event { at, what }] => Change::Insert(at, what),
        _ => panic!("one row: {row}"),
    };
    Edit { cause, why: Hypothesis::Findings, finding: 0, change }
}

#[test]
fn what_matters_in_the_pool_alone_is_a_cause_though_the_owner_has_no_row() {
    // Written off by the time of the grant, so that it shows only where the floor is not kept.
    let floor = |policy: &mut Policy| policy.floor = Floor::WriteOff;
    let counted = |policy: &mut Policy| {
        policy.floor = Floor::WriteOff;
        policy.count_failed_usage = true;
    };
    let take = [missing(GapCause::Deduction, "2 take 30")];
    let takes = [take[0], Edit { finding: 1, ..missing(GapCause::Deduction, "2 take 20") }];
    type Case<'a> = (&'a str, &'a [Edit], fn(&mut Policy), i128, &'a str);
    let cases: [Case<'_>; 5] = [
        ("1 fail 100; 3 trial 40", &[], counted, -60, "failed_usage 0, pool -60"),
        ("1 use 100; 3 trial 40", &take, floor, -90, "deduction 0, pool -90"),
        ("1 use 100; 3 trial 40", &take, floor, -60, "pool -60"),
        ("1 use 100; 3 trial 40", &take, floor, -91, ""),
        // One of two findings.
        ("1 use 100", &takes, floor, -120, "deduction 0, pool -120"),
    ];
    let books = books();
    let joined = vec![Event { at: Instant(DAY), what: What::Joined }];
    let own = Timeline { holder: UserNo(0), events: joined, as_of: Instant(1_000 * DAY) };
    for (rows, edits, change, stored, expected) in cases {
        let policies = Policies::plain(&books).with(change);
        let premises =
            Premises { policies: &policies, count_failed: false, opening_shown: None, only_known: true };
        let pooled = timeline(rows);
        let pooled = Some(Rows { timeline: &pooled, edits });
        let holder = Holder::new(Rows { timeline: &own, edits: &[] }, pooled, premises);
        let found = explanations(&holder, stored, &PolicyEffects::default());
        let word = |cause: &Cause| format!("{} {}", cause.cause.name(), cause.tokens);
        let sets = found.iter().map(|found| found.shares.iter().map(word).collect::<Vec<_>>().join(", "));
        assert_eq!(sets.collect::<Vec<_>>().join(" | "), expected, "{rows}: {stored}");
    }
}

#[test]
fn rows_that_come_in_stand_among_those_of_their_instant_as_in_a_replay() {
    // What is missing, what is there, and what both together give: the larger plan replaces the smaller one.
    let cases = [
        ("2 sub 100", "1 trial 70; 2 sub 500", 500),
        ("2 sub 500", "1 trial 70; 2 sub 100", 500),
        ("2 sub 100", "1 trial 70; 2 trial 500", 600),
        ("2 trial 5", "1 trial 70; 2 sub 100; 2 take 200", -95),
        ("2 take 9", "1 trial 7; 2 sub 100; 2 use 95", -4),
    ];
    let books = books();
    let policies = Policies::plain(&books).with(|policy| policy.resets[0] = true);
    for (row, there, expected) in cases {
        let edit = missing(GapCause::Unmigrated, row);
        let world = World::new(&timeline(there), &[edit], &[edit], |_| 1, &policies, false);
        let choice = Choice { findings: 1, reset: Reset::Configured, ..Choice::default() };
        assert_eq!(world.balance(&choice), expected, "{row} beside {there}");
        let lots = Choice { expiry: Expiry::Configured, ..choice };
        assert_eq!(world.balance(&lots), expected, "{row} beside {there}");
    }
}

/// The policies with another one, that differs as told, from a day on.
fn changed_on(day: i64, first: impl FnMut(&mut Policy), then: impl FnMut(&mut Policy)) -> Policies {
    let first = Policies::plain(&books()).with(first);
    let then = first.with(then);
    let dated = Policy { from: Instant(day * DAY), ..then.all()[0].clone() };
    Policies::new(vec![first.all()[0].clone(), dated])
}

/// All sets, in words, of a holder without a pool.
fn sets_of(rows: &Timeline, edits: &[Edit], policies: &Policies, failed: bool, stored: i128) -> String {
    let premises = Premises { policies, count_failed: failed, opening_shown: None, only_known: false };
    let holder = Holder::new(Rows { timeline: rows, edits }, None, premises);
    // What all policies together move is all in one column: the sum is what matters.
    let moved = rows.replay(policies).balance - holder.plain;
    let effects = PolicyEffects { opening: moved, ..PolicyEffects::default() };
    let found = explanations(&holder, stored, &effects);
    for Found { set, shares } in &found {
        let sum: i128 = shares.iter().map(|share| share.tokens).sum();
        let context = format!("{rows:?} {edits:?} {policies:?}");
        assert_eq!((holder.plain + sum, holder.balance_of(set)), (stored, stored), "{context}");
    }
    let word = |cause: &Cause| format!("{} {}", cause.cause.name(), cause.tokens);
    let sets = found.iter().map(|found| found.shares.iter().map(word).collect::<Vec<_>>().join(", "));
    sets.collect::<Vec<_>>().join(" | ")
}

#[test]
fn causes_that_meet_are_never_added_up() {
    let opening = |tokens: i64| move |policy: &mut Policy| policy.opening_tokens = tokens;
    let counted = |policy: &mut Policy| policy.count_failed_usage = true;
    let nothing = |_: &mut Policy| {};
    let [late, later] = [changed_on(900, opening(0), opening(100)), changed_on(60, opening(0), opening(100))];
    let (ended, counts) = (changed_on(58, opening(37), opening(0)), changed_on(0, counted, nothing));
    type Case<'a> = (&'a str, Option<(GapCause, &'a str)>, &'a Policies, i128, &'a str);
    let cases: [Case<'_>; 8] = [
        // The row that comes in is the first, and at that time nothing was given at sign-up.
        ("", Some((GapCause::Amount, "800 sub 50")), &late, 150, ""),
        ("", Some((GapCause::Amount, "800 sub 50")), &late, 50, "amount 50"),
        ("", Some((GapCause::Amount, "800 sub 50")), &late, 100, "opening 100"),
        ("63 sub 100", Some((GapCause::Unmigrated, "10 sub 50")), &later, 250, ""),
        // At that time something was.
        ("", Some((GapCause::Unmigrated, "22 sub 30")), &ended, 67, "unmigrated 30, opening 37"),
        // Failed use that the sum has in it is not taken off once more by not taking off any.
        ("1 sub 50; 2 fail 10", None, &counts, 60, ""),
        ("1 sub 50; 2 fail 10", None, &counts, 50, "failed_usage 10 | usage_not_deducted 10"),
        ("1 sub 50; 2 fail 10; 3 use 5", None, &counts, 50, "usage_not_deducted 15"),
    ];
    for (rows, edit, policies, stored, expected) in cases {
        let edits: Vec<Edit> = edit.map(|(cause, row)| missing(cause, row)).into_iter().collect();
        let failed = policies.all()[1].count_failed_usage;
        let found = sets_of(&timeline(rows), &edits, policies, failed, stored);
        assert_eq!(found, expected, "{rows} {edit:?} {stored}");
    }
}

#[test]
fn the_first_row_is_the_users_own_wherever_its_tokens_stand() {
    let opening = |tokens: i64| move |policy: &mut Policy| policy.opening_tokens = tokens;
    let policies = changed_on(20, opening(100), opening(37));
    let premises =
        Premises { policies: &policies, count_failed: false, opening_shown: None, only_known: true };
    let own = timeline("30 use 50");
    // All of it stands at the row of the owner, but for what was given at sign-up.
    let elsewhere = Timeline { events: own.events[..1].to_vec(), ..own.clone() };
    let edits = [missing(GapCause::Deduction, "10 take 30")];
    let pooled = Some(Rows { timeline: &elsewhere, edits: &[] });
    let holder = Holder::new(Rows { timeline: &own, edits: &edits }, pooled, premises);
    let found = explanations(&holder, 100, &PolicyEffects::default());
    let shares: Vec<(GapCause, i128)> =
        found[0].shares.iter().map(|share| (share.cause, share.tokens)).collect();
    let expected = [(GapCause::Deduction, -30), (GapCause::Opening, 100), (GapCause::Pool, 80)];
    assert_eq!((found.len(), &shares[..]), (1, &expected[..]));
}

#[test]
fn a_balance_kept_as_configured_is_explained_and_every_set_gives_it_to_the_token() {
    let mut state = 0x51_7cc1_b727_220au64;
    let mut next = |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let whats = ["sub", "trial", "take", "use", "fail"];
    let causes = [GapCause::Unmigrated, GapCause::Amount, GapCause::OtherUser];
    for round in 0..600 {
        let (mut all, mut there, mut edits) = (Vec::new(), Vec::new(), Vec::new());
        for at in 0..1 + next(6) {
            let what = whats[next(5) as usize];
            let row = format!("{} {what} {}", 1 + 3 * at + next(3), 1 + next(90));
            all.push(row.clone());
            if next(3) > 0 || ["use", "fail"].contains(&what) {
                there.push(row);
                continue;
            }
            let cause = if what == "take" { GapCause::Deduction } else { causes[next(3) as usize] };
            edits.push(Edit { finding: at as u32, ..missing(cause, &row) });
        }
        let mut policy = |policy: &mut Policy| {
            policy.opening_tokens = next(3) as i64 * 37;
            policy.count_failed_usage = next(2) == 1;
            policy.floor = [Floor::Debt, Floor::Debt, Floor::Debt, Floor::Clamp][next(4) as usize];
        };
        let first = Policies::plain(&books()).with(&mut policy);
        let policies = changed_on(9, |one| *one = first.all()[0].clone(), &mut policy);
        let failed = policies.all()[1].count_failed_usage;
        let kept = timeline(&all.join(";")).replay(&policies).balance;
        let rows = timeline(&there.join(";"));
        let found = sets_of(&rows, &edits, &policies, failed, kept);
        assert!(
            !found.is_empty() || kept == plain(&rows, failed),
            "round {round}: {all:?} {edits:?} {policies:?}"
        );
        // Whatever is stored: what is called an explanation is one.
        sets_of(&rows, &edits, &policies, failed, kept + next(120) as i128 - 60);
    }
}

/// The sum of the rows.
fn plain(rows: &Timeline, failed: bool) -> i128 {
    let policies = Policies::plain(&books()).with(|policy| policy.count_failed_usage = failed);
    rows.replay(&policies).balance
}
