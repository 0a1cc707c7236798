//! Which setting would explain more, where the data show it clearly.

use std::collections::BTreeMap;

use super::super::board::Board;
use super::curve::Near;
use super::{Advice, AdviceKind, OfPairs, ZoneFit, shift, shift_of};
use crate::domain::{ActionNo, Class, Finding, Instant, Rule, Severity, Side, Span, Verdict};

/// Findings that a setting must explain before it is recommended.
const LEAST: u64 = 3;

/// The next lag beyond a recommended tolerance is at least so many times as long.
const GAP: i64 = 4;

/// No tolerance beyond this is recommended: distinct grants may lie closer together.
const WIDEST_MICROS: i64 = 3_600 * 1_000_000;

/// All advice, the weightiest first.
pub(super) fn all(
    board: &Board<'_>,
    findings: &[Finding],
    near: &Near<'_, '_>,
    of_pairs: &OfPairs,
) -> Vec<Advice> {
    let mut advice = Vec::new();
    advice.extend(of_pairs.zone.as_ref().map(of_zone));
    advice.extend(common_shift(board, findings, of_pairs));
    advice.extend(tolerance(board, findings, near));
    advice.extend(shift::beyond_window(board, findings).map(|shift| Advice {
        kind: AdviceKind::BeyondWindow { lag: shift.lag },
        rows: shift.rows,
        spoils: 0,
        span: Some(shift.span),
    }));
    advice.extend(stamps(findings));
    advice.extend(one_sided(board, findings));
    // Stable: of equal weight the order above.
    advice.sort_by_key(|advice| std::cmp::Reverse(advice.rows));
    advice
}

/// A zone that would put many good pairs out is no setting to recommend, but the shift is told.
fn of_zone(fit: &ZoneFit) -> Advice {
    let kind = match fit.is_worth_it() {
        true => AdviceKind::Timezone(fit.clone()),
        false => AdviceKind::Shift { lag: fit.lags.first().copied().unwrap_or_default() },
    };
    Advice { kind, rows: fit.absorbs, spoils: fit.spoils, span: Some(fit.span) }
}

/// Constant lags that no zone explains, one piece of advice for each length.
fn common_shift(board: &Board<'_>, findings: &[Finding], of_pairs: &OfPairs) -> Vec<Advice> {
    let mut shifts: BTreeMap<i64, Advice> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.cause == "constant_lag") {
        let Some(lag) = finding.lag else { continue };
        let on_grid = shift_of(lag.0, board.tolerance);
        let is_zone =
            |shift: i64| of_pairs.zone.as_ref().is_some_and(|zone| zone.lags.contains(&Span(shift)));
        let Some(shift) = on_grid.or(of_pairs.common.map(|lag| lag.0)).filter(|shift| !is_zone(*shift))
        else {
            continue;
        };
        let kind = AdviceKind::Shift { lag: Span(shift) };
        let advice = shifts.entry(shift).or_insert(Advice { kind, rows: 0, spoils: 0, span: None });
        advice.rows += 1;
        advice.span = widened(advice.span, finding.created_at_legacy);
    }
    shifts.into_values().filter(|advice| advice.rows >= LEAST).collect()
}

