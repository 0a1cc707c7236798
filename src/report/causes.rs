//! Findings that share a root cause: weighed, and told in a sentence.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{Books, Class, Finding, Instant, RowId, Span};
use crate::matching::Calibration;
use crate::matching::calibrate::{AdviceKind, LabelArrival, ZoneFit};

use super::advice::{lag_text, zone_setting};
use super::figures::{counted, grouped, length, moment};
use super::model::add;

/// Findings of one class with one root.
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
    /// The root in a sentence of its own, with its figures and, where there is one, the setting
    /// that would absorb it: `12,431 copies stamped 2026-03-01T00:00:00.000000Z`.
    pub detail: String,
}

/// The furthest that two time zones lie apart.
const WIDEST_ZONE_SHIFT: Span = Span(26 * 3_600_000_000);

/// Roots of one cause and class that are told apart; the lighter ones are told together.
const ROOTS: usize = 20;

/// So many missing rows that are all older than any that arrived are worth telling.
const OLDER: u64 = 3;

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
        "plan_change" => "the same amount became the same other amount each time",
        "constant_factor" => "different amounts are off by the same factor",
        "constant_difference" => "different amounts are off by the same number of tokens",
        "label_map" => "the copy gave this label another action each time",
        "one_account" => "grants of several users were credited to one account",
        "phantom" => "the legacy row that the link names does not exist",
        "wrong_link" => "the link names a legacy row that is another grant",
        "one_sided_writer" => "no legacy row has this action: it is written to the unified table alone",
        _ => "",
    }
}

/// What sets one root of a cause apart from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Root<'a> {
    All,
    At(Instant),
    Lag(Span),
    Text(&'a str),
    Labels(&'a str, &'a str),
    Amounts(i128, i128),
    User(u32),
    /// The lighter ones together.
    Others,
}

/// What the findings of a root have in common.
#[derive(Default)]
struct Group<'a> {
    rows: u64,
    tokens: i128,
    first_at: Option<Instant>,
    last_at: Option<Instant>,
    users: u64,
    last_user: Option<&'a RowId>,
    /// Of a class that is about time.
    of_time: bool,
    lags: Option<(Span, Span)>,
    unified: Option<(Instant, Instant)>,
    /// Findings by legacy label.
    labels: BTreeMap<&'a str, u64>,
}

type Groups<'a> = HashMap<(&'a str, Class, Root<'a>), Group<'a>>;

/// By root cause, the weightiest (rows, then tokens) first; findings without a known cause are left
/// out. `findings` are in their order: by class, then user.
pub(super) fn totals(findings: &[Finding], books: &Books, calibration: &Calibration) -> Vec<CauseTotals> {
    let mut groups: Groups<'_> = HashMap::new();
    for finding in findings.iter().filter(|finding| !finding.cause.is_empty()) {
        let root = root(finding, books, calibration);
        groups.entry((&finding.cause, finding.class, root)).or_default().take(finding);
    }
    let mut totals: Vec<CauseTotals> = fold_light(groups)
        .into_iter()
        .map(|((cause, class, root), group)| CauseTotals {
            cause: cause.to_owned(),
            class,
            rows: group.rows,
            tokens: group.tokens,
            first_at: group.first_at,
            last_at: group.last_at,
            meaning: meaning(cause, &group),
            common: group.common(),
            detail: detail(cause, root, &group, books, calibration),
        })
        .collect();
    totals.sort_by(|a, b| {
        let weight = |totals: &CauseTotals| std::cmp::Reverse((totals.rows, totals.tokens));
        let name = |totals: &CauseTotals| (totals.cause.clone(), totals.class, totals.detail.clone());
        weight(a).cmp(&weight(b)).then_with(|| name(a).cmp(&name(b)))
    });
    totals
}

/// Keeps the heaviest roots of each cause and class, and puts the others together.
fn fold_light(groups: Groups<'_>) -> Vec<((&str, Class, Root<'_>), Group<'_>)> {
    let mut of: BTreeMap<(&str, Class), Vec<(Root<'_>, Group<'_>)>> = BTreeMap::new();
    for ((cause, class, root), group) in groups {
        of.entry((cause, class)).or_default().push((root, group));
    }
    let mut kept = Vec::new();
    for ((cause, class), mut roots) in of {
        roots.sort_by_key(|(root, group)| (std::cmp::Reverse((group.rows, group.tokens)), *root));
        let light = if roots.len() > ROOTS { roots.split_off(ROOTS - 1) } else { Vec::new() };
        kept.extend(roots.into_iter().map(|(root, group)| ((cause, class, root), group)));
        if let Some(others) = light.into_iter().map(|(_, group)| group).reduce(Group::with) {
            kept.push(((cause, class, Root::Others), others));
        }
    }
    kept
}

