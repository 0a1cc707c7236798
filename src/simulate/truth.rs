//! What every balance must come to, from the planted rows.

use super::defect::Defect;
use super::plant::OPENING_TOKENS;
use super::user::{TRIAL_LASTS, User};
use crate::domain::{Class, RepairKind};

/// The columns of causes, in their order.
pub(super) const CAUSES: [&str; 14] = [
    "unmigrated",
    "duplicate",
    "amount",
    "action",
    "other_user",
    "orphan",
    "deduction",
    "failed_usage",
    "usage_not_deducted",
    "opening",
    "reset",
    "clamp",
    "expiry",
    "pool",
];

const OTHER_USER: usize = 4;
const ORPHAN: usize = 5;
const FAILED_USAGE: usize = 7;
const USAGE_NOT_DEDUCTED: usize = 8;
const OPENING: usize = 9;
const RESET: usize = 10;
const CLAMP: usize = 11;
const EXPIRY: usize = 12;
const POOL: usize = 13;

/// One line of `truth_balances.csv`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) user: u128,
    pub(super) granted: i64,
    pub(super) deducted: i64,
    pub(super) used: i64,
    pub(super) corrected: i64,
    pub(super) stored: i64,
    /// What was planted, by cause; with `unexplained` they add up to the gap.
    pub(super) causes: [i64; 14],
    pub(super) unexplained: i64,
    pub(super) explanation: &'static str,
}

impl Balance {
    pub(super) fn recomputed(&self) -> i64 {
        self.granted - self.deducted - self.used
    }

    pub(super) fn gap(&self) -> i64 {
        self.stored - self.recomputed()
    }
}

/// The balances of the user and of the others of the household.
pub(super) fn balances(user: &User) -> Vec<Balance> {
    let mut all = vec![of_user(user)];
    for (at, other) in user.others.iter().enumerate() {
        let used = user.usage.iter().filter(|row| row.other == Some(at) && !row.failed);
        let used: i64 = used.map(|row| row.tokens).sum();
        let granted: i64 =
            user.unified.iter().filter(|row| row.other == Some(at)).map(|row| row.signed()).sum();
        let mut balance = Balance { user: other.id, granted, used, ..Balance::default() };
        balance.corrected = balance.recomputed();
        balance.stored = other.stored;
        balance.causes[POOL] = used;
        balance.causes[OTHER_USER] = -granted;
        let causes = balance.causes;
        explain(&mut balance, causes);
        all.push(balance);
    }
    all
}

fn of_user(user: &User) -> Balance {
    let mut balance =
        Balance { user: user.id, stored: user.stored, unexplained: user.unexplained, ..Balance::default() };
    for row in user.unified.iter().filter(|row| row.other.is_none() && row.at <= user.as_of()) {
        match row.signed() {
            tokens if tokens < 0 => balance.deducted -= tokens,
            tokens => balance.granted += tokens,
        }
    }
    balance.used = user.used();
    balance.corrected = balance.recomputed();
    // What could be a cause, by the figures; and what was planted.
    let mut possible = [0; 14];
    for truth in &user.truth {
        let effect = truth.effect.unwrap_or(0);
        if truth.repair.is_executable() {
            balance.corrected += effect;
        }
        if let Some(cause) = cause_of(truth.class) {
            possible[cause] += effect;
        }
        if truth.class == Class::Orphan && truth.repair == RepairKind::None {
            possible[ORPHAN] -= tokens_of(user, truth.unified[0]);
        }
    }
    balance.causes = possible;
    let has = |kind| user.planted.contains(&kind);
    if has(Defect::Orphan) || has(Defect::Plug) {
        balance.causes[ORPHAN] = 0;
    }
    possible[FAILED_USAGE] = -user.failed();
    possible[USAGE_NOT_DEDUCTED] = balance.used;
    possible[OPENING] = if user.world.policies.opening { OPENING_TOKENS } else { 0 };
    let beside_the_rows = balance.gap();
    let planted = [
        (FAILED_USAGE, Defect::FailedCounted, possible[FAILED_USAGE]),
        (USAGE_NOT_DEDUCTED, Defect::NeverDecremented, possible[USAGE_NOT_DEDUCTED]),
        (OPENING, Defect::Opening, possible[OPENING]),
        (RESET, Defect::Reset, beside_the_rows),
        (CLAMP, Defect::Clamp, beside_the_rows),
        (EXPIRY, Defect::Expired, beside_the_rows),
        (POOL, Defect::Pool, beside_the_rows),
    ];
    for (cause, _, tokens) in planted.into_iter().filter(|(_, kind, _)| has(*kind)) {
        (balance.causes[cause], possible[cause]) = (tokens, tokens);
    }
    debug_assert_eq!(balance.causes.iter().sum::<i64>() + balance.unexplained, balance.gap());
    explain(&mut balance, possible);
    balance
}

