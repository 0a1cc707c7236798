//! `findings.csv`, `balances.csv` and `chain_breaks.csv`: all rows, never a sample.

use std::io::Write as _;

use memchr::{memchr, memchr3};

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
    rows.word(finding.class.name());
    rows.word(finding.severity.name());
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
        rows.instant(at);
    }
    rows.plain(&finding.lag.map(|lag| lag.seconds()).unwrap_or_default());
    rows.word(finding.rule.name());
    rows.word(finding.verdict.name());
    rows.word(finding.confidence.name());
    rows.text(&finding.cause);
    rows.text(&finding.evidence);
    rows.word(finding.repair.name());
    rows.word(finding.status.name());
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
        rows.instant(Some(found.at));
        rows.text(found.meaning.name());
        rows.number(Some(found.expected));
        rows.number(Some(found.found));
        rows.end()?;
    }
    rows.finish()
}

/// What keeps a spreadsheet from running a cell.
const GUARD: char = '\'';

/// Bytes of rows that are gathered before they are handed to the file.
const GATHERED_BYTES: usize = 1 << 15;

/// Rows of a CSV file, cell by cell, without an allocation a cell: a cell is quoted where it holds a comma,
/// a quote or the end of a line.
pub(super) struct Rows {
    file: StagedFile,
    bytes: Vec<u8>,
    cell: String,
    is_begun: bool,
}

impl Rows {
    pub(super) fn new(file: StagedFile) -> Rows {
        Rows { file, bytes: Vec::with_capacity(2 * GATHERED_BYTES), cell: String::new(), is_begun: false }
    }

    /// Parts a cell from the one before it.
    fn part(&mut self) {
        if std::mem::replace(&mut self.is_begun, true) {
            self.bytes.push(b',');
        }
    }

    fn push(&mut self, text: &[u8]) {
        self.part();
        if memchr3(b',', b'"', b'\n', text).is_none() && memchr(b'\r', text).is_none() {
            return self.bytes.extend_from_slice(text);
        }
        self.bytes.push(b'"');
        for byte in text {
            if *byte == b'"' {
                self.bytes.push(b'"');
            }
            self.bytes.push(*byte);
        }
        self.bytes.push(b'"');
    }

    /// A cell of this program's own words, which hold nothing that has to be quoted.
    fn word(&mut self, word: &'static str) {
        self.part();
        self.bytes.extend_from_slice(word.as_bytes());
    }

    /// A cell that cannot hold a formula: numbers and times.
    pub(super) fn plain(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    /// A time.
    pub(super) fn instant(&mut self, at: Option<Instant>) {
        self.cell.clear();
        if let Some(at) = at {
            at.push_rfc3339(&mut self.cell);
        }
        self.part();
        self.bytes.extend_from_slice(self.cell.as_bytes());
    }

    /// A cell of text. A spreadsheet must not run it. What begins with such a guard itself gets one
    /// more, so that the text can be read back.
    pub(super) fn text(&mut self, text: &str) {
        if is_formula(text.trim_start_matches(GUARD)) {
            let mut guarded = std::mem::take(&mut self.cell);
            guarded.clear();
            guarded.push(GUARD);
            guarded.push_str(text);
            self.push(guarded.as_bytes());
            self.cell = guarded;
        } else {
            self.push(text.as_bytes());
        }
    }

    pub(super) fn number(&mut self, value: Option<i128>) {
        self.part();
        match value {
            None => {}
            // By far the most frequent.
            Some(0) => self.bytes.push(b'0'),
            Some(value) => match i64::try_from(value) {
                // Writing to memory cannot fail; 64 bits are printed several times faster than 128.
                Ok(value) => drop(write!(self.bytes, "{value}")),
                Err(_) => drop(write!(self.bytes, "{value}")),
            },
        }
    }

    pub(super) fn ids(&mut self, ids: &[RowId]) {
        match ids {
            [] => self.plain(""),
            [RowId::Uuid(_)] => ids[0].with_text(|text| {
                self.part();
                self.bytes.extend_from_slice(text.as_bytes());
            }),
            ids => {
                let joined = ids.iter().map(RowId::to_string).collect::<Vec<_>>().join(";");
                self.text(&joined);
            }
        }
    }

    pub(super) fn end(&mut self) -> Result<(), PlaceError> {
        self.bytes.push(b'\n');
        self.is_begun = false;
        if self.bytes.len() < GATHERED_BYTES { Ok(()) } else { self.hand_over() }
    }

    pub(super) fn finish(mut self) -> Result<WrittenFile, PlaceError> {
        self.hand_over()?;
        self.file.finish()
    }

    fn hand_over(&mut self) -> Result<(), PlaceError> {
        self.file.write_all(&self.bytes).map_err(|error| self.file.failed(error))?;
        self.bytes.clear();
        Ok(())
    }
}
