//! Rows of the two tables and what is true of them.

use crate::domain::{Class, RepairKind, Severity, Verdict};

/// What moves tokens, and what it is called on the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Movement {
    Trial,
    Renewal,
    Annual,
    Pack,
    Adjustment,
    Deduction,
    /// A label that the configuration gives no meaning.
    Loyalty,
    /// Usage that the legacy table once held.
    Chat,
    /// A label that the configuration ignores.
    Transfer,
}

impl Movement {
    /// The enum label of shape B.
    pub(super) fn label(self) -> &'static str {
        match self {
            Movement::Trial => "trial_grant",
            Movement::Renewal => "renewal_grant",
            Movement::Annual => "annual_subscription_grant",
            Movement::Pack => "pack_purchase",
            Movement::Adjustment => "manual_adjustment",
            Movement::Deduction => "admin_deduct",
            Movement::Loyalty => "loyalty_bonus",
            Movement::Chat => "chat",
            Movement::Transfer => "pool_transfer",
        }
    }

    /// `transaction_type` and `source` of shape A.
    pub(super) fn labels(self) -> (&'static str, &'static str) {
        match self {
            Movement::Trial => ("grant", "trial"),
            Movement::Renewal | Movement::Annual => ("grant", "subscription"),
            Movement::Pack => ("purchase", "stripe"),
            Movement::Adjustment => ("grant", "admin"),
            Movement::Deduction => ("deduction", "admin"),
            Movement::Loyalty => ("grant", "loyalty"),
            Movement::Chat => ("usage", "chat"),
            Movement::Transfer => ("transfer", "household"),
        }
    }

    /// The action of the unified table.
    pub(super) fn action(self) -> &'static str {
        match self {
            Movement::Trial => "trial_grant",
            Movement::Renewal | Movement::Annual => "subscription_grant",
            Movement::Pack => "token_pack_purchase",
            Movement::Adjustment => "admin_grant",
            Movement::Deduction => "admin_deduct",
            Movement::Loyalty => "loyalty_bonus",
            Movement::Chat => "chat_conversation",
            Movement::Transfer => "",
        }
    }

    /// The tokens in the direction of the movement.
    pub(super) fn signed(self, tokens: i64) -> i64 {
        if self == Movement::Deduction { -tokens } else { tokens }
    }
}

/// What must become of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    /// A name of the column `disposition`.
    pub(super) disposition: &'static str,
    /// The planted kind that the row belongs to, or nothing.
    pub(super) defect: &'static str,
    /// Position of the partner on the other side.
    pub(super) partner: Option<u32>,
    /// Position of the finding in the user's truth.
    pub(super) finding: Option<u32>,
}

impl Fate {
    pub(super) fn of(disposition: &'static str) -> Fate {
        Fate { disposition, defect: "", partner: None, finding: None }
    }
}

/// A row of the legacy table.
#[derive(Debug, Clone)]
pub(super) struct LegacyRow {
    pub(super) id: u128,
    pub(super) movement: Movement,
    /// Magnitude; none is written as something that is no number.
    pub(super) tokens: Option<i64>,
    /// UTC microseconds.
    pub(super) at: Option<i64>,
    pub(super) has_user: bool,
    pub(super) payment: Option<u64>,
    /// Stored with the sign that its era does not have.
    pub(super) contrary_sign: bool,
    pub(super) fate: Fate,
}

/// A row of the unified table that is no usage.
#[derive(Debug, Clone)]
pub(super) struct UnifiedRow {
    pub(super) id: u128,
    /// Position among the others of the household, where it is not the user's own.
    pub(super) other: Option<usize>,
    pub(super) action: &'static str,
    pub(super) tokens: i64,
    /// UTC microseconds.
    pub(super) at: i64,
    pub(super) failed: bool,
    pub(super) migrated: bool,
    pub(super) link: Option<u128>,
    pub(super) payment: Option<u64>,
    pub(super) fate: Fate,
}

impl UnifiedRow {
    /// Its effect on a balance.
    pub(super) fn signed(&self) -> i64 {
        match self.action {
            _ if self.failed => 0,
            "admin_deduct" => -self.tokens,
            "admin_grant" | "subscription_grant" | "trial_grant" | "token_pack_purchase" => self.tokens,
            _ => 0,
        }
    }
}

/// Usage: who, what, how much, when, and did it work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) id: u128,
    /// Position among the others of the household; none is the user.
    pub(super) other: Option<usize>,
    /// Position in the table of actions.
    pub(super) action: u8,
    pub(super) tokens: i64,
    /// UTC microseconds.
    pub(super) at: i64,
    pub(super) failed: bool,
}

/// Somebody else of the household: the admin, or a member of a pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Other {
    pub(super) id: u128,
    pub(super) stored: i64,
    /// Uses the tokens of the user's pool.
    pub(super) in_pool: bool,
}

/// A finding that must be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) class: Class,
    pub(super) severity: Severity,
    pub(super) user: Option<u128>,
    pub(super) legacy: Vec<u128>,
    pub(super) unified: Vec<u128>,
    /// What the repair adds to the balance; none where it is unknown.
    pub(super) effect: Option<i64>,
    pub(super) verdict: Verdict,
    pub(super) repair: RepairKind,
    pub(super) defect: &'static str,
}
