//! Which time zone explains lags that lie on the grid of zones.
//!
//! A wall-clock time that was read in the wrong zone is off by the difference of two offsets, and
//! where one of them has summer time, by two different lengths in a year. A candidate zone is
//! tested for what it would do to each row: its time is read again, in that zone.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use hashbrown::HashMap;

use super::super::board::Board;
use super::super::classify::lag_micros;
use super::ZoneFit;
use crate::config::Columns;
use crate::cores::at_once;
use crate::domain::{Instant, Pair, Side, Span};
use crate::normalise::{from_wall_micros, to_wall_micros};

/// Findings that must share a lag before it is called constant.
pub(in super::super) const CONSTANT_LAG_FINDINGS: u64 = 3;

/// Time zones lie on a grid of 15 minutes.
const GRID_MICROS: i64 = 15 * 60 * 1_000_000;

/// The farthest zone from UTC is 14 hours off.
const FARTHEST_MICROS: i64 = 14 * 3_600 * 1_000_000;

const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// Zones without summer time, tried first: the plainest explanation wins.
const FIXED: [&str; 42] = [
    "UTC",
    "Etc/GMT+1",
    "Etc/GMT+2",
    "Etc/GMT+3",
    "Etc/GMT+4",
    "Etc/GMT+5",
    "Etc/GMT+6",
    "Etc/GMT+7",
    "Etc/GMT+8",
    "Etc/GMT+9",
    "Etc/GMT+10",
    "Etc/GMT+11",
    "Etc/GMT+12",
    "Etc/GMT-1",
    "Etc/GMT-2",
    "Etc/GMT-3",
    "Etc/GMT-4",
    "Etc/GMT-5",
    "Etc/GMT-6",
    "Etc/GMT-7",
    "Etc/GMT-8",
    "Etc/GMT-9",
    "Etc/GMT-10",
    "Etc/GMT-11",
    "Etc/GMT-12",
    "Etc/GMT-13",
    "Etc/GMT-14",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Yangon",
    "Asia/Kabul",
    "Asia/Tehran",
    "Australia/Darwin",
    "Australia/Brisbane",
    "Australia/Eucla",
    "Pacific/Marquesas",
    "Asia/Colombo",
    "Asia/Tokyo",
    "Asia/Singapore",
    "Asia/Dubai",
    "Africa/Lagos",
    "America/Bogota",
];

/// Zones with summer time, the most populous first.
const SEASONAL: [&str; 34] = [
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Australia/Sydney",
    "America/Halifax",
    "America/St_Johns",
    "America/Anchorage",
    "Australia/Adelaide",
    "Pacific/Auckland",
    "America/Santiago",
    "America/Asuncion",
    "America/Havana",
    "Asia/Jerusalem",
    "Asia/Beirut",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Europe/Chisinau",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Atlantic/Azores",
    "America/Nuuk",
    "America/Sao_Paulo",
    "America/Mexico_City",
    "Asia/Amman",
    "Asia/Damascus",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Asia/Gaza",
    "America/Port-au-Prince",
    "Pacific/Norfolk",
];

/// Zones whose score over days is good enough to be tested over quarters of an hour.
const FINALISTS: usize = 3;

/// The nearest shift on the grid, when the lag is within `tolerance` of it and a zone could cause it.
pub(in super::super) fn shift_of(lag: i64, tolerance: Span) -> Option<i64> {
    let steps = lag.saturating_add(lag.signum() * GRID_MICROS / 2) / GRID_MICROS;
    let shift = steps * GRID_MICROS;
    (steps != 0 && shift.abs() <= FARTHEST_MICROS && (lag - shift).abs() <= tolerance.0).then_some(shift)
}

/// A pair with a shift on the grid, as zones see it: when its row of the side in question lies, and the shift.
struct Shifted {
    at: Instant,
    legacy_at: Instant,
    shift: i64,
}

/// How many rows without a shift lie in each quarter of an hour. Most rows have none, and those of a
/// ledger lie in a few years: most of these counts stand in a list.
#[derive(Debug, Default)]
struct Quarters {
    /// The quarter at which the list begins.
    first: i64,
    listed: Vec<u64>,
    /// Quarters that lie too far off.
    others: HashMap<i64, u64>,
}

impl Quarters {
    /// Quarters of an hour in the list, either way from the first one that comes: some seven years.
    const REACH: i64 = 1 << 18;

