//! Reading rows: CSV, Parquet and PostgreSQL → raw columns with their provenance.
//!
//! A source knows nothing of labels, signs or zones. It delivers [`Chunk`]s of raw columns to
//! [`Sink`]s in two steps, so that rows which are only folded (usage) never have their ids or JSON
//! decoded:
//!
//! 1. [`Sink::keys`] gets user, action, amount, time and success of *all* rows of a chunk and answers
//!    which rows it wants to know more about;
//! 2. [`Sink::details`] gets id, references, link and so on of exactly those rows.
//!
//! Every worker thread owns one sink; the caller merges them. Chunks come in no particular order,
//! hence nothing after this stage may depend on it.

pub mod archived;
mod control;
mod csv;
pub mod digest;
mod digesting;
mod error;
mod fields;
pub mod files;
mod input;
mod json;
mod parquet;
mod pools;
pub mod postgres;
mod progress;
mod request;
pub mod sample;

use std::time::Instant as Clock;

use arrow_array::ArrayRef;
use arrow_buffer::BooleanBuffer;

use crate::config::StoredBalance;
use crate::domain::{Instant, RowId, Span, Total};

pub use digesting::{Digesting, Digests};
pub use error::SourceError;
pub use pools::{PoolsChunk, PoolsReading};
pub use progress::{Meter, Progress};

/// Columns that every row has. All arrays have the same length.
///
/// Types that a sink must take: `Utf8`, `LargeUtf8`, `Utf8View`, `Dictionary(Int32, Utf8)` for
/// anything; `FixedSizeBinary(16)` for UUIDs; all integers, `Decimal128` (any scale), `Float32/64`
/// for ids, users and amounts; `Timestamp(any unit, with or without zone)`, `Date32` for times;
/// `Boolean` for success. Null means null.
#[derive(Debug)]
pub struct KeyColumns {
    /// Number of rows.
    pub rows: usize,
    /// User id.
    pub user: ArrayRef,
    /// Label: one array a configured column.
    pub action: Vec<ArrayRef>,
    /// Tokens as stored.
    pub amount: ArrayRef,
    /// When.
    pub created_at: ArrayRef,
    /// Success flag, where configured.
    pub success: Option<ArrayRef>,
    /// Rows whose *id* is null, where the source can tell before the details; `None`: none is.
    pub id_is_null: Option<BooleanBuffer>,
}

/// What only some rows are asked for. All arrays are as long as the selection.
#[derive(Debug)]
pub struct DetailColumns {
    /// Row id.
    pub id: ArrayRef,
    /// References, one array a configured field; JSON paths are already followed (text).
    pub reference: Vec<ArrayRef>,
    /// Payment evidence, one array a configured field.
    pub payment: Vec<ArrayRef>,
    /// Link to the legacy id.
    pub link: Option<ArrayRef>,
    /// Migration mark.
    pub migrated: Option<ArrayRef>,
    /// End of a grant.
    pub expires_at: Option<ArrayRef>,
    /// Balance beside the row.
    pub balance_after: Option<ArrayRef>,
    /// Where each row stands (`legacy.csv line 17`), for messages; called only for rejected rows.
    pub place: Place,
}

/// Where the rows of a selection stand.
#[derive(Debug, Clone)]
pub enum Place {
    /// Line numbers of a text file.
    Lines {
        /// File as given.
        file: String,
        /// One line number a selected row, from 1.
        lines: Vec<u64>,
    },
    /// Row numbers of a binary file.
    Rows {
        /// File as given.
        file: String,
        /// One row number a selected row, from 1.
        rows: Vec<u64>,
    },
    /// A table: rows are named by their ids.
    Table(String),
}

impl Place {
    /// The place of the selected row `at`, for people.
    pub fn of(&self, at: usize) -> String {
        match self {
            Place::Lines { file, lines } => format!("{file} line {}", lines[at]),
            Place::Rows { file, rows } => format!("{file} row {}", rows[at]),
            Place::Table(table) => format!("table {table}"),
        }
    }
}

/// Which rows of a chunk a sink wants to know more about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every row.
    All,
    /// These, ascending.
    Rows(Vec<u32>),
}

/// What takes the rows. One a worker thread.
pub trait Sink: Send {
    /// Takes the key columns of a chunk; answers which rows' details it needs.
    fn keys(&mut self, keys: &KeyColumns) -> Selection;

    /// Takes the details of the rows that the last call of [`Sink::keys`] selected, in order.
    /// Called once after each `keys` whose selection is not empty. `keys` is the same chunk.
    fn details(&mut self, keys: &KeyColumns, selection: &Selection, details: &DetailColumns);
}

