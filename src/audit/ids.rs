//! Names and order of findings: the same finding has the same id and place in every run.

use std::collections::HashMap;

use crate::domain::{Books, Class, Finding, FindingId, Ledger, RowId, Side};
use crate::sha256::sha256;

/// Class, user, created_at, ids.
pub(super) fn order(finding: &Finding) -> impl Ord + '_ {
    let at = finding.created_at_legacy.or(finding.created_at_unified);
    (finding.class, finding.user.as_ref(), at, &finding.legacy_ids, &finding.unified_ids, &finding.id)
}

/// The first 16 hexadecimal digits of SHA-256 over `class \n legacy ids \n unified ids`, ids sorted
/// and joined with `;`. A finding about a user has the user in place of legacy ids; one about a row
/// without an id has `no_id`.
pub(super) fn finding_id(finding: &Finding, no_id: Option<&str>) -> FindingId {
    let mut text = String::with_capacity(128);
    text.push_str(finding.class.name());
    text.push('\n');
    push_ids(&mut text, &finding.legacy_ids);
    if finding.legacy_ids.is_empty() && finding.unified_ids.is_empty() {
        match no_id {
            Some(no_id) => text.push_str(no_id),
            None => push_ids(&mut text, finding.user.as_slice()),
        }
    }
    text.push('\n');
    push_ids(&mut text, &finding.unified_ids);
    FindingId(hex16(text.as_bytes()))
}

fn push_ids(text: &mut String, ids: &[RowId]) {
    for (at, id) in ids.iter().enumerate() {
        if at > 0 {
            text.push(';');
        }
        id.with_text(|id| text.push_str(id));
    }
}

/// The first 16 hexadecimal digits of SHA-256.
pub(super) fn hex16(bytes: &[u8]) -> String {
    sha256(bytes).hex_of_first(8)
}

/// Pseudo ids of rejected rows without an id: a digest of what the row holds, and a number where
/// several rows hold the same.
pub(super) struct NoIds {
    legacy: Vec<Option<String>>,
    unified: Vec<Option<String>>,
}

impl NoIds {
    pub(super) fn of(books: &Books) -> NoIds {
        let side = |ledger: &Ledger| {
            let mut seen: HashMap<String, u32> = HashMap::new();
            let name = |row: &crate::domain::Rejected| {
                if row.id.is_some() {
                    return None;
                }
                let content = format!(
                    "{}\n{:?}\n{:?}\n{:?}\n{:?}\n{}",
                    ledger.side.name(),
                    row.user,
                    row.label,
                    row.tokens,
                    row.at,
                    row.reason
                );
                let digest = hex16(content.as_bytes());
                let number = seen.entry(digest.clone()).and_modify(|number| *number += 1).or_insert(1);
                Some(format!("no-id:{digest}-{number}"))
            };
            ledger.rejected.iter().map(name).collect()
        };
        NoIds { legacy: side(&books.legacy), unified: side(&books.unified) }
    }

    pub(super) fn in_order(&self) -> impl Iterator<Item = Option<&str>> {
        self.legacy.iter().chain(&self.unified).map(Option::as_deref)
    }

    pub(super) fn of_row(&self, side: Side, at: usize) -> RowId {
        let names = if side == Side::Legacy { &self.legacy } else { &self.unified };
        RowId::Text(names[at].clone().unwrap_or_default().into())
    }
}

/// Matching lists rejected rows in the order of the books: legacy, then unified.
pub(super) fn positions_of_rejected(findings: &[Finding]) -> Vec<usize> {
    (0..findings.len()).filter(|&at| findings[at].class == Class::RejectedRow).collect()
}
