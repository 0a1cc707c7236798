//! Figures of `summary.json`, exact: integers of any length, never through a float (which is what an
//! untyped JSON number beyond 64 bits would become).

use serde::Deserialize;
use std::collections::BTreeMap;

/// `summary.json`, as far as it is added again.
#[derive(Debug, Deserialize)]
pub(super) struct Summary {
    pub(super) verdict: String,
    pub(super) exit_code: u8,
    pub(super) as_of: String,
    pub(super) population: BTreeMap<String, Population>,
    #[serde(default)]
    pub(super) pairs: BTreeMap<String, Total>,
    /// An earlier version wrote none.
    pub(super) blocking: Option<u64>,
    pub(super) findings: BTreeMap<String, ClassFigures>,
    pub(super) balances: Balances,
    pub(super) conservation: Conservation,
    pub(super) history: History,
    pub(super) outcomes: BTreeMap<String, BTreeMap<String, Total>>,
    pub(super) run_id: Option<String>,
    #[serde(default)]
    pub(super) sql: Vec<Script>,
    #[serde(default)]
    pub(super) snapshot_columns: Vec<serde::de::IgnoredAny>,
}

/// A file of `sql`.
#[derive(Debug, Deserialize)]
pub(super) struct Script {
    pub(super) name: String,
}

/// One side of `population`: all rows, and those of each class.
#[derive(Debug, Deserialize)]
pub(super) struct Population {
    pub(super) rows: u64,
    grants: Total,
    deductions: Total,
    usage: Total,
    ignored: Total,
    unmapped: Total,
    rejected: Total,
    zero: Total,
    failed: Total,
    pending: Total,
    after_as_of: Total,
}

impl Population {
    /// Rows of the classes that have an outcome of their own, with its name; whether rows of the class may
    /// have another outcome too, or are added up without being listed.
    pub(super) fn by_outcome(&self) -> [(&'static str, u64, bool); 8] {
        [
            ("zero", self.zero.rows, false),
            ("pending", self.pending.rows, false),
            ("unmapped_action", self.unmapped.rows, false),
            ("rejected_row", self.rejected.rows, false),
            ("usage", self.usage.rows, true),
            ("ignored", self.ignored.rows, true),
            ("failed", self.failed.rows, true),
            ("after_as_of", self.after_as_of.rows, true),
        ]
    }

    /// Rows of all classes together.
    pub(super) fn classified(&self) -> u64 {
        let Population { rows: _, grants, deductions, usage, ignored, unmapped, rejected, zero, .. } = self;
        let classes = [grants, deductions, usage, ignored, unmapped, rejected, zero];
        let others = [&self.failed, &self.pending, &self.after_as_of];
        classes.into_iter().chain(others).map(|total| total.rows).sum()
    }
}

/// Rows and tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Total {
    pub(super) rows: u64,
    pub(super) tokens: i128,
}

/// One class of `findings`.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct ClassFigures {
    pub(super) count: u64,
    pub(super) tokens_effect: i128,
    pub(super) waived: u64,
}

impl std::fmt::Display for ClassFigures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ClassFigures { count, tokens_effect, waived } = self;
        let findings = super::counted(usize::try_from(*count).unwrap_or(usize::MAX), "finding");
        write!(f, "{findings} with an effect of {tokens_effect} tokens, {waived} of them waived")
    }
}

/// `conservation`.
#[derive(Debug, Deserialize)]
pub(super) struct Conservation {
    pub(super) legacy: InAndOut,
    pub(super) unified: InAndOut,
    pub(super) holds: bool,
}

/// One side of `conservation`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct InAndOut {
    pub(super) rows_in: u64,
    pub(super) rows_out: u64,
    pub(super) tokens_in: i128,
    pub(super) tokens_out: i128,
}

/// `history`.
#[derive(Debug, Deserialize)]
pub(super) struct History {
    /// Name of the run before.
    pub(super) previous: Option<String>,
    pub(super) new: u64,
    pub(super) open: u64,
    #[serde(default)]
    pub(super) resolved: u64,
    /// Written by every version that writes `lifecycle.csv`.
    pub(super) reopened: Option<u64>,
    #[serde(default)]
    pub(super) lapsed: u64,
}

/// Sums of `balances.csv`; those that need stored balances are empty without them.
#[derive(Debug, Deserialize)]
pub(super) struct Balances {
    pub(super) users: u64,
    pub(super) users_with_gap: Option<u64>,
    pub(super) gap_tokens: Option<i128>,
    pub(super) unexplained_tokens: Option<i128>,
    pub(super) granted_tokens: i128,
    pub(super) deducted_tokens: i128,
    pub(super) used_tokens: i128,
    pub(super) recomputed_tokens: i128,
    pub(super) corrected_tokens: i128,
    pub(super) stored_tokens: Option<i128>,
}
