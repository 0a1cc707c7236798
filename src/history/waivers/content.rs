//! What a finding says, as a digest that a waiver is bound to.

use crate::domain::{Class, Finding, Instant, RowId};
use crate::history::table::Row;
use crate::sha256::Sha256;

/// The columns of `findings.csv` that a waiver is bound to. Status is not among them, and of the evidence
/// only what says how large or whose it is ([`told`]): a finding that says the same is the same, however
/// it was found.
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
    /// What the cap is held against, in tokens: of a balance the gap or the lowest balance, else the
    /// effect, or where that is unknown the larger of both sides, all without sign; `None` where nothing
    /// is known.
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
            finding.cause.to_string(),
            finding.repair.name().to_owned(),
        ];
        let told = told(finding.class, &finding.evidence);
        Facts {
            content: digest(cells.iter().map(String::as_str), &told),
            weight: of_balance(finding.class, &finding.evidence)
                .or_else(|| weight(finding.tokens_effect, [finding.tokens_legacy, finding.tokens_unified])),
        }
    }

    /// The same from a row of `findings.csv`.
    pub(in crate::history) fn of_row(row: &Row<'_>) -> Result<Facts, String> {
        let cells = COLUMNS.iter().map(|column| row.text(column)).collect::<Result<Vec<&str>, String>>()?;
        let sides = [row.known("tokens_legacy")?, row.known("tokens_unified")?];
        let (effect, evidence) = (row.known("tokens_effect")?, row.text("evidence")?);
        let class = row.word("class", &Class::ALL, Class::name)?;
        Ok(Facts {
            content: digest(cells, &told(class, evidence)),
            weight: of_balance(class, evidence).or_else(|| weight(effect, sides)),
        })
    }
}

/// What no column says and only the evidence does, with its names: the size of what is wrong with a
/// balance, whose the other row is, why a row cannot be read. A finding that grows is another one.
fn told(class: Class, evidence: &str) -> Vec<(&'static str, &str)> {
    let values = |keys: &[&'static str]| keys.iter().map(|key| (*key, value(evidence, key))).collect();
    match class {
        Class::BalanceGap => values(&["gap", "unexplained"]),
        Class::NegativeBalance => values(&["lowest_balance"]),
        // Ids and reasons may hold any text, so they are not taken apart.
        Class::UserMismatch | Class::RejectedRow => vec![("evidence", evidence)],
        _ => Vec::new(),
    }
}

/// The value of a key of the evidence; of numbers only, since a text may look like the next key.
fn value<'a>(evidence: &'a str, key: &str) -> &'a str {
    let mut values = evidence.split("; ").filter_map(|part| part.split_once('='));
    values.find_map(|(name, value)| (name == key).then_some(value)).unwrap_or_default()
}

/// The size of what is wrong with a balance, in tokens without sign.
fn of_balance(class: Class, evidence: &str) -> Option<u128> {
    let key = match class {
        Class::BalanceGap => "gap",
        Class::NegativeBalance => "lowest_balance",
        _ => return None,
    };
    value(evidence, key).parse().ok().map(i128::unsigned_abs)
}

fn weight(effect: Option<i128>, sides: [Option<i128>; 2]) -> Option<u128> {
    let larger = || sides.into_iter().flatten().map(i128::unsigned_abs).max();
    effect.map(i128::unsigned_abs).or_else(larger)
}

/// Over each column's name and text with their lengths, so that no text can pass for another.
fn digest<'a>(cells: impl IntoIterator<Item = &'a str>, told: &[(&'a str, &'a str)]) -> String {
    let mut hash = Sha256::default();
    for (name, value) in COLUMNS.into_iter().zip(cells).chain(told.iter().copied()) {
        for text in [name, value] {
            hash.update_text(text);
        }
    }
    format!("sha256:{}", hash.finish().hex())
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
            finding.legacy_ids = vec![RowId::parse("L1"), RowId::parse("L2")].into();
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
            |finding| finding.legacy_ids = vec![RowId::parse("L1"), RowId::parse("L3")].into(),
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

    #[test]
    fn what_only_the_evidence_says_of_size_and_owner_is_content() {
        let gap = |rest: &str| format!("stored=1; recomputed=2; {rest}; explanation=partial");
        type Case<'a> = (Class, String, String, bool, Option<u128>);
        let same_gap = "stored=8; recomputed=9; gap=-1; unexplained=-1; explanation=unexplained; causes=x";
        let cases: [Case<'_>; 8] = [
            (Class::BalanceGap, gap("gap=-1; unexplained=-1"), gap("gap=-9; unexplained=-1"), false, Some(9)),
            (Class::BalanceGap, gap("gap=-1; unexplained=-1"), gap("gap=-1; unexplained=0"), false, Some(1)),
            (Class::BalanceGap, gap("gap=-1; unexplained=-1"), same_gap.to_owned(), true, Some(1)),
            (
                Class::NegativeBalance,
                "lowest_balance=-5; opening=0".into(),
                "lowest_balance=-6; opening=0".into(),
                false,
                Some(6),
            ),
            (
                Class::NegativeBalance,
                "lowest_balance=-5; balance_at_as_of=1".into(),
                "lowest_balance=-5; balance_at_as_of=2".into(),
                true,
                Some(5),
            ),
            (Class::UserMismatch, "unified_user=bob".into(), "unified_user=eve".into(), false, None),
            (Class::RejectedRow, "reason=no user".into(), "reason=no time".into(), false, None),
            (Class::Unmigrated, "gap=1".into(), "gap=2".into(), true, None),
        ];
        for (class, before, after, is_same, weight) in cases {
            let facts = |evidence: &str| {
                let mut finding = Finding::new(class, Severity::Error, RepairKind::Review);
                finding.evidence = evidence.to_owned();
                Facts::of(&finding)
            };
            assert_eq!(facts(&before).content == facts(&after).content, is_same, "{before} / {after}");
            assert_eq!(facts(&after).weight, weight, "{after}");
        }
    }
}
