//! What a finding says, as a digest that a waiver is bound to.

use sha2::{Digest, Sha256};

use crate::domain::{Finding, Instant, RowId};
use crate::history::table::Row;

/// The columns of `findings.csv` that a waiver is bound to. Status and evidence are not among them: a
/// finding that says the same is the same, however it was found.
const COLUMNS: [&str; 15] = [
    "class",
    "severity",
    "user_id",
    "legacy_ids",
    "unified_ids",
    "action_legacy",
    "action_expected",
    "action_unified",
    "tokens_legacy",
    "tokens_unified",
    "tokens_effect",
    "created_at_legacy",
    "created_at_unified",
    "cause",
    "repair",
];

/// What a waiver looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::history) struct Facts {
    /// `sha256:` and the digest of the content.
    pub content: String,
    /// What the cap is held against, in tokens: the effect without its sign, or where that is unknown
    /// the larger of both sides; `None` where nothing is known.
    pub weight: Option<u128>,
}

impl Facts {
    pub(in crate::history) fn of(finding: &Finding) -> Facts {
        let join = |ids: &[RowId]| ids.iter().map(RowId::to_string).collect::<Vec<_>>().join(";");
        let action = |action: &Option<String>| action.clone().unwrap_or_default();
        let number = |tokens: Option<i128>| tokens.map(|tokens| tokens.to_string()).unwrap_or_default();
        let at = |at: Option<Instant>| at.map(Instant::rfc3339).unwrap_or_default();
        let cells = [
            finding.class.name().to_owned(),
            finding.severity.name().to_owned(),
            join(finding.user.as_slice()),
            join(&finding.legacy_ids),
            join(&finding.unified_ids),
            action(&finding.action_legacy),
            action(&finding.action_expected),
            action(&finding.action_unified),
            number(finding.tokens_legacy),
            number(finding.tokens_unified),
            number(finding.tokens_effect),
            at(finding.created_at_legacy),
            at(finding.created_at_unified),
            finding.cause.clone(),
            finding.repair.name().to_owned(),
        ];
        Facts {
            content: digest(cells.iter().map(String::as_str)),
            weight: weight(finding.tokens_effect, [finding.tokens_legacy, finding.tokens_unified]),
        }
    }

    /// The same from a row of `findings.csv`.
    pub(in crate::history) fn of_row(row: &Row<'_>) -> Result<Facts, String> {
        let cells = COLUMNS.iter().map(|column| row.text(column)).collect::<Result<Vec<&str>, String>>()?;
        let sides = [row.known("tokens_legacy")?, row.known("tokens_unified")?];
        Ok(Facts { content: digest(cells), weight: weight(row.known("tokens_effect")?, sides) })
    }
}

fn weight(effect: Option<i128>, sides: [Option<i128>; 2]) -> Option<u128> {
    let larger = || sides.into_iter().flatten().map(i128::unsigned_abs).max();
    effect.map(i128::unsigned_abs).or_else(larger)
}

/// Over each column's name and text with their lengths, so that no text can pass for another.
fn digest<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for (column, cell) in COLUMNS.iter().zip(cells) {
        for text in [*column, cell] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
    }
    hash.finalize().iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, RepairKind, Severity, Status};

    #[test]
    fn a_cap_is_held_against_the_effect_or_else_the_larger_side() {
        let cases = [
            (Some(-5), [Some(100), None], Some(5)),
            (Some(0), [Some(100), Some(7)], Some(0)),
            (None, [Some(-100), Some(7)], Some(100)),
            (None, [None, Some(7)], Some(7)),
            (None, [None, None], None),
            (Some(i128::MIN), [None, None], Some(1 << 127)),
        ];
        for (effect, sides, expected) in cases {
            assert_eq!(weight(effect, sides), expected, "{effect:?} {sides:?}");
        }
    }

    #[test]
    fn content_is_all_that_the_row_says_and_nothing_of_how_it_was_found() {
        let plain = || {
            let mut finding = Finding::new(Class::Unmigrated, Severity::Error, RepairKind::Backfill);
            finding.user = Some(RowId::parse("ada"));
            finding.legacy_ids = vec![RowId::parse("L1"), RowId::parse("L2")];
            finding
        };
        let of = |change: fn(&mut Finding)| {
            let mut finding = plain();
            change(&mut finding);
            Facts::of(&finding).content
        };
        let same: [fn(&mut Finding); 3] = [
            |finding| finding.status = Status::Waived,
            |finding| finding.evidence = "label=x".to_owned(),
            |finding| finding.id.0 = "0123".to_owned(),
        ];
        let other: [fn(&mut Finding); 9] = [
            |finding| finding.severity = Severity::Warning,
            |finding| finding.user = Some(RowId::parse("bob")),
            |finding| finding.legacy_ids = vec![RowId::parse("L1"), RowId::parse("L3")],
            |finding| finding.tokens_legacy = Some(1),
            |finding| finding.tokens_unified = Some(1),
            |finding| finding.tokens_effect = Some(0),
            |finding| finding.created_at_unified = Some(Instant(0)),
            |finding| finding.action_expected = Some("trial_grant".to_owned()),
            |finding| finding.repair = RepairKind::Review,
        ];
        let before = of(|_| ());
        assert!(same.iter().all(|change| of(*change) == before));
        let mut seen = std::collections::HashSet::from([before]);
        assert!(other.iter().all(|change| seen.insert(of(*change))), "each change shows");
    }
}
