//! Balances recomputed from the rows, in checked integers, and the gaps to the stored ones.

mod compared;
mod evidence;
mod gap;
mod plug;
mod rare;
mod recompute;
pub mod replay;
mod snapshot;

pub use compared::{Compared, compared};
pub use gap::{Cause, ExplainedBefore, Explanations, Grounds, Hypothesis, LISTED, explain_gaps};
pub use plug::name_plugs;
pub use rare::{Common, Rare};
pub use recompute::{
    BalanceError, StoredByUser, findings, gaps, leave_out_waived, moved, recompute, stored_by_user,
};
pub use snapshot::{
    ChainBreak, LabelPeriods, Meaning, Period, SnapshotColumn, SnapshotTest, snapshot_columns,
};

use crate::domain::UserNo;

/// How a gap is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explanation {
    /// No gap.
    NoneNeeded,
    /// One smallest set of causes gives it to the token.
    Unique,
    /// Several do.
    Several,
    /// Causes give a part.
    Partial,
    /// Nothing explains it.
    Unexplained,
}

impl Explanation {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Explanation::NoneNeeded => "none_needed",
            Explanation::Unique => "unique",
            Explanation::Several => "several",
            Explanation::Partial => "partial",
            Explanation::Unexplained => "unexplained",
        }
    }
}

/// The causes a gap can have, in the order of the columns of `balances.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapCause {
    /// Grants that never arrived.
    Unmigrated,
    /// Grants counted twice.
    Duplicate,
    /// Wrong amounts.
    Amount,
    /// Wrong actions.
    Action,
    /// Grants under another user.
    OtherUser,
    /// Rows without a legacy row.
    Orphan,
    /// Deductions that never arrived.
    Deduction,
    /// Failed operations counted.
    FailedUsage,
    /// Usage never taken off.
    UsageNotDeducted,
    /// Tokens given at sign-up without a row.
    Opening,
    /// A grant that replaced the balance.
    Reset,
    /// A balance held at zero.
    Clamp,
    /// Expired tokens.
    Expiry,
    /// Usage of other pool members.
    Pool,
}

impl GapCause {
    /// How many causes there are.
    pub const COUNT: usize = 14;

    /// All causes, in the order of the columns.
    pub const ALL: [GapCause; GapCause::COUNT] = [
        GapCause::Unmigrated,
        GapCause::Duplicate,
        GapCause::Amount,
        GapCause::Action,
        GapCause::OtherUser,
        GapCause::Orphan,
        GapCause::Deduction,
        GapCause::FailedUsage,
        GapCause::UsageNotDeducted,
        GapCause::Opening,
        GapCause::Reset,
        GapCause::Clamp,
        GapCause::Expiry,
        GapCause::Pool,
    ];

    /// Comes from findings about rows.
    pub fn is_of_findings(self) -> bool {
        matches!(
            self,
            GapCause::Unmigrated
                | GapCause::Duplicate
                | GapCause::Amount
                | GapCause::Action
                | GapCause::OtherUser
                | GapCause::Orphan
                | GapCause::Deduction
        )
    }

    /// The name used in files where no column is meant: `opening`.
    pub fn name(self) -> &'static str {
        self.column().trim_start_matches("cause_")
    }

    /// The column of `balances.csv`.
    pub fn column(self) -> &'static str {
        match self {
            GapCause::Unmigrated => "cause_unmigrated",
            GapCause::Duplicate => "cause_duplicate",
            GapCause::Amount => "cause_amount",
            GapCause::Action => "cause_action",
            GapCause::OtherUser => "cause_other_user",
            GapCause::Orphan => "cause_orphan",
            GapCause::Deduction => "cause_deduction",
            GapCause::FailedUsage => "cause_failed_usage",
            GapCause::UsageNotDeducted => "cause_usage_not_deducted",
            GapCause::Opening => "cause_opening",
            GapCause::Reset => "cause_reset",
            GapCause::Clamp => "cause_clamp",
            GapCause::Expiry => "cause_expiry",
            GapCause::Pool => "cause_pool",
        }
    }
}

/// One user's balance. All amounts in tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserBalance {
    /// The user.
    pub user: UserNo,
    /// Sum of the unified grants.
    pub granted: i128,
    /// Sum of the unified deductions (magnitude).
    pub deducted: i128,
    /// Sum of the usage (magnitude).
    pub used: i128,
    /// `granted − deducted − used`.
    pub recomputed: i128,
    /// `recomputed` + the effects of the executable repairs.
    pub corrected: i128,
    /// The stored balance, where configured and known.
    pub stored: Option<i128>,
    /// `stored − recomputed`.
    pub gap: Option<i128>,
    /// Tokens by cause, in the order of [`GapCause::ALL`]; meaningful where there is a gap.
    pub causes: Rare<[i128; GapCause::COUNT]>,
    /// The part of the gap that no cause gives.
    pub unexplained: Option<i128>,
    /// How the gap is explained; `None` without a stored balance.
    pub explanation: Option<Explanation>,
    /// What stands behind [`UserBalance::causes`], and what else would do as well.
    pub explained_by: Rare<Explanations>,
}

/// All balances, ascending by user.
#[derive(Debug, Clone, Default)]
pub struct Balances {
    /// One a user of the roster.
    pub users: Vec<UserBalance>,
    /// Stored balances were configured and used (not with an as-of in the past).
    pub stored_known: bool,
    /// What [`compared`] says; nothing before it was asked.
    pub compared: Compared,
    /// What the configured balance columns beside the rows mean, tested.
    pub snapshots: Vec<SnapshotColumn>,
}