fn tokens_of(user: &User, id: u128) -> i64 {
    user.unified.iter().find(|row| row.id == id).map_or(0, |row| row.tokens)
}

fn cause_of(class: Class) -> Option<usize> {
    match class {
        Class::Unmigrated => Some(0),
        Class::Duplicate => Some(1),
        Class::AmountMismatch => Some(2),
        Class::ActionMismatch => Some(3),
        Class::UserMismatch => Some(OTHER_USER),
        Class::Orphan => Some(ORPHAN),
        Class::UnmigratedDeduction => Some(6),
        _ => None,
    }
}

/// The smallest set of possible causes that gives the gap counts, even where several planted ones
/// cancel out; where several sets are equally small, none is named.
fn explain(balance: &mut Balance, possible: [i64; 14]) {
    let gap = balance.gap();
    if balance.unexplained != 0 {
        return balance.explanation = "";
    }
    if gap == 0 {
        balance.causes = [0; 14];
        return balance.explanation = "none_needed";
    }
    let places: Vec<usize> = (0..14).filter(|&at| possible[at] != 0).collect();
    let mut smallest: Vec<u32> = Vec::new();
    for set in 1u32..1 << places.len() {
        let sum: i64 =
            places.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1).map(|(_, &at)| possible[at]).sum();
        if sum != gap {
            continue;
        }
        let known = smallest.first().map_or(u32::MAX, |set| set.count_ones());
        if set.count_ones() < known {
            smallest.clear();
        }
        if set.count_ones() <= known {
            smallest.push(set);
        }
    }
    match smallest[..] {
        [set] => {
            let planted = std::mem::take(&mut balance.causes);
            debug_assert!(planted.iter().sum::<i64>() == gap);
            for (at, &place) in places.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1) {
                debug_assert!(at < 14);
                balance.causes[place] = possible[place];
            }
            balance.explanation = "unique";
        }
        _ => balance.explanation = "several",
    }
}

/// The balance after all of the user's own events in the order of time; `step` takes the balance,
/// the change and the action.
pub(super) fn replay(user: &User, step: impl Fn(i64, i64, &str) -> i64) -> i64 {
    events(user).into_iter().fold(0, |balance, (_, change, action)| step(balance, change, action))
}

/// What policies take away, a trial that ends or a grant that replaces what was there, may leave less than is
/// taken afterwards: the balance is then below zero at some time. A trial is used up before all else.
pub(super) fn dips(user: &User) -> bool {
    let policies = user.world.policies;
    let takes_away = policies.expiry || policies.reset;
    if !takes_away || policies.clamp || user.household.is_some() {
        return false;
    }
    let mut events = events(user);
    events.retain(|(at, ..)| *at <= user.as_of());
    events.sort_by_key(|(at, change, _)| (*at, *change < 0));
    let mut trials: Vec<(i64, i64)> = Vec::new();
    let mut rest = if policies.opening { OPENING_TOKENS } else { 0 };
    for (at, change, action) in events {
        trials.retain(|(end, _)| *end > at);
        if policies.reset && action == "subscription_grant" {
            trials.clear();
            rest = 0;
        }
        if change >= 0 {
            match action {
                "trial_grant" if policies.expiry => trials.push((at + TRIAL_LASTS, change)),
                _ => rest += change,
            }
            continue;
        }
        let mut due = -change;
        for (_, left) in &mut trials {
            let taken = due.min(*left);
            *left -= taken;
            due -= taken;
        }
        rest -= due;
        if rest < 0 {
            return true;
        }
    }
    false
}

/// Time, change and action of the user's own events that count, oldest first.
fn events(user: &User) -> Vec<(i64, i64, &'static str)> {
    let grants = user.unified.iter().filter(|row| row.other.is_none() && !row.failed);
    let usage = user.usage.iter().filter(|row| row.other.is_none() && !row.failed);
    let mut events: Vec<(i64, i64, &'static str)> = grants
        .map(|row| (row.at, row.signed(), row.action))
        .chain(usage.map(|row| (row.at, -row.tokens, "")))
        .collect();
    events.sort_unstable();
    events
}

/// The balance after each legacy row, as the application knew it.
pub(super) fn snapshots(user: &User) -> Vec<i64> {
    let events = events(user);
    let mut after = Vec::with_capacity(events.len());
    let mut balance = 0;
    for (at, change, _) in events {
        balance += change;
        after.push((at, balance));
    }
    let known = |row: &super::rows::LegacyRow| {
        let at = row.at? + super::calendar::SECOND;
        let before = after.partition_point(|event| event.0 <= at);
        Some(after[before.checked_sub(1)?].1)
    };
    user.legacy.iter().map(|row| known(row).unwrap_or(0)).collect()
}
