//! Plants one defect in the history of a user, and says what must be found.
//!
//! What is true is derived from the rule book, never from what the program says.

use super::defect::Defect;
use super::rows::{Movement, Truth, first_of_month};
use super::user::{AS_OF, DAY, HOUR, SECOND, User, month_of};
use crate::domain::{Class, RepairKind, Severity};

/// Grants of a user that were copied in bulk: more than the twenty others that make a stamp.
const STAMPED: i64 = 24;

/// Plants what needs room of its own, before the honest history fills the rest.
pub(super) fn before_history(user: &mut User, defect: Defect) {
    match defect {
        Defect::Unmigrated | Defect::UnmigratedDeduction => missing(user, defect),
        Defect::AmountMismatch | Defect::ActionMismatch | Defect::LateCopy | Defect::OtherUser => {
            differing(user, defect);
        }
        Defect::MislabelledPurchase | Defect::WebhookLabel => purchase(user, defect),
        Defect::BulkStamp => bulk_stamp(user),
        Defect::Replay => replay(user),
        Defect::SourceReplay => source_replay(user),
        Defect::DoubleBackfill => double_backfill(user),
        Defect::DualWriteCopy => dual_write_copy(user),
        Defect::KVsM | Defect::MVsK => identical(user, defect),
        Defect::Phantom | Defect::Orphan | Defect::Plug => without_legacy_row(user, defect),
        Defect::Split | Defect::Merge => parts(user, defect),
        Defect::SignEra => sign_era(user),
        Defect::UnmappedAction => unmapped(user),
        Defect::RejectedRow => rejected(user),
        Defect::HonestTwins => twins(user),
        Defect::GreedyTrap => greedy_trap(user),
        Defect::ZeroAndFailed => zero_and_failed(user),
        Defect::UniformShift | Defect::BalanceGap => {}
    }
}

/// Plants what changes the whole history.
pub(super) fn after_history(user: &mut User, defect: Defect) {
    match defect {
        Defect::UniformShift => {
            for (legacy, unified) in user.pairs.clone() {
                user.unified[unified].at += 5 * HOUR;
                say(user, defect, Class::TimeMismatch, RepairKind::None, &[legacy], &[unified]);
            }
        }
        Defect::BalanceGap => {
            // Larger than all usage of a user, so that nothing else can explain it.
            user.stored += 1_000_000_007 + user.random.between(0, 1_000_000);
            say(user, defect, Class::BalanceGap, RepairKind::Review, &[], &[]);
        }
        _ => {}
    }
    doubt_missing_rows(user);
}

/// A missing row with a free look-alike at any time is for a person to judge.
fn doubt_missing_rows(user: &mut User) {
    for at in 0..user.truth.len() {
        let truth = &user.truth[at];
        if truth.repair != RepairKind::Backfill {
            continue;
        }
        let Some(row) = user.legacy.iter().find(|row| row.id == truth.legacy[0]) else { continue };
        let alike = user.unified.iter().any(|unified| {
            unified.alone && Some(unified.tokens) == row.tokens && unified.action == action_of(row.label)
        });
        if alike {
            user.truth[at].repair = RepairKind::Review;
        }
    }
}

fn action_of(label: &str) -> &'static str {
    let all = [
        Movement::Trial,
        Movement::Renewal,
        Movement::Annual,
        Movement::Pack,
        Movement::Adjustment,
        Movement::Deduction,
    ];
    all.into_iter().find(|movement| movement.label() == label).map_or("", Movement::action)
}

/// The severity of a class in the rule book; an orphan weighs by its mark.
fn severity(class: Class, repair: RepairKind) -> Severity {
    match class {
        Class::Orphan if repair == RepairKind::None => Severity::Warning,
        Class::TimeMismatch | Class::SourceDuplicate | Class::MislabelledPurchase => Severity::Warning,
        Class::SplitGrant => Severity::Info,
        _ => Severity::Error,
    }
}

