//! The findings that the page holds: compact rows in a JSON block for the script, and the first of
//! them drawn already, for paper and for readers without a script.

use serde::Serialize;

use crate::domain::{Class, Finding, Instant, RowId, Severity, Status};

use super::super::model::Model;
use super::view::tokens;

/// So many findings are in the page; `findings.csv` always has all.
pub const EMBEDDED_MAX: usize = 20_000;

/// So many are drawn without a script.
const DRAWN: usize = 50;

/// The first browser integer that may not be exact.
const EXACT_INTEGERS: i128 = 1 << 53;

/// A finding as the page's table shows it.
pub struct Row {
    pub title: &'static str,
    pub severity: &'static str,
    pub user: String,
    pub actions: String,
    pub tokens_legacy: String,
    pub tokens_unified: String,
    pub effect: String,
    pub at: String,
    pub repair: &'static str,
    pub status: &'static str,
}

/// Which findings the page holds: all, or the gravest where there are too many; in their order.
pub fn embedded<'a>(model: &Model<'a>) -> Vec<&'a Finding> {
    let mut chosen: Vec<(usize, &Finding)> = model.findings.iter().enumerate().collect();
    if chosen.len() > EMBEDDED_MAX {
        chosen.sort_by_key(|(at, finding)| (finding.status == Status::Waived, finding.severity, *at));
        chosen.truncate(EMBEDDED_MAX);
        chosen.sort_by_key(|(at, _)| *at);
    }
    chosen.into_iter().map(|(_, finding)| finding).collect()
}

/// The rows that stand in the page as HTML.
pub fn drawn(findings: &[&Finding]) -> Vec<Row> {
    findings.iter().take(DRAWN).map(|finding| row(finding)).collect()
}

fn row(finding: &Finding) -> Row {
    let known = |value: Option<i128>| value.map(tokens).unwrap_or_default();
    let at = finding.created_at_legacy.or(finding.created_at_unified);
    Row {
        title: finding.class.title(),
        severity: finding.severity.name(),
        user: finding.user.as_ref().map(RowId::to_string).unwrap_or_default(),
        actions: actions(finding),
        tokens_legacy: known(finding.tokens_legacy),
        tokens_unified: known(finding.tokens_unified),
        effect: finding.tokens_effect.map(super::view::change).unwrap_or_default(),
        at: at
            .map(|at| at.rfc3339().chars().take(19).collect::<String>().replace('T', " "))
            .unwrap_or_default(),
        repair: finding.repair.name(),
        status: finding.status.name(),
    }
}

/// `expected → found`, or the one that is known.
fn actions(finding: &Finding) -> String {
    let expected = finding.action_expected.as_deref().or(finding.action_legacy.as_deref());
    match (expected, finding.action_unified.as_deref()) {
        (Some(expected), Some(found)) if expected != found => format!("{expected} → {found}"),
        (Some(one), _) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    }
}

/// What the script reads. Short keys: there may be many rows.
#[derive(Serialize)]
struct Data<'a> {
    total: usize,
    classes: Vec<(&'static str, &'static str)>,
    rows: Vec<Compact<'a>>,
}

/// A row as a JSON array, in the order of the script's `COLUMNS`.
#[derive(Serialize)]
struct Compact<'a>(
    &'a str,
    usize,
    Severity,
    String,
    String,
    String,
    &'a str,
    &'a str,
    &'a str,
    Number,
    Number,
    Number,
    String,
    String,
    String,
    &'static str,
    &'static str,
    &'static str,
    &'a str,
    &'a str,
    &'static str,
    &'static str,
);

/// A token count: a JSON number where a browser holds it exactly, else text.
#[derive(Serialize)]
#[serde(untagged)]
enum Number {
    Unknown,
    Exact(i64),
    Text(String),
}

impl From<Option<i128>> for Number {
    fn from(value: Option<i128>) -> Number {
        match value {
            None => Number::Unknown,
            Some(value) => match i64::try_from(value) {
                Ok(exact) if value.abs() < EXACT_INTEGERS => Number::Exact(exact),
                _ => Number::Text(value.to_string()),
            },
        }
    }
}

/// The JSON block. No `<`, `>` or `&` is left in it, so that nothing in it can end the block.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn json(model: &Model<'_>, findings: &[&Finding]) -> Result<String, serde_json::Error> {
    let data = Data {
        total: model.findings.len(),
        classes: Class::ALL.iter().map(|class| (class.name(), class.title())).collect(),
        rows: findings.iter().map(|finding| compact(finding)).collect(),
    };
    let text = serde_json::to_string(&data)?;
    // These letters stand only inside JSON strings, where an escape means the same.
    Ok(text
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029"))
}

fn compact(finding: &Finding) -> Compact<'_> {
    let ids = |ids: &[RowId]| ids.iter().map(RowId::to_string).collect::<Vec<_>>().join(";");
    let time = |at: Option<Instant>| at.map(Instant::rfc3339).unwrap_or_default();
    Compact(
        &finding.id.0,
        finding.class as usize,
        finding.severity,
        ids(finding.user.as_slice()),
        ids(&finding.legacy_ids),
        ids(&finding.unified_ids),
        finding.action_legacy.as_deref().unwrap_or(""),
        finding.action_expected.as_deref().unwrap_or(""),
        finding.action_unified.as_deref().unwrap_or(""),
        finding.tokens_legacy.into(),
        finding.tokens_unified.into(),
        finding.tokens_effect.into(),
        time(finding.created_at_legacy),
        time(finding.created_at_unified),
        finding.lag.map(|lag| lag.seconds()).unwrap_or_default(),
        finding.rule.name(),
        finding.verdict.name(),
        finding.confidence.name(),
        &finding.cause,
        &finding.evidence,
        finding.repair.name(),
        finding.status.name(),
    )
}
