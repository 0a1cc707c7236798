//! What can stand behind a gap.

use super::super::GapCause;
use crate::domain::{ActionNo, Books};

/// Why a stored balance would differ from the sum of the rows. Each belongs to one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hypothesis {
    /// The stored balance is right about the rows of the findings of this class.
    Findings,
    /// The stored balance counts rows that the sum leaves out: unmapped or unreadable.
    Uncounted,
    /// The stored balance is ahead of the rows, or behind them: of a pair one row is written, and too young to
    /// be judged.
    Pending,
    /// The same of a pair of which one row lies beyond as-of.
    Late,
    /// A configured policy that the sum of the rows leaves out.
    Configured,
    /// Failed use was counted although it is to be ignored, or the other way round.
    FailedAgainstPolicy,
    /// Use was never taken off.
    NotDeducted,
    /// Tokens given at sign-up that no policy knows: so many are left over for many users.
    OpeningShown(i64),
    /// Grants of this action replaced the balance instead of adding to it.
    ResetBy(ActionNo),
    /// Every grant replaced the balance.
    ResetByAll,
    /// The balance was held at zero.
    HeldAtZero,
    /// Grants that ended were taken off whole, used or not.
    ExpiredAtFaceValue,
}

impl Hypothesis {
    /// Stands in the configuration or in the findings: nobody has to look at the balance for it.
    pub fn is_known(self) -> bool {
        self.is_of_findings() || self == Hypothesis::Configured
    }

    /// Rests on rows that are known one by one: most of them stand in findings.
    pub fn is_of_findings(self) -> bool {
        Hypothesis::OF_FINDINGS.contains(&self)
    }

    /// All that do.
    pub(super) const OF_FINDINGS: [Hypothesis; 4] =
        [Hypothesis::Findings, Hypothesis::Uncounted, Hypothesis::Pending, Hypothesis::Late];

    /// In words, for reports; the cause says which policy or which findings.
    pub fn words(self, cause: GapCause, books: &Books) -> String {
        match self {
            Hypothesis::Findings => match cause {
                GapCause::Unmigrated => "holds grants that never arrived".to_owned(),
                GapCause::Duplicate => "does not hold rows that are there twice".to_owned(),
                GapCause::Amount => "holds the legacy amounts".to_owned(),
                GapCause::Action => "holds what the legacy actions say".to_owned(),
                GapCause::OtherUser => "holds grants under their legacy users".to_owned(),
                GapCause::Orphan => "does not hold rows without a legacy row".to_owned(),
                _ => "holds deductions that never arrived".to_owned(),
            },
            Hypothesis::Uncounted => "counts rows that are unmapped or unreadable".to_owned(),
            Hypothesis::Pending if cause == GapCause::Orphan => "does not hold rows still pending".to_owned(),
            Hypothesis::Pending => "holds rows still pending".to_owned(),
            Hypothesis::Late if cause == GapCause::Orphan => {
                "does not hold rows whose legacy row lies beyond as-of".to_owned()
            }
            Hypothesis::Late => "holds rows whose unified row lies beyond as-of".to_owned(),
            Hypothesis::Configured => match cause {
                GapCause::FailedUsage => "failed use as configured from an instant on".to_owned(),
                GapCause::Opening => "opening tokens as configured".to_owned(),
                GapCause::Reset => "resets as configured".to_owned(),
                GapCause::Clamp => "floor as configured".to_owned(),
                GapCause::Expiry => "expiry as configured".to_owned(),
                _ => "pool as configured".to_owned(),
            },
            Hypothesis::FailedAgainstPolicy => "failed use, against the configured policy".to_owned(),
            Hypothesis::NotDeducted => "use was never taken off".to_owned(),
            Hypothesis::OpeningShown(tokens) => {
                format!("{tokens} tokens at sign-up that no policy knows")
            }
            Hypothesis::ResetBy(action) => {
                format!("{} replaced the balance instead of adding", books.action(action))
            }
            Hypothesis::ResetByAll => "every grant replaced the balance instead of adding".to_owned(),
            Hypothesis::HeldAtZero => "held at zero".to_owned(),
            Hypothesis::ExpiredAtFaceValue => {
                "ended grants were taken off whole, not their unused part".to_owned()
            }
        }
    }
}

/// One cause of a gap with what it gives. Those of a set add up to the gap, less what is
/// unexplained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The column.
    pub cause: GapCause,
    /// What is taken to be behind it.
    pub why: Hypothesis,
    /// Tokens.
    pub tokens: i128,
}

/// All sets of causes that give a gap to the token and have as few causes as that takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanations {
    /// The set that the columns show.
    pub shown: Vec<Cause>,
    /// The others, at most [`LISTED`]: none is better than the one shown.
    pub others: Vec<Vec<Cause>>,
    /// How many others there are.
    pub more: usize,
}

/// So many alternatives of a user are listed.
pub const LISTED: usize = 8;

impl Explanations {
    /// The set that is shown: `usage_not_deducted +432778 (use was never taken off), …`.
    pub fn shown_words(&self, books: &Books) -> String {
        words(&self.shown, books)
    }

    /// The others, and how many are not listed.
    pub fn other_words(&self, books: &Books) -> String {
        let mut sets: Vec<String> = self.others.iter().map(|set| words(set, books)).collect();
        if self.more > self.others.len() {
            sets.push(format!("and {} more", self.more - self.others.len()));
        }
        sets.join(" | ")
    }
}

fn words(set: &[Cause], books: &Books) -> String {
    let word = |part: &Cause| {
        format!("{} {:+} ({})", part.cause.name(), part.tokens, part.why.words(part.cause, books))
    };
    set.iter().map(word).collect::<Vec<_>>().join(", ")
}
