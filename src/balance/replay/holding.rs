//! Who holds a user's tokens at an instant: the user, or the owner of the pool that the user is in.

use crate::domain::{Instant, UserNo};

/// A stretch of time in which a user is in a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership {
    /// Since, inclusive.
    pub from: Instant,
    /// Until, exclusive; `None`: still.
    pub to: Option<Instant>,
    /// At whose row the pool's balance stands.
    pub owner: UserNo,
}

/// Memberships by user. Without any, all users hold their own tokens.
#[derive(Debug, Clone, Default)]
pub struct Holding {
    /// By user: ascending, not overlapping.
    by_user: Vec<Vec<Membership>>,
}

impl Holding {
    /// All users hold their own tokens.
    pub fn alone() -> Holding {
        Holding::default()
    }

    /// Somebody is in a pool.
    pub fn has_pools(&self) -> bool {
        !self.by_user.is_empty()
    }

    /// At whose row a token that moves for `user` at an instant stands.
    pub fn holder(&self, user: UserNo, at: Instant) -> UserNo {
        let Some(memberships) = self.by_user.get(user.0 as usize) else { return user };
        let before = memberships.partition_point(|membership| membership.from <= at);
        match memberships[..before].last() {
            Some(last) if last.to.is_none_or(|to| at < to) => last.owner,
            _ => user,
        }
    }
}
