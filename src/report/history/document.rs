//! JSON and CSV of one user's history: whole ids, times to the microsecond.

use serde::Serialize;

use crate::audit::{HistoryLine, LotLine, PolicyLine, Step, UserHistory};
use crate::domain::{Instant, RowId};
use crate::report::csv::is_formula;
use crate::report::error::ReportError;
use crate::report::json::pretty;

/// Name and version of the shape of the JSON.
pub const SCHEMA: &str = "reckon.history/1";

/// The columns of the CSV, in order.
pub const COLUMNS: [&str; 15] = [
    "created_at",
    "side",
    "row_id",
    "action",
    "action_unified",
    "tokens",
    "change",
    "balance",
    "disposition",
    "partner_ids",
    "rule",
    "class",
    "finding_id",
    "user_id",
    "balance_policy",
];

/// The columns of the CSV of grants, in order.
pub const LOT_COLUMNS: [&str; 12] = [
    "granted_at",
    "row_id",
    "action",
    "paid",
    "granted",
    "used",
    "expired",
    "voided",
    "remaining",
    "ends_at",
    "granted_to",
    "user_id",
];

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    user_id: String,
    as_of: String,
    rows: Vec<Row<'a>>,
    legacy: Legacy,
    unified: Unified,
    stored: Option<i128>,
    gap: Option<i128>,
    unexplained: Option<i128>,
    findings: Vec<About<'a>>,
    policies: Policies,
    lots: Vec<Lot<'a>>,
}

/// What the configured policies come to.
#[derive(Serialize)]
struct Policies {
    holder: String,
    pooled: bool,
    balance: i128,
    debt: i128,
}

/// A grant, and what became of it.
#[derive(Serialize)]
struct Lot<'a> {
    granted_at: String,
    row_id: Option<String>,
    action: Option<&'a str>,
    paid: bool,
    granted: i128,
    used: i128,
    expired: i128,
    voided: i128,
    remaining: i128,
    ends_at: Option<String>,
    granted_to: Option<String>,
}

#[derive(Serialize)]
struct Row<'a> {
    created_at: Option<String>,
    side: &'static str,
    row_id: String,
    action: &'a str,
    action_unified: Option<&'a str>,
    tokens: Option<i128>,
    change: Option<i128>,
    balance: Option<i128>,
    balance_policy: Option<i128>,
    disposition: &'static str,
    partner_ids: Vec<String>,
    rule: Option<&'static str>,
    class: Option<&'static str>,
    finding_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Legacy {
    granted: i128,
    deducted: i128,
    balance: i128,
}

#[derive(Serialize)]
struct Unified {
    granted: i128,
    deducted: i128,
    used: i128,
    recomputed: i128,
    corrected: i128,
}

#[derive(Serialize)]
struct About<'a> {
    class: &'static str,
    finding_id: &'a str,
}

fn step<'a>(step: &Step<'a>) -> Row<'a> {
    match step {
        Step::Row(line) => row(line),
        Step::Policy(line) => policy(line),
    }
}

/// A change without a row: side and disposition are `policy`, the action says why.
fn policy(line: &PolicyLine) -> Row<'_> {
    Row {
        created_at: Some(line.at.rfc3339()),
        side: "policy",
        row_id: line.row.as_ref().map(RowId::to_string).unwrap_or_default(),
        action: line.kind.name(),
        action_unified: line.action.as_deref(),
        tokens: Some(line.tokens),
        change: Some(line.tokens),
        balance: None,
        balance_policy: line.balance,
        disposition: "policy",
        partner_ids: Vec::new(),
        rule: None,
        class: None,
        finding_id: None,
    }
}

fn row(line: &HistoryLine) -> Row<'_> {
    let partner = line.partner.as_ref();
    Row {
        created_at: line.at.map(Instant::rfc3339),
        side: line.side.name(),
        row_id: line.row.to_string(),
        action: &line.label,
        action_unified: line.action.as_deref(),
        tokens: line.tokens.map(i128::from),
        change: line.change.map(i128::from),
        balance: line.balance,
        balance_policy: line.balance_policy,
        disposition: line.outcome.name(),
        partner_ids: partner.map_or(Vec::new(), |partner| partner.ids.iter().map(RowId::to_string).collect()),
        rule: partner.map(|partner| partner.rule.name()),
        class: line.finding.as_ref().map(|(class, _)| class.name()),
        finding_id: line.finding.as_ref().map(|(_, id)| id.0.as_str()),
    }
}

