//! Why findings are there: the few roots first, in the order of the model.

use super::super::causes::CauseTotals;
use super::super::figures::{counted, moment};
use super::super::model::Model;
use super::escape::address;
use super::view::{number, per_mille, tokens};
use crate::domain::Instant;

/// The section on causes.
pub struct CauseView {
    /// How many causes, and how many findings they account for.
    pub headline: String,
    /// What stands below it.
    pub note: String,
    pub lines: Vec<CauseLine>,
}

/// A cause.
pub struct CauseLine {
    pub cause: String,
    pub address: String,
    pub class: &'static str,
    pub class_name: &'static str,
    pub rows: String,
    pub share: String,
    pub tokens: String,
    pub span: String,
    /// The root in a sentence.
    pub title: String,
    /// What the cause means, where the sentence does not say it.
    pub meaning: &'static str,
    pub common: String,
    pub severity: &'static str,
    pub bar: u32,
}

/// Builds the section: causes, the largest first.
pub fn view(model: &Model<'_>) -> CauseView {
    let causes = &model.causes;
    let all = model.findings.len() as u64;
    let explained: u64 = causes.iter().map(|cause| cause.rows).sum();
    let most = causes.first().map_or(0, |cause| cause.rows);
    CauseView {
        headline: headline(causes.len() as u64, explained),
        note: note(causes, explained, all),
        lines: causes.iter().map(|cause| line(model, cause, most, all)).collect(),
    }
}

fn headline(causes: u64, explained: u64) -> String {
    let findings = counted(explained, "finding", "findings");
    match causes {
        0 => String::new(),
        1 => format!("One cause, {findings}"),
        causes => format!("{} causes, {findings}", number(causes)),
    }
}

/// How far the largest causes reach, and what is left without one.
fn note(causes: &[CauseTotals], explained: u64, all: u64) -> String {
    let mut sentences = Vec::new();
    if causes.len() > 3 {
        let first: u64 = causes.iter().take(3).map(|cause| cause.rows).sum();
        sentences.push(format!(
            "The first three account for {} of the {}.",
            number(first),
            counted(all, "finding", "findings")
        ));
    }
    match all - explained {
        0 => {}
        1 => sentences.push("One finding stands alone.".to_owned()),
        alone => sentences.push(format!("{} findings stand alone.", number(alone))),
    }
    sentences.push("Mending a cause once keeps its findings from coming back.".to_owned());
    sentences.join(" ")
}

fn line(model: &Model<'_>, cause: &CauseTotals, most: u64, all: u64) -> CauseLine {
    let totals = &model.classes[cause.class as usize];
    let (title, meaning) = title(cause);
    CauseLine {
        cause: cause.cause.clone(),
        address: address(&cause.cause),
        class: cause.class.title(),
        class_name: cause.class.name(),
        rows: number(cause.rows),
        share: share(cause.rows, all),
        tokens: tokens(cause.tokens),
        span: match (cause.first_at, cause.last_at) {
            (Some(first), Some(last)) => span(first, last),
            _ => String::new(),
        },
        title,
        meaning,
        common: cause.common.clone(),
        severity: totals.severity.map_or("info", crate::domain::Severity::name),
        bar: per_mille(cause.rows.into(), most.into()),
    }
}

/// The sentence about the root, and the meaning where the sentence is not just that.
fn title(cause: &CauseTotals) -> (String, &'static str) {
    let says_meaning = !cause.meaning.is_empty() && cause.detail.starts_with(cause.meaning);
    let (text, meaning) =
        if says_meaning { (cause.meaning, "") } else { (cause.detail.as_str(), cause.meaning) };
    let text = if text.is_empty() { cause.cause.as_str() } else { text };
    let mut letters = text.chars();
    let title = letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect();
    (title, meaning)
}

/// A part in whole percent; a small one is not nothing, and a part is never all.
fn share(part: u64, whole: u64) -> String {
    if part == whole {
        return "100 %".to_owned();
    }
    match u128::from(part) * 100 / u128::from(whole.max(1)) {
        0 => "< 1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

/// From when to when: to the second within a day, else by date.
fn span(first: Instant, last: Instant) -> String {
    const DAY_MICROS: i64 = 86_400_000_000;
    let day = |at: Instant| at.rfc3339().chars().take(10).collect::<String>();
    if first == last {
        moment(first)
    } else if last.since(first).0 < DAY_MICROS {
        format!("{} to {}", moment(first), moment(last))
    } else {
        format!("{} to {}", day(first), day(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_leads_by_its_name_and_many_by_their_number() {
        assert_eq!(headline(1, 12_431), "One cause, 12,431 findings");
        assert_eq!(headline(3, 1), "3 causes, 1 finding");
        assert_eq!(headline(0, 0), "");
    }

    #[test]
    fn the_title_says_the_root_once() {
        let cause = |meaning, detail: &str| CauseTotals {
            cause: "replay".to_owned(),
            class: crate::domain::Class::Duplicate,
            rows: 4,
            tokens: 4,
            first_at: None,
            last_at: None,
            meaning,
            common: String::new(),
            detail: detail.to_owned(),
        };
        let cases = [
            (cause("ran twice", "ran twice; 4 users"), "Ran twice", ""),
            (cause("ran twice", "4 rows repeat a payment"), "4 rows repeat a payment", "ran twice"),
            (cause("", ""), "Replay", ""),
        ];
        for (cause, expected, meaning) in cases {
            assert_eq!(title(&cause), (expected.to_owned(), meaning));
        }
    }

    #[test]
    fn a_share_is_rounded_to_no_lie() {
        let cases = [(0, 0, "100 %"), (1, 1_000, "< 1 %"), (999, 1_000, "99 %"), (5, 5, "100 %")];
        for (part, whole, expected) in cases {
            assert_eq!(share(part, whole), expected, "{part} of {whole}");
        }
    }
}
