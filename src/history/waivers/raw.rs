//! `waivers.toml` as written (serde) and as checked.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_spanned::Spanned;

use super::{CHECKS, Subject, Waiver};
use crate::config::{Fault, nearest};
use crate::domain::FindingId;

type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "sections [[waiver]]")]
struct RawWaivers {
    #[serde(default)]
    waiver: Vec<Spanned<RawWaiver>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a section [[waiver]]")]
struct RawWaiver {
    finding: Option<Text>,
    check: Option<Text>,
    content: Option<Text>,
    reason: Option<Text>,
    owner: Option<Text>,
    until: Option<Spanned<toml::Value>>,
    max_tokens: Option<Spanned<i64>>,
}

/// The checked entries, in the order of the file.
pub(super) fn parse(text: &str) -> Result<Vec<Waiver>, Fault> {
    let raw: RawWaivers = toml::from_str(text).map_err(Fault::from)?;
    let mut waivers: Vec<Waiver> = Vec::with_capacity(raw.waiver.len());
    for entry in &raw.waiver {
        let span = entry.span();
        let line = text.get(..span.start).unwrap_or(text).matches('\n').count() + 1;
        let waiver = entry.get_ref().checked(&span, line)?;
        if let Some(other) = waivers.iter().find(|other| waiver.repeats(other)) {
            let message = format!(
                "[[waiver]] of {} says nothing that the one of line {} does not: remove one. One that goes on \
                 from another has a later `until`, another `content` or a larger `max_tokens`",
                waiver.subject, other.line
            );
            return Err(Fault::new(span, message));
        }
        waivers.push(waiver);
    }
    Ok(waivers)
}

impl RawWaiver {
    fn checked(&self, entry: &std::ops::Range<usize>, line: usize) -> Result<Waiver, Fault> {
        let needed =
            |key: &str, what: &str| Fault::new(entry.clone(), format!("[[waiver]] needs `{key}`: {what}"));
        let words = |key: &str, value: &Option<Text>, what: &str| {
            let written = value.as_ref().ok_or_else(|| needed(key, what))?;
            match written.get_ref().trim() {
                "" => Err(Fault::new(written.span(), format!("[[waiver]] {key} is empty: write {what}"))),
                words => Ok(words.to_owned()),
            }
        };
        let (subject, content) = match (&self.finding, &self.check) {
            (Some(id), None) => (finding(id)?, self.content(entry)?),
            (None, Some(name)) => {
                self.no_cap()?;
                (check(name)?, self.content(entry)?)
            }
            (Some(_), Some(name)) => {
                let message = "[[waiver]] check stands beside finding: an entry accepts one thing, write two";
                return Err(Fault::new(name.span(), message));
            }
            (None, None) => {
                return Err(needed(
                    "finding",
                    "the id of a finding, or `check`: a check of `reckon cutover`",
                ));
            }
        };
        let until = self
            .until
            .as_ref()
            .ok_or_else(|| needed("until", "the last day on which it is in force, as in 2026-12-31"))?;
        Ok(Waiver {
            subject,
            content,
            reason: words("reason", &self.reason, "why this may stay as it is")?,
            owner: words("owner", &self.owner, "who answers for it")?,
            until: date(until)?,
            max_tokens: self.max_tokens.as_ref().map(most).transpose()?,
            line,
        })
    }

    fn content(&self, entry: &std::ops::Range<usize>) -> Result<String, Fault> {
        let Some(written) = &self.content else {
            let message = "[[waiver]] needs `content`: what the finding or the check said when it was accepted, as \
                           `reckon waive` writes it";
            return Err(Fault::new(entry.clone(), message));
        };
        let is_digest = written.get_ref().strip_prefix("sha256:").is_some_and(|digits| {
            digits.len() == 64 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        });
        match is_digest {
            true => Ok(written.get_ref().clone()),
            false => {
                let message = format!(
                    "[[waiver]] content: \"{}\" is no digest: write \"sha256:\" and 64 hexadecimal digits, as \
                     `reckon waive` does",
                    written.get_ref()
                );
                Err(Fault::new(written.span(), message))
            }
        }
    }

    /// A check has no size.
    fn no_cap(&self) -> Result<(), Fault> {
        match &self.max_tokens {
            None => Ok(()),
            Some(cap) => {
                let message = "[[waiver]] max_tokens belongs to a finding: a check has no size";
                Err(Fault::new(cap.span(), message))
            }
        }
    }
}

fn finding(written: &Text) -> Result<Subject, Fault> {
    let id = written.get_ref();
    match id.len() == 16 && id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        true => Ok(Subject::Finding(FindingId(id.clone()))),
        false => {
            let message = format!(
                "[[waiver]] finding: \"{id}\" is no id of a finding: write the 16 digits of the column \
                 finding_id of findings.csv"
            );
            Err(Fault::new(written.span(), message))
        }
    }
}

fn check(written: &Text) -> Result<Subject, Fault> {
    let name = written.get_ref();
    if let Some(known) = CHECKS.iter().find(|known| *known == name) {
        return Ok(Subject::Check(known));
    }
    let near = nearest(name, CHECKS).unwrap_or_default();
    let message = format!(
        "[[waiver]] check: \"{name}\" is no check of `reckon cutover`, the nearest is \"{near}\" (known: {})",
        CHECKS.join(", ")
    );
    Err(Fault::new(written.span(), message))
}

fn date(written: &Spanned<toml::Value>) -> Result<NaiveDate, Fault> {
    let text = match written.get_ref() {
        toml::Value::Datetime(at) => at.to_string(),
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    parse_day(&text).map_err(|why| Fault::new(written.span(), format!("[[waiver]] until: {why}")))
}

/// Reads a day: `2026-12-31`.
///
/// # Errors
/// What is wrong, and how a day is written.
pub fn parse_day(text: &str) -> Result<NaiveDate, String> {
    // chrono takes `2026-1-1` too; TOML does not.
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.to_string() == text);
    day.ok_or_else(|| {
        format!("{text} is no day of the calendar: write year, month and day, as in 2026-12-31")
    })
}

fn most(written: &Spanned<i64>) -> Result<i128, Fault> {
    match written.get_ref() {
        0.. => Ok(i128::from(*written.get_ref())),
        below => {
            let message = format!(
                "[[waiver]] max_tokens: {below} is below zero: it caps the size of the effect, whatever its sign"
            );
            Err(Fault::new(written.span(), message))
        }
    }
}
