//! Everything that happened to one holder, in order of time, with the use between two other events
//! summed.

use super::policy::{End, Policies};
use crate::domain::{ActionNo, Instant, UserNo};

/// One holder's events. Within one instant: marks, users who join, grants, deductions, use; so a
/// grant at the instant of a use can be used, and a grant that ends there cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// At whose row the balance stands.
    pub holder: UserNo,
    /// Ascending by [`Event::at`].
    pub events: Vec<Event>,
    /// The end: as-of.
    pub as_of: Instant,
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When; of a stretch of use, its first instant.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// Where an event stands in a timeline.
pub type Place = (Instant, u8, i64, u32);

impl Event {
    /// Its place among the others: by time; within one instant what replaces the balance before what adds to
    /// it, so that as little as possible is lost; then by tokens and row.
    pub fn place(&self, policies: &Policies) -> Place {
        let (rank, tokens, number) = match self.what {
            What::Mark => (0, 0, 0),
            What::Joined => (1, 0, 0),
            What::Grant(row) => {
                let resets = policies.at(self.at).resets[usize::from(row.action.0)];
                (if resets { 2 } else { 3 }, row.tokens, row.row)
            }
            What::Deduction(row) => (4, row.tokens, row.row),
            What::Use(_) => (5, 0, 0),
        };
        (self.at, rank, tokens, number)
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A mark: the balance before this instant is asked for.
    Mark,
    /// The holder's own first row, or as-of without one: opening tokens are given.
    Joined,
    /// A grant.
    Grant(RowEvent),
    /// A deduction.
    Deduction(RowEvent),
    /// Use, with no other event, end of a grant or change of policy between its first and its last
    /// instant.
    Use(Use),
}

/// A row of the unified table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowEvent {
    /// Position in the unified entries.
    pub row: u32,
    /// Its user: of a pool, the member.
    pub user: UserNo,
    /// Its action.
    pub action: ActionNo,
    /// Magnitude in tokens.
    pub tokens: i64,
    /// It was paid for.
    pub paid: bool,
    /// What the rows say of its end.
    pub end: End,
}

/// A stretch of use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Use {
    /// Operations that succeeded.
    pub succeeded: Option<Stretch>,
    /// Operations that failed.
    pub failed: Option<Stretch>,
}

/// Rows of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The first.
    pub first: Instant,
    /// The last.
    pub last: Instant,
    /// How many.
    pub rows: u32,
    /// Their tokens, above or equal zero.
    pub tokens: i128,
}

impl Stretch {
    /// Both together.
    pub fn joined(self, other: Stretch) -> Stretch {
        Stretch {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            rows: self.rows.saturating_add(other.rows),
            tokens: self.tokens + other.tokens,
        }
    }
}

impl Use {
    /// What of it takes tokens.
    pub fn counted(&self, count_failed: bool) -> Option<Stretch> {
        match (self.succeeded, self.failed.filter(|_| count_failed)) {
            (Some(succeeded), Some(failed)) => Some(succeeded.joined(failed)),
            (one, other) => one.or(other),
        }
    }
}
