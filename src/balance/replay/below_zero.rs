//! When a balance first was below zero, to the row.
//!
//! A replay knows use in stretches; where a balance crosses zero within one, the rows of that one
//! stretch are looked up in the log.

use super::engine::{Dip, FirstBelow};
use super::{Replay, ReplayError};
use crate::domain::{Instant, UserNo};
use crate::normalise::UsageEvent;

/// Rows of use that are looked up at a time.
const MOST_ROWS: u64 = 1 << 21;

/// A balance that was below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BelowZero {
    /// At whose row the balance stands.
    pub holder: UserNo,
    /// The first instant, and the balance after all its rows.
    pub first: (Instant, i128),
    /// The first instant at which the balance was lowest, and that balance.
    pub lowest: (Instant, i128),
    /// At as-of.
    pub balance: i128,
}

/// A dip whose first row is to be found: its holder with the balance at as-of.
pub(super) type Found = (UserNo, i128, Dip);

/// A row of use: number of the dip, instant, tokens.
type Row = (u32, Instant, i64);

/// Finds the first instants. `found` is ascending by holder.
///
/// # Errors
/// [`ReplayError`].
pub fn below_zero(replay: &Replay<'_>, found: &[(UserNo, i128, Dip)]) -> Result<Vec<BelowZero>, ReplayError> {
    let mut all = Vec::with_capacity(found.len());
    let mut rest = found;
    while !rest.is_empty() {
        let mut rows = 0;
        let in_reach = |(_, _, dip): &&Found| {
            rows += match dip.first {
                FirstBelow::At(..) => 0,
                FirstBelow::Within { rows, .. } => u64::from(rows),
            };
            rows <= MOST_ROWS
        };
        let some = rest.iter().take_while(in_reach).count().max(1);
        let (now, later) = rest.split_at(some);
        resolve(replay, now, &mut all)?;
        rest = later;
    }
    Ok(all)
}

fn resolve(replay: &Replay<'_>, found: &[Found], all: &mut Vec<BelowZero>) -> Result<(), ReplayError> {
    let rows = rows_within(replay, found)?;
    let mut by_dip = rows.chunk_by(|a, b| a.0 == b.0).peekable();
    for (number, &(holder, balance, dip)) in found.iter().enumerate() {
        let own = by_dip.next_if(|rows| rows[0].0 as usize == number).unwrap_or_default();
        let first = match dip.first {
            FirstBelow::At(at, balance) => (at, balance),
            FirstBelow::Within { before, .. } => {
                crossing(before, own).expect("the rows of a stretch are those that were summed in it")
            }
        };
        all.push(BelowZero { holder, first, lowest: dip.lowest, balance });
    }
    Ok(())
}

/// The rows of all stretches that are asked for, by dip and instant.
fn rows_within(replay: &Replay<'_>, found: &[Found]) -> Result<Vec<Row>, ReplayError> {
    let mut wanted: Vec<Option<(u32, Instant, Instant)>> = vec![None; replay.books.roster.len()];
    for (number, (holder, _, dip)) in found.iter().enumerate() {
        if let FirstBelow::Within { from, until, .. } = dip.first {
            wanted[holder.0 as usize] = Some((number as u32, from, until));
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    if wanted.iter().all(Option::is_none) {
        return Ok(rows);
    }
    let setting = replay.setting;
    let mut see = |events: &[UsageEvent]| {
        for event in events {
            let holder = setting.holding.holder(event.user, event.at);
            let Some((number, from, until)) = wanted[holder.0 as usize] else { continue };
            let counts = !event.failed || setting.policies.at(event.at).count_failed_usage;
            if counts && (from..=until).contains(&event.at) {
                rows.push((number, event.at, event.tokens));
            }
        }
    };
    if setting.holding.has_pools() {
        replay.log.for_each_chunk(&mut see)?;
    } else {
        let mut next = UserNo(0);
        for (holder, ..) in found.iter().filter(|(_, _, dip)| matches!(dip.first, FirstBelow::Within { .. }))
        {
            // One look at each part that has such a holder.
            if *holder >= next {
                replay.log.for_each_chunk_of(holder.0..holder.0 + 1, &mut see)?;
                next = replay.log.part_end(*holder);
            }
        }
    }
    rows.sort_unstable();
    Ok(rows)
}

/// The first instant after whose rows the balance is below zero.
fn crossing(before: i128, rows: &[Row]) -> Option<(Instant, i128)> {
    let mut balance = before;
    for instant in rows.chunk_by(|a, b| a.1 == b.1) {
        balance -= instant.iter().map(|row| i128::from(row.2)).sum::<i128>();
        if balance < 0 {
            return Some((instant[0].1, balance));
        }
    }
    None
}
