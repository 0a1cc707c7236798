//! How grave a finding is: its class says it, and for some whether a row of it lies beyond as-of or what
//! can be done. A severity that was written down otherwise would make a run clean.

use crate::domain::{Class, Instant, RepairKind, Severity};

/// A finding as `findings.csv` has it, as far as its severity hangs on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub class: &'a str,
    pub repair: &'a str,
    /// When, in both tables; `None`: unknown.
    pub legacy_at: Option<Instant>,
    pub unified_at: Option<Instant>,
    pub as_of: Option<Instant>,
}

/// The severities that the rule book gives to such a finding; none for a class that this version does not
/// know.
pub(super) fn expected(facts: Facts<'_>) -> &'static [Severity] {
    const ERROR: &[Severity] = &[Severity::Error];
    const WARNING: &[Severity] = &[Severity::Warning];
    let is_late = |at: Option<Instant>| at.zip(facts.as_of).is_some_and(|(at, as_of)| at > as_of);
    let unless = |late: bool| if late { WARNING } else { ERROR };
    let Some(class) = Class::ALL.into_iter().find(|class| class.name() == facts.class) else { return &[] };
    match class {
        Class::Unmigrated
        | Class::UnmigratedDeduction
        | Class::Duplicate
        | Class::UnmappedAction
        | Class::BalanceGap => ERROR,
        Class::UserMismatch | Class::AmountMismatch | Class::ActionMismatch => {
            unless(is_late(facts.unified_at))
        }
        Class::RejectedRow => unless(is_late(facts.legacy_at) || is_late(facts.unified_at)),
        Class::TimeMismatch
        | Class::SourceDuplicate
        | Class::MislabelledPurchase
        | Class::NegativeBalance => WARNING,
        // Which of its rows is late the file does not say; neither stands against a clean result.
        Class::SplitGrant => &[Severity::Info, Severity::Warning],
        Class::Orphan => unless(facts.repair == RepairKind::None.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_follows_from_the_class_and_from_as_of() {
        let as_of = Some(Instant(10));
        // class, repair, time of the unified row, severities
        let cases = [
            ("unmigrated", "backfill", None, "error"),
            ("amount_mismatch", "update", Some(Instant(10)), "error"),
            ("amount_mismatch", "update", Some(Instant(11)), "warning"),
            ("duplicate", "review", Some(Instant(11)), "error"),
            ("rejected_row", "review", Some(Instant(11)), "warning"),
            ("time_mismatch", "none", None, "warning"),
            ("split_grant", "none", None, "info warning"),
            ("orphan", "review", None, "error"),
            ("orphan", "none", None, "warning"),
            ("balance_gap", "review", None, "error"),
            ("of_tomorrow", "none", None, ""),
        ];
        for (class, repair, unified_at, severities) in cases {
            let facts = Facts { class, repair, legacy_at: None, unified_at, as_of };
            let found: Vec<&str> = expected(facts).iter().map(|severity| severity.name()).collect();
            assert_eq!(found.join(" "), severities, "{class} {repair} {unified_at:?}");
        }
    }
}
