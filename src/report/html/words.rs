//! What the terms of a run mean, in a sentence each, for readers who do not know the program.

use crate::balance::GapCause;
use crate::domain::{Class, Outcome, PopulationClass, RepairKind, Rule};

use super::super::model::OutcomeName;

/// What a class of findings says.
pub fn class(class: Class) -> &'static str {
    match class {
        Class::Unmigrated => "A grant of the legacy table that has no row in the unified one.",
        Class::UnmigratedDeduction => {
            "A deduction or refund of the legacy table that has no row in the unified one."
        }
        Class::AmountMismatch => "The grant arrived with another number of tokens.",
        Class::ActionMismatch => "The grant arrived under another action type.",
        Class::TimeMismatch => "The grant arrived with a time further off than the tolerance.",
        Class::UserMismatch => "The grant arrived under another user.",
        Class::Duplicate => "A unified row that repeats a grant which is already there.",
        Class::SourceDuplicate => "A legacy row that repeats another legacy row.",
        Class::Orphan => "A unified row for which the legacy table has nothing.",
        Class::SplitGrant => "One grant booked as several rows of the same sum, or several as one.",
        Class::MislabelledPurchase => "Paid for, but not labelled as a token pack purchase.",
        Class::UnmappedAction => "A label to which the configuration gives no meaning.",
        Class::RejectedRow => "A row without id, user, amount or time, or one that cannot be read.",
        Class::BalanceGap => "A stored balance that the rows do not explain to the token.",
        Class::NegativeBalance => "A balance that at some moment fell below zero.",
    }
}

/// What a rung of the ladder looks at.
pub fn rule(rule: Rule) -> &'static str {
    match rule {
        Rule::Link => "the unified row names the legacy id",
        Rule::Reference => "both carry the same payment or other reference",
        Rule::Exact => "same user, action, amount and microsecond",
        Rule::Near => "same user, action and amount, within the tolerance",
        Rule::User => "same action, amount and microsecond under another user",
        Rule::Split => "one row here, several of the same sum there",
        Rule::Mismatch => "same user, close in time, but not equal in everything",
        Rule::Stamped => "copies that all bear one time, matched on user, action and amount",
        Rule::None => "no partner",
    }
}

/// What became of rows.
pub fn outcome(outcome: OutcomeName) -> &'static str {
    match outcome {
        OutcomeName::Folded => "Usage, added up",
        OutcomeName::Row(Outcome::Paired) => "Paired, nothing to say",
        OutcomeName::Row(Outcome::UnifiedOnly) => "Written to the unified table alone, as configured",
        OutcomeName::Row(Outcome::Finding(class)) => class.title(),
        OutcomeName::Row(Outcome::Population(class)) => population(class),
    }
}

/// What a population class holds.
pub fn population(class: PopulationClass) -> &'static str {
    match class {
        PopulationClass::Grants => "Grants",
        PopulationClass::Deductions => "Deductions",
        PopulationClass::Usage => "Usage",
        PopulationClass::Ignored => "Left out, as configured",
        PopulationClass::Unmapped => "Label without a meaning",
        PopulationClass::Rejected => "Cannot be read",
        PopulationClass::Zero => "Of zero tokens",
        PopulationClass::Failed => "Failed operations",
        PopulationClass::Pending => "Too young to judge",
        PopulationClass::AfterAsOf => "Later than the reconciliation",
    }
}

/// The colour group of an outcome.
pub fn tone(outcome: OutcomeName) -> &'static str {
    match outcome {
        OutcomeName::Row(Outcome::Paired | Outcome::UnifiedOnly) => "good",
        OutcomeName::Row(Outcome::Finding(class)) => match class {
            Class::TimeMismatch
            | Class::SourceDuplicate
            | Class::MislabelledPurchase
            | Class::SplitGrant
            | Class::NegativeBalance => "warn",
            _ => "bad",
        },
        OutcomeName::Folded | OutcomeName::Row(Outcome::Population(_)) => "quiet",
    }
}

/// Who mends a finding, and how.
pub fn repair(repair: RepairKind) -> &'static str {
    match repair {
        RepairKind::Backfill => "backfill.sql inserts it",
        RepairKind::Update => "repair.sql corrects it",
        RepairKind::Dedupe => "dedupe.sql removes it",
        RepairKind::Review => "a person decides",
        RepairKind::None => "nothing to do",
    }
}

/// Why a stored balance differs.
pub fn gap_cause(cause: GapCause) -> &'static str {
    match cause {
        GapCause::Unmigrated => "Grants that never arrived",
        GapCause::Duplicate => "Grants counted twice",
        GapCause::Amount => "Grants with another amount",
        GapCause::Action => "Rows under another action",
        GapCause::OtherUser => "Grants under another user",
        GapCause::Orphan => "Rows without a legacy row",
        GapCause::Deduction => "Deductions that never arrived",
        GapCause::FailedUsage => "Failed operations that were charged",
        GapCause::UsageNotDeducted => "Usage that was never taken off",
        GapCause::Opening => "Tokens given at sign-up without a row",
        GapCause::Reset => "Grants that replaced the balance",
        GapCause::Clamp => "Balances held at zero",
        GapCause::Expiry => "Tokens that expired",
        GapCause::Pool => "Usage of others in the pool",
    }
}

/// What an SQL file does.
pub fn sql(name: &str) -> &'static str {
    match name.split('.').next().unwrap_or(name).split('-').next().unwrap_or(name) {
        "backfill" => "Inserts the grants and deductions that never arrived.",
        "repair" => "Corrects amounts, actions, times and labels, each only if the old value still stands.",
        "dedupe" => "Removes rows that were counted twice and keeps a copy of each in the journal.",
        "undo" => "Takes back exactly what the other files did, in reverse.",
        "verify" => "Changes nothing: one row for each expectation, with ok.",
        _ => "See its header.",
    }
}
