//! Root causes: what many findings have in common. A finding has one cause at most, the most
//! specific that the data show.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::board::Board;
use super::calibrate::{
    self, CONSTANT_LAG_FINDINGS, Calibration, LabelArrival, OfPairs, SilentWriter, ZoneFit,
};
use super::classify::lag_micros;
use crate::cores::{self, at_once};
use crate::domain::{Class, Entry, Finding, Instant, Rule, Side, Span, Standing, UserNo};

/// Findings that must share what makes them alike before it is called their cause.
const SHARED: u64 = 3;

/// What pairs and rows show without the findings: it is looked at while those are made.
pub(super) struct Seen {
    lags: OfPairs,
    /// Lags on the grid of time zones, rounded to it, that at least three share.
    shifts: HashMap<i64, u64>,
    arrivals: BTreeMap<u16, (LabelArrival, Vec<Instant>)>,
}

impl Seen {
    /// Of all pairs, which stand in their final order.
    pub(super) fn of(board: &Board<'_>) -> Seen {
        let shifts = || {
            let mut shifts: HashMap<i64, u64> = HashMap::new();
            let judged = board.pairs.iter().filter(|pair| pair.differs.time);
            for pair in judged.filter(|pair| !board.is_stamped(pair.rule, pair.unified)) {
                if let Some(shift) = calibrate::shift_of(lag_micros(board, pair), board.tolerance) {
                    *shifts.entry(shift).or_default() += 1;
                }
            }
            shifts.retain(|_, count| *count >= CONSTANT_LAG_FINDINGS);
            shifts
        };
        let (lags, (shifts, arrivals)) = at_once(|| OfPairs::of(board), || (shifts(), arrivals(board)));
        Seen { lags, shifts, arrivals }
    }

    /// What a time mismatch shares with others.
    fn time_cause(&self, board: &Board<'_>, finding: &Finding) -> &'static str {
        if finding.unified_rows.first().is_some_and(|&row| board.is_stamped(finding.rule, row)) {
            return "bulk_stamp";
        }
        let Some(lag) = finding.lag else { return "" };
        let is_constant = match calibrate::shift_of(lag.0, board.tolerance) {
            Some(shift) => {
                // A zone explains rarer lags with the frequent ones: two shifts a year are one cause.
                let of_zone = |zone: &ZoneFit| zone.is_worth_it() && zone.lags.contains(&Span(shift));
                self.shifts.contains_key(&shift) || self.lags.zone.as_ref().is_some_and(of_zone)
            }
            None => self.lags.common.is_some_and(|common| (lag.0 - common.0).abs() <= board.tolerance.0),
        };
        if is_constant { "constant_lag" } else { "" }
    }
}

/// Names the causes, and calibrates: the causes of lags rest on the same figures.
pub(super) fn name(board: &Board<'_>, seen: Seen, findings: &mut [Finding]) -> Calibration {
    let silences: Vec<SilentWriter> =
        seen.arrivals.values().filter_map(|(label, missing)| silent_writer(label, missing)).collect();
    let shared = Shared::of(board, findings);
    let cause = |finding: &Finding| match finding.class {
        Class::TimeMismatch => seen.time_cause(board, finding),
        Class::SourceDuplicate => "replay",
        Class::MislabelledPurchase => "payment_label",
        Class::Unmigrated | Class::UnmigratedDeduction => unmigrated_cause(board, finding, &silences),
        Class::AmountMismatch => shared.amount_cause(finding),
        Class::ActionMismatch => shared.action_cause(finding),
        Class::UserMismatch => shared.user_cause(board, finding),
        Class::Orphan => shared.orphan_cause(board, finding),
        _ => "",
    };
    cores::in_shares_mut(findings, |findings| {
        for finding in findings.iter_mut().filter(|finding| finding.cause.is_empty()) {
            finding.cause = cause(finding).into();
        }
    });
    let arrivals = seen.arrivals.into_values().map(|(label, _)| label).collect();
    calibrate::of(board, findings, seen.lags, silences, arrivals)
}

/// A second backfill, a replayed webhook, or the historical copy beside the dual write: by what the
/// extra row and the kept one show. `has_legacy`: the kept row stands for a legacy row.
pub(super) fn of_duplicate(
    extra: &Entry,
    kept: &Entry,
    by: Rule,
    has_legacy: bool,
    tolerance: Span,
) -> &'static str {
    let is_at_once = extra.at.since(kept.at).abs() <= tolerance;
    match (extra.is_marked(), kept.is_marked(), by) {
        (true, true, _) => "double_backfill",
        (false, false, Rule::Reference) => "replay",
        // The application's row of a payment whose copy is kept: it came at once, or again.
        (false, true, Rule::Reference) if !is_at_once => "replay",
        (_, _, Rule::Link | Rule::Reference) => "dual_write_and_copy",
        _ if has_legacy => "dual_write_and_copy",
        _ => "repeated",
    }
}

