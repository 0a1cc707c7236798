//! Brings a period together: what moved, from where to where, by line and by holder.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::adjust::{Adjusted, Sealed, SealedUsage, adjust};
use super::granted::{Granted, granted, paid_rows};
use super::holders::Holder;
use super::moved::{Moved, PaidRoll};
use super::{Line, Movement, Period, RollForward, Sample, column_of, draw, roll_forward};
use crate::balance::replay::{Policies, Replay, ReplayError};
use crate::domain::{Books, Overflow, RowId, Total, UserNo};

/// Why a period cannot be accounted for. Every one means exit 2.
#[derive(Debug, thiserror::Error)]
pub enum PeriodFailure {
    /// The balances could not be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A sum left its range.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// The lines and the holders do not come to the same.
    #[error(
        "the {what} does not tie out: {by_line} tokens by line, {by_holder} by holder. This is an error in \
         reckon or in the sealed pack before, so no pack was written; please report it"
    )]
    NotTied {
        /// Opening or closing balance.
        what: &'static str,
        /// Sum of the lines.
        by_line: i128,
        /// Sum of the holders.
        by_holder: i128,
    },
}

/// The pack that the period follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousPack {
    /// Name of its folder.
    pub name: String,
    /// SHA-256 of its manifest.
    pub manifest_digest: String,
    /// Sum of its closing balances.
    pub closing: i128,
}

/// A period accounted for. Frozen: reports only draw it.
#[derive(Debug, Clone)]
pub struct PeriodAudit {
    /// The days.
    pub period: Period,
    /// By month and line.
    pub roll: RollForward,
    /// By holder, ascending by id.
    pub holders: Vec<Holder>,
    /// What of the balances was paid for.
    pub paid_roll: PaidRoll,
    /// Grants by action type on both sides.
    pub granted: Vec<Granted>,
    /// Paid rows: positions in the legacy, in the unified entries.
    pub paid: [HashSet<u32>; 2],
    /// All usage up to the end, by UTC day, label and whether it had failed.
    pub usage: SealedUsage,
    /// The sealed pack before, where there is one.
    pub previous: Option<PreviousPack>,
    /// What changed in sealed periods since.
    pub adjusted: Option<Adjusted>,
    /// Rows to inspect.
    pub sample: Sample,
}

/// What a pack is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The days.
    pub period: Period,
    /// The sealed pack before.
    pub sealed: Option<&'a Sealed>,
    /// Seed of the sample.
    pub seed: u64,
    /// Rows of the sample, per method and table.
    pub sample: u32,
}

/// Accounts for a period. The books must reach to its end. Users without a balance, a movement or a
/// stored balance are left out: they may have come after the period.
///
/// # Errors
/// [`PeriodFailure`].
pub fn account(
    books: &Books,
    replay: &Replay<'_>,
    policies: &Policies,
    has_stored: &dyn Fn(UserNo) -> bool,
    asked: &Asked<'_>,
) -> Result<PeriodAudit, PeriodFailure> {
    let period = asked.period;
    let paid = paid_rows(books);
    let usage = usage_by_day(books);
    let mut moved = Moved::of(books, replay, policies, has_stored, &period)?;
    let adjusted = match asked.sealed {
        Some(sealed) => {
            let counted = [&before(&usage, &period), &sealed.usage].map(|usage| counted(usage, policies));
            Some(adjust(books, &period, &paid, &moved.moves, &counted, sealed)?)
        }
        None => None,
    };
    let opening = match (&adjusted, asked.sealed) {
        (Some(adjusted), Some(sealed)) => {
            let months = period.months().len();
            for (line, total) in &adjusted.lines {
                moved.moves.add(line.clone(), months, Some(0), *total)?;
            }
            seal_holders(&mut moved.holders, &sealed.users)?;
            moved.paid.seal(sealed.paid)?;
            adjusted.opening.clone()
        }
        _ => moved.moves.before(),
    };
    let roll = roll_forward(&period, &opening, &moved.moves)?;
    let sum = |of: fn(&Holder) -> i128| moved.holders.iter().map(of).sum::<i128>();
    let ends = [
        ("opening balance", roll.whole.opening, sum(|holder| holder.opening)),
        ("closing balance", roll.whole.closing, sum(|holder| holder.closing)),
    ];
    for (what, by_line, by_holder) in ends {
        if by_line != by_holder {
            return Err(PeriodFailure::NotTied { what, by_line, by_holder });
        }
    }
    Ok(PeriodAudit {
        granted: granted(books, &period, &paid)?,
        sample: draw(books, &period, asked.seed, asked.sample),
        previous: asked.sealed.map(|sealed| PreviousPack {
            name: sealed.name.clone(),
            manifest_digest: sealed.manifest_digest.clone(),
            closing: sealed.users.values().sum(),
        }),
        period,
        roll,
        holders: moved.holders,
        paid_roll: moved.paid,
        paid,
        usage,
        adjusted,
    })
}

