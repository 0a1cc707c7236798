//! Proposes a configuration from a catalogue or from file headers.
//!
//! In steps: [`roles`] says which column is what, [`labels`] what each label means, and [`propose`]
//! writes a commented `reckon.toml`. The proposal runs unchanged. What is unclear is left to the
//! owner in a way that nothing is dropped in silence: a label without a clear meaning stays
//! unmapped, and every row of it is a finding.

mod labels;
mod references;
mod roles;
#[cfg(test)]
mod tests;
mod undecided;
mod write;

use std::collections::BTreeMap;

pub use references::{Repeated, Repeats, drop_repeated};
pub use roles::{Roles, SideRoles, StoredRoles, balance_roles, legacy_likeness, side_roles, stores_balances};
pub use undecided::{Undecided, says_what_became, shown_values};
pub use write::{Proposal, ProposedLabel, propose};

use super::TableName;

/// Where a sampled table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In PostgreSQL.
    Table(TableName),
    /// A path or glob, as it shall stand in the configuration.
    Path(String),
}

/// What was seen of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Where it is.
    pub place: Place,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Rows looked at.
    pub rows: u64,
    /// These are all rows that there are.
    pub whole: bool,
}

/// What was seen of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// What its values are.
    pub shape: Shape,
    /// NOT NULL, without default, not generated; in a file: never empty.
    pub required: bool,
    /// The one column of the primary key.
    pub primary_key: bool,
    /// Rows with a value.
    pub filled: u64,
    /// The number that a row has here unless somebody writes another.
    pub default: Option<i64>,
    /// Labels that an enum or a CHECK constraint lists.
    pub listed: Vec<String>,
    /// In a file, the first value that is no whole number, and the first that is no time.
    pub odd: Odd,
    /// Keys at the top of a JSON column: rows that have a value there.
    pub json_keys: BTreeMap<String, u64>,
    /// Rows by value, where there are few values; of a table only where the column [says what
    /// became](says_what_became) of a row.
    pub values: BTreeMap<String, u64>,
}

/// Values that keep a column from being what its name says, each with its row from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Odd {
    /// No whole number.
    pub number: Option<(u64, String)>,
    /// No time.
    pub time: Option<(u64, String)>,
}

impl Column {
    /// It holds times.
    pub fn is_time(&self) -> bool {
        matches!(self.shape, Shape::Zoned | Shape::Unzoned)
    }
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// UUIDs.
    Uuid,
    /// Whole numbers, in an integer or a numeric type.
    Integer,
    /// Other numbers.
    Decimal,
    /// True or false.
    Boolean,
    /// Instants with a zone.
    Zoned,
    /// Times without a zone.
    Unzoned,
    /// JSON objects.
    Json,
    /// A struct: JSON whose keys are the same in every row, so that no other can be written into it.
    Members,
    /// Anything else.
    Text,
}

impl Shape {
    /// The shape of a type as PostgreSQL's `format_type` prints it.
    pub fn of_type(type_name: &str) -> Shape {
        let name = type_name.split('(').next().unwrap_or_default().trim();
        match name {
            "uuid" => Shape::Uuid,
            "smallint" | "integer" | "bigint" | "numeric" => Shape::Integer,
            "real" | "double precision" => Shape::Decimal,
            "boolean" => Shape::Boolean,
            "json" | "jsonb" => Shape::Json,
            "date" => Shape::Unzoned,
            "timestamp" if type_name.ends_with("with time zone") => Shape::Zoned,
            "timestamp with time zone" => Shape::Zoned,
            _ if name.starts_with("timestamp") => Shape::Unzoned,
            _ => Shape::Text,
        }
    }
}

/// Labels that are told apart; beyond these they are none.
pub const MOST_LABELS: usize = 1_000;

/// Rows by label; the labels of several columns are joined with `/`.
pub type Labels = BTreeMap<String, LabelCount>;

/// What was seen of the rows of one label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LabelCount {
    /// Rows.
    pub rows: u64,
    /// Rows with an amount above zero.
    pub positive: u64,
    /// Rows with an amount below zero.
    pub negative: u64,
    /// Rows with a reference.
    pub referenced: u64,
    /// Rows that name a legacy row or say that they were migrated.
    pub marked: u64,
}

/// One side, looked at.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its columns.
    pub sample: Sample,
    /// Which column is what.
    pub roles: SideRoles,
    /// Rows by label.
    pub labels: Labels,
}

/// Why nothing can be proposed.
#[derive(Debug, thiserror::Error)]
pub enum InferError {
    /// A role that every side has was found in no column.
    #[error(
        "{table}: no column looks like {what} (columns: {columns}){why}; write reckon.toml by hand and name it as `{key}`"
    )]
    NoColumn {
        /// Table or file.
        table: String,
        /// What was looked for.
        what: &'static str,
        /// Key of the configuration.
        key: &'static str,
        /// What there is.
        columns: String,
        /// Why the one with the name is none, where there is one.
        why: String,
    },
    /// A file has names of columns alone.
    #[error(
        "{file}: there is no row below the names of the columns, so nothing shows what they hold: name a file with rows"
    )]
    NoRow {
        /// File or pattern.
        file: String,
    },
    /// Two columns have one name, and one of them would be read.
    #[error("{file}: the column {column} stands twice: rename one of them")]
    Twice {
        /// File or pattern.
        file: String,
        /// The name.
        column: String,
    },
}

impl Place {
    /// As people read it.
    pub fn shown(&self) -> String {
        match self {
            Place::Table(table) => table.to_string(),
            Place::Path(path) => path.clone(),
        }
    }
}
