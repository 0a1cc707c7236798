//! Rows that repeat others, and rows without a legacy row.

use super::Say;
use crate::domain::{Class, RepairKind, Verdict};
use crate::simulate::calendar::{DAY, HOUR, SECOND};
use crate::simulate::defect::Defect;
use crate::simulate::rows::Movement;
use crate::simulate::user::{Planned, User};

pub(super) fn replay(user: &mut User) {
    let at = user.room();
    let tokens = user.random.one_of(&[100_000, 500_000, 1_200_000]);
    let (legacy, unified) = user.copied(Movement::Pack, tokens, at);
    // The webhook wrote both rows.
    user.unified[unified].migrated = false;
    // Within the window the copy may be removed; days later a person has to look.
    let (later, repair) = if user.random.chance(0.5) {
        (at + user.random.between(HOUR, 20 * HOUR), RepairKind::Dedupe)
    } else {
        (user.room_before(at - 9 * DAY), RepairKind::Review)
    };
    let extra = user.unified_row(Movement::Pack, tokens, later);
    user.unified[extra].payment = user.unified[unified].payment;
    let say = Say::new(Defect::Replay, Class::Duplicate, repair);
    say.rows(&[legacy], &[extra]).effect(-tokens).of(user);
}

pub(super) fn source_replay(user: &mut User) {
    let at = user.room();
    let (legacy, _) = user.copied(Movement::Pack, 100_000, at);
    let later = at + user.random.between(60 * SECOND, 20 * HOUR);
    let extra = user.legacy_row(Movement::Pack, 100_000, later);
    user.legacy[extra].payment = user.legacy[legacy].payment;
    let say = Say::new(Defect::SourceReplay, Class::SourceDuplicate, RepairKind::None);
    say.rows(&[extra], &[]).of(user);
}

/// Copies of one legacy row that look the same: the least id is kept.
fn extra_copies(user: &mut User, kind: Defect, legacy: usize, mut copies: Vec<usize>) {
    copies.sort_by_key(|&at| user.unified[at].id);
    user.pair(legacy, copies[0]);
    for &extra in &copies[1..] {
        let effect = -user.unified[extra].tokens;
        let say = Say::new(kind, Class::Duplicate, RepairKind::Dedupe);
        say.rows(&[legacy], &[extra]).effect(effect).verdict(Verdict::Interchangeable).of(user);
    }
}

pub(super) fn double_backfill(user: &mut User) {
    let Planned { at, movement, tokens } = user.planned();
    let (legacy, first) = user.copied(movement, tokens, at);
    let mut copies = vec![first];
    for _ in 0..user.random.between(1, 6) {
        copies.push(user.unified_row(movement, tokens, at));
    }
    for &copy in &copies {
        user.unified[copy].migrated = true;
        user.unified[copy].link = Some(user.legacy[legacy].id);
    }
    extra_copies(user, Defect::DoubleBackfill, legacy, copies);
}

/// The copy has the very time of the legacy row and is kept; the row of the function goes.
pub(super) fn dual_write_copy(user: &mut User) {
    let Planned { at, movement, tokens } = user.planned();
    let (legacy, _) = user.copied(movement, tokens, at);
    let drift = user.random.between(1_000, 2 * SECOND);
    let extra = user.unified_row(movement, tokens, at + drift);
    let say = Say::new(Defect::DualWriteCopy, Class::Duplicate, RepairKind::Dedupe);
    say.rows(&[legacy], &[extra]).effect(-tokens).of(user);
}

/// Two grants of one user, amount and instant, of two actions: the clean-up took one for a copy of
/// the other. A copy some tenths of a second late it took for honest.
pub(super) fn dedupe_without_action(user: &mut User) {
    let at = user.room();
    user.copied(Movement::Renewal, 75_000, at);
    let taken = user.legacy_row(Movement::Adjustment, 75_000, at);
    user.stored += 75_000;
    let say = Say::new(Defect::DedupeWithoutAction, Class::Unmigrated, RepairKind::Backfill);
    say.rows(&[taken], &[]).effect(75_000).of(user);
    let at = user.room();
    let (legacy, _) = user.copied(Movement::Renewal, 150_000, at);
    let drift = user.random.between(100_000, 900_000);
    let extra = user.unified_row(Movement::Renewal, 150_000, at + drift);
    user.unified[extra].migrated = true;
    let say = Say::new(Defect::DedupeWithoutAction, Class::Duplicate, RepairKind::Dedupe);
    say.rows(&[legacy], &[extra]).effect(-150_000).of(user);
}