/// The least tolerance that takes in all lags up to a gap. Only lags of pairs that no other optimum
/// disputes, that time alone tells apart, and that nothing else explains; only where the pairs that
/// it adds have one candidate each.
fn tolerance(board: &Board<'_>, findings: &[Finding], near: &Near<'_, '_>) -> Option<Advice> {
    let is_open = |finding: &&Finding| finding.class == Class::TimeMismatch && finding.cause.is_empty();
    let mut lags: Vec<i64> = findings
        .iter()
        .filter(is_open)
        .filter(|finding| finding.verdict != Verdict::Contested && finding.rule == Rule::Mismatch)
        .filter_map(|finding| finding.lag)
        .map(|lag| lag.abs().0)
        .collect();
    lags.sort_unstable();
    let all = findings.iter().filter(is_open).count();
    let ends = (0..lags.len()).filter(|&at| {
        let next = lags.get(at + 1);
        next.is_none_or(|&next| next / GAP >= lags[at])
    });
    for end in ends {
        let rows = end + 1;
        let tolerance = rounded_up(lags[end]);
        if tolerance.0 > WIDEST_MICROS || tolerance > board.window {
            break;
        }
        if (rows as u64) < LEAST || rows * 2 < all {
            continue;
        }
        let gained = near.gained(tolerance);
        // One in a hundred may have a second candidate: it stays as safe as it is under any tolerance.
        if gained.rows >= LEAST && gained.ambiguous * 100 <= gained.rows {
            let greatest = Span(lags[end]);
            let kind = AdviceKind::Tolerance { tolerance, greatest, ambiguous: gained.ambiguous };
            return Some(Advice { kind, rows: gained.rows, spoils: 0, span: gained.span });
        }
    }
    None
}

/// A length as one writes it in a setting: whole milliseconds, from a second on tenths, then whole
/// seconds and minutes.
fn rounded_up(micros: i64) -> Span {
    const SECOND: i64 = 1_000_000;
    let unit = if micros < SECOND {
        SECOND / 1_000
    } else if micros < 10 * SECOND {
        SECOND / 10
    } else if micros < 60 * SECOND {
        SECOND
    } else {
        60 * SECOND
    };
    Span((micros.saturating_add(unit - 1)) / unit * unit)
}

/// One piece of advice for each instant of a bulk copy.
fn stamps(findings: &[Finding]) -> Vec<Advice> {
    let mut stamps: BTreeMap<Instant, Advice> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.cause == "bulk_stamp") {
        let Some(at) = finding.created_at_unified else { continue };
        let kind = AdviceKind::BulkStamp { at };
        let advice = stamps.entry(at).or_insert(Advice { kind, rows: 0, spoils: 0, span: None });
        advice.rows += 1;
        advice.span = widened(advice.span, finding.created_at_legacy);
    }
    stamps.into_values().collect()
}

/// Unified actions that no legacy row has, and that are not configured as `unified_only`.
fn one_sided(board: &Board<'_>, findings: &[Finding]) -> Vec<Advice> {
    let mut orphans: BTreeMap<ActionNo, Advice> = BTreeMap::new();
    let unmarked =
        |finding: &&Finding| finding.class == Class::Orphan && finding.severity == Severity::Warning;
    for finding in findings.iter().filter(unmarked) {
        for &row in &finding.unified_rows {
            let entry = board.entry(Side::Unified, row);
            if entry.is_marked() {
                continue;
            }
            let kind = AdviceKind::UnifiedOnly { action: entry.action };
            let advice =
                orphans.entry(entry.action).or_insert(Advice { kind, rows: 0, spoils: 0, span: None });
            advice.rows += 1;
            advice.span = widened(advice.span, Some(entry.at));
        }
    }
    if orphans.is_empty() {
        return Vec::new();
    }
    for action in &board.books.settled.side(Side::Legacy).actions {
        orphans.remove(action);
    }
    for entry in &board.books.legacy.entries {
        orphans.remove(&entry.action);
        orphans.remove(&board.action(entry));
    }
    orphans.into_values().filter(|advice| advice.rows >= LEAST).collect()
}

fn widened(span: Option<(Instant, Instant)>, at: Option<Instant>) -> Option<(Instant, Instant)> {
    let Some(at) = at else { return span };
    Some(span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recommended_tolerance_is_rounded_up_to_a_plain_length() {
        let cases = [
            (250_001, 251_000),
            (3_100_000, 3_100_000),
            (3_100_001, 3_200_000),
            (12_000_001, 13_000_000),
            (61_000_000, 120_000_000),
            (0, 0),
        ];
        for (micros, expected) in cases {
            assert_eq!(rounded_up(micros), Span(expected), "{micros}");
        }
    }
}
