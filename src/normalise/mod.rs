//! From raw columns to the books: labels, signs, time zones, rejects.
//!
//! The rules are those of `semantics.md`, "Which rows count". The only place that knows which
//! column means what. One [`Folder`] a worker takes the rows as they stream by: usage is folded
//! into sums and a compact [`UsageLog`] at once, grants and deductions are kept; [`books`] merges the folders into a form that
//! does not depend on the order in which the rows came.

mod books;
mod codec;
mod columns;
mod dealt;
mod details;
mod flags;
mod fold;
mod folder;
mod intern;
mod kept;
mod members;
#[cfg(test)]
mod members_tests;
mod months;
mod order;
mod parts;
mod points;
mod redact;
mod rules;
mod settled_rows;
mod time;
mod usage_log;

pub use books::{Brought, Sides, books};
pub use dealt::Entries;
pub use folder::Folder;
pub use kept::Room;
pub use members::{Member, members};
pub use months::Month;
pub(crate) use order::ascending_ids;
pub use parts::Parts;
pub use points::doubtful_amounts;
pub use redact::{KEY_BYTES_MIN, Redaction};
pub use rules::Rules;
pub use settled_rows::{InOrder, SettledRow, SettledRows};
pub(crate) use time::{from_wall_micros, to_wall_micros};
pub use usage_log::{UsageEvent, UsageLog};

/// Why rows could not be brought into the books.
#[derive(Debug, thiserror::Error)]
pub enum NormaliseError {
    /// A column has a type that cannot hold what it is configured for.
    #[error("{name}: column {column} has type {found}, which cannot hold {wanted}: {}", way_out(wanted))]
    ColumnType {
        /// The side's files or table.
        name: String,
        /// Column as configured.
        column: String,
        /// The type that was found.
        found: String,
        /// What it should hold.
        wanted: &'static str,
    },
    /// Two rows of one side have the same id.
    #[error(
        "{side}: the id {id} stands on more than one row. Ids tell rows apart in every finding and in all \
         SQL, so they must be unique: {}",
        way_out_of_repeats(id)
    )]
    RepeatedId {
        /// Side.
        side: &'static str,
        /// The id.
        id: String,
    },
    /// More distinct labels, users or references than the program can number.
    #[error("{side}: more than {limit} distinct {what}: is the right column configured?")]
    TooMany {
        /// Side.
        side: &'static str,
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// Rows beyond the bound of memory could not be kept in a temporary file.
    #[error(
        "{side}: rows could not be kept in a temporary file in {folder}: {source}; make room there, or \
         set TMPDIR to a folder with more"
    )]
    Spill {
        /// Side.
        side: &'static str,
        /// Where temporary files lie.
        folder: String,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A row of the table of members says something that cannot be.
    #[error("{place}: {message}; correct the row, or leave it out")]
    Member {
        /// Where the row stands.
        place: String,
        /// What is wrong.
        message: String,
    },
}

/// What to do about an id that stands twice. Spreadsheets show a long number by its first digits, and write
/// it so.
fn way_out_of_repeats(id: &str) -> &'static str {
    let (digits, exponent) = id.split_once(['E', 'e']).unwrap_or((id, ""));
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let is_shortened = digits.contains(['.', ','])
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        && !exponent.is_empty()
        && exponent.bytes().all(|byte| byte.is_ascii_digit());
    if is_shortened {
        "a spreadsheet has shortened this one, and its last digits are lost: export the table anew, and keep \
         it out of spreadsheets, or open it there with ids as text"
    } else {
        "check that no file is read twice, and that `id` names the key column"
    }
}

/// What to do about a column that cannot hold what is wanted of it.
fn way_out(wanted: &str) -> &'static str {
    match wanted {
        "a time" => {
            "write it as a timestamp, as a date or as text like 2026-03-01T12:00:00Z, since the number alone \
             does not say its unit"
        }
        "a number of tokens" | "tokens" => "write it as an integer",
        "a flag" | "a mark" | "a payment id" => "write it as a boolean, an integer or text",
        _ => "write it as text, an integer or a UUID",
    }
}

fn spill_error(side: crate::domain::Side, source: std::io::Error) -> NormaliseError {
    let folder = std::env::temp_dir().display().to_string();
    NormaliseError::Spill { side: side.name(), folder, source }
}

fn repeated_id(side: crate::domain::Side, id: &crate::domain::RowId) -> NormaliseError {
    NormaliseError::RepeatedId { side: side.name(), id: id.to_string() }
}
