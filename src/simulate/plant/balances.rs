//! Stored balances that are wrong, or that follow a policy beside the rows.

use super::Say;
use crate::domain::{Class, RepairKind};
use crate::simulate::calendar::{DAY, HOUR, moment};
use crate::simulate::defect::Defect;
use crate::simulate::rows::{Movement, Other, Usage};
use crate::simulate::truth::replay;
use crate::simulate::usage;
use crate::simulate::user::{TRIAL_LASTS, TRIAL_TOKENS, User};

/// Default tokens at sign-up, where the configuration has them.
pub(in crate::simulate) const OPENING_TOKENS: i64 = 100;

/// Spoils the stored balance of an ordinary history.
pub(super) fn spoil(user: &mut User, kind: Defect) {
    match kind {
        Defect::BalanceGap => {
            // Larger than all usage of a user, so that nothing else can explain it.
            user.unexplained = 1_000_000_007 + user.random.between(0, 1_000_000);
            user.stored += user.unexplained;
            say_gap(user, kind);
        }
        Defect::NeverDecremented => {
            let used = user.used();
            user.stored += used;
            if used != 0 {
                say_gap(user, kind);
            }
        }
        Defect::FailedCounted => {
            if user.failed() == 0 {
                let at = user.signup + 9 * HOUR + user.random.between(0, HOUR);
                let tokens = user.random.between(200, 4_000);
                let id = user.random.uuid();
                user.usage.push(Usage { id, other: None, action: 0, tokens, at, failed: true });
            }
            user.stored -= user.failed();
            say_gap(user, kind);
        }
        Defect::Opening => user.stored += OPENING_TOKENS,
        Defect::TwoProfiles => user.two_profiles = true,
        _ => {}
    }
}

fn say_gap(user: &mut User, kind: Defect) {
    Say::new(kind, Class::BalanceGap, RepairKind::Review).without_effect().of(user);
}

/// A history of its own for a kind that stands alone.
pub(super) fn live(user: &mut User, kind: Defect) {
    match kind {
        Defect::NegativeBalance => negative_balance(user),
        Defect::Reset => reset(user),
        Defect::Clamp => clamp(user),
        Defect::Expired => expired(user),
        _ => pool(user),
    }
    user.legacy.iter_mut().for_each(|row| row.fate.defect = kind.name());
    user.unified.iter_mut().for_each(|row| row.fate.defect = kind.name());
}

/// Usage until more than `tokens` are gone.
fn overspend(user: &mut User, (from, to): (i64, i64), tokens: i64) {
    let mut left = tokens + user.random.between(1_000, 60_000);
    while left > 0 {
        let tokens = user.random.between(2_000, 20_000).min(left);
        let at = moment(&mut user.random, from, to);
        let id = user.random.uuid();
        user.usage.push(Usage { id, other: None, action: 2, tokens, at, failed: false });
        user.stored -= tokens;
        left -= tokens;
    }
}

fn negative_balance(user: &mut User) {
    user.take(user.signup);
    user.budget_percent = 0;
    user.grant(Movement::Trial, TRIAL_TOKENS, user.signup, 1);
    let reach = usage::reach(user.signup, user.as_of());
    overspend(user, reach, TRIAL_TOKENS);
    // Under `floor = "clamp"` no balance lies below zero.
    if !user.world.policies.clamp {
        let say = Say::new(Defect::NegativeBalance, Class::NegativeBalance, RepairKind::Review);
        say.without_effect().of(user);
    }
}

/// Each subscription grant set the stored balance to its amount.
fn reset(user: &mut User) {
    user.budget_percent = 25;
    while user.schedule.is_empty() {
        user.subscribe();
    }
    user.live_plan();
    user.stored = replay(
        user,
        |balance, change, action| {
            if action == "subscription_grant" { change } else { balance + change }
        },
    );
}

/// Usage beyond the first pack took the stored balance to zero and not below.
fn clamp(user: &mut User) {
    user.take(user.signup);
    user.budget_percent = 0;
    let first = user.signup;
    user.grant(Movement::Pack, 100_000, first, 1);
    let second = first + user.random.between(20 * DAY, 35 * DAY);
    overspend(user, (first + 8 * HOUR, second - HOUR), 100_000);
    user.take(second);
    user.budget_percent = 90;
    user.grant(Movement::Pack, 500_000, second, 1);
    user.stored = replay(user, |balance, change, _| (balance + change).max(0));
}

/// What was left of the trial after its time was dropped. It is used up first: nothing else of the
/// user ends.
fn expired(user: &mut User) {
    user.signup = user.signup.min(user.as_of() - 70 * DAY);
    user.take(user.signup);
    user.budget_percent = 50;
    user.grant(Movement::Trial, TRIAL_TOKENS, user.signup, 1);
    let packs = user.random.between(0, 3);
    user.buy_packs(packs);
    let end = user.signup + TRIAL_LASTS;
    let used: i64 = user.usage.iter().filter(|row| !row.failed && row.at < end).map(|row| row.tokens).sum();
    user.stored -= (TRIAL_TOKENS - used).max(0);
}

/// The owner of a household buys, its members use; what is stored stands with the owner.
fn pool(user: &mut User) {
    user.take(user.signup);
    user.budget_percent = 40;
    user.household = Some(user.random.uuid());
    for _ in 0..user.random.between(1, 4) {
        user.others.push(Other { id: user.random.uuid(), stored: 0, in_pool: true });
    }
    user.grant(Movement::Pack, 500_000, user.signup, 1);
    user.buy_packs(1);
    let granted: Vec<(i64, i64)> = user.unified.iter().map(|row| (row.at, row.tokens)).collect();
    for (at, tokens) in granted {
        for member in 0..user.others.len() {
            let mut rows = Vec::new();
            let reach = usage::reach(at, user.as_of());
            let budget = tokens / 2 / user.others.len() as i64;
            let count = user.random.between(1, 9);
            usage::spend(&mut user.random, reach, count, budget, &mut rows);
            rows.iter_mut().for_each(|row| row.other = Some(member));
            let used: i64 = rows.iter().filter(|row| !row.failed).map(|row| row.tokens).sum();
            user.stored -= used;
            user.usage.extend(rows);
        }
    }
}
