//! Why stored balances differ, weighed over all users.

use std::collections::BTreeMap;

use crate::balance::{Cause, Explanation, GapCause, Hypothesis, UserBalance};
use crate::domain::Books;

use super::figures::counted;
use super::model::add;

/// One cause of gaps over all users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapCauseTotals {
    /// The cause.
    pub cause: GapCause,
    /// What is taken to be behind it.
    pub why: Hypothesis,
    /// Users whose columns show it.
    pub users: u64,
    /// Those of them for whom other sets of causes would do as well.
    pub users_several: u64,
    /// Tokens, with their signs.
    pub tokens: i128,
    /// In words: `subscription_grant replaced the balance instead of adding`.
    pub detail: String,
}

impl GapCauseTotals {
    /// `412 balances: opening tokens as configured`.
    pub fn sentence(&self) -> String {
        format!("{}: {}", counted(self.users, "balance", "balances"), self.detail)
    }
}

/// Users by how their gap is explained, in the order of [`Explanation`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExplanationTotals {
    /// No gap.
    pub none_needed: u64,
    /// One smallest set of causes.
    pub unique: u64,
    /// Several.
    pub several: u64,
    /// A part.
    pub partial: u64,
    /// Nothing.
    pub unexplained: u64,
}

/// By cause and what is behind it, those of most users first.
pub(super) fn totals(users: &[UserBalance], books: &Books) -> Vec<GapCauseTotals> {
    let mut sums: BTreeMap<(usize, Hypothesis), GapCauseTotals> = BTreeMap::new();
    for user in users {
        let is_several = user.explanation == Some(Explanation::Several);
        for &Cause { cause, why, tokens } in &user.explained_by.shown {
            let sum = sums.entry((cause as usize, why)).or_insert_with(|| GapCauseTotals {
                cause,
                why,
                users: 0,
                users_several: 0,
                tokens: 0,
                detail: why.words(cause, books),
            });
            sum.users += 1;
            sum.users_several += u64::from(is_several);
            sum.tokens = add(sum.tokens, tokens);
        }
    }
    let mut totals: Vec<GapCauseTotals> = sums.into_values().collect();
    totals.sort_by_key(|total| std::cmp::Reverse(total.users));
    totals
}

/// How many users are explained how.
pub(super) fn explanations(users: &[UserBalance]) -> ExplanationTotals {
    let mut totals = ExplanationTotals::default();
    for user in users {
        match user.explanation {
            None => {}
            Some(Explanation::NoneNeeded) => totals.none_needed += 1,
            Some(Explanation::Unique) => totals.unique += 1,
            Some(Explanation::Several) => totals.several += 1,
            Some(Explanation::Partial) => totals.partial += 1,
            Some(Explanation::Unexplained) => totals.unexplained += 1,
        }
    }
    totals
}
