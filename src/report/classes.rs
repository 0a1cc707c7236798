//! Findings by class, and the result in words.

use crate::domain::{Class, Finding, RepairKind, Severity, Status};
use crate::repair::Mended;

use super::figures::{counted, grouped, signed};
use super::model::add;

/// The findings of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassTotals {
    /// The class.
    pub class: Class,
    /// All findings of the class.
    pub count: u64,
    /// What their repairs add to balances, in tokens; of the findings where it is known.
    pub tokens_effect: i128,
    /// Of these, those whose effect is known.
    pub known_effects: u64,
    /// Of these, accepted with an owner and an end.
    pub waived: u64,
    /// Of these, unwaived and of severity `error`.
    pub blocking: u64,
    /// The gravest severity among them; `None` without findings.
    pub severity: Option<Severity>,
    /// Unwaived findings by repair, in the order backfill, update, dedupe, review, none; no zeros.
    pub repairs: Vec<(RepairKind, u64)>,
    /// The same of those that stand against a clean result.
    pub blocking_repairs: Vec<(RepairKind, u64)>,
    /// What the repairs in the SQL files add, in tokens: those of unwaived findings.
    pub executable_tokens: i128,
}

const REPAIRS: [RepairKind; 5] =
    [RepairKind::Backfill, RepairKind::Update, RepairKind::Dedupe, RepairKind::Review, RepairKind::None];

impl ClassTotals {
    /// What the repairs add, where it is known of any finding: unknown is not zero.
    pub fn known_tokens_effect(&self) -> Option<i128> {
        (self.known_effects > 0).then_some(self.tokens_effect)
    }
}

/// All classes in order, also those without a finding.
pub fn totals(findings: &[Finding]) -> Vec<ClassTotals> {
    let mut totals: Vec<ClassTotals> = Class::ALL
        .iter()
        .map(|class| ClassTotals {
            class: *class,
            count: 0,
            tokens_effect: 0,
            known_effects: 0,
            waived: 0,
            blocking: 0,
            severity: None,
            repairs: REPAIRS.iter().map(|repair| (*repair, 0)).collect(),
            blocking_repairs: REPAIRS.iter().map(|repair| (*repair, 0)).collect(),
            executable_tokens: 0,
        })
        .collect();
    for finding in findings {
        let total = &mut totals[finding.class as usize];
        let waived = finding.status == Status::Waived;
        let effect = finding.tokens_effect.unwrap_or(0);
        total.count += 1;
        total.tokens_effect = add(total.tokens_effect, effect);
        total.known_effects += u64::from(finding.tokens_effect.is_some());
        total.waived += u64::from(waived);
        total.blocking += u64::from(finding.is_blocking());
        total.severity = Some(total.severity.map_or(finding.severity, |known| known.min(finding.severity)));
        // What was accepted is left as it is.
        total.repairs[finding.repair as usize].1 += u64::from(!waived);
        total.blocking_repairs[finding.repair as usize].1 += u64::from(finding.is_blocking());
        if finding.repair.is_executable() && !waived {
            total.executable_tokens = add(total.executable_tokens, effect);
        }
    }
    for total in &mut totals {
        total.repairs.retain(|(_, count)| *count > 0);
        total.blocking_repairs.retain(|(_, count)| *count > 0);
    }
    totals
}

/// What was paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pairs {
    /// Legacy rows that have their partner.
    pub rows: u64,
    /// Pairs of rows that look alike and carry different payments or links.
    pub contradicted: u64,
}

impl Pairs {
    /// What makes them less than proof; empty where nothing does.
    fn doubt(self) -> String {
        let pairs = match self.contradicted {
            0 => return String::new(),
            1 => "1 pair carries".to_owned(),
            more => format!("{} pairs carry", grouped(more.into())),
        };
        format!(
            " {pairs} different payments, or a link to another row: one grant may stand for another there."
        )
    }
}