fn root<'a>(finding: &'a Finding, books: &Books, calibration: &Calibration) -> Root<'a> {
    let amounts = || finding.tokens_legacy.zip(finding.tokens_unified);
    match &*finding.cause {
        "bulk_stamp" => finding.created_at_unified.map_or(Root::All, Root::At),
        "constant_lag" => lag_root(finding, calibration),
        "writer_silent" => finding.action_legacy.as_deref().map_or(Root::All, Root::Text),
        "unmapped_label" => {
            let label = finding.action_legacy.as_deref().or(finding.action_unified.as_deref());
            label.map_or(Root::All, Root::Text)
        }
        "unreadable" => Root::Text(kind_of_reason(&finding.evidence)),
        "plan_change" => amounts().map_or(Root::All, |(legacy, unified)| Root::Amounts(legacy, unified)),
        "constant_difference" => {
            amounts().map_or(Root::All, |(legacy, unified)| Root::Amounts(0, unified - legacy))
        }
        "constant_factor" => amounts().map_or(Root::All, |(legacy, unified)| {
            let divisor = common_divisor(legacy, unified).max(1);
            Root::Amounts(legacy / divisor, unified / divisor)
        }),
        "label_map" => match (&finding.action_legacy, &finding.action_unified) {
            (Some(legacy), Some(unified)) => Root::Labels(legacy, unified),
            _ => Root::All,
        },
        "one_sided_writer" => finding.action_unified.as_deref().map_or(Root::All, Root::Text),
        "one_account" => finding
            .unified_rows
            .first()
            .and_then(|&row| books.unified.entries.get(row as usize))
            .map_or(Root::All, |entry| Root::User(entry.user.0)),
        _ => Root::All,
    }
}

/// The lags of one zone are one root; any other length is its own.
fn lag_root<'a>(finding: &Finding, calibration: &Calibration) -> Root<'a> {
    const NEAR: i64 = 7 * 60_000_000; // less than half of the grid of zones
    let Some(lag) = finding.lag else { return Root::All };
    let near = |shift: &Span| (lag.0 - shift.0).abs() <= NEAR;
    if worthy_zone(calibration).is_some_and(|zone| zone.lags.iter().any(near)) {
        return Root::All;
    }
    let shifts = calibration.advice.iter().filter_map(|advice| match advice.kind {
        AdviceKind::Shift { lag } => Some(lag),
        _ => None,
    });
    shifts.min_by_key(|shift| (lag.0 - shift.0).abs()).map_or(Root::Lag(lag), Root::Lag)
}

fn worthy_zone(calibration: &Calibration) -> Option<&ZoneFit> {
    calibration.zone.as_ref().filter(|zone| zone.is_worth_it())
}

fn common_divisor(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// What is wrong with a row, without the value that is: `no created_at`, `tokens_used`.
fn kind_of_reason(evidence: &str) -> &str {
    let reason = evidence.strip_prefix("reason=").unwrap_or(evidence);
    let reason = reason.split('"').next().unwrap_or(reason);
    reason.split(": ").next().unwrap_or(reason).trim_end()
}

/// The root in a sentence.
fn detail(
    cause: &str,
    root: Root<'_>,
    group: &Group<'_>,
    books: &Books,
    calibration: &Calibration,
) -> String {
    let rows = grouped(group.rows.into());
    let findings = counted(group.rows, "row", "rows");
    match (cause, root) {
        ("bulk_stamp", Root::At(at)) => {
            format!("{} stamped {}", counted(group.rows, "copy", "copies"), at.rfc3339())
        }
        ("constant_lag", Root::All) => match worthy_zone(calibration) {
            Some(zone) => zone_detail(zone),
            None => common_detail(cause, group),
        },
        ("constant_lag", Root::Lag(lag)) => {
            format!("lag {} on {findings}: no one time zone absorbs it", lag_text(lag))
        }
        ("writer_silent", Root::Text(label)) => silence_detail(label, &rows, books, calibration),
        ("never_copied", _) => format!("{findings} never copied{}", labels_detail(group, books, calibration)),
        ("unmapped_label", Root::Text(label)) => {
            format!("{label:?} on {findings}: say in reckon.toml what it means")
        }
        ("unreadable", Root::Text(reason)) => format!("{findings}: {reason}"),
        ("plan_change", Root::Amounts(from, to)) => {
            format!("{} tokens became {} on {findings}", grouped(from), grouped(to))
        }
        ("constant_factor", Root::Amounts(from, to)) => {
            format!("amounts of {findings} changed as {} : {}", grouped(from), grouped(to))
        }
        ("constant_difference", Root::Amounts(_, tokens)) => {
            format!("amounts of {findings} changed by {} tokens", super::figures::signed(tokens))
        }
        ("label_map", Root::Labels(from, to)) => format!("{from:?} became {to:?} on {findings}"),
        ("one_account", Root::User(user)) => {
            let user = books.roster.id(crate::domain::UserNo(user));
            format!("{findings} of {} credited to {user}", counted(group.users, "user", "users"))
        }
        ("one_sided_writer", Root::Text(label)) => {
            format!("{findings} of {label:?}: no legacy row has that action; is it unified_only?")
        }
        ("replay", _) => {
            let verb = if findings.starts_with("1 ") { "repeats" } else { "repeat" };
            format!("{findings} {verb} a payment of {}", counted(group.users, "user", "users"))
        }
        (_, Root::Others) => format!("{findings} more, of lighter roots; {}", common_detail(cause, group)),
        _ => common_detail(cause, group),
    }
}

/// The meaning, and what is common.
fn common_detail(cause: &str, group: &Group<'_>) -> String {
    let common = group.common();
    [meaning(cause, group), &common]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}

fn zone_detail(zone: &ZoneFit) -> String {
    let lags: Vec<String> = zone.lags.iter().map(|lag| lag_text(*lag)).collect();
    let (lag, it) = match lags.as_slice() {
        [one] => (format!("lag {one}"), "it"),
        several => (format!("lags {}", several.join(" and ")), "them"),
    };
    let setting = zone_setting(zone);
    let mut text = format!("{lag}: `{setting}` would absorb {it}");
    if !zone.acts {
        text.push_str(", had the times no zone of their own");
    }
    text
}

fn silence_detail(label: &str, rows: &str, books: &Books, calibration: &Calibration) -> String {
    let of = |no: u16| books.legacy.labels.get(usize::from(no)).is_some_and(|known| **known == *label);
    match calibration.silent_writers.iter().find(|writer| of(writer.label)) {
        Some(writer) => format!(
            "nothing of {label:?} arrived since {}: {rows} rows, the last one that did is of {}",
            writer.since.rfc3339(),
            writer.last_arrived.rfc3339()
        ),
        None => format!("nothing of {label:?} arrived any more: {rows} rows"),
    }
}

/// Which labels the missing rows have, and whether all of a label are older than the first that came.
fn labels_detail(group: &Group<'_>, books: &Books, calibration: &Calibration) -> String {
    const TOLD: usize = 3;
    let mut labels: Vec<(&str, u64)> = group.labels.iter().map(|(label, rows)| (*label, *rows)).collect();
    labels.sort_by_key(|&(label, rows)| (std::cmp::Reverse(rows), label));
    let mut told: Vec<String> = labels
        .iter()
        .take(TOLD)
        .map(|(label, rows)| label_detail(label, *rows, books, calibration))
        .collect();
    if labels.len() > TOLD {
        told.push(counted((labels.len() - TOLD) as u64, "more label", "more labels"));
    }
    if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) }
}

