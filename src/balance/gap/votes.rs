//! Which causes stored balances show at all, over all users: what an unexplained rest is measured
//! against.

use super::super::GapCause;
use super::holder::{Choosable, Holder};
use super::hypothesis::Hypothesis;
use super::search::Possible;

/// How often a cause that could be there was there, by column.
#[derive(Debug, Clone, Default)]
pub(super) struct Votes {
    there: [u64; GapCause::COUNT],
    absent: [u64; GapCause::COUNT],
}

/// Does this cause count towards a partial explanation unless the data say otherwise? Configured
/// policies and findings whose rows are known do; rows that wait explain a whole gap or nothing.
pub(super) fn counts(why: Hypothesis) -> bool {
    matches!(why, Hypothesis::Configured | Hypothesis::Findings)
}

impl Votes {
    /// A user whose balance is explained in one way, or has no gap: what was there, and what was not
    /// although it would have made a difference.
    pub fn add(&mut self, holder: &Holder<'_>, set: &[Choosable]) {
        let balance = holder.balance_of(set);
        let counted = holder.options.iter().filter(|option| counts(option.possible.why));
        for option in counted {
            let Possible { cause, why, .. } = option.possible;
            let same = |other: &&Choosable| (other.possible.cause, other.possible.why) == (cause, why);
            let excludes = |other: &Choosable| other.possible.excludes(&option.possible);
            match set.iter().find(same) {
                Some(_) => self.there[cause as usize] += 1,
                None if set.iter().any(excludes) => self.absent[cause as usize] += 1,
                None => {
                    let with: Vec<Choosable> = set.iter().chain([option]).copied().collect();
                    self.absent[cause as usize] += u64::from(holder.balance_of(&with) != balance);
                }
            }
        }
    }

    /// Most balances that could show this cause do not.
    pub fn are_against(&self, cause: GapCause) -> bool {
        self.absent[cause as usize] > self.there[cause as usize]
    }
}