/// The result where nothing stands against a clean one, of so many findings and so many of them waived.
fn unblocked(count: u64, waived: u64, pairs: Pairs) -> String {
    let doubt = pairs.doubt();
    if count == 0 {
        let found = match pairs {
            Pairs { rows: 0, .. } => {
                "There was no legacy grant or deduction to compare, and nothing is found."
            }
            Pairs { contradicted: 0, .. } => {
                "Every legacy grant stands in the unified table, once and unchanged."
            }
            _ => "Every legacy grant has a row of its own in the unified table that looks like it.",
        };
        return format!("{found} Every row and every token is accounted for.{doubt}");
    }
    let waived = match (waived, count) {
        (0, _) => String::new(),
        (1, 1) => ", waived".to_owned(),
        (waived, _) => format!(", {} of them waived", grouped(waived.into())),
    };
    format!(
        "Nothing blocks a clean result. {} for the record{waived}; every row and every token is accounted for.{doubt}",
        counted(count, "finding remains", "findings remain")
    )
}

/// The result in a few sentences. `mended`: what the SQL beside the report does, where there is any.
pub fn sentence(classes: &[ClassTotals], blocking: u64, pairs: Pairs, mended: Option<Mended>) -> String {
    let count: u64 = classes.iter().map(|class| class.count).sum();
    let waived: u64 = classes.iter().map(|class| class.waived).sum();
    if blocking == 0 {
        return unblocked(count, waived, pairs);
    }
    let executable = |repairs: &[(RepairKind, u64)]| -> u64 {
        repairs.iter().filter(|(repair, _)| repair.is_executable()).map(|(_, count)| count).sum()
    };
    let all: u64 = classes.iter().map(|class| executable(&class.repairs)).sum();
    let ready: u64 = classes.iter().map(|class| executable(&class.blocking_repairs)).sum();
    let against = classes.iter().flat_map(|class| &class.blocking_repairs);
    let review: u64 =
        against.filter(|(repair, _)| *repair == RepairKind::Review).map(|(_, count)| count).sum();
    let possible = || Mended {
        blocking: ready,
        others: all - ready,
        effect_tokens: classes.iter().map(|class| class.executable_tokens).fold(0, add),
    };
    let done = mended.unwrap_or_else(possible);
    let mut text = match (count, blocking) {
        (1, _) => "One finding stands against a clean result.".to_owned(),
        (_, 1) => format!("1 of {} findings stands against a clean result.", grouped(count.into())),
        _ => format!(
            "{} of {} findings stand against a clean result.",
            grouped(blocking.into()),
            grouped(count.into())
        ),
    };
    if let Some(what) = mends(done.blocking, blocking, done.others) {
        let verb = if mended.is_some() { "The SQL beside this report mends" } else { "SQL can mend" };
        let changes = if mended.is_some() { "and changes" } else { "which would change" };
        let effect = signed(done.effect_tokens);
        text.push_str(&format!(" {verb} {what} {changes} balances by {effect} tokens in all."));
    }
    // Repairs that a file refuses, or that the table cannot hold: the warnings of the run name them.
    match all.saturating_sub(done.blocking + done.others) {
        0 => {}
        1 => text.push_str(" One could be mended, but no SQL does it: the warnings say why."),
        rest => text.push_str(&format!(
            " {} could be mended, but no SQL does it: the warnings say why.",
            grouped(rest.into())
        )),
    }
    match review {
        0 => {}
        1 => text.push_str(" One needs a person to decide."),
        review => text.push_str(&format!(" {} need a person to decide.", grouped(review.into()))),
    }
    match waived {
        0 => {}
        1 => text.push_str(" One is waived."),
        waived => text.push_str(&format!(" {} are waived.", grouped(waived.into()))),
    }
    text
}