pub(super) fn identical(user: &mut User, kind: Defect) {
    let Planned { at, movement, tokens } = user.planned();
    let (legacy, unified) = user.copied(movement, tokens, at);
    let more = user.random.between(1, 5);
    if kind == Defect::MVsK {
        let mut copies = vec![unified];
        for _ in 0..more {
            let copy = user.unified_row(movement, tokens, at);
            user.unified[copy].migrated = true;
            copies.push(copy);
        }
        return extra_copies(user, kind, legacy, copies);
    }
    let mut rows = vec![legacy];
    for _ in 0..more {
        rows.push(user.legacy_row(movement, tokens, at));
        user.stored += tokens;
    }
    rows.sort_by_key(|&at| user.legacy[at].id);
    user.pair(rows[0], unified);
    for &row in &rows[1..] {
        let say = Say::new(kind, Class::Unmigrated, RepairKind::Backfill);
        say.rows(&[row], &[]).effect(tokens).verdict(Verdict::Interchangeable).of(user);
    }
}

/// Two marked copies, equally far before and after their grant. By the rule book the least id is
/// kept, and which one is extra is for a person to judge.
pub(super) fn contested_copy(user: &mut User) {
    let Planned { at, movement, tokens } = user.planned();
    let (legacy, first) = user.copied(movement, tokens, at);
    let second = user.unified_row(movement, tokens, at + 6 * SECOND / 5);
    user.unified[first].at -= 6 * SECOND / 5;
    user.unified[second].migrated = true;
    let (kept, extra) =
        if user.unified[first].id < user.unified[second].id { (first, second) } else { (second, first) };
    user.pair(legacy, kept);
    let say = Say::new(Defect::ContestedCopy, Class::Duplicate, RepairKind::Review);
    say.rows(&[legacy], &[extra]).effect(-tokens).verdict(Verdict::Contested).of(user);
}

pub(super) fn without_legacy_row(user: &mut User, kind: Defect) {
    let at = user.room();
    let (tokens, repair) = match kind {
        Defect::Phantom => (user.plan_tokens, RepairKind::Review),
        Defect::Orphan => (user.plan_tokens, RepairKind::None),
        // No plan has this amount: that of a mistake.
        _ => (100_000 + user.random.between(1, 10_000_000) * 10 + 7, RepairKind::Review),
    };
    let row = user.unified_row(Movement::Renewal, tokens, at);
    user.unified[row].migrated = kind != Defect::Orphan;
    if kind == Defect::Phantom {
        user.unified[row].link = Some(user.random.uuid());
    }
    // The application that wrote a row added it to the balance; a copy of nothing did not, unless
    // somebody made the balance right afterwards.
    let wrote = |kind| user.planted.contains(&kind);
    if wrote(Defect::Orphan) || wrote(Defect::Plug) {
        user.stored += tokens;
    }
    let effect = if kind == Defect::Orphan { 0 } else { -tokens };
    Say::new(kind, Class::Orphan, repair).rows(&[], &[row]).effect(effect).of(user);
}

/// As many on both sides, and packs with payments of their own.
pub(super) fn twins(user: &mut User) {
    let at = user.room();
    user.copied(Movement::Pack, 100_000, at);
    user.copied(Movement::Pack, 100_000, at + 40 * SECOND);
    let at = user.room();
    let rows: Vec<(usize, usize)> = (0..3).map(|_| user.copied(Movement::Adjustment, 20_000, at)).collect();
    let mut legacy: Vec<usize> = rows.iter().map(|row| row.0).collect();
    let mut unified: Vec<usize> = rows.iter().map(|row| row.1).collect();
    legacy.sort_by_key(|&at| user.legacy[at].id);
    unified.sort_by_key(|&at| user.unified[at].id);
    for (legacy, unified) in legacy.into_iter().zip(unified) {
        user.pair(legacy, unified);
    }
}
