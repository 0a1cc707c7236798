//! What somebody has accepted.

use super::super::model::Model;
use super::view::tokens;
use crate::history::waivers::{Standing, Subject, WaiverState};

/// A waiver as a line.
pub struct WaiverRow {
    pub subject: String,
    pub title: String,
    pub is_found: bool,
    pub state: &'static str,
    pub tone: &'static str,
    pub until: String,
    pub cap: String,
    pub owner: String,
    pub reason: String,
}

/// All waivers, in the order of their file.
pub fn rows(model: &Model<'_>) -> Vec<WaiverRow> {
    model.accepted.standings.iter().map(|standing| row(model, standing)).collect()
}

fn row(model: &Model<'_>, standing: &Standing) -> WaiverRow {
    let waiver = &standing.waiver;
    let found = match &waiver.subject {
        Subject::Finding(id) => model.findings.iter().find(|finding| finding.id == *id),
        Subject::Check(_) => None,
    };
    let title = match (&waiver.subject, found) {
        (_, Some(finding)) => finding.class.title().to_owned(),
        (Subject::Finding(_), None) => "A finding that is not there (any more)".to_owned(),
        (Subject::Check(_), None) => "A check before the legacy table is dropped".to_owned(),
    };
    let (state, tone) = match standing.state {
        WaiverState::InForce => ("in force", "info"),
        WaiverState::LapsedContent => ("lapsed: says something else", "error"),
        WaiverState::LapsedDate => ("lapsed: its last day is over", "error"),
        WaiverState::LapsedAmount => ("lapsed: beyond its cap", "error"),
        WaiverState::Unmatched => ("unmatched", "warning"),
    };
    WaiverRow {
        subject: waiver.subject.to_string(),
        title,
        is_found: found.is_some(),
        state,
        tone,
        until: waiver.until.to_string(),
        cap: waiver.max_tokens.map(tokens).unwrap_or_default(),
        owner: waiver.owner.clone(),
        reason: waiver.reason.clone(),
    }
}
