//! Findings that share a root cause.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Class, Finding, Instant, RowId, Span};

use super::figures::{counted, length, moment};
use super::model::add;

/// Findings of one class with one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CauseTotals {
    /// The cause: a short word.
    pub cause: String,
    /// The class.
    pub class: Class,
    /// Number of findings.
    pub rows: u64,
    /// Magnitude of the tokens concerned: of the legacy rows, or of the unified rows where there is
    /// no legacy row.
    pub tokens: i128,
    /// The earliest time, legacy where known, else unified.
    pub first_at: Option<Instant>,
    /// The latest.
    pub last_at: Option<Instant>,
    /// What the cause means; empty for a word that this program does not know.
    pub meaning: &'static str,
    /// What the findings have in common, for people.
    pub common: String,
}

impl CauseTotals {
    /// What the cause means and what the findings have in common.
    pub fn detail(&self) -> String {
        let parts = [self.meaning, &self.common];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

/// The furthest that two time zones lie apart.
const WIDEST_ZONE_SHIFT: Span = Span(26 * 3_600_000_000);

/// What a cause means, in words.
fn meaning(cause: &str, group: &Group<'_>) -> &'static str {
    let may_be_a_zone =
        group.lags.is_some_and(|(least, most)| least.abs().max(most.abs()) <= WIDEST_ZONE_SHIFT);
    match cause {
        "never_copied" => "the copy of the history left them out",
        "writer_silent" => "from then on no row of the label arrived: its writer misses the unified table",
        "sign_era" => "stored with the rarer sign of their label and month: may be reversals",
        "bulk_stamp" => "copied in bulk and stamped with the time of the copy",
        "constant_lag" if may_be_a_zone => {
            "a time zone was misread; the right timezone for the table that is off absorbs it"
        }
        "constant_lag" => "all were shifted by the same length of time",
        "double_backfill" => "the copy of the history ran more than once",
        "replay" => "one payment was handled more than once",
        "dual_write_and_copy" => "written by the product, then copied with the history as well",
        "repeated" => "repeats a row that the unified table already has",
        "payment_label" => "what books payments writes another label",
        "unmapped_label" => "the configuration does not say what the label means",
        "unreadable" => "an id, user, amount or time is missing or cannot be read",
        "plug" => "the amount is the gap of that user: booked to make a balance fit",
        _ => "",
    }
}

/// What the findings of a cause have in common.
#[derive(Default)]
struct Group<'a> {
    rows: u64,
    tokens: i128,
    first_at: Option<Instant>,
    last_at: Option<Instant>,
    users: BTreeSet<&'a RowId>,
    /// Of a class that is about time.
    of_time: bool,
    lags: Option<(Span, Span)>,
    unified: Option<(Instant, Instant)>,
}

/// By cause and class; findings without a known cause are left out.
pub fn totals(findings: &[Finding]) -> Vec<CauseTotals> {
    let mut groups = BTreeMap::<(&str, Class), Group<'_>>::new();
    for finding in findings.iter().filter(|finding| !finding.cause.is_empty()) {
        groups.entry((&finding.cause, finding.class)).or_default().take(finding);
    }
    groups
        .into_iter()
        .map(|((cause, class), group)| CauseTotals {
            cause: cause.to_owned(),
            class,
            rows: group.rows,
            tokens: group.tokens,
            first_at: group.first_at,
            last_at: group.last_at,
            meaning: meaning(cause, &group),
            common: group.common(),
        })
        .collect()
}

impl<'a> Group<'a> {
    fn take(&mut self, finding: &'a Finding) {
        self.rows += 1;
        self.tokens = add(self.tokens, finding.tokens_legacy.or(finding.tokens_unified).unwrap_or(0));
        if let Some(at) = finding.created_at_legacy.or(finding.created_at_unified) {
            self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
            self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
        }
        self.users.extend(&finding.user);
        self.of_time = finding.class == Class::TimeMismatch;
        self.lags = widen(self.lags, finding.lag);
        self.unified = widen(self.unified, finding.created_at_unified);
    }

    fn common(&self) -> String {
        let mut facts = Vec::new();
        if !self.users.is_empty() {
            facts.push(counted(self.users.len() as u64, "user", "users"));
        }
        match self.lags.filter(|(least, most)| (*least, *most) != (Span(0), Span(0))) {
            Some((least, most)) if least == most && self.rows > 1 => {
                facts.push(format!("every lag is {}", length(least)))
            }
            Some((least, most)) if self.of_time => {
                facts.push(format!("lags from {} to {}", length(least), length(most)));
            }
            _ => {}
        }
        match self.unified {
            Some((first, last)) if first == last && self.rows > 1 => {
                facts.push(format!("all unified rows stamped {}", moment(first)));
            }
            _ => {}
        }
        facts.join("; ")
    }
}

/// The range that also holds `value`.
fn widen<T: Copy + Ord>(range: Option<(T, T)>, value: Option<T>) -> Option<(T, T)> {
    match (range, value) {
        (Some((least, most)), Some(value)) => Some((least.min(value), most.max(value))),
        (None, Some(value)) => Some((value, value)),
        (range, None) => range,
    }
}