fn usage_by_day(books: &Books) -> SealedUsage {
    let mut usage = SealedUsage::new();
    for day in &books.usage_by_day {
        let date = chrono::DateTime::from_timestamp(i64::from(day.day) * 86_400, 0);
        let date =
            date.map_or_else(|| format!("day {}", day.day), |date| date.format("%Y-%m-%d").to_string());
        let label = books.unified.labels[usize::from(day.label)].to_string();
        usage.insert((date, label, !day.succeeded), Total { rows: day.rows, tokens: day.tokens });
    }
    usage
}

/// The usage of the days before the period.
fn before(usage: &SealedUsage, period: &Period) -> SealedUsage {
    let first = period.first().to_string();
    let days = usage.iter().filter(|((day, _, _), _)| is_before(day, &first));
    days.map(|(key, total)| (key.clone(), *total)).collect()
}

/// Usage that takes tokens: failed usage does only where a policy says so.
fn counted(usage: &SealedUsage, policies: &Policies) -> SealedUsage {
    let takes = |day: &str, failed: bool| {
        let start = |day| Period::new(day, day).map(|day| day.start());
        !failed
            || (day.parse().ok())
                .and_then(|day| start(day).ok())
                .is_some_and(|at| policies.at(at).count_failed_usage)
    };
    let days = usage.iter().filter(|((day, _, failed), _)| takes(day, *failed));
    days.map(|(key, total)| (key.clone(), *total)).collect()
}

/// Days are four digits of a year, month and day, but for those beyond any calendar.
fn is_before(day: &str, first: &str) -> bool {
    match (day.len(), day.as_bytes().first()) {
        (10, Some(b'0'..=b'9')) => day < first,
        // A year before 0, or a day that has no name and lies before the era: later ones are beyond
        // as-of and not in the books.
        _ => true,
    }
}

/// Opens every holder's account with what was sealed, and books the difference.
fn seal_holders(holders: &mut Vec<Holder>, sealed: &BTreeMap<RowId, i128>) -> Result<(), Overflow> {
    let adjustment = column_of(Movement::Adjustment, false);
    for holder in holders.iter_mut() {
        let opening = sealed.get(&holder.id).copied().unwrap_or(0);
        holder.moves[adjustment] = holder.opening.checked_sub(opening).ok_or(Overflow)?;
        holder.opening = opening;
    }
    let known: BTreeSet<&RowId> = holders.iter().map(|holder| &holder.id).collect();
    let gone: Vec<Holder> = sealed
        .iter()
        .filter(|(id, opening)| **opening != 0 && !known.contains(id))
        .map(|(id, &opening)| {
            let mut moves = [0; 13];
            moves[adjustment] = -opening;
            Holder { id: id.clone(), opening, moves, closing: 0, closing_paid: 0 }
        })
        .collect();
    holders.extend(gone);
    holders.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(())
}

/// The line of an action type that has none.
pub(super) fn plain(movement: Movement) -> Line {
    Line::new(movement, "", None)
}