/// What SQL mends: of the findings that stand against a clean result, and of the others.
fn mends(ready: u64, blocking: u64, others: u64) -> Option<String> {
    let theirs = match ready {
        0 => None,
        _ if blocking == 1 => Some("it".to_owned()),
        _ if ready == blocking => Some("all of them".to_owned()),
        _ => Some(format!("{} of them", grouped(ready.into()))),
    };
    let others = (others > 0).then(|| format!("{} of the others", grouped(others.into())));
    match (theirs, others) {
        (Some(theirs), Some(others)) => Some(format!("{theirs} and {others}")),
        (theirs, others) => theirs.or(others),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Class totals with these findings by repair: those that stand against a clean result, the others.
    fn found(
        against: &[(RepairKind, u64)],
        others: &[(RepairKind, u64)],
        executable_tokens: i128,
    ) -> Vec<ClassTotals> {
        let mut classes = totals(&[]);
        classes[0].blocking_repairs = against.to_vec();
        classes[0].repairs = [against, others].concat();
        classes[0].count = classes[0].repairs.iter().map(|(_, count)| count).sum();
        classes[0].executable_tokens = executable_tokens;
        classes
    }

    const PAIRS: Pairs = Pairs { rows: 1, contradicted: 0 };

    #[test]
    fn the_result_in_words_agrees_with_its_numbers() {
        use RepairKind::{Backfill, None, Review, Update};
        let clean = "Every legacy grant stands in the unified table, once and unchanged. \
                     Every row and every token is accounted for.";
        // against a clean result, others, tokens, in words
        type Repairs<'a> = &'a [(RepairKind, u64)];
        let cases: [(Repairs<'_>, Repairs<'_>, i128, &str); 7] = [
            (&[], &[], 0, clean),
            (
                &[],
                &[(None, 1)],
                0,
                "Nothing blocks a clean result. 1 finding remains for the record; \
                 every row and every token is accounted for.",
            ),
            (
                &[(Review, 1)],
                &[],
                0,
                "One finding stands against a clean result. One needs a person to decide.",
            ),
            (
                &[(Backfill, 1)],
                &[],
                5_000,
                "One finding stands against a clean result. \
                 The SQL beside this report mends it and changes balances by +5,000 tokens in all.",
            ),
            (
                &[(Update, 664), (Review, 505)],
                &[(Update, 87), (Review, 3), (None, 1_441)],
                -7,
                "1,169 of 2,700 findings stand against a clean result. The SQL beside this report mends \
                 664 of them and 87 of the others and changes balances by -7 tokens in all. \
                 505 need a person to decide.",
            ),
            (
                &[(Update, 1)],
                &[(Update, 2)],
                0,
                "1 of 3 findings stands against a clean result. The SQL beside this report mends it and 2 \
                 of the others and changes balances by 0 tokens in all.",
            ),
            (
                &[(Update, 3)],
                &[],
                0,
                "3 of 3 findings stand against a clean result. \
                 The SQL beside this report mends all of them and changes balances by 0 tokens in all.",
            ),
        ];
        for (against, others, tokens, expected) in cases {
            let count = |repairs: Repairs<'_>, executable: bool| -> u64 {
                repairs.iter().filter(|it| it.0.is_executable() || !executable).map(|(_, count)| count).sum()
            };
            let (blocking, others_written) = (count(against, true), count(others, true));
            let done = Mended { blocking, others: others_written, effect_tokens: tokens };
            let classes = found(against, others, tokens);
            assert_eq!(sentence(&classes, count(against, false), PAIRS, Some(done)), expected);
        }
    }

    #[test]
    fn the_result_promises_no_sql_that_no_file_holds_and_no_grant_that_nobody_saw() {
        let classes = found(&[(RepairKind::Backfill, 3)], &[(RepairKind::Update, 2)], 5_000);
        let cases = [
            (
                Mended::default(),
                "3 of 5 findings stand against a clean result. \
                 5 could be mended, but no SQL does it: the warnings say why.",
            ),
            (
                Mended { blocking: 2, others: 2, effect_tokens: 4_000 },
                "3 of 5 findings stand against a clean result. The SQL beside this report mends 2 of them and 2 \
                 of the others and changes balances by +4,000 tokens in all. \
                 One could be mended, but no SQL does it: the warnings say why.",
            ),
        ];
        for (done, expected) in cases {
            assert_eq!(sentence(&classes, 3, PAIRS, Some(done)), expected);
        }
        let nothing = "There was no legacy grant or deduction to compare, and nothing is found. \
                       Every row and every token is accounted for.";
        assert_eq!(sentence(&totals(&[]), 0, Pairs { rows: 0, contradicted: 0 }, None), nothing);
        let alike = "Every legacy grant has a row of its own in the unified table that looks like it. Every row \
                     and every token is accounted for. 2 pairs carry different payments, or a link to another \
                     row: one grant may stand for another there.";
        assert_eq!(sentence(&totals(&[]), 0, Pairs { rows: 9, contradicted: 2 }, None), alike);
    }
}
