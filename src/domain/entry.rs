//! One row of a ledger that can be paired: a grant or a deduction.

use super::{Action, ActionNo, Few, Instant, PopulationClass, RowId};

/// Position of a user in [`super::Roster`]; ascending numbers are ascending user ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserNo(pub u32);

/// Does a row add to a balance or take from it?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Adds.
    Grant,
    /// Takes.
    Deduction,
}

/// A normalised row. `tokens` is a magnitude; [`Kind`] gives the direction.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The row's own id.
    pub id: RowId,
    /// The user whose balance it moves.
    pub user: UserNo,
    /// The label as the source has it (position in [`super::Ledger::labels`]).
    pub label: u16,
    /// The unified action: for a legacy row the one its label maps to, before payment evidence.
    pub action: ActionNo,
    /// Direction, by the action.
    pub kind: Kind,
    /// Magnitude in tokens.
    pub tokens: i64,
    /// The source stored the amount negative.
    pub negative: bool,
    /// Legacy under `sign = "by_action"`: the sign is the rarer one of its label and UTC month.
    pub minority_sign: bool,
    /// When it happened.
    pub at: Instant,
    /// References (payment ids and the like): positions in [`super::Books::references`], sorted,
    /// without doubles.
    pub references: Box<[u32]>,
    /// Carries payment evidence.
    pub paid: bool,
    /// Payment ids among that evidence which are no references, as positions beside those of references:
    /// they pair nothing, but tell grants apart. Sorted, without doubles.
    pub payments: Option<Box<Few<u32>>>,
    /// The legacy id that a unified row says it was copied from.
    pub link: Option<Box<RowId>>,
    /// A unified row says that it was migrated.
    pub migrated: bool,
    /// When the grant ends, where a column says so.
    pub expires_at: Option<Instant>,
    /// The balance column beside the row, where configured. Evidence, never truth.
    pub balance_after: Option<i64>,
    /// `success` is not `false`.
    pub succeeded: bool,
    /// `Grants` or `Deductions` when it takes part in matching; `AfterAsOf` when it may only serve
    /// as partner of an earlier row; `Zero` or `Failed` when it takes no part. (`Pending` is
    /// decided after matching.)
    pub class: PopulationClass,
}

impl Entry {
    /// Takes part in matching, if only as partner.
    pub fn is_matchable(&self) -> bool {
        let counts = matches!(
            self.class,
            PopulationClass::Grants | PopulationClass::Deductions | PopulationClass::AfterAsOf
        );
        counts && self.succeeded && self.tokens != 0
    }

    /// Moves a balance: a grant or deduction up to as-of that succeeded.
    pub fn moves_a_balance(&self) -> bool {
        matches!(self.class, PopulationClass::Grants | PopulationClass::Deductions) && self.succeeded
    }

    /// Signed effect on a balance: grants add, deductions take.
    pub fn signed_tokens(&self) -> i64 {
        match self.kind {
            Kind::Grant => self.tokens,
            Kind::Deduction => -self.tokens,
        }
    }

    /// The amount as the source stores it.
    pub fn raw_tokens(&self) -> i64 {
        if self.negative { -self.tokens } else { self.tokens }
    }

    /// All payments that the row names: references, then other payment ids.
    pub fn named_payments(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        self.references.iter().chain(self.payments.iter().flat_map(|payments| payments.iter())).copied()
    }

    /// Says itself that it is a copy of a legacy row.
    pub fn is_marked(&self) -> bool {
        self.migrated || self.link.is_some()
    }

    /// The action that the row should have: payment evidence makes a grant a purchase.
    pub fn expected_action(&self, purchase: Option<Action<'_>>) -> ActionNo {
        match purchase {
            Some(purchase) if self.paid && self.kind == Kind::Grant => purchase.no,
            _ => self.action,
        }
    }
}