    /// Adds rows to the quarter that begins at `start`.
    fn add(&mut self, start: i64, rows: u64) {
        let quarter = start / GRID_MICROS;
        if self.listed.is_empty() {
            self.first = quarter - Self::REACH;
            self.listed = vec![0; 2 * Self::REACH as usize];
        }
        match usize::try_from(quarter - self.first).ok().and_then(|at| self.listed.get_mut(at)) {
            Some(count) => *count += rows,
            None => *self.others.entry(start).or_default() += rows,
        }
    }

    /// All of them that have rows, ascending.
    fn all(self) -> Vec<(i64, u64)> {
        let listed = (self.first..).zip(self.listed).filter(|(_, rows)| *rows > 0);
        let mut all: Vec<(i64, u64)> = listed.map(|(quarter, rows)| (quarter * GRID_MICROS, rows)).collect();
        all.extend(self.others);
        all.sort_unstable();
        all
    }
}

/// How many rows a shift has in each span of time.
type Counts = BTreeMap<(i64, i64), u64>;

/// What a zone gives over counted spans.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Score {
    absorbs: u64,
    spoils: u64,
}

impl Score {
    fn net(self) -> i64 {
        self.absorbs as i64 - self.spoils as i64
    }
}

/// The zone that explains most of the lags on the grid; of both sides the one whose setting acts,
/// then the better one, then the legacy side. `None` without constant lags.
pub(super) fn best(board: &Board<'_>) -> Option<ZoneFit> {
    let is_stamped = |pair: &Pair| pair.differs.time && board.is_stamped(pair.rule, pair.unified);
    let is_judged = |pair: &&Pair| !is_stamped(pair) && !board.is_late_at(pair.legacy);
    let shifted = |pair: &Pair| shift_of(lag_micros(board, pair), board.tolerance);
    let mut counts: HashMap<i64, u64> = HashMap::new();
    for pair in board.pairs.iter().filter(is_judged).filter(|pair| pair.differs.time) {
        if let Some(shift) = shifted(pair) {
            *counts.entry(shift).or_default() += 1;
        }
    }
    if counts.values().all(|count| *count < CONSTANT_LAG_FINDINGS) {
        return None;
    }
    let of_side = |side: Side| {
        let at = |pair: &Pair| board.at(side, if side == Side::Legacy { pair.legacy } else { pair.unified });
        let (mut rows, mut quarters) = (Vec::new(), Quarters::default());
        for pair in board.pairs.iter().filter(is_judged) {
            match pair.differs.time {
                false => quarters.add(quarter(at(pair)), 1),
                true => rows.extend(shifted(pair).map(|shift| Shifted {
                    at: at(pair),
                    legacy_at: board.at(Side::Legacy, pair.legacy),
                    shift,
                })),
            }
        }
        best_of_side(board, side, &rows, quarters)
    };
    let (legacy, unified) = at_once(|| of_side(Side::Legacy), || of_side(Side::Unified));
    let fits = [legacy, unified].into_iter().flatten();
    // The first of several equal ones: `max_by_key` would take the last.
    fits.reduce(|best, fit| {
        let key = |fit: &ZoneFit| (fit.acts, fit.absorbs as i64 - fit.spoils as i64);
        if key(&fit) > key(&best) { fit } else { best }
    })
}

