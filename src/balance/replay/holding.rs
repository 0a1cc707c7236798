//! Who holds a user's tokens at an instant: the user, or the owner of the pool that the user is in.

use std::collections::{BTreeMap, BTreeSet};

use crate::balance::StoredByUser;
use crate::domain::{Books, Entry, Instant, Kind, RowId, UserNo};
use crate::normalise::Member;

/// Why it cannot be told who holds a user's tokens.
#[derive(Debug, thiserror::Error)]
pub enum HoldingError {
    /// A user is in two pools at once.
    #[error(
        "{table}: user {user} is in pool {first} and in pool {second} at once, at {at}. Tokens can be in one \
         pool only: correct the rows, or map the columns `from` and `to` in [balances.pools]"
    )]
    TwoPools {
        /// Table or file.
        table: String,
        /// The user.
        user: RowId,
        /// One pool.
        first: RowId,
        /// The other.
        second: RowId,
        /// An instant at which both hold.
        at: String,
    },
    /// The rows of a pool name several owners.
    #[error(
        "{table}: pool {pool} has two owners, {first} and {second}. A pool's balance is one number at one \
         owner's: correct the rows, or give the pool a new id with its new owner"
    )]
    TwoOwners {
        /// Table or file.
        table: String,
        /// The pool.
        pool: RowId,
        /// One owner.
        first: RowId,
        /// The other.
        second: RowId,
    },
}

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

    /// From the members. The pool's balance stands at its owner's row; where no column names the
    /// owner, at that of the only member with a stored balance, or else of the only one with grants
    /// of its own, or else of the first by id. Users that are not in the books are left out.
    ///
    /// # Errors
    /// [`HoldingError`].
    pub fn of(
        members: &[Member],
        books: &Books,
        stored: Option<&StoredByUser>,
        table: &str,
    ) -> Result<Holding, HoldingError> {
        let owners = owners(members, books, stored, table)?;
        let mut by_user = vec![Vec::new(); books.roster.len()];
        for of_user in members.chunk_by(|a, b| a.user == b.user) {
            let memberships = memberships(of_user, table)?;
            let Some(user) = books.roster.find(&of_user[0].user) else { continue };
            let owned = |(from, to, pool)| owners.get(pool).map(|&owner| Membership { from, to, owner });
            by_user[user.0 as usize] = memberships.into_iter().filter_map(owned).collect();
        }
        Ok(Holding { by_user })
    }

    /// Somebody is in a pool.
    pub fn has_pools(&self) -> bool {
        !self.by_user.is_empty()
    }

    /// The tokens of `user` stand at the row of `owner` at some time.
    pub fn ever_at(&self, user: UserNo, owner: UserNo) -> bool {
        let memberships = self.by_user.get(user.0 as usize);
        memberships.into_iter().flatten().any(|membership| membership.owner == owner)
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

/// At whose row the balance of each pool stands.
fn owners<'m>(
    members: &'m [Member],
    books: &Books,
    stored: Option<&StoredByUser>,
    table: &str,
) -> Result<BTreeMap<&'m RowId, UserNo>, HoldingError> {
    let mut named: BTreeMap<&RowId, &RowId> = BTreeMap::new();
    let mut by_pool: BTreeMap<&RowId, BTreeSet<UserNo>> = BTreeMap::new();
    for member in members {
        by_pool.entry(&member.pool).or_default().extend(books.roster.find(&member.user));
        let Some(owner) = &member.owner else { continue };
        let first = *named.entry(&member.pool).or_insert(owner);
        if first != owner {
            return Err(HoldingError::TwoOwners {
                table: table.to_owned(),
                pool: member.pool.clone(),
                first: first.clone(),
                second: owner.clone(),
            });
        }
    }
    // One that failed, is worth nothing or lies beyond as-of grants nothing, and moves no pool.
    let is_grant = |entry: &&Entry| entry.kind == Kind::Grant && entry.tokens > 0 && entry.moves_a_balance();
    let grants = books.unified.entries.iter().filter(is_grant);
    let granted: BTreeSet<UserNo> = grants.map(|entry| entry.user).collect();
    let has_stored =
        |user: &UserNo| stored.is_some_and(|stored| stored.get(user).copied().flatten().is_some());
    let owner = |(pool, users): (&'m RowId, BTreeSet<UserNo>)| {
        let named = named.get(pool).and_then(|owner| books.roster.find(owner));
        let owner = named
            .or_else(|| only(users.iter().copied().filter(has_stored)))
            .or_else(|| only(users.intersection(&granted).copied()))
            .or_else(|| users.first().copied());
        owner.map(|owner| (pool, owner))
    };
    Ok(by_pool.into_iter().filter_map(owner).collect())
}

fn only(mut users: impl Iterator<Item = UserNo>) -> Option<UserNo> {
    users.next().filter(|_| users.next().is_none())
}

/// Since, until, in which pool.
type InPool<'m> = (Instant, Option<Instant>, &'m RowId);

/// One user's stretches of time in pools, ascending; those in one pool that meet or overlap are one.
fn memberships<'m>(of_user: &'m [Member], table: &str) -> Result<Vec<InPool<'m>>, HoldingError> {
    let mut sorted: Vec<_> =
        of_user.iter().map(|member| (member.from.unwrap_or(Instant::MIN), member.to, &member.pool)).collect();
    sorted.sort_unstable();
    let mut joined: Vec<InPool<'m>> = Vec::new();
    for (from, to, pool) in sorted {
        match joined.last_mut() {
            Some(last) if last.1.is_none_or(|end| from < end) => {
                if last.2 != pool {
                    return Err(HoldingError::TwoPools {
                        table: table.to_owned(),
                        user: of_user[0].user.clone(),
                        first: last.2.clone(),
                        second: pool.clone(),
                        at: if from == Instant::MIN { "all times".to_owned() } else { from.rfc3339() },
                    });
                }
                last.1 = last.1.zip(to).map(|(a, b)| a.max(b));
            }
            _ => joined.push((from, to, pool)),
        }
    }
    Ok(joined)
}
