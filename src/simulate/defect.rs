//! The kinds of defect that can be planted.

use super::{Shape, SimulateError};

/// One kind of defect of the failure catalogue, or of an honest oddity that must give no finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// A grant that was never copied.
    Unmigrated,
    /// A deduction that was never copied.
    UnmigratedDeduction,
    /// A copy with another amount: off by one, or by a change of plan.
    AmountMismatch,
    /// A copy typed `admin_grant`.
    ActionMismatch,
    /// A copy some hours late.
    LateCopy,
    /// All copies of a user five hours late: a time zone.
    UniformShift,
    /// A history of a user copied at one instant.
    BulkStamp,
    /// A grant under the household's admin.
    OtherUser,
    /// One payment id, two unified grants.
    Replay,
    /// One payment id, two legacy grants (shape B: shape A has no payment ids).
    SourceReplay,
    /// A backfill run several times.
    DoubleBackfill,
    /// The historical copy beside the dual write.
    DualWriteCopy,
    /// A clean-up by user, amount and time without the action: it took a true grant, and left a copy.
    DedupeWithoutAction,
    /// k identical legacy rows, m < k copies.
    KVsM,
    /// k identical legacy rows, m > k copies.
    MVsK,
    /// A copy of a legacy row that does not exist.
    Phantom,
    /// A unified grant without mark and without a legacy row.
    Orphan,
    /// A grant that was written to make a balance right.
    Plug,
    /// One legacy grant in several unified rows.
    Split,
    /// Several legacy rows in one unified grant.
    Merge,
    /// A purchase copied as `admin_grant`.
    MislabelledPurchase,
    /// A purchase that the payment webhook wrote as `admin_grant`.
    WebhookLabel,
    /// A row of the rarer sign without a partner.
    SignEra,
    /// A label without a meaning.
    UnmappedAction,
    /// A row without time, user or amount.
    RejectedRow,
    /// One copy exactly between two equal grants: which one is missing, nobody can say.
    ContestedMissing,
    /// Two copies equally far from one grant: which one is extra, nobody can say.
    ContestedCopy,
    /// A stored balance that nothing explains.
    BalanceGap,
    /// A stored balance from which usage was never taken.
    NeverDecremented,
    /// A stored balance that counts failed operations.
    FailedCounted,
    /// More used than granted.
    NegativeBalance,
    /// Default tokens at sign-up without a row: a policy that explains the gap.
    Opening,
    /// A stored balance that each subscription grant replaced: a policy.
    Reset,
    /// A stored balance that stopped at zero: a policy.
    Clamp,
    /// A stored balance without the unused part of the trial: a policy.
    Expired,
    /// A household: grants to its owner, usage by its members.
    Pool,
    /// Honest: as many identical grants on both sides, two packs within a minute.
    HonestTwins,
    /// Honest: identical grants that a greedy pairing gets wrong.
    GreedyTrap,
    /// Honest: grants of 0 tokens and failed grants.
    ZeroAndFailed,
    /// Honest: usage and transfers in the legacy table.
    LegacyUsage,
    /// Honest: rows after as-of.
    Future,
    /// Honest: rows so young that their partner may still come.
    Pending,
    /// Honest: a balance in two profile rows.
    TwoProfiles,
}

impl Defect {
    /// All kinds, in the order of the help text.
    pub const ALL: [Defect; 43] = [
        Defect::Unmigrated,
        Defect::UnmigratedDeduction,
        Defect::AmountMismatch,
        Defect::ActionMismatch,
        Defect::LateCopy,
        Defect::UniformShift,
        Defect::BulkStamp,
        Defect::OtherUser,
        Defect::Replay,
        Defect::SourceReplay,
        Defect::DoubleBackfill,
        Defect::DualWriteCopy,
        Defect::DedupeWithoutAction,
        Defect::KVsM,
        Defect::MVsK,
        Defect::Phantom,
        Defect::Orphan,
        Defect::Plug,
        Defect::Split,
        Defect::Merge,
        Defect::MislabelledPurchase,
        Defect::WebhookLabel,
        Defect::SignEra,
        Defect::UnmappedAction,
        Defect::RejectedRow,
        Defect::ContestedMissing,
        Defect::ContestedCopy,
        Defect::BalanceGap,
        Defect::NeverDecremented,
        Defect::FailedCounted,
        Defect::NegativeBalance,
        Defect::Opening,
        Defect::Reset,
        Defect::Clamp,
        Defect::Expired,
        Defect::Pool,
        Defect::HonestTwins,
        Defect::GreedyTrap,
        Defect::ZeroAndFailed,
        Defect::LegacyUsage,
        Defect::Future,
        Defect::Pending,
        Defect::TwoProfiles,
    ];

