//! Configuration: as written ([`raw`]) and as checked (the types of this module).
//!
//! Everything after this module sees checked types only. An error names the file, the line and
//! column, the key, and what to do.

pub mod contract;
mod error;
mod identifier;
pub mod infer;
mod nightly;
mod policy;
pub mod raw;
mod resolve;
mod section;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use error::ConfigError;
pub(crate) use error::{Fault, nearest};
pub use nightly::{Alert, Backup, Cutover, History, Keep, Notify, Postgres, Webhook};
pub use resolve::{load, parse};
pub use value::{parse_duration, parse_field, parse_instant, parse_size, parse_table, table_of_path};

use crate::domain::{Instant, RowId, Span};

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it came from; relative paths in it are relative to this file's folder.
    pub file: PathBuf,
    /// SHA-256 (lower-case hexadecimal) of the file's bytes.
    pub digest: String,
    /// Top-level `as_of = "…"` (RFC 3339): a fixed as-of, as in the demo.
    pub as_of: Option<Instant>,
    /// `[legacy]`.
    pub legacy: LegacyConfig,
    /// `[unified]`.
    pub unified: UnifiedConfig,
    /// `[matching]`.
    pub matching: Matching,
    /// `[balances]`.
    pub balances: Balances,
    /// `[repair]`.
    pub repair: Repair,
    /// `[backfill]`.
    pub backfill: Backfill,
    /// `[history]`.
    pub history: History,
    /// `[notify]`; `None`: nobody is told.
    pub notify: Option<Notify>,
    /// `[cutover]`.
    pub cutover: Cutover,
    /// `[audit]`.
    pub audit: AuditPacks,
    /// `[postgres]`: limits of the database sessions.
    pub postgres: Postgres,
}

/// Where the rows of a side, or of the stored balances, come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A table or view in PostgreSQL.
    Table(TableName),
    /// Files: one path or a glob.
    Files {
        /// Path or glob as written. A relative one is relative to `folder`.
        pattern: String,
        /// The configuration file's folder. Kept apart from the pattern, so that a folder name with
        /// `*` or `[` is no glob, and so that reports name files independently of where the project
        /// lies.
        folder: PathBuf,
        /// The table that SQL is written for: `table`, or else the file's stem.
        target: TableName,
    },
}

impl Origin {
    /// The table that SQL is written for.
    pub fn target(&self) -> &TableName {
        match self {
            Origin::Table(table) => table,
            Origin::Files { target, .. } => target,
        }
    }

    /// What it is called in messages: the path as written, or the table.
    pub fn name(&self) -> String {
        match self {
            Origin::Files { pattern, .. } => pattern.clone(),
            Origin::Table(table) => table.to_string(),
        }
    }
}

/// A table name as written: `schema.name` or `name`, either part may be in double quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TableName {
    /// Schema, where written.
    pub schema: Option<String>,
    /// Name.
    pub name: String,
}

impl TableName {
    /// Both names mean one table, as far as names tell: without a schema it is `public`.
    pub fn is_same(&self, other: &TableName) -> bool {
        let schema = |table: &TableName| table.schema.clone().unwrap_or_else(|| "public".to_owned());
        self.name == other.name && schema(self) == schema(other)
    }

    /// The name as SQL wants it, each part quoted when it needs to be (reserved word, upper case,
    /// other characters): `public.token_usage`, `public."order"`.
    pub fn sql(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quote_identifier(schema), quote_identifier(&self.name)),
            None => quote_identifier(&self.name),
        }
    }
}

impl std::fmt::Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// An identifier as SQL wants it: always in double quotes unless it is plain lower case
/// (`[a-z_][a-z0-9_]*`) and no key word of PostgreSQL.
pub fn quote_identifier(name: &str) -> String {
    identifier::quote(name)
}

/// A column, or a path into a JSON column: `metadata.payment_intent`.
///
/// A source that has a column with the whole dotted name takes that column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// The text as written.
    pub written: String,
    /// The column.
    pub column: String,
    /// Keys below it, outermost first; empty for a plain column.
    pub path: Vec<String>,
}

/// How a grant is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignPolicy {
    /// The magnitude counts, the action gives the direction.
    ByAction,
    /// Grants are above zero; rows below are rejected.
    Positive,
    /// Grants are below zero; rows above are rejected.
    Negative,
}

/// What both sides have in common.
#[derive(Debug, Clone)]
pub struct Columns {
    /// Where the rows are.
    pub origin: Origin,
    /// Row id.
    pub id: Field,
    /// User id.
    pub user: Field,
    /// Label: one column, or several joined with `/`.
    pub action: Vec<Field>,
    /// Tokens.
    pub amount: Field,
    /// When.
    pub created_at: Field,
    /// Zone of timestamps without one.
    pub timezone: chrono_tz::Tz,
    /// References.
    pub reference: Vec<Field>,
    /// What shows that it was paid for (default: `reference`).
    pub payment: Vec<Field>,
    /// When a grant ends.
    pub expires_at: Option<Field>,
    /// Balance beside the row.
    pub balance_after: Option<Field>,
    /// `success` flag.
    pub success: Option<Field>,
    /// Names the legacy row (unified side only).
    pub link: Option<Field>,
    /// Says that it was migrated (unified side only). A row is migrated when the value is neither
    /// null, nor empty, nor `false`, nor JSON `null`.
    pub migrated: Option<Field>,
}

