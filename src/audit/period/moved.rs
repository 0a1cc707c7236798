//! What moved the balances, out of their replay.

use rustc_hash::FxHashMap;

use super::account::{PeriodFailure, plain};
use super::holders::{Holder, column_of};
use super::{Line, Movement, Moves, Period};
use crate::balance::replay::{KINDS, MovementKind, Policies, Replay};
use crate::domain::{Books, Instant, Overflow, Total, UserNo};

/// The balances of a period as they are replayed.
#[derive(Debug)]
pub(super) struct Moved {
    /// By line and month.
    pub(super) moves: Moves,
    /// By holder; nothing is sealed yet.
    pub(super) holders: Vec<Holder>,
    /// What was paid for.
    pub(super) paid: PaidRoll,
}

/// Tokens that were paid for, from the opening to the closing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaidRoll {
    /// Left of paid grants before the period.
    pub opening: i128,
    /// What moved, by position of the kind of movement.
    pub moves: [i128; KINDS],
    /// Late changes of sealed periods.
    pub adjustment: i128,
    /// Left at the end.
    pub closing: i128,
}

impl PaidRoll {
    /// Opens with what was sealed.
    pub(super) fn seal(&mut self, sealed: i128) -> Result<(), Overflow> {
        self.adjustment = self.opening.checked_sub(sealed).ok_or(Overflow)?;
        self.opening = sealed;
        Ok(())
    }
}

/// The movements of a kind, paid or not, before the period (0) or in one of its months.
type Sums = FxHashMap<(MovementKind, bool, usize), Total>;

impl Moved {
    /// Replays every holder.
    pub(super) fn of(
        books: &Books,
        replay: &Replay<'_>,
        policies: &Policies,
        has_stored: &dyn Fn(UserNo) -> bool,
        period: &Period,
    ) -> Result<Moved, PeriodFailure> {
        let marks = marks(period);
        let mut sums = Sums::default();
        let mut holders = Vec::with_capacity(books.roster.len());
        let mut paid = PaidRoll::default();
        // Sum of all balances at each mark, then at the end.
        let mut reached = vec![0_i128; marks.len() + 1];
        replay.visit(&marks, |timeline| {
            let mut moves = [0_i128; 13];
            let seen = timeline.replay_with(policies, |movement| {
                let part = marks.partition_point(|mark| *mark <= movement.at);
                let sum = sums.entry((movement.kind, movement.paid, part)).or_default();
                sum.rows += 1;
                sum.tokens += movement.tokens;
                if movement.paid {
                    match part {
                        0 => paid.opening += movement.tokens,
                        _ => paid.moves[movement.kind.position()] += movement.tokens,
                    }
                }
                if part > 0
                    && let Some(kind) = of_kind(movement.kind)
                {
                    moves[column_of(kind, movement.paid)] += movement.tokens;
                }
            });
            let opening = seen.at_marks.first().copied().unwrap_or(0);
            moves[column_of(Movement::Unattributed, false)] =
                seen.balance - opening - moves.iter().sum::<i128>();
            paid.closing += seen.paid_balance;
            let balances = seen.at_marks.iter().chain([&seen.balance]);
            reached.iter_mut().zip(balances).for_each(|(sum, balance)| *sum += balance);
            let (closing, closing_paid) = (seen.balance, seen.paid_balance);
            let is_known = opening != 0 || closing != 0 || moves.iter().any(|tokens| *tokens != 0);
            if !is_known && !has_stored(timeline.holder) {
                return;
            }
            let id = books.roster.id(timeline.holder).clone();
            holders.push(Holder { id, opening, moves, closing, closing_paid });
        })?;
        let moves = lines(books, policies, &marks, &sums, &reached)?;
        Ok(Moved { moves, holders, paid })
    }
}

/// Where each month of the period begins.
fn marks(period: &Period) -> Vec<Instant> {
    let months = period.months();
    let begin = |first| Period::new(first, first).map(|day| day.start());
    months.iter().filter_map(|month| begin(month.first).ok()).collect()
}

/// The movement of a kind; paying a debt moves nothing.
fn of_kind(kind: MovementKind) -> Option<Movement> {
    match kind {
        MovementKind::Opening => Some(Movement::OpeningTokens),
        MovementKind::Grant(_) => Some(Movement::Grant),
        MovementKind::Deduction(_) => Some(Movement::Deduction),
        MovementKind::Usage => Some(Movement::Usage),
        MovementKind::FailedUsage => Some(Movement::FailedUsage),
        MovementKind::Expired(_) => Some(Movement::Expired),
        MovementKind::Reset => Some(Movement::Reset),
        MovementKind::RolledOver(_) => Some(Movement::RolledOver),
        MovementKind::Clamped => Some(Movement::Clamped),
        MovementKind::WrittenOff => Some(Movement::WrittenOff),
        MovementKind::DebtPaid => None,
    }
}

