//! `findings.csv`, `balances.csv` and `chain_breaks.csv`: all rows, never a sample.

use std::fmt::Write as _;

use crate::balance::{GapCause, UserBalance};
use crate::domain::{Books, Finding, Instant, RowId};
pub(crate) use crate::history::table::is_formula;

use super::model::Model;
use super::place::{PlaceError, StagedFile, WrittenFile};

/// The columns of `findings.csv`, in order.
pub const FINDING_COLUMNS: [&str; 22] = [
    "finding_id",
    "class",
    "severity",
    "user_id",
    "legacy_ids",
    "unified_ids",
    "action_legacy",
    "action_expected",
    "action_unified",
    "tokens_legacy",
    "tokens_unified",
    "tokens_effect",
    "created_at_legacy",
    "created_at_unified",
    "lag_seconds",
    "rule",
    "verdict",
    "confidence",
    "cause",
    "evidence",
    "repair",
    "status",
];

/// The columns of `balances.csv` before and after the causes.
const BALANCE_COLUMNS: ([&str; 8], [&str; 4]) = (
    ["user_id", "granted", "deducted", "used", "recomputed", "corrected", "stored", "gap"],
    ["unexplained", "explanation", "detail", "alternatives"],
);

/// Writes `findings.csv`.
///
/// # Errors
/// When the file cannot be written.
pub fn findings(model: &Model<'_>, file: StagedFile) -> Result<WrittenFile, PlaceError> {
    let mut rows = Rows::new(file);
    FINDING_COLUMNS.iter().for_each(|column| rows.text(column));
    rows.end()?;
    for finding in model.findings {
        write_finding(&mut rows, finding);
        rows.end()?;
    }
    rows.finish()
}

fn write_finding(rows: &mut Rows, finding: &Finding) {
    rows.text(&finding.id.0);
    rows.text(finding.class.name());
    rows.text(finding.severity.name());
    rows.ids(finding.user.as_slice());
    rows.ids(&finding.legacy_ids);
    rows.ids(&finding.unified_ids);
    for action in [&finding.action_legacy, &finding.action_expected, &finding.action_unified] {
        rows.text(action.as_deref().unwrap_or(""));
    }
    for tokens in [finding.tokens_legacy, finding.tokens_unified, finding.tokens_effect] {
        rows.number(tokens);
    }
    for at in [finding.created_at_legacy, finding.created_at_unified] {
        rows.plain(&at.map(Instant::rfc3339).unwrap_or_default());
    }
    rows.plain(&finding.lag.map(|lag| lag.seconds()).unwrap_or_default());
    rows.text(finding.rule.name());
    rows.text(finding.verdict.name());
    rows.text(finding.confidence.name());
    rows.text(&finding.cause);
    rows.text(&finding.evidence);
    rows.text(finding.repair.name());
    rows.text(finding.status.name());
}

/// Writes `balances.csv`.
///
/// # Errors
/// When the file cannot be written.
pub fn balances(model: &Model<'_>, file: StagedFile) -> Result<WrittenFile, PlaceError> {
    let mut rows = Rows::new(file);
    BALANCE_COLUMNS.0.iter().for_each(|column| rows.text(column));
    GapCause::ALL.iter().for_each(|cause| rows.text(cause.column()));
    BALANCE_COLUMNS.1.iter().for_each(|column| rows.text(column));
    rows.end()?;
    for balance in model.users {
        rows.ids(std::slice::from_ref(model.roster.id(balance.user)));
        write_balance(&mut rows, balance, model.books);
        rows.end()?;
    }
    rows.finish()
}

fn write_balance(rows: &mut Rows, balance: &UserBalance, books: &Books) {
    let known =
        [balance.granted, balance.deducted, balance.used, balance.recomputed, balance.corrected].map(Some);
    known.into_iter().chain([balance.stored, balance.gap]).for_each(|tokens| rows.number(tokens));
    let has_gap = balance.gap.is_some();
    balance.causes.iter().for_each(|tokens| rows.number(has_gap.then_some(*tokens)));
    rows.number(balance.unexplained);
    rows.text(balance.explanation.map_or("", |explanation| explanation.name()));
    rows.text(&balance.explained_by.shown_words(books));
    rows.text(&balance.explained_by.other_words(books));
}

/// The columns of `chain_breaks.csv`, in order.
const BREAK_COLUMNS: [&str; 8] =
    ["side", "user_id", "row_id", "action", "created_at", "meaning", "expected", "found"];

/// Writes `chain_breaks.csv`: every row whose balance column is not what the rows before it give.
///
/// # Errors
/// When the file cannot be written.
pub fn chain_breaks(model: &Model<'_>, file: StagedFile) -> Result<WrittenFile, PlaceError> {
    let mut rows = Rows::new(file);
    BREAK_COLUMNS.iter().for_each(|column| rows.text(column));
    rows.end()?;
    for found in model.snapshots.iter().flat_map(|column| &column.breaks) {
        rows.text(found.side.name());
        rows.ids(std::slice::from_ref(model.roster.id(found.user)));
        rows.ids(std::slice::from_ref(&found.row));
        rows.text(&found.label);
        rows.plain(&found.at.rfc3339());
        rows.text(found.meaning.name());
        rows.number(Some(found.expected));
        rows.number(Some(found.found));
        rows.end()?;
    }
    rows.finish()
}

/// What keeps a spreadsheet from running a cell.
const GUARD: char = '\'';

/// Rows of a CSV file, cell by cell, without an allocation a cell.
pub(super) struct Rows {
    writer: ::csv::Writer<StagedFile>,
    record: ::csv::ByteRecord,
    cell: String,
    path: std::path::PathBuf,
}

impl Rows {
    pub(super) fn new(file: StagedFile) -> Rows {
        let path = file.path().to_owned();
        let writer = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_writer(file);
        Rows { writer, record: ::csv::ByteRecord::new(), cell: String::new(), path }
    }

    /// A cell that cannot hold a formula: numbers and times.
    pub(super) fn plain(&mut self, text: &str) {
        self.record.push_field(text.as_bytes());
    }

    /// A cell of text. A spreadsheet must not run it. What begins with such a guard itself gets one
    /// more, so that the text can be read back.
    pub(super) fn text(&mut self, text: &str) {
        if is_formula(text.trim_start_matches(GUARD)) {
            self.cell.clear();
            self.cell.push(GUARD);
            self.cell.push_str(text);
            self.record.push_field(self.cell.as_bytes());
        } else {
            self.record.push_field(text.as_bytes());
        }
    }

    pub(super) fn number(&mut self, value: Option<i128>) {
        self.cell.clear();
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = write!(self.cell, "{value}");
        }
        self.record.push_field(self.cell.as_bytes());
    }

    pub(super) fn ids(&mut self, ids: &[RowId]) {
        match ids {
            [] => self.plain(""),
            [RowId::Uuid(_)] => ids[0].with_text(|text| self.record.push_field(text.as_bytes())),
            ids => {
                let joined = ids.iter().map(RowId::to_string).collect::<Vec<_>>().join(";");
                self.text(&joined);
            }
        }
    }

    pub(super) fn end(&mut self) -> Result<(), PlaceError> {
        self.writer.write_byte_record(&self.record).map_err(|error| self.failed(error.into()))?;
        self.record.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<WrittenFile, PlaceError> {
        self.writer.flush().map_err(|error| self.failed(error))?;
        let path = self.path;
        self.writer.into_inner().map_err(|error| PlaceError::write(&path, error.into_error()))?.finish()
    }

    fn failed(&self, error: std::io::Error) -> PlaceError {
        PlaceError::write(&self.path, error)
    }
}