/// What differing pairs and orphans share.
#[derive(Default)]
struct Shared {
    amounts: HashMap<(i128, i128), u64>,
    factors: HashMap<(i128, i128), Alike>,
    differences: HashMap<i128, Alike>,
    labels: HashMap<(String, String), u64>,
    accounts: HashMap<UserNo, u64>,
    /// Unified labels of unmarked orphans that no legacy row maps to.
    one_sided: HashMap<u16, u64>,
}

/// How many findings are alike in a way, and some of their legacy amounts.
#[derive(Default)]
struct Alike {
    rows: u64,
    amounts: BTreeSet<i128>,
}

impl Alike {
    fn add(&mut self, amount: i128) {
        self.rows += 1;
        if (self.amounts.len() as u64) < SHARED {
            self.amounts.insert(amount);
        }
    }

    /// Several different amounts bear it out; with one alone it is a change of that amount.
    fn is_rule(&self) -> bool {
        self.rows >= SHARED && self.amounts.len() as u64 >= SHARED
    }
}

impl Shared {
    fn of(board: &Board<'_>, findings: &[Finding]) -> Shared {
        let mut shared = Shared::default();
        for finding in findings {
            match finding.class {
                Class::AmountMismatch => shared.add_amounts(finding),
                Class::ActionMismatch => {
                    if let Some(labels) = labels(finding) {
                        *shared.labels.entry(labels).or_default() += 1;
                    }
                }
                Class::UserMismatch => {
                    if let Some(user) = unified_user(board, finding) {
                        *shared.accounts.entry(user).or_default() += 1;
                    }
                }
                Class::Orphan => {
                    for entry in orphans(board, finding).filter(|entry| !entry.is_marked()) {
                        *shared.one_sided.entry(entry.label).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
        if !shared.one_sided.is_empty() {
            let books = board.books;
            let settled = books.settled.side(Side::Legacy).actions.iter().copied();
            let entries = books.legacy.entries.iter().flat_map(|entry| [entry.action, board.action(entry)]);
            for action in settled.chain(entries) {
                let label = books.action(action);
                if let Ok(at) = books.unified.labels.binary_search_by(|known| (**known).cmp(label)) {
                    shared.one_sided.remove(&(at as u16));
                }
            }
        }
        shared
    }

    fn add_amounts(&mut self, finding: &Finding) {
        let Some((legacy, unified)) = amounts(finding) else { return };
        *self.amounts.entry((legacy, unified)).or_default() += 1;
        self.factors.entry(ratio(legacy, unified)).or_default().add(legacy);
        self.differences.entry(unified - legacy).or_default().add(legacy);
    }

    fn amount_cause(&self, finding: &Finding) -> &'static str {
        let Some((legacy, unified)) = amounts(finding) else { return "" };
        if self.factors.get(&ratio(legacy, unified)).is_some_and(Alike::is_rule) {
            "constant_factor"
        } else if self.differences.get(&(unified - legacy)).is_some_and(Alike::is_rule) {
            "constant_difference"
        } else if self.amounts.get(&(legacy, unified)).is_some_and(|rows| *rows >= SHARED) {
            "plan_change"
        } else {
            ""
        }
    }

    fn action_cause(&self, finding: &Finding) -> &'static str {
        let rows = labels(finding).and_then(|labels| self.labels.get(&labels).copied());
        if rows.is_some_and(|rows| rows >= SHARED) { "label_map" } else { "" }
    }

    fn user_cause(&self, board: &Board<'_>, finding: &Finding) -> &'static str {
        let rows = unified_user(board, finding).and_then(|user| self.accounts.get(&user).copied());
        if rows.is_some_and(|rows| rows >= SHARED) { "one_account" } else { "" }
    }

    fn orphan_cause(&self, board: &Board<'_>, finding: &Finding) -> &'static str {
        let Some(entry) = orphans(board, finding).next() else { return "" };
        let named = entry.link.as_ref().map(|link| board.books.legacy.standing(link));
        match named {
            Some(Some(Standing::Read)) => "wrong_link",
            Some(Some(Standing::Rejected)) => "",
            Some(None) => "phantom",
            None if entry.migrated => "",
            None => {
                let rows = self.one_sided.get(&entry.label).copied().unwrap_or(0);
                if rows >= SHARED { "one_sided_writer" } else { "" }
            }
        }
    }
}

fn amounts(finding: &Finding) -> Option<(i128, i128)> {
    finding.tokens_legacy.zip(finding.tokens_unified)
}

/// Both amounts without their common divisor.
fn ratio(legacy: i128, unified: i128) -> (i128, i128) {
    let (mut a, mut b) = (legacy, unified);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { (legacy, unified) } else { (legacy / a, unified / a) }
}

fn labels(finding: &Finding) -> Option<(String, String)> {
    finding.action_legacy.clone().zip(finding.action_unified.clone())
}

fn unified_user(board: &Board<'_>, finding: &Finding) -> Option<UserNo> {
    finding.unified_rows.first().map(|&row| board.entry(Side::Unified, row).user)
}

fn orphans<'a>(board: &Board<'a>, finding: &Finding) -> impl Iterator<Item = &'a Entry> {
    let entries = finding.unified_rows.iter().map(|&row| board.entry(Side::Unified, row));
    entries.collect::<Vec<_>>().into_iter()
}

/// What arrived of each legacy label, and when the rows lie that did not.
fn arrivals(board: &Board<'_>) -> BTreeMap<u16, (LabelArrival, Vec<Instant>)> {
    let settled = board.books.settled.labels.iter().map(|(&label, rows)| {
        let arrival = LabelArrival {
            label,
            kind: rows.kind,
            arrived: rows.rows,
            missing: 0,
            first_arrived: Some(rows.first),
            last_arrived: Some(rows.last),
            last_missing: None,
        };
        (label, (arrival, Vec::new()))
    });
    let mut labels: BTreeMap<u16, (LabelArrival, Vec<Instant>)> = settled.collect();
    for (row, entry) in board.books.legacy.entries.iter().enumerate() {
        if !entry.is_matchable() || board.is_late(entry) {
            continue;
        }
        let blank = || LabelArrival {
            label: entry.label,
            kind: entry.kind,
            arrived: 0,
            missing: 0,
            first_arrived: None,
            last_arrived: None,
            last_missing: None,
        };
        let (label, missing) = labels.entry(entry.label).or_insert_with(|| (blank(), Vec::new()));
        if !board.is_free(Side::Legacy, row as u32) {
            label.arrived += 1;
            label.first_arrived = Some(label.first_arrived.map_or(entry.at, |at| at.min(entry.at)));
            label.last_arrived = label.last_arrived.max(Some(entry.at));
        } else if !board.is_young(entry) {
            label.missing += 1;
            label.last_missing = label.last_missing.max(Some(entry.at));
            missing.push(entry.at);
        }
    }
    labels
}

/// The instant since which none of a label's rows arrived, if so many did not arrive since that it is
/// no chance, and at least one had arrived before.
fn silent_writer(label: &LabelArrival, missing: &[Instant]) -> Option<SilentWriter> {
    let last_arrived = label.last_arrived?;
    let since = missing.iter().copied().filter(|at| *at > last_arrived);
    let rows = since.clone().count() as u64;
    is_no_chance(rows, label.missing - rows, label.arrived).then_some(SilentWriter {
        label: label.label,
        last_arrived,
        since: since.min()?,
        rows,
    })
}

/// Would the last `run` rows all be missing by chance in less than one of fifty labels, if each were
/// missing as often as those before?
fn is_no_chance(run: u64, missing: u64, arrived: u64) -> bool {
    if run < SHARED {
        return false;
    }
    let share = (missing as f64 + 0.5) / (missing as f64 + arrived as f64 + 1.0);
    (0..run)
        .try_fold(1.0, |chance: f64, _| (chance >= 0.02).then_some(chance * share))
        .is_none_or(|chance| chance < 0.02)
}

fn unmigrated_cause(board: &Board<'_>, finding: &Finding, silences: &[SilentWriter]) -> &'static str {
    let silent = finding.legacy_rows.iter().any(|&row| {
        let entry = board.entry(Side::Legacy, row);
        silences.iter().any(|writer| writer.label == entry.label && entry.at >= writer.since)
    });
    if silent { "writer_silent" } else { "never_copied" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_missing_rows_is_silence_only_when_it_is_no_chance() {
        let cases = [
            // run, missing before, arrived before, silent
            (2, 0, 100, false),
            (3, 0, 1, true),
            (3, 0, 100, true),
            (3, 50, 50, false),
            (5, 50, 50, false),
            (6, 50, 50, true),
            (3, 10, 90, true),
            (1_000_000, 99, 1, true),
        ];
        for (run, missing, arrived, expected) in cases {
            assert_eq!(is_no_chance(run, missing, arrived), expected, "{run} after {missing} and {arrived}");
        }
    }

    #[test]
    fn a_ratio_is_reduced() {
        let cases = [((100, 150), (2, 3)), ((5, 5), (1, 1)), ((0, 7), (0, 1)), ((1000, 1), (1000, 1))];
        for ((legacy, unified), expected) in cases {
            assert_eq!(ratio(legacy, unified), expected);
        }
    }
}
