//! Findings as lines of a table that stands in the page already, for paper and for readers without
//! a script.

use crate::domain::{Finding, RowId, Status};

use super::super::model::Model;
use super::escape::address;
use super::pack::gravest_first;
use super::view::{change, tokens};

/// So many of all findings are drawn.
const DRAWN: usize = 100;

/// So many of the new ones are drawn where there was a run before.
const DRAWN_NEW: usize = 25;

/// A finding as a line.
pub struct Row {
    pub id: String,
    pub title: &'static str,
    pub severity: &'static str,
    pub user: String,
    pub user_address: String,
    pub actions: String,
    pub tokens_legacy: String,
    pub tokens_unified: String,
    pub effect: String,
    pub at: String,
    pub repair: &'static str,
    pub status: &'static str,
}

/// The first findings.
pub fn drawn(model: &Model<'_>) -> Vec<Row> {
    gravest_first(model).take(DRAWN).map(row).collect()
}

/// The first findings that the run before did not have.
pub fn drawn_new(model: &Model<'_>) -> Vec<Row> {
    gravest_first(model).filter(|finding| finding.status == Status::New).take(DRAWN_NEW).map(row).collect()
}

fn row(finding: &Finding) -> Row {
    let known = |value: Option<i128>| value.map(tokens).unwrap_or_default();
    let at = finding.created_at_legacy.or(finding.created_at_unified);
    let user = finding.user.as_ref().map(RowId::to_string).unwrap_or_default();
    Row {
        id: address(&finding.id.0),
        title: finding.class.title(),
        severity: finding.severity.name(),
        user_address: address(&user),
        user,
        actions: actions(finding),
        tokens_legacy: known(finding.tokens_legacy),
        tokens_unified: known(finding.tokens_unified),
        effect: finding.tokens_effect.map(change).unwrap_or_default(),
        at: at
            .map(|at| at.rfc3339().chars().take(19).collect::<String>().replace('T', " "))
            .unwrap_or_default(),
        repair: finding.repair.name(),
        status: finding.status.name(),
    }
}

/// `expected → found`, or the one that is known.
pub fn actions(finding: &Finding) -> String {
    let expected = finding.action_expected.as_deref().or(finding.action_legacy.as_deref());
    match (expected, finding.action_unified.as_deref()) {
        (Some(expected), Some(found)) if expected != found => format!("{expected} → {found}"),
        (Some(one), _) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    }
}