fn lines(
    books: &Books,
    policies: &Policies,
    marks: &[Instant],
    sums: &Sums,
    reached: &[i128],
) -> Result<Moves, Overflow> {
    let months = marks.len();
    let part_of = |at: Instant| marks.partition_point(|mark| *mark <= at).checked_sub(1);
    let mut moves = Moves::default();
    let mut usage = [vec![0_i128; months + 1], vec![0_i128; months + 1]];
    for ((kind, paid, part), total) in sums {
        let month = part.checked_sub(1);
        let action = |no| books.action(no);
        let line = match kind {
            MovementKind::Usage => {
                usage[0][*part] += total.tokens;
                continue;
            }
            MovementKind::FailedUsage => {
                usage[1][*part] += total.tokens;
                continue;
            }
            MovementKind::DebtPaid => continue,
            MovementKind::Grant(no) => Line::new(Movement::Grant, action(*no), Some(*paid)),
            MovementKind::Deduction(no) => Line::new(Movement::Deduction, action(*no), None),
            MovementKind::Expired(no) => Line::new(Movement::Expired, action(*no), Some(*paid)),
            MovementKind::RolledOver(no) => Line::new(Movement::RolledOver, action(*no), Some(*paid)),
            MovementKind::Reset => Line::new(Movement::Reset, "", Some(*paid)),
            MovementKind::Opening => plain(Movement::OpeningTokens),
            MovementKind::Clamped => plain(Movement::Clamped),
            MovementKind::WrittenOff => plain(Movement::WrittenOff),
        };
        moves.add(line, months, month, *total)?;
    }
    usage_lines(books, policies, part_of, &mut usage, months, &mut moves)?;
    unattributed(reached, months, &mut moves)?;
    count_deductions(books, part_of, months, &mut moves);
    Ok(moves)
}

/// Usage by label: the days know it, the replay does not. What the days do not give, if anything,
/// stands on a line without a label.
fn usage_lines(
    books: &Books,
    policies: &Policies,
    part_of: impl Fn(Instant) -> Option<usize>,
    replayed: &mut [Vec<i128>; 2],
    months: usize,
    moves: &mut Moves,
) -> Result<(), Overflow> {
    for day in &books.usage_by_day {
        let at = Instant(i64::from(day.day) * 86_400_000_000);
        if !day.succeeded && !policies.at(at).count_failed_usage {
            continue;
        }
        let month = part_of(at);
        let failed = usize::from(!day.succeeded);
        let movement = [Movement::Usage, Movement::FailedUsage][failed];
        let line = Line::new(movement, &books.unified.labels[usize::from(day.label)], None);
        moves.add(line, months, month, Total { rows: day.rows, tokens: -day.tokens })?;
        replayed[failed][month.map_or(0, |month| month + 1)] += day.tokens;
    }
    for (rest, movement) in replayed.iter().zip([Movement::Usage, Movement::FailedUsage]) {
        for (part, &tokens) in rest.iter().enumerate().filter(|(_, tokens)| **tokens != 0) {
            moves.add(plain(movement), months, part.checked_sub(1), Total { rows: 0, tokens })?;
        }
    }
    Ok(())
}

/// A row of a deduction is one row, though it may move paid and free tokens apart.
fn count_deductions(
    books: &Books,
    part_of: impl Fn(Instant) -> Option<usize>,
    months: usize,
    moves: &mut Moves,
) {
    for (line, totals) in moves.lines.iter_mut().filter(|(line, _)| line.movement == Movement::Deduction) {
        let mut rows = vec![0; months + 1];
        for entry in &books.unified.entries {
            if entry.moves_a_balance() && books.action(entry.action) == &*line.action {
                rows[part_of(entry.at).map_or(0, |month| month + 1)] += 1;
            }
        }
        totals.iter_mut().zip(rows).for_each(|(total, rows)| total.rows = rows);
    }
}

/// What the balances moved by beside all lines.
fn unattributed(reached: &[i128], months: usize, moves: &mut Moves) -> Result<(), Overflow> {
    let before = std::iter::once((None, reached[0]));
    let each = (0..months).map(|month| (Some(month), reached[month + 1] - reached[month]));
    for (month, moved) in before.chain(each) {
        let part = month.map_or(0, |month| month + 1);
        let lines: i128 = moves.lines.values().map(|totals| totals[part].tokens).sum();
        if moved != lines {
            let rest = Total { rows: 0, tokens: moved - lines };
            moves.add(plain(Movement::Unattributed), months, month, rest)?;
        }
    }
    Ok(())
}

// The kinds of movements are counted by position: a new one must find its place above.
const _: () = assert!(KINDS == 11);
