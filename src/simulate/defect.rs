//! The kinds of defect that can be planted.

use super::SimulateError;

/// One kind of defect of the failure catalogue, or of an honest oddity that must give no finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// A grant that was never copied.
    Unmigrated,
    /// A deduction that was never copied.
    UnmigratedDeduction,
    /// A copy with another amount.
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
    /// One payment id, two legacy grants.
    SourceReplay,
    /// A backfill run several times.
    DoubleBackfill,
    /// The historical copy beside the dual write.
    DualWriteCopy,
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
    /// A row without time or with an amount that is none.
    RejectedRow,
    /// A stored balance that nothing explains.
    BalanceGap,
    /// Honest: as many identical grants on both sides, two packs within a minute.
    HonestTwins,
    /// Honest: identical grants that a greedy pairing gets wrong.
    GreedyTrap,
    /// Honest: grants of 0 tokens and failed grants.
    ZeroAndFailed,
}

impl Defect {
    /// All kinds, in the order of the help text.
    pub const ALL: [Defect; 28] = [
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
        Defect::BalanceGap,
        Defect::HonestTwins,
        Defect::GreedyTrap,
        Defect::ZeroAndFailed,
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
            Defect::BalanceGap => "balance_gap",
            Defect::HonestTwins => "honest_twins",
            Defect::GreedyTrap => "greedy_trap",
            Defect::ZeroAndFailed => "zero_and_failed",
        }
    }

    /// The kinds that a word of `--defects` means: a kind, a class with all its kinds, `all`, `none`.
    ///
    /// # Errors
    /// No such kind; names all.
    pub fn parse(word: &str) -> Result<Vec<Defect>, SimulateError> {
        let of_class = |kinds: &[Defect]| Ok(kinds.to_vec());
        match word {
            "all" => of_class(&Defect::ALL),
            "none" => Ok(Vec::new()),
            "duplicate" => {
                of_class(&[Defect::Replay, Defect::DoubleBackfill, Defect::DualWriteCopy, Defect::MVsK])
            }
            "source_duplicate" => of_class(&[Defect::SourceReplay]),
            "user_mismatch" => of_class(&[Defect::OtherUser]),
            "split_grant" => of_class(&[Defect::Split, Defect::Merge]),
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
