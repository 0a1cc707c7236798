//! What became of each row: every legacy row and every unified grant or deduction has exactly one.

use super::{Class, PopulationClass, RowId, Side};

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

/// One row with its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition {
    /// Which table.
    pub side: Side,
    /// The row; a pseudo id `no-id:…` for a rejected row without one.
    pub row: RowId,
    /// What became of it.
    pub outcome: Outcome,
    /// Number of the pair that the row is in: position in the run's pairs.
    pub pair: Option<u32>,
    /// Number of the finding: position in the run's findings.
    pub finding: Option<u32>,
    /// The amount as the source stores it, where it could be read.
    pub raw_tokens: Option<i64>,
}