/// The bytes of the JSON: everything that the table shows, with whole ids and microseconds.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn json(history: &UserHistory) -> Result<Vec<u8>, ReportError> {
    let balance = &history.balance;
    let (granted, deducted) = history.legacy;
    let document = Document {
        schema: SCHEMA,
        user_id: history.user.to_string(),
        as_of: history.as_of.rfc3339(),
        rows: history.steps().iter().map(step).collect(),
        legacy: Legacy { granted, deducted, balance: granted - deducted },
        unified: Unified {
            granted: balance.granted,
            deducted: balance.deducted,
            used: balance.used,
            recomputed: balance.recomputed,
            corrected: balance.corrected,
        },
        stored: balance.stored,
        gap: balance.gap,
        unexplained: balance.unexplained,
        findings: history
            .findings
            .iter()
            .map(|(class, id)| About { class: class.name(), finding_id: &id.0 })
            .collect(),
        policies: Policies {
            holder: history.statement.holder.to_string(),
            pooled: history.statement.is_pooled,
            balance: history.statement.balance,
            debt: history.statement.debt,
        },
        lots: history.statement.lots.iter().map(lot).collect(),
    };
    pretty("history", &document)
}

/// The rows as CSV; unknown is empty.
pub fn csv(history: &UserHistory) -> Vec<u8> {
    let mut writer =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    let mut write = |cells: &[String]| writer.write_record(cells).expect("memory takes every record");
    write(&COLUMNS.map(str::to_owned));
    let user = guarded(&history.user.to_string());
    for row in history.steps().iter().map(step) {
        write(&[
            row.created_at.unwrap_or_default(),
            row.side.to_owned(),
            guarded(&row.row_id),
            guarded(row.action),
            guarded(row.action_unified.unwrap_or_default()),
            number(row.tokens),
            number(row.change),
            number(row.balance),
            row.disposition.to_owned(),
            guarded(&row.partner_ids.join(";")),
            row.rule.unwrap_or_default().to_owned(),
            row.class.unwrap_or_default().to_owned(),
            row.finding_id.unwrap_or_default().to_owned(),
            user.clone(),
            number(row.balance_policy),
        ]);
    }
    writer.into_inner().expect("memory takes every record")
}

/// The grants as CSV, oldest first, each with what became of it: used, ended, replaced, left.
pub fn lots_csv(history: &UserHistory) -> Vec<u8> {
    let mut writer =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    let mut write = |cells: &[String]| writer.write_record(cells).expect("memory takes every record");
    write(&LOT_COLUMNS.map(str::to_owned));
    let user = guarded(&history.user.to_string());
    for lot in history.statement.lots.iter().map(lot) {
        let tokens = |tokens: i128| tokens.to_string();
        write(&[
            lot.granted_at,
            guarded(&lot.row_id.unwrap_or_default()),
            guarded(lot.action.unwrap_or("opening")),
            lot.paid.to_string(),
            tokens(lot.granted),
            tokens(lot.used),
            tokens(lot.expired),
            tokens(lot.voided),
            tokens(lot.remaining),
            lot.ends_at.unwrap_or_default(),
            guarded(&lot.granted_to.unwrap_or_default()),
            user.clone(),
        ]);
    }
    writer.into_inner().expect("memory takes every record")
}

fn lot(line: &LotLine) -> Lot<'_> {
    let lot = &line.lot;
    Lot {
        granted_at: lot.granted_at.rfc3339(),
        row_id: line.row.as_ref().map(RowId::to_string),
        action: line.action.as_deref(),
        paid: lot.paid,
        granted: lot.granted,
        used: lot.used,
        expired: lot.expired,
        voided: lot.voided,
        remaining: lot.remaining,
        ends_at: lot.ends_at.map(Instant::rfc3339),
        granted_to: line.user.as_ref().map(RowId::to_string),
    }
}

fn number(value: Option<i128>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A cell of text that a spreadsheet will not run.
fn guarded(text: &str) -> String {
    if is_formula(text) { format!("'{text}") } else { text.to_owned() }
}
