//! Counts and token sums that cannot wrap.

use serde::Serialize;

/// A sum left the range of [`i128`] or a count that of [`u64`]. With 64-bit amounts this takes more
/// rows than a disk can hold, so it is an internal error, never a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow;

impl std::fmt::Display for Overflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a token total left the range of a 128-bit integer")
    }
}

impl std::error::Error for Overflow {}

/// A number of rows and the sum of their tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Rows.
    pub rows: u64,
    /// Tokens; what sign they carry is said where the total is kept.
    pub tokens: i128,
}

impl Total {
    /// Adds one row of `tokens`.
    ///
    /// # Panics
    /// On overflow of 128 bits: see [`Overflow`].
    pub fn add_row(&mut self, tokens: i64) {
        *self = self.plus(Total { rows: 1, tokens: i128::from(tokens) }).expect("token total");
    }

    /// Adds one row whose amount is unknown: it counts as a row and brings no tokens.
    pub fn add_unreadable_row(&mut self) {
        *self = self.plus(Total { rows: 1, tokens: 0 }).expect("row count");
    }

    /// The sum of two totals.
    ///
    /// # Errors
    /// [`Overflow`] when rows or tokens leave their range.
    pub fn plus(self, other: Total) -> Result<Total, Overflow> {
        Ok(Total {
            rows: self.rows.checked_add(other.rows).ok_or(Overflow)?,
            tokens: self.tokens.checked_add(other.tokens).ok_or(Overflow)?,
        })
    }
}
