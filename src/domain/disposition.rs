//! What became of each row: every legacy row and every unified grant or deduction has exactly one.

use super::{Class, PopulationClass, Side};

/// The outcome of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Paired, nothing to say.
    Paired,
    /// In a finding of this class.
    Finding(Class),
    /// Only in a population class: usage, ignored, zero, failed, pending, after_as_of.
    Population(PopulationClass),
    /// A unified row of an action that is written to that table alone.
    UnifiedOnly,
}

impl Outcome {
    /// The name used in the column `disposition`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Paired => "paired",
            Outcome::Finding(class) => class.name(),
            Outcome::Population(class) => class.name(),
            Outcome::UnifiedOnly => "unified_only",
        }
    }
}

/// Where a row stands in its [`super::Ledger`]: millions of rows are known by their place, not by a copy
/// of their id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowPlace {
    /// Position in the entries.
    Entry(u32),
    /// Position in the bystanders.
    Bystander(u32),
    /// Position in the rejected rows.
    Rejected(u32),
}

/// One row with its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disposition {
    /// Which table.
    pub side: Side,
    /// The row.
    pub row: RowPlace,
    /// What became of it.
    pub outcome: Outcome,
    /// Number of the pair that the row is in: position in the run's pairs.
    pub pair: Option<u32>,
    /// Number of the finding: position in the run's findings.
    pub finding: Option<u32>,
}