/// What a source says of itself once it has been read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// `csv`, `parquet` or `postgres`.
    pub kind: &'static str,
    /// Path, glob or table, as configured.
    pub name: String,
    /// Each file with its SHA-256 and size; empty for a database.
    pub files: Vec<FileDigest>,
    /// Rows and raw token sum as the source itself counts them, independently of normalisation.
    pub control: Total,
    /// What a reader of the report must know of how it was written: a sentence each, in the order of the
    /// files.
    pub notes: Vec<String>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FileDigest {
    /// Path as configured (relative to the configuration's folder), globs expanded.
    pub path: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// The moment that all reads of a database saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Exported name.
    pub name: String,
    /// Write-ahead-log position, where the server tells.
    pub lsn: Option<String>,
    /// The server's time of the snapshot; on a standby that is not the time of what it shows.
    pub at: Instant,
    /// When it was taken, by a clock that nobody sets.
    pub taken: Clock,
    /// It was read from a standby, which may lag behind its primary.
    pub of_standby: bool,
}

impl Snapshot {
    /// What the server's clock shows now.
    pub fn now(&self) -> Instant {
        self.at.plus(Span(i64::try_from(self.taken.elapsed().as_micros()).unwrap_or(i64::MAX)))
    }
}

/// What a source gives back: the sinks with what they took, and its provenance.
#[derive(Debug)]
pub struct Reading<S> {
    /// One sink a worker, in no particular order.
    pub sinks: Vec<S>,
    /// What was read; `files` is empty until their digests stand there.
    pub provenance: Provenance,
    /// Digests of the files; none of a table.
    pub digests: Digests,
}

/// Stored balances with their provenance. Its control counts the balances read, and sums those that
/// are known.
#[derive(Debug)]
pub struct StoredReading {
    /// The balances.
    pub balances: Vec<StoredBalance>,
    /// What was read.
    pub provenance: Provenance,
}

impl StoredReading {
    fn new(kind: &'static str, name: String, files: Vec<FileDigest>, balances: Vec<StoredBalance>) -> Self {
        let mut control = Total::default();
        for balance in &balances {
            match balance.tokens {
                Some(tokens) => control.add_row(tokens),
                None => control.add_unreadable_row(),
            }
        }
        let notes = Vec::new();
        StoredReading { balances, provenance: Provenance { kind, name, files, control, notes } }
    }
}

/// Which rows may be asked for their details (a row without a label always is), so that a database need not send the details of the
/// others. Must want at least every row that the sink will select: a row that misses its id, user,
/// amount or time, or whose amount or time cannot be read, is always wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailRule {
    /// Every row.
    All,
    /// Rows whose label is one of these…
    Labels {
        /// Grants and deductions.
        listed: Vec<String>,
        /// Where a usage list is configured: every label that is not in it is wanted too. Otherwise
        /// every label that [`looks_like_a_grant`].
        usage: Option<Vec<String>>,
        /// Every row of this user is wanted too, usage and all.
        user: Option<RowId>,
    },
}

/// Endings of labels that look like a grant: such a label is never taken for usage.
pub const GRANT_SUFFIXES: [&str; 5] = ["grant", "purchase", "bonus", "credit", "refund"];

/// Letters and digits of a label in lower case, ASCII alone: what is left when case, blanks, hyphens and
/// characters that nobody sees don't count.
pub fn bare_label(label: &str) -> String {
    label.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The label is a listed one but for case, blanks, signs or a plural.
pub fn is_alike(label: &str, listed: &str) -> bool {
    let (bare, listed) = (bare_label(label), bare_label(listed));
    !listed.is_empty() && (bare == listed || bare.strip_suffix('s') == Some(&*listed))
}

/// Where no usage is listed every label is usage that is not listed otherwise, except one that looks
/// like a grant: it ends like one, or is a listed one but for case, blanks, signs or a plural. An empty
/// one says nothing, so it is not usage either.
pub fn looks_like_a_grant<'a>(label: &str, mut listed: impl Iterator<Item = &'a str>) -> bool {
    if label.trim_matches('/').is_empty() {
        return true;
    }
    let bare = bare_label(label);
    GRANT_SUFFIXES.iter().any(|suffix| bare.ends_with(suffix)) || listed.any(|listed| is_alike(label, listed))
}

/// Words for true in a flag, in any case: what PostgreSQL takes for a boolean, but for abbreviations. A number
/// is one where it is 1.
pub const TRUE_WORDS: [&str; 5] = ["true", "t", "yes", "y", "on"];
/// Words for false. A number is one where it is 0.
pub const FALSE_WORDS: [&str; 5] = ["false", "f", "no", "n", "off"];

impl DetailRule {
    /// Are the details of rows with this label wanted, whoever their user is?
    pub fn wants(&self, label: &str) -> bool {
        match self {
            DetailRule::All => true,
            DetailRule::Labels { listed, usage, .. } => {
                label.trim_matches('/').is_empty()
                    || listed.iter().any(|listed| listed == label)
                    || match usage {
                        Some(usage) => !usage.iter().any(|usage| usage == label),
                        None => looks_like_a_grant(label, listed.iter().map(String::as_str)),
                    }
            }
        }
    }
}
