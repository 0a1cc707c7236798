//! Opening tokens that no policy knows: the same number left over for many users.

use std::collections::{BTreeMap, HashSet};

use super::holder::Holder;
use crate::domain::Books;

/// So many users must be left with the same number.
const FEWEST_USERS: u64 = 5;
/// And at least one in so many of those whose gap nothing explains.
const SHARE: u64 = 10;

/// What single causes leave over of the gaps that nothing explains.
#[derive(Debug)]
pub(super) struct Leftovers {
    users: u64,
    by_tokens: BTreeMap<i64, u64>,
    /// Amounts of rows: what is left over in their size is a grant, not opening tokens.
    amounts: HashSet<i64>,
}

impl Leftovers {
    pub fn new(books: &Books) -> Leftovers {
        let entries = books.unified.entries.iter().chain(&books.legacy.entries);
        let settled = books.settled.amounts().map(|((_, tokens), _)| *tokens);
        let amounts = entries.map(|entry| entry.tokens).chain(settled).collect();
        Leftovers { users: 0, by_tokens: BTreeMap::new(), amounts }
    }

    /// A holder whose stored balance no set gives.
    pub fn add(&mut self, holder: &Holder<'_>, stored: i128) {
        self.users += 1;
        let gap = stored - holder.plain;
        let effects = holder.options.iter().map(|option| option.effect).chain([0]);
        let mut rests: Vec<i64> = effects
            .filter_map(|effect| i64::try_from(gap - effect).ok())
            .filter(|rest| *rest > 0 && !self.amounts.contains(rest))
            .collect();
        rests.sort_unstable();
        rests.dedup();
        rests.into_iter().for_each(|rest| *self.by_tokens.entry(rest).or_default() += 1);
    }

    /// The number that is left over most often, if that is often; of several the smallest.
    pub fn constant(&self) -> Option<i64> {
        let most = self.by_tokens.values().max()?;
        let enough = *most >= FEWEST_USERS && *most * SHARE >= self.users;
        self.by_tokens.iter().find(|(_, users)| *users == most && enough).map(|(tokens, _)| *tokens)
    }
}
