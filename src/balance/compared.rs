//! Of how many users the balance was compared with a stored one. Without it a gap cannot show, so no
//! gap is no proof.

use super::Balances;
use super::replay::Holding;
use crate::domain::{Books, PopulationClass, UserNo};

/// Users whose tokens move in the ledgers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// All of them.
    pub users: u64,
    /// Those with tokens at a row without a stored balance, or with an unknown one.
    pub without: u64,
}

/// Counts them. In a pool the tokens of a user stand at the row of its owner.
pub fn compared(books: &Books, balances: &Balances, holding: &Holding) -> Compared {
    let is_stored = |at: usize| balances.users.get(at).is_some_and(|balance| balance.stored.is_some());
    // By user: nothing moves, all of it is compared, or not.
    let mut all: Vec<Option<bool>> = vec![None; balances.users.len()];
    let mut moves = |user: UserNo, at| {
        let known = is_stored(holding.holder(user, at).0 as usize);
        if let Some(so_far) = all.get_mut(user.0 as usize) {
            *so_far = Some(so_far.unwrap_or(true) && known);
        }
    };
    for entry in books.legacy.entries.iter().chain(&books.unified.entries) {
        let counts = matches!(entry.class, PopulationClass::Grants | PopulationClass::Deductions);
        if counts && entry.succeeded {
            moves(entry.user, entry.at);
        }
    }
    // No settled user is ever in a pool, so that it does not matter when the rows were.
    for (balance, moved) in balances.users.iter().zip(&books.settled.moved) {
        if *moved != (0, 0) {
            moves(balance.user, books.as_of);
        }
    }
    // Use is summed by user: when it was is not known here.
    for balance in balances.users.iter().filter(|balance| balance.used != 0) {
        moves(balance.user, books.as_of);
    }
    Compared {
        users: all.iter().flatten().count() as u64,
        without: all.iter().flatten().filter(|known| !**known).count() as u64,
    }
}
