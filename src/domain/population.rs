//! Population classes: each row of a source stands in exactly one.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::Total;

/// What a row of a source counts as. See `semantics.md`, "Which rows count".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PopulationClass {
    /// Adds tokens to a balance.
    Grants,
    /// Takes tokens back: refunds, corrections.
    Deductions,
    /// Tokens used up by an operation.
    Usage,
    /// Configured to be left out.
    Ignored,
    /// The label has no meaning in the configuration.
    Unmapped,
    /// No id, user, amount or timestamp, or unreadable.
    Rejected,
    /// A grant or deduction of 0 tokens.
    Zero,
    /// A unified row with `success = false`.
    Failed,
    /// Unpaired and younger than `as-of − settle`.
    Pending,
    /// Later than as-of.
    AfterAsOf,
}

impl PopulationClass {
    /// All classes, in the order of `contract.md`.
    pub const ALL: [PopulationClass; 10] = [
        Self::Grants,
        Self::Deductions,
        Self::Usage,
        Self::Ignored,
        Self::Unmapped,
        Self::Rejected,
        Self::Zero,
        Self::Failed,
        Self::Pending,
        Self::AfterAsOf,
    ];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grants => "grants",
            Self::Deductions => "deductions",
            Self::Usage => "usage",
            Self::Ignored => "ignored",
            Self::Unmapped => "unmapped",
            Self::Rejected => "rejected",
            Self::Zero => "zero",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::AfterAsOf => "after_as_of",
        }
    }
}

/// Rows and tokens of one side by class. Tokens are magnitudes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Population {
    totals: [Total; 10],
}

impl Population {
    /// The total of one class.
    pub fn get(&self, class: PopulationClass) -> Total {
        self.totals[class as usize]
    }

    /// The total of one class, to add to.
    pub fn get_mut(&mut self, class: PopulationClass) -> &mut Total {
        &mut self.totals[class as usize]
    }

    /// Rows of all classes together.
    pub fn rows(&self) -> u64 {
        self.totals.iter().map(|total| total.rows).sum()
    }

    /// Adds another population, class by class.
    ///
    /// # Panics
    /// On overflow: see [`super::Overflow`].
    pub fn merge(&mut self, other: &Population) {
        for (mine, theirs) in self.totals.iter_mut().zip(other.totals) {
            *mine = mine.plus(theirs).expect("population total");
        }
    }
}

impl Serialize for Population {
    /// `{"rows": n, "grants": {"rows", "tokens"}, …}` in the order of [`PopulationClass::ALL`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(11))?;
        map.serialize_entry("rows", &self.rows())?;
        for class in PopulationClass::ALL {
            map.serialize_entry(class.name(), &self.get(class))?;
        }
        map.end()
    }
}
