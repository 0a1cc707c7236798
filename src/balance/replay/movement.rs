//! What moves a balance, and what a replay gives.

use crate::domain::{ActionNo, Instant, UserNo};

/// Why a balance moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MovementKind {
    /// Tokens given at sign-up without a row.
    Opening,
    /// A grant: adds.
    Grant(ActionNo),
    /// A deduction: takes.
    Deduction(ActionNo),
    /// Use that succeeded: takes.
    Usage,
    /// Failed use that the policy counts: takes.
    FailedUsage,
    /// The unused part of a grant at its end: takes.
    Expired(ActionNo),
    /// What stood before a grant that replaces the balance: takes what was there, or forgives debt.
    Reset,
    /// The part of earlier grants beyond the cap that the next grant of the action leaves: takes.
    RolledOver(ActionNo),
    /// Use beyond zero that a balance held at zero does not take: adds.
    Clamped,
    /// Debt that is written off at the next grant: adds.
    WrittenOff,
    /// Debt paid by a grant. Two movements that add up to zero: the grant's part takes, the debt's
    /// adds. They matter only where paid and free tokens stand apart.
    DebtPaid,
}

/// The kinds without their actions, for sums.
pub const KINDS: usize = 11;

impl MovementKind {
    /// Position among the kinds, actions left aside.
    pub fn position(self) -> usize {
        match self {
            MovementKind::Opening => 0,
            MovementKind::Grant(_) => 1,
            MovementKind::Deduction(_) => 2,
            MovementKind::Usage => 3,
            MovementKind::FailedUsage => 4,
            MovementKind::Expired(_) => 5,
            MovementKind::Reset => 6,
            MovementKind::RolledOver(_) => 7,
            MovementKind::Clamped => 8,
            MovementKind::WrittenOff => 9,
            MovementKind::DebtPaid => 10,
        }
    }

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            MovementKind::Opening => "opening",
            MovementKind::Grant(_) => "grant",
            MovementKind::Deduction(_) => "deduction",
            MovementKind::Usage => "usage",
            MovementKind::FailedUsage => "failed_usage",
            MovementKind::Expired(_) => "expired",
            MovementKind::Reset => "reset",
            MovementKind::RolledOver(_) => "rolled_over",
            MovementKind::Clamped => "clamped",
            MovementKind::WrittenOff => "written_off",
            MovementKind::DebtPaid => "debt_paid",
        }
    }
}

/// One change of a balance. The movements of a holder add up to its balance, and those that are
/// paid to its paid balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    /// When. Use that lies together between two other events is one movement, at its last instant.
    pub at: Instant,
    /// Why.
    pub kind: MovementKind,
    /// What it adds; below zero: takes.
    pub tokens: i128,
    /// Tokens of a grant that was paid for. Debt, and what runs into it, is never paid.
    pub paid: bool,
    /// The row behind it: position in the unified entries. `None` for opening tokens, use and what
    /// concerns the balance as a whole.
    pub row: Option<u32>,
}

/// A grant as something that is used up. `granted = used + expired + voided + remaining`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// Position in the unified entries; `None`: opening tokens.
    pub row: Option<u32>,
    /// Its action; `None`: opening tokens.
    pub action: Option<ActionNo>,
    /// It was paid for.
    pub paid: bool,
    /// When it was given.
    pub granted_at: Instant,
    /// The first instant at which nothing of it can be used any more; `None`: it does not end.
    pub ends_at: Option<Instant>,
    /// Tokens given.
    pub granted: i128,
    /// Tokens taken by use and deductions, also by those that were debt before.
    pub used: i128,
    /// Tokens that were left when it ended.
    pub expired: i128,
    /// Tokens that a later grant replaced or left.
    pub voided: i128,
    /// Tokens that are left.
    pub remaining: i128,
}

/// What a replay gives for one holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderReplay {
    /// At whose row the balance stands: a user, or the owner of a pool.
    pub holder: UserNo,
    /// At as-of, or after the last event: `Σ lots.remaining − debt`.
    pub balance: i128,
    /// Of it, what is left of paid grants.
    pub paid_balance: i128,
    /// What is owed below zero.
    pub debt: i128,
    /// Sums of the movements by [`MovementKind::position`].
    pub totals: [i128; KINDS],
    /// All lots in the order in which they were given, with what became of them.
    pub lots: Vec<Lot>,
    /// The balance at each of the timeline's marks: before anything that happens at that instant.
    pub at_marks: Vec<i128>,
    /// Where the balance was below zero. The first instant may lie within a stretch of use, whose
    /// rows are not known one by one: see [`super::Dip`] and [`super::below_zero`].
    pub dip: Option<super::Dip>,
}
