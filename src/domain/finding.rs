//! What `reckon` says about rows that do not tie out.

use std::borrow::Cow;

use serde::Serialize;

use super::{Few, Instant, RowId, Rule, Span};

/// Class of a finding, in the order of `contract.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A legacy grant without a unified row.
    Unmigrated,
    /// A legacy deduction without a unified row.
    UnmigratedDeduction,
    /// A pair with different amounts.
    AmountMismatch,
    /// A pair with different actions.
    ActionMismatch,
    /// A pair further apart than the tolerance.
    TimeMismatch,
    /// A pair under two users.
    UserMismatch,
    /// A unified row that repeats a kept one.
    Duplicate,
    /// A legacy row that repeats a kept one.
    SourceDuplicate,
    /// A unified row without a legacy row.
    Orphan,
    /// One grant booked as several rows of equal sum.
    SplitGrant,
    /// Paid for, but not labelled as a purchase.
    MislabelledPurchase,
    /// A label without a meaning in the configuration.
    UnmappedAction,
    /// A row that cannot be read.
    RejectedRow,
    /// A stored balance that nothing explains.
    BalanceGap,
    /// A running balance below zero.
    NegativeBalance,
}

impl Class {
    /// All classes, in order.
    pub const ALL: [Class; 15] = [
        Class::Unmigrated,
        Class::UnmigratedDeduction,
        Class::AmountMismatch,
        Class::ActionMismatch,
        Class::TimeMismatch,
        Class::UserMismatch,
        Class::Duplicate,
        Class::SourceDuplicate,
        Class::Orphan,
        Class::SplitGrant,
        Class::MislabelledPurchase,
        Class::UnmappedAction,
        Class::RejectedRow,
        Class::BalanceGap,
        Class::NegativeBalance,
    ];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Class::Unmigrated => "unmigrated",
            Class::UnmigratedDeduction => "unmigrated_deduction",
            Class::AmountMismatch => "amount_mismatch",
            Class::ActionMismatch => "action_mismatch",
            Class::TimeMismatch => "time_mismatch",
            Class::UserMismatch => "user_mismatch",
            Class::Duplicate => "duplicate",
            Class::SourceDuplicate => "source_duplicate",
            Class::Orphan => "orphan",
            Class::SplitGrant => "split_grant",
            Class::MislabelledPurchase => "mislabelled_purchase",
            Class::UnmappedAction => "unmapped_action",
            Class::RejectedRow => "rejected_row",
            Class::BalanceGap => "balance_gap",
            Class::NegativeBalance => "negative_balance",
        }
    }

    /// The class as a person says it, for reports.
    pub fn title(self) -> &'static str {
        match self {
            Class::Unmigrated => "Never migrated",
            Class::UnmigratedDeduction => "Deduction never migrated",
            Class::AmountMismatch => "Different amount",
            Class::ActionMismatch => "Different action",
            Class::TimeMismatch => "Different time",
            Class::UserMismatch => "Other user",
            Class::Duplicate => "Counted twice",
            Class::SourceDuplicate => "Repeated in the legacy table",
            Class::Orphan => "Without a legacy row",
            Class::SplitGrant => "Booked in parts",
            Class::MislabelledPurchase => "Purchase under another label",
            Class::UnmappedAction => "Label without a meaning",
            Class::RejectedRow => "Row that cannot be read",
            Class::BalanceGap => "Balance that nothing explains",
            Class::NegativeBalance => "Balance below zero",
        }
    }
}

/// How much a finding weighs: an unwaived `error` makes a run not clean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Blocks clean.
    Error,
    /// To be looked at; does not block.
    Warning,
    /// For the record.
    Info,
}

impl Severity {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// Could the rows have been paired otherwise?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Every optimum agrees.
    Forced,
    /// Identical rows: which one is immaterial.
    Interchangeable,
    /// Optima disagree: never in executable SQL.
    Contested,
}

impl Verdict {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Forced => "forced",
            Verdict::Interchangeable => "interchangeable",
            Verdict::Contested => "contested",
        }
    }
}

/// How sure the rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// link, reference, exact.
    High,
    /// near, split, user, one-attribute mismatch.
    Medium,
    /// Everything else.
    Low,
}

impl Confidence {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::High => "high",
            Confidence::Medium => "medium",
            Confidence::Low => "low",
        }
    }
}

