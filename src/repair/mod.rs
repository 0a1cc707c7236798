//! What to change (a plan: row, old values, new values, effect) and the SQL that says it.

/// An SQL file of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFile {
    /// Name in the run directory: `backfill.sql`.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Rows that it changes.
    pub rows: u64,
    /// Tokens that it adds to balances, with their sign.
    pub tokens: i128,
}