fn label_detail(label: &str, rows: u64, books: &Books, calibration: &Calibration) -> String {
    let number = books.legacy.labels.binary_search_by(|known| (**known).cmp(label));
    let of_label = |arrival: &&LabelArrival| number == Ok(usize::from(arrival.label));
    let Some(arrival) = calibration.arrivals.iter().find(of_label) else {
        return format!("{label} {}", grouped(rows.into()));
    };
    let all = grouped((arrival.missing + arrival.arrived).into());
    let missing = grouped(rows.into());
    match (arrival.first_arrived, arrival.last_missing) {
        (None, _) if rows == arrival.missing => format!("{label} all {missing}"),
        (Some(first), Some(last)) if last < first && rows >= OLDER => {
            format!("{label} {missing} of {all}, all from before {}", first.rfc3339())
        }
        _ => format!("{label} {missing} of {all}"),
    }
}

impl<'a> Group<'a> {
    fn take(&mut self, finding: &'a Finding) {
        self.rows += 1;
        self.tokens = add(self.tokens, finding.tokens_legacy.or(finding.tokens_unified).unwrap_or(0));
        if let Some(at) = finding.created_at_legacy.or(finding.created_at_unified) {
            self.first_at = Some(self.first_at.map_or(at, |first| first.min(at)));
            self.last_at = Some(self.last_at.map_or(at, |last| last.max(at)));
        }
        // Within a class findings ascend by user, so a new one is another one.
        if finding.user.is_some() && finding.user.as_ref() != self.last_user {
            self.users += 1;
            self.last_user = finding.user.as_ref();
        }
        if let Some(label) = &finding.action_legacy {
            *self.labels.entry(label).or_default() += 1;
        }
        self.of_time = finding.class == Class::TimeMismatch;
        self.lags = widen(self.lags, finding.lag);
        self.unified = widen(self.unified, finding.created_at_unified);
    }

    /// Two groups together. Users of both count twice at worst: it is told of light roots only.
    fn with(mut self, other: Group<'a>) -> Group<'a> {
        self.rows += other.rows;
        self.tokens = add(self.tokens, other.tokens);
        self.first_at = self.first_at.into_iter().chain(other.first_at).min();
        self.last_at = self.last_at.into_iter().chain(other.last_at).max();
        self.users += other.users;
        for (label, rows) in other.labels {
            *self.labels.entry(label).or_default() += rows;
        }
        for lag in other.lags.into_iter().flat_map(|(least, most)| [least, most]) {
            self.lags = widen(self.lags, Some(lag));
        }
        for at in other.unified.into_iter().flat_map(|(first, last)| [first, last]) {
            self.unified = widen(self.unified, Some(at));
        }
        self
    }

    fn common(&self) -> String {
        let mut facts = Vec::new();
        if self.users > 0 {
            facts.push(counted(self.users, "user", "users"));
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
