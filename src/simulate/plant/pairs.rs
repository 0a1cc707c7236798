//! Rows that are missing, that differ, that come in parts.

use super::Say;
use crate::domain::{Class, RepairKind, Verdict};
use crate::simulate::calendar::{DAY, HOUR, SECOND};
use crate::simulate::defect::Defect;
use crate::simulate::rows::{Fate, Movement, Other};
use crate::simulate::user::{Planned, User};

/// Grants of a user that were copied in bulk: more than the twenty others that make a stamp.
const STAMPED: i64 = 24;

pub(super) fn missing(user: &mut User, kind: Defect) {
    if kind == Defect::UnmigratedDeduction {
        let at = user.room();
        let tokens = 50 * user.random.between(10, 80) + 1;
        let legacy = user.legacy_row(Movement::Deduction, tokens, at);
        user.stored -= tokens;
        let say = Say::new(kind, Class::UnmigratedDeduction, RepairKind::Backfill);
        return say.rows(&[legacy], &[]).effect(-tokens).of(user);
    }
    let planned = if user.random.chance(0.5) {
        user.planned()
    } else {
        let others = [(Movement::Pack, 500_000), (Movement::Pack, 100_000), (Movement::Adjustment, 25_000)];
        let (movement, tokens) = user.random.one_of(&others);
        Planned { at: user.room(), movement, tokens }
    };
    let Planned { at, movement, tokens } = planned;
    let legacy = user.legacy_row(movement, tokens, at);
    if movement == Movement::Pack && user.world.legacy_payments {
        user.legacy[legacy].payment = Some(user.random.next());
    }
    user.stored += tokens;
    Say::new(kind, Class::Unmigrated, RepairKind::Backfill).rows(&[legacy], &[]).effect(tokens).of(user);
}

pub(super) fn differing(user: &mut User, kind: Defect) {
    let Planned { at, movement, tokens } = user.planned();
    let (legacy, unified) = user.copied(movement, tokens, at);
    let (class, repair, effect) = match kind {
        Defect::AmountMismatch => {
            let wrong = [tokens - 1, tokens + 1, tokens * 4 / 5, tokens / 10, tokens * 6 / 5];
            let wrong = user.random.one_of(&wrong);
            user.unified[unified].tokens = wrong;
            (Class::AmountMismatch, RepairKind::Update, tokens - wrong)
        }
        Defect::ActionMismatch => {
            user.unified[unified].action = Movement::Adjustment.action();
            (Class::ActionMismatch, RepairKind::Update, 0)
        }
        Defect::LateCopy => {
            // Off the grid of time zones.
            let minutes = user.random.between(1, 90) * 15 + 7;
            user.unified[unified].at += minutes * 60 * SECOND;
            (Class::TimeMismatch, RepairKind::None, 0)
        }
        _ => {
            let admin = Other { id: user.random.uuid(), stored: 0, in_pool: false };
            user.unified[unified].other = Some(user.others.len());
            user.others.push(admin);
            (Class::UserMismatch, RepairKind::Review, tokens)
        }
    };
    Say::new(kind, class, repair).rows(&[legacy], &[unified]).effect(effect).of(user);
}

/// Every honest pair, five hours apart.
pub(super) fn uniform_shift(user: &mut User) {
    for (legacy, unified) in user.pairs.clone() {
        user.unified[unified].at += 5 * HOUR;
        let say = Say::new(Defect::UniformShift, Class::TimeMismatch, RepairKind::None);
        say.rows(&[legacy], &[unified]).of(user);
    }
}

/// Amounts differ, so that it is certain which copy belongs to which row.
pub(super) fn bulk_stamp(user: &mut User) {
    let stamp = user.world.calendar.stamp;
    user.take(stamp);
    let mut at = stamp - 6 * DAY;
    for number in 0..STAMPED {
        let wanted = at - user.random.between(0, 4 * DAY);
        at = user.room_before(wanted);
        let (legacy, unified) = user.copied(Movement::Adjustment, 5_250 + 500 * number, at);
        user.unified[unified].at = stamp;
        let say = Say::new(Defect::BulkStamp, Class::TimeMismatch, RepairKind::None);
        say.rows(&[legacy], &[unified]).of(user);
    }
}

pub(super) fn parts(user: &mut User, kind: Defect) {
    let Planned { at, movement, tokens } = user.planned();
    let count = user.random.between(2, 6);
    let mut rest = tokens;
    let mut amounts = Vec::new();
    for left in (1..count).rev() {
        let part = user.random.between(tokens / 25, rest / (left + 1));
        amounts.push(part);
        rest -= part;
    }
    amounts.push(rest);
    user.stored += tokens;
    let (mut legacy, mut unified) = (Vec::new(), Vec::new());
    for part in amounts {
        let drift = user.random.between(0, SECOND);
        match kind {
            Defect::Split => unified.push(user.unified_row(movement, part, at + drift)),
            _ => legacy.push(user.legacy_row(movement, part, at + drift)),
        }
    }
    match kind {
        Defect::Split => legacy.push(user.legacy_row(movement, tokens, at)),
        _ => unified.push(user.unified_row(movement, tokens, at)),
    }
    Say::new(kind, Class::SplitGrant, RepairKind::None).rows(&legacy, &unified).of(user);
}

/// The one copy lies exactly between two equal grants, within tolerance of both. By the rule book
/// the pair of the least ids counts, and what is left over is for a person to judge.
pub(super) fn contested_missing(user: &mut User) {
    let Planned { at, movement, tokens } = user.planned();
    let first = user.legacy_row(movement, tokens, at);
    let second = user.legacy_row(movement, tokens, at + 3 * SECOND);
    let copy = user.unified_row(movement, tokens, at + 3 * SECOND / 2);
    user.unified[copy].migrated = true;
    user.stored += 2 * tokens;
    let (kept, left) =
        if user.legacy[first].id < user.legacy[second].id { (first, second) } else { (second, first) };
    user.pair(kept, copy);
    let say = Say::new(Defect::ContestedMissing, Class::Unmigrated, RepairKind::Review);
    say.rows(&[left], &[]).effect(tokens).verdict(Verdict::Contested).of(user);
}

/// Each copy lies nearer to the next row than to its own.
pub(super) fn greedy_trap(user: &mut User) {
    let at = user.room();
    for number in 0..4 {
        let (_, unified) = user.copied(Movement::Adjustment, 20_000, at + number * 2 * SECOND);
        user.unified[unified].at += SECOND * 9 / 5;
        user.unified[unified].migrated = false;
    }
}

/// The row is counted, and no more.
pub(super) fn apart(user: &mut User, legacy: usize, population: &'static str) {
    user.legacy[legacy].fate = Fate::of(population);
}
