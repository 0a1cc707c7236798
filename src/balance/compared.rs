//! Of how many users the balance was compared with a stored one. Without it a gap cannot show, so no
//! gap is no proof.

use super::StoredByUser;
use super::recompute::used;
use super::replay::Holding;
use crate::config::Config;
use crate::cores::at_once;
use crate::domain::{Books, Entry, Overflow, UserNo};

/// Users whose tokens move in the ledgers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// All of them.
    pub users: u64,
    /// Those with tokens at a row without a stored balance, or with an unknown one.
    pub without: u64,
}

impl Compared {
    /// What a reader of the report must know where some users were not compared; `None` where all were, where
    /// nothing is to be compared with, and where no balance is stored at all, which is told by itself.
    pub fn warning(&self, stored: Option<&StoredByUser>) -> Option<String> {
        let has_any = stored.is_some_and(|stored| !stored.is_empty());
        (has_any && self.without > 0).then(|| {
            format!(
                "{} of {} users with rows have no stored balance (or an empty one), so no gap can show there: \
                 make sure that the right table or file was read, whole",
                self.without, self.users
            )
        })
    }
}

/// By user: nothing moves, all of it is compared, or not all.
type Moves = Vec<Option<bool>>;

/// Counts them. In a pool the tokens of a user stand at the row of its owner.
///
/// # Errors
/// [`Overflow`] of the sum of a user's usage.
pub fn compared(
    books: &Books,
    config: &Config,
    stored: Option<&StoredByUser>,
    holding: &Holding,
) -> Result<Compared, Overflow> {
    let mut is_stored = vec![false; books.roster.len()];
    for (user, _) in stored.into_iter().flatten().filter(|(_, tokens)| tokens.is_some()) {
        is_stored[user.0 as usize] = true;
    }
    let add = |moves: &mut Moves, user: UserNo, at| {
        let known = is_stored[holding.holder(user, at).0 as usize];
        let so_far = &mut moves[user.0 as usize];
        *so_far = Some(so_far.unwrap_or(true) && known);
    };
    let of_rows = |entries: &[Entry]| {
        let mut moves: Moves = vec![None; is_stored.len()];
        entries
            .iter()
            .filter(|entry| entry.moves_a_balance())
            .for_each(|entry| add(&mut moves, entry.user, entry.at));
        moves
    };
    let (legacy, mut all) = at_once(|| of_rows(&books.legacy.entries), || of_rows(&books.unified.entries));
    for (all, legacy) in all.iter_mut().zip(legacy) {
        *all = match (*all, legacy) {
            (Some(a), Some(b)) => Some(a && b),
            (one, other) => one.or(other),
        };
    }
    // No settled user is ever in a pool, so that it does not matter when the rows were.
    for (user, moved) in (0..).map(UserNo).zip(&books.settled.moved) {
        if *moved != (0, 0) {
            add(&mut all, user, books.as_of);
        }
    }
    // Use is summed by user: when it was is not known here.
    for (user, usage) in (0..).map(UserNo).zip(&books.usage) {
        if used(usage, config)? != 0 {
            add(&mut all, user, books.as_of);
        }
    }
    Ok(Compared {
        users: all.iter().flatten().count() as u64,
        without: all.iter().flatten().filter(|known| !**known).count() as u64,
    })
}
