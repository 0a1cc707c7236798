//! Root causes: what many findings have in common. A finding has one cause at most, the most
//! specific that the data show.

use std::collections::HashMap;

use super::board::Board;
use super::classify::lag_micros;
use crate::domain::{Class, Finding, Rule, Side};

/// Findings that must share a lag before it is called constant.
const CONSTANT_LAG_FINDINGS: usize = 3;

/// Time zones lie on a grid of 15 minutes.
const ZONE_GRID_MICROS: i64 = 15 * 60 * 1_000_000;

/// Names the causes.
pub(super) fn name(board: &Board<'_>, findings: &mut [Finding]) {
    let shifts = constant_shifts(board);
    let silences = silent_writers(board);
    for finding in findings.iter_mut().filter(|finding| finding.cause.is_empty()) {
        finding.cause = match finding.class {
            Class::TimeMismatch => time_cause(board, finding, &shifts),
            Class::Duplicate => duplicate_cause(board, finding),
            Class::SourceDuplicate => "replay".to_owned(),
            Class::MislabelledPurchase => "payment_label".to_owned(),
            Class::Unmigrated | Class::UnmigratedDeduction => unmigrated_cause(board, finding, &silences),
            _ => String::new(),
        };
    }
}

/// Lags on the grid of time zones, rounded to it, that at least three time mismatches share.
fn constant_shifts(board: &Board<'_>) -> HashMap<i64, usize> {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    for pair in board.pairs.iter().filter(|pair| pair.differs.time && pair.rule != Rule::Stamped) {
        if let Some(shift) = shift_of(board, lag_micros(board, pair)) {
            *counts.entry(shift).or_default() += 1;
        }
    }
    counts.retain(|_, count| *count >= CONSTANT_LAG_FINDINGS);
    counts
}

/// The farthest zone from UTC is 14 hours off.
const FARTHEST_ZONE_MICROS: i64 = 14 * 3_600 * 1_000_000;

/// The nearest shift on the grid, when the lag is within tolerance of it.
fn shift_of(board: &Board<'_>, lag: i64) -> Option<i64> {
    let steps = (lag + lag.signum() * ZONE_GRID_MICROS / 2) / ZONE_GRID_MICROS;
    let shift = steps * ZONE_GRID_MICROS;
    (steps != 0 && shift.abs() <= FARTHEST_ZONE_MICROS && (lag - shift).abs() <= board.tolerance.0)
        .then_some(shift)
}

fn time_cause(board: &Board<'_>, finding: &Finding, shifts: &HashMap<i64, usize>) -> String {
    if finding.rule == Rule::Stamped {
        return "bulk_stamp".to_owned();
    }
    let shift = finding.lag.and_then(|lag| shift_of(board, lag.0)).filter(|shift| shifts.contains_key(shift));
    if shift.is_some() { "constant_lag".to_owned() } else { String::new() }
}

/// A second backfill, a replayed webhook, or the historical copy beside the dual write.
fn duplicate_cause(board: &Board<'_>, finding: &Finding) -> String {
    let marked = finding.unified_rows.iter().any(|&row| board.entry(Side::Unified, row).is_marked());
    match finding.rule {
        Rule::Link => "double_backfill",
        Rule::Reference if marked => "double_backfill",
        Rule::Reference => "replay",
        _ if finding.legacy_ids.is_empty() => "repeated",
        _ => "dual_write_and_copy",
    }
    .to_owned()
}

/// For each legacy label: the instant since which none of its rows arrived, if at least three did
/// not arrive since and at least one had arrived before.
fn silent_writers(board: &Board<'_>) -> HashMap<u16, crate::domain::Instant> {
    let mut last_arrived: HashMap<u16, crate::domain::Instant> = HashMap::new();
    let mut missing: HashMap<u16, Vec<crate::domain::Instant>> = HashMap::new();
    for (row, entry) in
        board.books.legacy.entries.iter().enumerate().filter(|(_, entry)| entry.is_matchable())
    {
        if board.is_free(Side::Legacy, row as u32) {
            missing.entry(entry.label).or_default().push(entry.at);
        } else {
            let last = last_arrived.entry(entry.label).or_insert(entry.at);
            *last = (*last).max(entry.at);
        }
    }
    missing
        .into_iter()
        .filter_map(|(label, times)| {
            let last = *last_arrived.get(&label)?;
            let since: Vec<_> = times.into_iter().filter(|at| *at > last).collect();
            (since.len() >= CONSTANT_LAG_FINDINGS).then(|| (label, since.into_iter().min().unwrap_or(last)))
        })
        .collect()
}

fn unmigrated_cause(
    board: &Board<'_>,
    finding: &Finding,
    silences: &HashMap<u16, crate::domain::Instant>,
) -> String {
    let silent = finding.legacy_rows.iter().any(|&row| {
        let entry = board.entry(Side::Legacy, row);
        silences.get(&entry.label).is_some_and(|since| entry.at >= *since)
    });
    if silent { "writer_silent".to_owned() } else { "never_copied".to_owned() }
}
