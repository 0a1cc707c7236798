//! A small pair of ledgers as a person would write it down: what the oracle judges, what the
//! generators make and what is written to CSV for the program.

use std::collections::BTreeSet;

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Microseconds in a day.
pub const DAY: i64 = 24 * HOUR;

/// The action that payment evidence makes expected.
pub const PURCHASE: &str = "token_pack_purchase";
/// Unified labels that add.
pub const GRANTS: [&str; 4] = ["admin_grant", "subscription_grant", "trial_grant", PURCHASE];
/// Unified labels that take.
pub const DEDUCTIONS: [&str; 1] = ["admin_deduct"];
/// Unified labels for which no legacy row is expected.
pub const UNIFIED_ONLY: [&str; 3] = ["trial_grant", "admin_grant", PURCHASE];
/// Legacy labels and what they mean; any other label is unmapped.
pub const LEGACY_ACTIONS: [(&str, &str); 7] = [
    ("sub", "subscription_grant"),
    ("renewal", "subscription_grant"),
    ("admin", "admin_grant"),
    ("pack", PURCHASE),
    ("refund", "admin_deduct"),
    ("chat", "usage"),
    ("old", "ignore"),
];

/// One row of either table. Times are microseconds after [`super::files::EPOCH`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The row's id.
    pub id: String,
    /// The user; empty: the row has none.
    pub user: String,
    /// The label as its table has it.
    pub label: String,
    /// Tokens as stored; `None`: not an integer.
    pub amount: Option<i64>,
    /// When; `None`: null.
    pub at: Option<i64>,
    /// Values of the reference columns.
    pub refs: BTreeSet<String>,
    /// The payment column has a value.
    pub payment: bool,
    /// Unified: the legacy id it was copied from.
    pub link: Option<String>,
    /// Unified: says that it was migrated.
    pub migrated: bool,
    /// Unified: `success = false`.
    pub failed: bool,
}

/// The settings that the rules depend on. Spans in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// |lag| of a good pair.
    pub tolerance: i64,
    /// How far a mismatched partner may lie.
    pub window: i64,
    /// Younger unpaired rows are pending.
    pub settle: i64,
    /// The instant of the reconciliation.
    pub as_of: i64,
    /// `payment` is not configured, so that a reference is payment evidence.
    pub reference_is_payment: bool,
    /// `[repair] time = true`.
    pub repair_time: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            tolerance: 2 * SECOND,
            window: HOUR,
            settle: 5 * MINUTE,
            as_of: 60 * DAY,
            reference_is_payment: false,
            repair_time: false,
        }
    }
}

/// Both tables and the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledgers {
    /// Settings.
    pub rules: Rules,
    /// The legacy table.
    pub legacy: Vec<Row>,
    /// The unified table.
    pub unified: Vec<Row>,
}

impl Row {
    /// A plain row: `row("l1", "ann", "sub", 100, 0)`.
    pub fn new(id: &str, user: &str, label: &str, amount: i64, at: i64) -> Row {
        Row {
            id: id.into(),
            user: user.into(),
            label: label.into(),
            amount: Some(amount),
            at: Some(at),
            ..Row::default()
        }
    }
}

/// One thing that is said about rows: the part of a finding that the oracle decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// `class`.
    pub class: String,
    /// `severity`.
    pub severity: String,
    /// `legacy_ids`, ascending.
    pub legacy: Vec<String>,
    /// `unified_ids`, ascending.
    pub unified: Vec<String>,
    /// `tokens_effect`; `None` where the rule book does not settle it.
    pub effect: Option<i64>,
    /// `rule`.
    pub rule: String,
    /// `verdict`.
    pub verdict: String,
    /// `repair`.
    pub repair: String,
}

impl Said {
    /// One line, as test tables show it.
    pub fn line(&self) -> String {
        let effect = self.effect.map_or_else(|| "?".to_owned(), |effect| format!("{effect:+}"));
        format!(
            "{} {} [{}] [{}] {} {} {} {}",
            self.class,
            self.severity,
            self.legacy.join(" "),
            self.unified.join(" "),
            effect,
            self.rule,
            self.verdict,
            self.repair
        )
    }
}
