//! Labels, signs, unreadable rows, and rows that only count.

use super::{Say, pairs::apart};
use crate::domain::{Class, RepairKind};
use crate::simulate::calendar::{DAY, HOUR, SECOND, first_of_month, month_of};
use crate::simulate::defect::Defect;
use crate::simulate::rows::{Fate, Movement};
use crate::simulate::user::User;

pub(super) fn purchase(user: &mut User, kind: Defect) {
    let at = user.room();
    let (legacy, unified) = match kind {
        Defect::MislabelledPurchase => {
            let (legacy, unified) = user.copied(Movement::Pack, 500_000, at);
            (vec![legacy], unified)
        }
        _ => {
            let unified = user.unified_row(Movement::Pack, 500_000, at);
            user.unified[unified].payment = Some(user.random.next());
            user.stored += 500_000;
            (Vec::new(), unified)
        }
    };
    user.unified[unified].action = Movement::Adjustment.action();
    let say = Say::new(kind, Class::MislabelledPurchase, RepairKind::Update);
    say.rows(&legacy, &[unified]).of(user);
}

/// Three honest grants of the month's sign and one of the other: the rarer one, in any ledger.
pub(super) fn sign_era(user: &mut User) {
    let calendar = user.world.calendar;
    let from = calendar.start.min(calendar.as_of - 76 * DAY);
    let wanted = user.random.between(from, calendar.as_of - 75 * DAY);
    let times = four_times_of_a_month(user, month_of(wanted));
    for &at in &times[..3] {
        user.copied(Movement::Adjustment, 15_000, at);
    }
    let row = user.legacy_row(Movement::Adjustment, 15_500, times[3]);
    user.legacy[row].contrary_sign = true;
    user.stored += 15_500;
    let say = Say::new(Defect::SignEra, Class::Unmigrated, RepairKind::Review);
    say.rows(&[row], &[]).effect(15_500).of(user);
}

/// Four times of one month with room around them: of this month or the next earlier one that has
/// them.
fn four_times_of_a_month(user: &mut User, mut month: i64) -> [i64; 4] {
    loop {
        let (start, end) = (first_of_month(month) * DAY, first_of_month(month + 1) * DAY);
        let mut times = Vec::new();
        let mut at = start + user.random.between(HOUR, DAY);
        while at < end && times.len() < 4 {
            if user.is_free(at) {
                times.push(at);
                at += 3 * DAY;
            }
            at += user.random.between(HOUR, 12 * HOUR);
        }
        if let [a, b, c, d] = times[..] {
            times.iter().for_each(|&at| user.take(at));
            return [a, b, c, d];
        }
        month -= 1;
    }
}

pub(super) fn unmapped(user: &mut User) {
    let at = user.room();
    let say = Say::new(Defect::UnmappedAction, Class::UnmappedAction, RepairKind::Review).without_effect();
    if user.random.chance(0.5) {
        let row = user.legacy_row(Movement::Loyalty, 12_500, at);
        say.rows(&[row], &[]).of(user);
    } else {
        let row = user.unified_row(Movement::Loyalty, 12_500, at);
        say.rows(&[], &[row]).of(user);
    }
}

pub(super) fn rejected(user: &mut User) {
    let at = user.room();
    let row = user.legacy_row(Movement::Renewal, user.plan_tokens, at);
    match user.random.between(0, 3) {
        0 => user.legacy[row].at = None,
        1 => user.legacy[row].tokens = None,
        _ => user.legacy[row].has_user = false,
    }
    let say = Say::new(Defect::RejectedRow, Class::RejectedRow, RepairKind::Review).without_effect();
    say.rows(&[row], &[]).of(user);
}

pub(super) fn zero_and_failed(user: &mut User) {
    let at = user.room();
    let zero = user.legacy_row(Movement::Renewal, 0, at);
    apart(user, zero, "zero");
    let zero = user.unified_row(Movement::Renewal, 0, at + HOUR);
    user.unified[zero].fate = Fate::of("zero");
    let at = user.room();
    user.copied(Movement::Renewal, user.plan_tokens, at);
    let failed = user.unified_row(Movement::Renewal, user.plan_tokens, at - 60 * SECOND);
    user.unified[failed].failed = true;
    user.unified[failed].fate = Fate::of("failed");
}

/// Usage above zero, like grants; transfers within a household.
pub(super) fn legacy_usage(user: &mut User) {
    for _ in 0..user.random.between(2, 12) {
        let at = user.signup + user.random.between(HOUR, 30 * DAY);
        let tokens = user.random.between(100, 6_000);
        let row = user.legacy_row(Movement::Chat, tokens, at);
        apart(user, row, "usage");
    }
    let at = user.room();
    let tokens = user.random.between(1_000, 20_000);
    let row = user.legacy_row(Movement::Transfer, tokens, at);
    apart(user, row, "ignored");
}

/// A pair and a single row that lie after as-of.
pub(super) fn future(user: &mut User) {
    let at = user.as_of() + 5 * DAY + user.random.between(0, DAY);
    user.take(at);
    let legacy = user.legacy_row(Movement::Renewal, user.plan_tokens, at);
    let unified = user.unified_row(Movement::Renewal, user.plan_tokens, at + SECOND / 10);
    user.pair(legacy, unified);
    user.legacy[legacy].fate.disposition = "after_as_of";
    user.unified[unified].fate.disposition = "after_as_of";
    let row = user.legacy_row(Movement::Annual, 5_000_000, at + 30 * DAY);
    apart(user, row, "after_as_of");
}

/// Two rows of the last minutes whose partners may still come.
pub(super) fn pending(user: &mut User) {
    let as_of = user.as_of();
    user.take(as_of);
    let at = as_of - user.random.between(150 * SECOND, 280 * SECOND);
    let row = user.legacy_row(Movement::Renewal, user.plan_tokens, at);
    apart(user, row, "pending");
    let at = as_of - user.random.between(SECOND, 100 * SECOND);
    let row = user.unified_row(Movement::Deduction, 1_111, at);
    user.unified[row].fate = Fate::of("pending");
    user.stored -= 1_111;
}