/// Writes down what must be found, rows by their positions.
fn say(
    user: &mut User,
    defect: Defect,
    class: Class,
    repair: RepairKind,
    legacy: &[usize],
    unified: &[usize],
) {
    let mut legacy: Vec<u128> = legacy.iter().map(|&at| user.legacy[at].id).collect();
    let mut unified: Vec<u128> = unified.iter().map(|&at| user.unified[at].id).collect();
    legacy.sort_unstable();
    unified.sort_unstable();
    let severity = severity(class, repair);
    user.truth.push(Truth { class, severity, legacy, unified, repair, defect: defect.name() });
}

fn missing(user: &mut User, defect: Defect) {
    let at = user.room();
    let (movement, tokens, class) = match defect {
        Defect::UnmigratedDeduction => (Movement::Deduction, 1_750, Class::UnmigratedDeduction),
        _ => {
            let grants = [
                (Movement::Renewal, 250_000),
                (Movement::Annual, 5_000_000),
                (Movement::Pack, 500_000),
                (Movement::Adjustment, 25_000),
            ];
            let (movement, tokens) = user.random.one_of(&grants);
            (movement, tokens, Class::Unmigrated)
        }
    };
    let legacy = user.legacy_row(movement, tokens, at);
    user.stored += movement.signed(tokens);
    say(user, defect, class, RepairKind::Backfill, &[legacy], &[]);
}

fn differing(user: &mut User, defect: Defect) {
    let at = user.room();
    let (legacy, unified) = user.copied(Movement::Renewal, 250_000, at);
    let (class, repair) = match defect {
        Defect::AmountMismatch => {
            user.unified[unified].tokens = user.random.one_of(&[249_999, 250_001, 200_000, 25_000, 300_000]);
            (Class::AmountMismatch, RepairKind::Update)
        }
        Defect::ActionMismatch => {
            user.unified[unified].action = Movement::Adjustment.action();
            (Class::ActionMismatch, RepairKind::Update)
        }
        Defect::LateCopy => {
            // Off the grid of time zones.
            let minutes = user.random.between(1, 90) * 15 + 7;
            user.unified[unified].at += minutes * 60 * SECOND;
            (Class::TimeMismatch, RepairKind::None)
        }
        _ => {
            let admin = user.random.uuid();
            user.admin = Some(admin);
            user.unified[unified].other_user = Some(admin);
            (Class::UserMismatch, RepairKind::Review)
        }
    };
    say(user, defect, class, repair, &[legacy], &[unified]);
}

