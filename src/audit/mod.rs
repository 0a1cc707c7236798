//! Everything is accounted for: ids and order of findings, one disposition a row, conservation,
//! the verdict. Also the two questions that owners ask of the rows: grants per action type, and one
//! user's history.

mod account;
mod dispositions;
mod grants;
mod history;
mod ids;
pub mod period;
mod statement;

pub use account::{AuditError, account};
pub use dispositions::Dispositions;
pub use grants::{GrantGroup, GrantSum, GrantTable, GrantsBy, NotCounted, Part, grants};
pub use history::{HistoryError, HistoryLine, Partner, Step, UserHistory, find_user, history};
pub use ids::pair_ids;
pub use statement::{LotLine, PolicyLine, Statement};

use crate::domain::{Finding, Outcome, Pair, Population, Rule, Total};
use crate::matching::Contradicted;

/// The findings of a run with everything that proves them complete. Frozen: later stages only read.
#[derive(Debug, Clone)]
pub struct Audit {
    /// All findings, in the order of `semantics.md`: class, user, created_at, ids.
    pub findings: Vec<Finding>,
    /// All pairs, ascending by legacy id.
    pub pairs: Vec<Pair>,
    /// Pairs by rung: rows (legacy side) and tokens (legacy magnitudes), in the order of
    /// [`Rule::PAIRING`].
    pub pair_totals: Vec<(Rule, Total)>,
    /// Every legacy row and every unified grant or deduction row, legacy first, ascending by id.
    pub dispositions: Dispositions,
    /// Rows and raw tokens by outcome, ascending: legacy, unified.
    pub outcomes: [Vec<(Outcome, Total)>; 2],
    /// Legacy rows by class, pending rows moved to their own.
    pub legacy_population: Population,
    /// Unified rows by class.
    pub unified_population: Population,
    /// Rows and tokens in and out.
    pub conservation: Conservation,
    /// Pairs that look alike and carry different payments or links: no finding, and no proof either.
    pub contradicted: Option<Contradicted>,
}

/// In and out of one side. Tokens are raw: as the source stores them, with their signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct SideConservation {
    /// Rows as the source counts them.
    pub rows_in: u64,
    /// Rows over all dispositions and folded rows.
    pub rows_out: u64,
    /// Raw tokens as the source sums them.
    pub tokens_in: i128,
    /// Raw tokens over all dispositions and folded rows.
    pub tokens_out: i128,
}

/// Conservation of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Conservation {
    /// Legacy side.
    pub legacy: SideConservation,
    /// Unified side.
    pub unified: SideConservation,
    /// Everything in came out.
    pub holds: bool,
}

/// The result of a run, as `summary.json` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunVerdict {
    /// No unwaived finding of severity `error`.
    Clean,
    /// At least one.
    Discrepancies,
}