/// `rows` have a shift, `quarters` those that have none, by the start of their quarter of an hour.
fn best_of_side(board: &Board<'_>, side: Side, rows: &[Shifted], mut quarters: Quarters) -> Option<ZoneFit> {
    let columns = columns(board, side);
    board.books.settled.side(side).quarters.iter().for_each(|(&quarter, &rows)| quarters.add(quarter, rows));
    let quarters = quarters.all();
    let by_day = counted(rows, &quarters, DAY_MICROS);
    let mut scores: Vec<(Score, bool, Tz)> = FIXED
        .iter()
        .map(|name| (name, true))
        .chain(SEASONAL.iter().map(|name| (name, false)))
        .filter_map(|(name, is_fixed)| Some((name.parse::<Tz>().ok()?, is_fixed)))
        .filter(|(zone, _)| *zone != columns.timezone)
        .map(|(zone, is_fixed)| (score(&by_day, DAY_MICROS, columns, zone, side), is_fixed, zone))
        .collect();
    // Stable: of equal ones the plainer, then the more common.
    scores.sort_by_key(|(score, ..)| std::cmp::Reverse(score.net()));
    let by_quarter = counted(rows, &quarters, GRID_MICROS);
    let mut finalists: Vec<(Score, bool, Tz)> = scores
        .iter()
        .take(FINALISTS)
        .map(|&(_, is_fixed, zone)| (score(&by_quarter, GRID_MICROS, columns, zone, side), is_fixed, zone))
        .collect();
    finalists.sort_by_key(|(score, ..)| std::cmp::Reverse(score.net()));
    let &(score, is_fixed, zone) = finalists.first()?;
    if score.absorbs < CONSTANT_LAG_FINDINGS || score.net() <= 0 {
        return None;
    }
    let also = scores
        .iter()
        .filter(|(other, other_is_fixed, _)| is_fixed && !other_is_fixed && other.net() == scores[0].0.net())
        .map(|(.., zone)| *zone)
        .find(|other| self::score(&by_quarter, GRID_MICROS, columns, *other, side) == score);
    let explained: Vec<&Shifted> = rows
        .iter()
        .filter(|row| change(start(row.at, GRID_MICROS), columns, zone, side) == Some(row.shift))
        .collect();
    let mut lags: Vec<Span> = explained.iter().map(|row| Span(row.shift)).collect();
    lags.sort_unstable();
    lags.dedup();
    let times = || explained.iter().map(|row| row.legacy_at);
    let off = rows.len() as u64;
    Some(ZoneFit {
        side,
        zone,
        absorbs: score.absorbs,
        leaves: off - score.absorbs,
        spoils: score.spoils,
        lags,
        also,
        acts: board.books.side(side).has_wall_times,
        span: (times().min()?, times().max()?),
    })
}

fn columns<'c>(board: &'c Board<'_>, side: Side) -> &'c Columns {
    match side {
        Side::Legacy => &board.config.legacy.columns,
        Side::Unified => &board.config.unified.columns,
    }
}

/// The start of the quarter of an hour that holds an instant.
pub(in super::super) fn quarter(at: Instant) -> i64 {
    start(at, GRID_MICROS)
}

/// The start of the span of `length` that holds an instant.
fn start(at: Instant, length: i64) -> i64 {
    at.0.div_euclid(length) * length
}

/// `quarters`: rows without a shift, by the start of their quarter of an hour, ascending.
fn counted(rows: &[Shifted], quarters: &[(i64, u64)], length: i64) -> Counts {
    let mut counts: HashMap<(i64, i64), u64> = HashMap::new();
    for of_span in quarters.chunk_by(|a, b| start(Instant(a.0), length) == start(Instant(b.0), length)) {
        let rows = of_span.iter().map(|(_, rows)| rows).sum();
        counts.insert((start(Instant(of_span[0].0), length), 0), rows);
    }
    for row in rows {
        *counts.entry((start(row.at, length), row.shift)).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// What a zone would absorb and spoil. Within a span its offset is taken to be that of the middle.
fn score(counts: &Counts, length: i64, columns: &Columns, zone: Tz, side: Side) -> Score {
    let mut score = Score::default();
    let middle = if length == GRID_MICROS { 0 } else { length / 2 };
    for (&(from, shift), &count) in counts {
        let explains = change(from + middle, columns, zone, side) == Some(shift);
        match (shift, explains) {
            (0, false) => score.spoils += count,
            (0, true) | (_, false) => {}
            (_, true) => score.absorbs += count,
        }
    }
    score
}

/// The lag that the zone would take off a row at this instant.
fn change(at: i64, columns: &Columns, zone: Tz, side: Side) -> Option<i64> {
    let wall = to_wall_micros(Instant(at), columns.timezone)?;
    let moved = from_wall_micros(wall, zone)?.0 - at;
    Some(if side == Side::Legacy { moved } else { -moved })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_candidate_is_a_known_zone() {
        for name in FIXED.iter().chain(&SEASONAL) {
            assert!(name.parse::<Tz>().is_ok(), "{name}");
        }
    }

    #[test]
    fn only_lags_near_the_grid_of_zones_are_shifts() {
        const MINUTE: i64 = 60_000_000;
        let cases = [
            (300 * MINUTE, Some(300 * MINUTE)),
            (300 * MINUTE + 2_000_000, Some(300 * MINUTE)),
            (300 * MINUTE + 2_000_001, None),
            (-345 * MINUTE, Some(-345 * MINUTE)),
            (840 * MINUTE, Some(840 * MINUTE)),
            (855 * MINUTE, None),
            (0, None),
            (7 * MINUTE, None),
            (i64::MAX, None),
        ];
        for (lag, expected) in cases {
            assert_eq!(shift_of(lag, Span(2_000_000)), expected, "{lag}");
        }
    }
}