fn purchase(user: &mut User, defect: Defect) {
    let at = user.room();
    let (legacy, unified) = match defect {
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
    say(user, defect, Class::MislabelledPurchase, RepairKind::Update, &legacy, &[unified]);
}

/// Amounts differ, so that it is certain which copy belongs to which row.
fn bulk_stamp(user: &mut User) {
    let stamp = user.calendar.stamp;
    user.take(stamp);
    let mut at = stamp - 6 * DAY;
    for number in 0..STAMPED {
        let wanted = at - user.random.between(0, 4 * DAY);
        at = user.room_before(wanted);
        let (legacy, unified) = user.copied(Movement::Adjustment, 5_250 + 500 * number, at);
        user.unified[unified].at = stamp;
        say(user, Defect::BulkStamp, Class::TimeMismatch, RepairKind::None, &[legacy], &[unified]);
    }
}

fn replay(user: &mut User) {
    let at = user.room();
    let (legacy, unified) = user.copied(Movement::Pack, 1_200_000, at);
    // Within the window the copy may be removed; days later a person has to look.
    let (later, repair) = if user.random.chance(0.5) {
        (at + user.random.between(HOUR, 20 * HOUR), RepairKind::Dedupe)
    } else {
        (user.room_before(at - 9 * DAY), RepairKind::Review)
    };
    let extra = user.unified_row(Movement::Pack, 1_200_000, later);
    user.unified[extra].payment = user.unified[unified].payment;
    say(user, Defect::Replay, Class::Duplicate, repair, &[legacy], &[extra]);
}

fn source_replay(user: &mut User) {
    let at = user.room();
    let (legacy, _) = user.copied(Movement::Pack, 100_000, at);
    let later = at + user.random.between(60 * SECOND, 20 * HOUR);
    let extra = user.legacy_row(Movement::Pack, 100_000, later);
    user.legacy[extra].payment = user.legacy[legacy].payment;
    say(user, Defect::SourceReplay, Class::SourceDuplicate, RepairKind::None, &[extra], &[]);
}

/// Copies of one legacy row that look the same: the least id is kept.
fn extra_copies(user: &mut User, defect: Defect, legacy: usize, mut copies: Vec<usize>) {
    copies.sort_by_key(|&at| user.unified[at].id);
    for &extra in &copies[1..] {
        say(user, defect, Class::Duplicate, RepairKind::Dedupe, &[legacy], &[extra]);
    }
}

fn double_backfill(user: &mut User) {
    let at = user.room();
    let (legacy, first) = user.copied(Movement::Annual, 5_000_000, at);
    let mut copies = vec![first];
    for _ in 0..user.random.between(1, 6) {
        copies.push(user.unified_row(Movement::Annual, 5_000_000, at));
    }
    for &copy in &copies {
        user.unified[copy].migrated = true;
        user.unified[copy].link = Some(user.legacy[legacy].id);
    }
    extra_copies(user, Defect::DoubleBackfill, legacy, copies);
}

/// The copy has the very time of the legacy row and is kept; the row of the function goes.
fn dual_write_copy(user: &mut User) {
    let at = user.room();
    let (legacy, _) = user.copied(Movement::Annual, 5_000_000, at);
    let drift = user.random.between(1_000, 2 * SECOND);
    let extra = user.unified_row(Movement::Annual, 5_000_000, at + drift);
    say(user, Defect::DualWriteCopy, Class::Duplicate, RepairKind::Dedupe, &[legacy], &[extra]);
}

fn identical(user: &mut User, defect: Defect) {
    let at = user.room();
    let (legacy, unified) = user.copied(Movement::Renewal, 250_000, at);
    let more = user.random.between(1, 5);
    if defect == Defect::MVsK {
        let mut copies = vec![unified];
        for _ in 0..more {
            let copy = user.unified_row(Movement::Renewal, 250_000, at);
            user.unified[copy].migrated = true;
            copies.push(copy);
        }
        return extra_copies(user, defect, legacy, copies);
    }
    let mut rows = vec![legacy];
    for _ in 0..more {
        rows.push(user.legacy_row(Movement::Renewal, 250_000, at));
        user.stored += 250_000;
    }
    rows.sort_by_key(|&at| user.legacy[at].id);
    for &row in &rows[1..] {
        say(user, defect, Class::Unmigrated, RepairKind::Backfill, &[row], &[]);
    }
}

fn without_legacy_row(user: &mut User, defect: Defect) {
    let at = user.room();
    let (tokens, repair) = match defect {
        Defect::Phantom => (250_000, RepairKind::Review),
        Defect::Orphan => (250_000, RepairKind::None),
        // No plan has this amount: that of a mistake.
        _ => (100_000 + user.random.between(1, 10_000_000) * 10 + 7, RepairKind::Review),
    };
    let row = user.unified_row(Movement::Renewal, tokens, at);
    user.unified[row].migrated = defect != Defect::Orphan;
    if defect == Defect::Phantom {
        user.unified[row].link = Some(user.random.uuid());
    }
    // The application that wrote the row added it to the balance; a copy of nothing did not.
    if defect != Defect::Phantom {
        user.stored += tokens;
    }
    say(user, defect, Class::Orphan, repair, &[], &[row]);
}

fn parts(user: &mut User, defect: Defect) {
    let at = user.room();
    let count = user.random.between(2, 5);
    let mut rest = 250_000;
    let mut amounts = Vec::new();
    for left in (1..count).rev() {
        let part = user.random.between(10_000, rest / (left + 1));
        amounts.push(part);
        rest -= part;
    }
    amounts.push(rest);
    user.stored += 250_000;
    let (mut legacy, mut unified) = (Vec::new(), Vec::new());
    for part in amounts {
        let drift = user.random.between(0, SECOND);
        match defect {
            Defect::Split => unified.push(user.unified_row(Movement::Renewal, part, at + drift)),
            _ => legacy.push(user.legacy_row(Movement::Renewal, part, at + drift)),
        }
    }
    match defect {
        Defect::Split => legacy.push(user.legacy_row(Movement::Renewal, 250_000, at)),
        _ => unified.push(user.unified_row(Movement::Renewal, 250_000, at)),
    }
    say(user, defect, Class::SplitGrant, RepairKind::None, &legacy, &unified);
}

/// Three honest grants of the month's sign and one of the other: the rarer one, in any ledger.
fn sign_era(user: &mut User) {
    let wanted = user.random.between(user.calendar.start, AS_OF - 70 * DAY);
    let month = first_of_month(month_of(wanted)) * DAY;
    for day in [2, 8, 14] {
        let at = month + day * DAY + user.random.between(0, DAY);
        user.take(at);
        user.copied(Movement::Adjustment, 15_000, at);
    }
    let at = month + 20 * DAY + user.random.between(0, DAY);
    user.take(at);
    let row = user.legacy_row(Movement::Adjustment, 15_500, at);
    user.legacy[row].contrary_sign = true;
    say(user, Defect::SignEra, Class::Unmigrated, RepairKind::Review, &[row], &[]);
}

fn unmapped(user: &mut User) {
    let at = user.room();
    let (mut legacy, mut unified) = (Vec::new(), Vec::new());
    if user.random.chance(0.5) {
        let row = user.legacy_row(Movement::Adjustment, 12_500, at);
        user.legacy[row].label = "loyalty_bonus";
        legacy.push(row);
    } else {
        let row = user.unified_row(Movement::Adjustment, 12_500, at);
        user.unified[row].action = "loyalty_bonus";
        unified.push(row);
    }
    say(user, Defect::UnmappedAction, Class::UnmappedAction, RepairKind::Review, &legacy, &unified);
}

fn rejected(user: &mut User) {
    let at = user.room();
    let row = user.legacy_row(Movement::Renewal, 250_000, at);
    if user.random.chance(0.5) {
        user.legacy[row].at = None;
    } else {
        user.legacy[row].tokens = None;
    }
    say(user, Defect::RejectedRow, Class::RejectedRow, RepairKind::Review, &[row], &[]);
}

fn twins(user: &mut User) {
    let at = user.room();
    user.copied(Movement::Pack, 100_000, at);
    user.copied(Movement::Pack, 100_000, at + 40 * SECOND);
    let at = user.room();
    for _ in 0..3 {
        user.copied(Movement::Adjustment, 20_000, at);
    }
}

/// Each copy lies nearer to the next row than to its own.
fn greedy_trap(user: &mut User) {
    let at = user.room();
    for number in 0..4 {
        let (_, unified) = user.copied(Movement::Adjustment, 20_000, at + number * 2 * SECOND);
        user.unified[unified].at += SECOND * 9 / 5;
        user.unified[unified].migrated = false;
    }
}

fn zero_and_failed(user: &mut User) {
    let at = user.room();
    user.legacy_row(Movement::Renewal, 0, at);
    user.unified_row(Movement::Renewal, 0, at + HOUR);
    let at = user.room();
    user.copied(Movement::Renewal, 250_000, at);
    let failed = user.unified_row(Movement::Renewal, 250_000, at - 60 * SECOND);
    user.unified[failed].failed = true;
}