/// `[legacy]`.
#[derive(Debug, Clone)]
pub struct LegacyConfig {
    /// Source and columns.
    pub columns: Columns,
    /// How a grant is stored.
    pub sign: SignPolicy,
    /// What each label means; a label that is not in here is unmapped.
    pub actions: BTreeMap<String, LegacyMeaning>,
}

/// What a legacy label means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegacyMeaning {
    /// A unified grant or deduction.
    Action(String),
    /// Usage: counted, never a grant.
    Usage,
    /// Left out.
    Ignore,
}

/// `[unified]`.
#[derive(Debug, Clone)]
pub struct UnifiedConfig {
    /// Source and columns.
    pub columns: Columns,
    /// Labels that add to a balance, in configured order.
    pub grants: Vec<String>,
    /// Labels that take from it.
    pub deductions: Vec<String>,
    /// Usage labels; without a list every other label is usage unless it looks like a grant.
    pub usage: Option<Vec<String>>,
    /// Labels for which no legacy row is expected.
    pub unified_only: Vec<String>,
}

/// `[matching]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matching {
    /// |lag| of a good pair, inclusive. Default 2 s.
    pub tolerance: Span,
    /// How far a mismatched partner may lie, inclusive. Default 24 h.
    pub window: Span,
    /// Younger unpaired rows are pending. Default 5 min.
    pub settle: Span,
}

/// `[balances]`.
#[derive(Debug, Clone)]
pub struct Balances {
    /// Stored balances.
    pub stored: Option<Stored>,
    /// `failed_usage = "count"`: failed operations take tokens too. Of the policy since ever.
    pub count_failed_usage: bool,
    /// Given at sign-up without a row. Of the policy since ever.
    pub opening_tokens: i64,
    /// The rules of balances, ascending by their beginning; the first, of the plain keys, is in
    /// force since ever, each other one from its instant on.
    pub policies: Vec<BalancePolicy>,
    /// Pools of users.
    pub pools: Option<Pools>,
}

/// The rules of balances that are in force from an instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancePolicy {
    /// In force from here on, inclusive; [`Instant::MIN`]: since ever.
    pub from: Instant,
    /// Failed operations take tokens too.
    pub count_failed_usage: bool,
    /// Given without a row to a user whose first row lies in the time of this policy.
    pub opening_tokens: i64,
    /// Grants that replace the balance instead of adding to it.
    pub reset_actions: Vec<String>,
    /// What becomes of a balance below zero.
    pub floor: Floor,
    /// Order in which lots are burnt.
    pub expiry_order: ExpiryOrder,
    /// Life of a grant by action where no column says it.
    pub expiry_after: BTreeMap<String, Span>,
    /// Under [`ExpiryOrder::Priority`]: actions, the first is burnt first.
    pub priority: Vec<String>,
    /// Action → the most tokens of earlier grants of the same action that a new one leaves.
    pub rollover: BTreeMap<String, i64>,
}

/// What becomes of a balance below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// It stays: the next grant pays it first.
    Debt,
    /// A balance never goes below zero: what is used beyond it is not taken off.
    Clamp,
    /// It stays until the next grant, which begins from zero.
    WriteOff,
}

/// Where the stored balances are.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Table or files.
    pub origin: Origin,
    /// User id column.
    pub user: Field,
    /// Balance column, in tokens.
    pub balance: Field,
    /// Several rows of one user: `error` (default) or `sum`.
    pub sum_rows: bool,
}

/// Order in which lots are burnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryOrder {
    /// Oldest grant first.
    Fifo,
    /// What ends first goes first.
    EarliestExpiry,
    /// By configured priority.
    Priority,
}

/// `[balances.pools]`.
#[derive(Debug, Clone)]
pub struct Pools {
    /// Table or files.
    pub origin: Origin,
    /// Member.
    pub user: Field,
    /// Pool.
    pub pool: Field,
    /// Owner, where a column says it.
    pub owner: Option<Field>,
    /// Member since.
    pub from: Option<Field>,
    /// Member until.
    pub to: Option<Field>,
    /// Zone of times without one. Default UTC.
    pub timezone: chrono_tz::Tz,
}

/// `[repair]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repair {
    /// `time = true`: repair times too.
    pub time: bool,
    /// `allow_triggers = true`: write a backfill although a trigger acts on INSERT.
    pub allow_triggers: bool,
}

/// `[backfill]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Backfill {
    /// Values of columns that the mapping does not fill: column → literal.
    pub values: BTreeMap<String, Literal>,
}

/// A literal of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// Integer.
    Integer(i64),
    /// Decimal, as written.
    Decimal(f64),
    /// Boolean.
    Boolean(bool),
}

/// `[audit]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPacks {
    /// Folder of the packs. Default `reports/audit`.
    pub folder: PathBuf,
}

/// One user's stored balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBalance {
    /// User.
    pub user: RowId,
    /// Tokens; `None` where the column is null: unknown is not zero.
    pub tokens: Option<i64>,
}