    /// The name used in `--defects` and in `truth.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Defect::Unmigrated => "unmigrated",
            Defect::UnmigratedDeduction => "unmigrated_deduction",
            Defect::AmountMismatch => "amount_mismatch",
            Defect::ActionMismatch => "action_mismatch",
            Defect::LateCopy => "time_mismatch",
            Defect::UniformShift => "uniform_shift",
            Defect::BulkStamp => "bulk_stamp",
            Defect::OtherUser => "other_user",
            Defect::Replay => "replay",
            Defect::SourceReplay => "source_replay",
            Defect::DoubleBackfill => "double_backfill",
            Defect::DualWriteCopy => "dual_write_copy",
            Defect::DedupeWithoutAction => "dedupe_without_action",
            Defect::KVsM => "k_vs_m",
            Defect::MVsK => "m_vs_k",
            Defect::Phantom => "phantom",
            Defect::Orphan => "orphan",
            Defect::Plug => "plug",
            Defect::Split => "split",
            Defect::Merge => "merge",
            Defect::MislabelledPurchase => "mislabelled_purchase",
            Defect::WebhookLabel => "webhook_label",
            Defect::SignEra => "sign_era",
            Defect::UnmappedAction => "unmapped_action",
            Defect::RejectedRow => "rejected_row",
            Defect::ContestedMissing => "contested_missing",
            Defect::ContestedCopy => "contested_copy",
            Defect::BalanceGap => "balance_gap",
            Defect::NeverDecremented => "never_decremented",
            Defect::FailedCounted => "failed_counted",
            Defect::NegativeBalance => "negative_balance",
            Defect::Opening => "opening",
            Defect::Reset => "reset",
            Defect::Clamp => "clamp",
            Defect::Expired => "expired",
            Defect::Pool => "pool",
            Defect::HonestTwins => "honest_twins",
            Defect::GreedyTrap => "greedy_trap",
            Defect::ZeroAndFailed => "zero_and_failed",
            Defect::LegacyUsage => "legacy_usage",
            Defect::Future => "future",
            Defect::Pending => "pending",
            Defect::TwoProfiles => "two_profiles",
        }
    }

    /// A user has this kind and no other: its stored balance follows a history of its own.
    pub(super) fn stands_alone(self) -> bool {
        matches!(
            self,
            Defect::NegativeBalance | Defect::Reset | Defect::Clamp | Defect::Expired | Defect::Pool
        )
    }

    /// Of these a user has one at most: each says what the stored balance is.
    pub(super) fn is_about_the_balance(self) -> bool {
        matches!(self, Defect::BalanceGap | Defect::NeverDecremented | Defect::FailedCounted)
    }

    /// Can a ledger of this shape hold it?
    pub fn fits(self, shape: Shape) -> bool {
        shape == Shape::B || self != Defect::SourceReplay
    }

    /// The kinds that the words of `--defects` mean: kinds, classes with all their kinds, `all`,
    /// `none`; a `-` before a word takes its kinds away again. In the order of [`Defect::ALL`].
    ///
    /// # Errors
    /// No such kind; names all.
    pub fn parse_list<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Vec<Defect>, SimulateError> {
        let mut chosen = Vec::new();
        for (at, word) in words.into_iter().map(str::trim).filter(|word| !word.is_empty()).enumerate() {
            match word.strip_prefix('-') {
                Some(word) => {
                    if at == 0 {
                        chosen.extend(Defect::ALL);
                    }
                    let without = Defect::parse(word)?;
                    chosen.retain(|kind| !without.contains(kind));
                }
                None => chosen.extend(Defect::parse(word)?),
            }
        }
        chosen.sort_unstable();
        chosen.dedup();
        Ok(chosen)
    }

    /// The kinds that one word means.
    ///
    /// # Errors
    /// No such kind; names all.
    pub fn parse(word: &str) -> Result<Vec<Defect>, SimulateError> {
        let of_class = |kinds: &[Defect]| Ok(kinds.to_vec());
        match word {
            "all" => of_class(&Defect::ALL),
            "none" => Ok(Vec::new()),
            "duplicate" => of_class(&[
                Defect::Replay,
                Defect::DoubleBackfill,
                Defect::DualWriteCopy,
                Defect::DedupeWithoutAction,
                Defect::MVsK,
                Defect::ContestedCopy,
            ]),
            "source_duplicate" => of_class(&[Defect::SourceReplay]),
            "user_mismatch" => of_class(&[Defect::OtherUser]),
            "split_grant" => of_class(&[Defect::Split, Defect::Merge]),
            "contested" => of_class(&[Defect::ContestedMissing, Defect::ContestedCopy]),
            _ => match Defect::ALL.into_iter().find(|defect| defect.name() == word) {
                Some(defect) => Ok(vec![defect]),
                None => Err(SimulateError::NoSuchDefect { word: word.to_owned(), all: names() }),
            },
        }
    }
}

fn names() -> String {
    Defect::ALL.map(Defect::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_add_and_take_away() {
        let cases: [(&[&str], Option<usize>); 7] = [
            (&["all"], Some(Defect::ALL.len())),
            (&["none"], Some(0)),
            (&["all", "-clamp"], Some(Defect::ALL.len() - 1)),
            (&["-clamp"], Some(Defect::ALL.len() - 1)),
            (&["split_grant", " merge "], Some(2)),
            (&["duplicate", "-replay"], Some(5)),
            (&["phantasm"], None),
        ];
        for (words, expected) in cases {
            let found = Defect::parse_list(words.iter().copied()).ok().map(|kinds| kinds.len());
            assert_eq!(found, expected, "{words:?}");
        }
    }
}
