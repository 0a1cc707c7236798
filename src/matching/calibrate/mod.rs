//! Calibration: how far apart partners lie, how many rows would pair under another tolerance, and
//! which other setting would explain more. It reads what the ladder found and changes nothing.

mod advice;
mod curve;
mod lags;
mod shift;
mod zones;

use super::board::Board;
use crate::cores::at_once;
use crate::domain::{ActionNo, Finding, Instant, Kind, Rule, Side, Span};

pub(super) use curve::add_near;
pub(super) use zones::{CONSTANT_LAG_FINDINGS, quarter, shift_of};

/// What the lags of a run show.
#[derive(Debug, Clone, Default)]
pub struct Calibration {
    /// Lags of all one-to-one pairs whose legacy row is not later than as-of; `None` without pairs.
    pub lags: Option<LagFigures>,
    /// The same by rung, in the order of the ladder; only rungs that made pairs.
    pub lags_by_rung: Vec<(Rule, LagFigures)>,
    /// How many of these pairs have a lag in each bucket: from the most negative to the most
    /// positive, symmetric round the one of exactly 0. Always the same buckets.
    pub buckets: Vec<LagBucket>,
    /// Pairs as a function of the tolerance, ascending; the configured one is among them.
    pub curve: Vec<CurvePoint>,
    /// What would explain more than the configuration does, the weightiest first.
    pub advice: Vec<Advice>,
    /// The zone that explains the constant lags, whether or not it is worth a recommendation.
    pub zone: Option<ZoneFit>,
    /// Labels of which nothing arrived any more, ascending.
    pub silent_writers: Vec<SilentWriter>,
    /// What arrived of each legacy label, ascending.
    pub arrivals: Vec<LabelArrival>,
}

/// Lags of many pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LagFigures {
    /// Number of pairs.
    pub rows: u64,
    /// The least lag, with its sign (unified time − legacy time).
    pub least: Span,
    /// The greatest lag, with its sign.
    pub most: Span,
    /// Half of the pairs have an |lag| up to this (nearest rank).
    pub median: Span,
    /// 95 % have.
    pub p95: Span,
    /// 99 % have.
    pub p99: Span,
}

/// Pairs whose lag lies in a range. For a positive range `from < lag ≤ to`, for a negative one
/// `from ≤ lag < to`; the range of exactly 0 has both ends 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LagBucket {
    /// The lower end; `None`: no end.
    pub from: Option<Span>,
    /// The upper end; `None`: no end.
    pub to: Option<Span>,
    /// Pairs in it.
    pub rows: u64,
}

/// What another tolerance would give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurvePoint {
    /// The tolerance.
    pub tolerance: Span,
    /// It is the configured one.
    pub is_configured: bool,
    /// Legacy rows that the rungs `exact` and `near` would pair: same user, action and amount
    /// within the tolerance, most pairs.
    pub rows: u64,
    /// Findings `time_mismatch` that would be left.
    pub time_mismatches: u64,
    /// Findings `unmigrated` and `unmigrated_deduction` that would be left.
    pub unmigrated: u64,
}

/// A setting, or a repair, that would explain more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What it is about.
    pub kind: AdviceKind,
    /// Findings or rows that it would explain.
    pub rows: u64,
    /// Pairs that are good now and would not be any more.
    pub spoils: u64,
    /// Earliest and latest legacy time of the rows concerned.
    pub span: Option<(Instant, Instant)>,
}

/// What advice is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdviceKind {
    /// Another tolerance.
    Tolerance {
        /// The least that takes in all lags up to a gap, rounded up.
        tolerance: Span,
        /// The greatest |lag| that it takes in.
        greatest: Span,
        /// Of the rows, those for which another candidate would lie within it too.
        ambiguous: u64,
    },
    /// Another zone for one side.
    Timezone(ZoneFit),
    /// The lags share a length that is no zone, or that no one zone gives for all rows.
    Shift {
        /// The shared lag, unified time − legacy time.
        lag: Span,
    },
    /// Rows without a partner on both sides that differ by one length of time beyond the window.
    BeyondWindow {
        /// The shared lag.
        lag: Span,
    },
    /// Copies that share one instant: their own time is lost.
    BulkStamp {
        /// The instant.
        at: Instant,
    },
    /// A unified action none of whose rows has a legacy row: it may be `unified_only`.
    UnifiedOnly {
        /// The action.
        action: ActionNo,
    },
}

