//! Fills a finding step by step, so that every class fills its columns in the same way.

use super::classify::confidence;
use crate::domain::{ActionNo, Books, Class, Finding, RepairKind, Rule, Severity, Verdict};

/// A finding in the making.
pub(super) struct Draft<'b> {
    books: &'b Books,
    finding: Finding,
}

impl<'b> Draft<'b> {
    pub(super) fn new(books: &'b Books, class: Class, severity: Severity, repair: RepairKind) -> Draft<'b> {
        let finding = Finding::new(class, severity, repair);
        Draft { books, finding }
    }

    /// Adds a legacy row. The first gives label and time; tokens add up.
    pub(super) fn legacy(mut self, books: &Books, row: u32) -> Draft<'b> {
        let entry = &books.legacy.entries[row as usize];
        let finding = &mut self.finding;
        finding.legacy_ids.push(entry.id.clone());
        finding.legacy_rows.push(row);
        finding.user = Some(books.roster.id(entry.user).clone());
        finding
            .action_legacy
            .get_or_insert_with(|| books.legacy.labels[usize::from(entry.label)].to_string());
        finding.tokens_legacy = Some(finding.tokens_legacy.unwrap_or(0) + i128::from(entry.tokens));
        finding.created_at_legacy = Some(finding.created_at_legacy.map_or(entry.at, |at| at.min(entry.at)));
        self
    }

    /// Adds a unified row.
    pub(super) fn unified(mut self, books: &Books, row: u32) -> Draft<'b> {
        let entry = &books.unified.entries[row as usize];
        let finding = &mut self.finding;
        finding.unified_ids.push(entry.id.clone());
        finding.unified_rows.push(row);
        finding.user.get_or_insert_with(|| books.roster.id(entry.user).clone());
        finding
            .action_unified
            .get_or_insert_with(|| books.unified.labels[usize::from(entry.label)].to_string());
        finding.tokens_unified = Some(finding.tokens_unified.unwrap_or(0) + i128::from(entry.tokens));
        finding.created_at_unified = Some(finding.created_at_unified.map_or(entry.at, |at| at.min(entry.at)));
        self
    }

    pub(super) fn rule(mut self, rule: Rule, differing: u32) -> Draft<'b> {
        self.finding.rule = rule;
        self.finding.confidence = confidence(rule, differing);
        self
    }

    pub(super) fn verdict(mut self, verdict: Verdict) -> Draft<'b> {
        self.finding.verdict = verdict;
        self
    }

    pub(super) fn effect(mut self, tokens: i128) -> Draft<'b> {
        self.finding.tokens_effect = Some(tokens);
        self
    }

    pub(super) fn expects(mut self, action: ActionNo) -> Draft<'b> {
        self.finding.action_expected = Some(self.books.action(action).to_owned());
        self
    }

    pub(super) fn evidence(mut self, key: &str, value: &str) -> Draft<'b> {
        if !self.finding.evidence.is_empty() {
            self.finding.evidence.push_str("; ");
        }
        self.finding.evidence.push_str(key);
        self.finding.evidence.push('=');
        self.finding.evidence.push_str(value);
        self
    }

    pub(super) fn cause(mut self, cause: &'static str) -> Draft<'b> {
        self.finding.cause = cause.into();
        self
    }

    pub(super) fn finish(mut self) -> Finding {
        let finding = &mut self.finding;
        finding.legacy_ids.sort_unstable();
        finding.unified_ids.sort_unstable();
        finding.lag = match (finding.created_at_legacy, finding.created_at_unified) {
            (Some(legacy), Some(unified)) => Some(unified.since(legacy)),
            _ => None,
        };
        self.finding
    }
}