/// What can be done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RepairKind {
    /// `backfill.sql` inserts the missing row.
    Backfill,
    /// `repair.sql` updates the unified row.
    Update,
    /// `dedupe.sql` removes the extra row.
    Dedupe,
    /// A person has to look; stands in SQL as a comment.
    Review,
    /// Nothing to do.
    None,
}

impl RepairKind {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            RepairKind::Backfill => "backfill",
            RepairKind::Update => "update",
            RepairKind::Dedupe => "dedupe",
            RepairKind::Review => "review",
            RepairKind::None => "none",
        }
    }

    /// Stands in executable SQL.
    pub fn is_executable(self) -> bool {
        matches!(self, RepairKind::Backfill | RepairKind::Update | RepairKind::Dedupe)
    }
}

/// Where a finding stands among the runs and waivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The previous run did not have it.
    New,
    /// The previous run had it.
    Open,
    /// Accepted, with an owner and an end.
    Waived,
}

impl Status {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Status::New => "new",
            Status::Open => "open",
            Status::Waived => "waived",
        }
    }
}

/// The first 16 hexadecimal digits of SHA-256 over class, sorted legacy ids and sorted unified ids
/// (computed in `audit`): the same finding has the same id in every run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FindingId(pub String);

/// One exception. Columns as in `findings.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable id; empty until `audit` has given it.
    pub id: FindingId,
    /// Class.
    pub class: Class,
    /// Severity.
    pub severity: Severity,
    /// The legacy row's user where there is one, else the unified row's.
    pub user: Option<RowId>,
    /// Legacy rows, ascending.
    pub legacy_ids: Few<RowId>,
    /// Unified rows, ascending.
    pub unified_ids: Few<RowId>,
    /// Label in the legacy table.
    pub action_legacy: Option<String>,
    /// The unified action that is expected.
    pub action_expected: Option<String>,
    /// The action of the unified row.
    pub action_unified: Option<String>,
    /// Tokens of the legacy side: magnitude.
    pub tokens_legacy: Option<i128>,
    /// Tokens of the unified side: magnitude.
    pub tokens_unified: Option<i128>,
    /// What the repair adds to the user's unified balance.
    pub tokens_effect: Option<i128>,
    /// When, in the legacy table.
    pub created_at_legacy: Option<Instant>,
    /// When, in the unified table.
    pub created_at_unified: Option<Instant>,
    /// Unified time − legacy time.
    pub lag: Option<Span>,
    /// The rung that made the pair, or `none`.
    pub rule: Rule,
    /// Could it have been paired otherwise?
    pub verdict: Verdict,
    /// How sure.
    pub confidence: Confidence,
    /// Root cause: a short word, empty where none is known.
    pub cause: Cow<'static, str>,
    /// What shows it, for people: `key=value; …`. No line number, path, time of run or snapshot.
    pub evidence: String,
    /// What can be done.
    pub repair: RepairKind,
    /// Among runs and waivers.
    pub status: Status,
    /// Positions of the legacy rows in the books' entries; empty for rows that are no entries. For
    /// later stages only, never written.
    pub legacy_rows: Few<u32>,
    /// The same for the unified rows.
    pub unified_rows: Few<u32>,
}

impl Finding {
    /// A finding of which nothing is known yet but class, severity and repair: no rows, no rule,
    /// `forced`, of low confidence, new.
    pub fn new(class: Class, severity: Severity, repair: RepairKind) -> Finding {
        Finding {
            id: FindingId(String::new()),
            class,
            severity,
            user: None,
            legacy_ids: Few::new(),
            unified_ids: Few::new(),
            action_legacy: None,
            action_expected: None,
            action_unified: None,
            tokens_legacy: None,
            tokens_unified: None,
            tokens_effect: None,
            created_at_legacy: None,
            created_at_unified: None,
            lag: None,
            rule: Rule::None,
            verdict: Verdict::Forced,
            confidence: Confidence::Low,
            cause: Cow::Borrowed(""),
            evidence: String::new(),
            repair,
            status: Status::New,
            legacy_rows: Few::new(),
            unified_rows: Few::new(),
        }
    }

    /// Keeps a run from being clean: an `error` that nobody has accepted.
    pub fn is_blocking(&self) -> bool {
        self.severity == Severity::Error && self.status != Status::Waived
    }

    /// The previous run did not have it.
    pub fn is_new(&self) -> bool {
        self.status == Status::New
    }
}