/// How well a time zone explains the lags on the grid of zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneFit {
    /// The side whose `timezone` would be set.
    pub side: Side,
    /// The zone.
    pub zone: chrono_tz::Tz,
    /// Time mismatches that it would absorb.
    pub absorbs: u64,
    /// Time mismatches on the grid of zones that it would leave.
    pub leaves: u64,
    /// Pairs within tolerance that it would put beyond.
    pub spoils: u64,
    /// The distinct lags that it explains, ascending: several where summer time comes and goes.
    pub lags: Vec<Span>,
    /// Another zone, with summer time, that explains as much: all rows lie in one season.
    pub also: Option<chrono_tz::Tz>,
    /// At least one timestamp of the side has no zone of its own, so that the setting acts.
    pub acts: bool,
    /// Earliest and latest legacy time of the rows that it explains.
    pub span: (Instant, Instant),
}

impl ZoneFit {
    /// It absorbs clearly more than it spoils.
    pub fn is_worth_it(&self) -> bool {
        self.absorbs >= self.spoils.saturating_mul(10)
    }
}

/// A label of which nothing arrived any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentWriter {
    /// Position in the legacy labels.
    pub label: u16,
    /// The latest row that arrived.
    pub last_arrived: Instant,
    /// The first that did not, after it.
    pub since: Instant,
    /// Rows that did not arrive since.
    pub rows: u64,
}

/// What arrived of a legacy label: rows up to as-of, those without a partner that are too young to
/// judge left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelArrival {
    /// Position in the legacy labels.
    pub label: u16,
    /// Grants or deductions.
    pub kind: Kind,
    /// Rows with a partner.
    pub arrived: u64,
    /// Rows without.
    pub missing: u64,
    /// The earliest row with a partner.
    pub first_arrived: Option<Instant>,
    /// The latest row with a partner.
    pub last_arrived: Option<Instant>,
    /// The latest row without.
    pub last_missing: Option<Instant>,
}

/// What the lags of all pairs show, before any finding is made.
pub(super) struct OfPairs {
    lags: lags::Lags,
    /// The zone that explains lags on the grid of zones.
    pub(super) zone: Option<ZoneFit>,
    /// A lag off the grid that most of the others share.
    pub(super) common: Option<Span>,
}

impl OfPairs {
    /// Of a board on which all pairs are.
    pub(super) fn of(board: &Board<'_>) -> OfPairs {
        let (lags, zone) = at_once(|| lags::Lags::of(board), || zones::best(board));
        OfPairs { lags, zone, common: shift::common_lag(board) }
    }
}

/// Calibrates a finished board. `silent_writers` and `arrivals` were needed for the causes already.
pub(super) fn of(
    board: &Board<'_>,
    findings: &[Finding],
    of_pairs: OfPairs,
    silent_writers: Vec<SilentWriter>,
    arrivals: Vec<LabelArrival>,
) -> Calibration {
    let near = curve::Near::of(board, findings);
    let advice = advice::all(board, findings, &near, &of_pairs);
    let more = advice.iter().filter_map(|advice| match advice.kind {
        AdviceKind::Tolerance { tolerance, .. } => Some(tolerance),
        _ => None,
    });
    Calibration {
        lags: of_pairs.lags.figures(),
        lags_by_rung: of_pairs.lags.by_rung(),
        buckets: of_pairs.lags.buckets(),
        curve: near.curve(more),
        advice,
        zone: of_pairs.zone,
        silent_writers,
        arrivals,
    }
}
