//! One block of findings.

use serde::Serialize;

use crate::domain::{Finding, Instant, RowId};

use super::super::rows::actions;
use super::words::Words;
use super::{end_line, push_field, zipped};

/// The first whole number that a browser may not hold exactly.
const EXACT_INTEGERS: i64 = 1 << 53;

/// What stands before the columns: the words that occur for the first time.
#[derive(Serialize)]
struct Head {
    rows: usize,
    users: Vec<String>,
    actions: Vec<String>,
    tokens: Vec<String>,
    causes: Vec<String>,
}

/// Findings of one block, in columns.
#[derive(Default)]
pub struct Block {
    at: Vec<f64>,
    user: Vec<u32>,
    action: Vec<u32>,
    tokens_legacy: Vec<u32>,
    tokens_unified: Vec<u32>,
    effect: Vec<u32>,
    cause: Vec<u32>,
    marks: [Vec<u8>; 4],
    text: String,
}

impl Block {
    /// Adds a finding.
    pub fn add<'a>(&mut self, finding: &'a Finding, words: &mut Words<'a>) {
        let at = finding.created_at_legacy.or(finding.created_at_unified);
        // Rounded beyond the year 2255: it only sorts and is shown to the second.
        self.at.push(at.map_or(f64::NAN, |at| at.0 as f64));
        self.user.push(words.user(finding.user.as_ref()));
        self.action.push(words.actions.code(&actions(finding)));
        let mut tokens = |value: Option<i128>| {
            words.tokens.code(&value.map(|value| value.to_string()).unwrap_or_default())
        };
        self.tokens_legacy.push(tokens(finding.tokens_legacy));
        self.tokens_unified.push(tokens(finding.tokens_unified));
        self.effect.push(tokens(finding.tokens_effect));
        self.cause.push(words.causes.code(&finding.cause));
        let marks = [finding.class as u8, finding.severity as u8, finding.repair as u8, finding.status as u8];
        for (column, mark) in self.marks.iter_mut().zip(marks) {
            column.push(mark);
        }
        self.add_line(finding);
    }

    fn add_line(&mut self, finding: &Finding) {
        let line = &mut self.text;
        push_field(line, &finding.id.0);
        push_ids(line, &finding.legacy_ids);
        push_ids(line, &finding.unified_ids);
        push_field(line, finding.action_legacy.as_deref().unwrap_or(""));
        push_field(line, finding.action_expected.as_deref().unwrap_or(""));
        push_field(line, finding.action_unified.as_deref().unwrap_or(""));
        push_time(line, finding.created_at_legacy, true);
        push_time(line, finding.created_at_unified, finding.created_at_legacy.is_none());
        push_field(line, &finding.lag.map(|lag| lag.seconds()).unwrap_or_default());
        push_field(line, finding.rule.name());
        push_field(line, finding.verdict.name());
        push_field(line, finding.confidence.name());
        push_field(line, &finding.evidence);
        end_line(line);
    }

    /// Findings so far.
    pub fn rows(&self) -> usize {
        self.at.len()
    }

    /// Both streams, not yet packed.
    pub fn finish(self, words: &mut Words<'_>) -> Streams {
        let head = Head {
            rows: self.rows(),
            users: words.new_users(),
            actions: words.actions.take_new(),
            tokens: words.tokens.take_new(),
            causes: words.causes.take_new(),
        };
        let mut head = serde_json::to_vec(&head).expect("texts and numbers can be written as JSON");
        head.resize(head.len().next_multiple_of(8), b' ');
        let mut index = (head.len() as u32).to_le_bytes().to_vec();
        index.extend(head);
        push_planes(&mut index, self.at.iter().map(|value| value.to_le_bytes()));
        push_planes(&mut index, steps(&self.user).map(u32::to_le_bytes));
        for column in [&self.action, &self.tokens_legacy, &self.tokens_unified, &self.effect, &self.cause] {
            push_planes(&mut index, column.iter().map(|code| code.to_le_bytes()));
        }
        self.marks.iter().for_each(|column| index.extend(column));
        Streams { index, text: self.text }
    }
}

/// What a block sends.
pub struct Streams {
    index: Vec<u8>,
    text: String,
}

impl Streams {
    /// Both streams packed, a blank between them.
    pub fn zipped(&self) -> String {
        format!("{} {}", zipped(&self.index), zipped(self.text.as_bytes()))
    }
}

/// Ids as one field. One of several may hold anything that text may hold.
fn push_ids(line: &mut String, ids: &[RowId]) {
    match ids {
        [] => line.push('\t'),
        [only] => only.with_text(|text| push_field(line, text)),
        ids => push_field(line, &ids.iter().map(RowId::to_string).collect::<Vec<_>>().join(";")),
    }
}

/// Adds a time as a field; `=` for the one that the index has, where a browser holds it exactly.
fn push_time(line: &mut String, at: Option<Instant>, is_in_index: bool) {
    match at {
        None => {}
        Some(at) if is_in_index && at.0.abs() < EXACT_INTEGERS => line.push('='),
        Some(at) => at.push_rfc3339(line),
    }
    line.push('\t');
}

/// From each code to the next: findings of one class come by user, so that most steps are 1.
fn steps(codes: &[u32]) -> impl Iterator<Item = u32> + Clone {
    let before = std::iter::once(&0).chain(codes);
    codes.iter().zip(before).map(|(code, before)| code.wrapping_sub(*before))
}

/// All first bytes, then all second bytes, and so on.
fn push_planes<const WIDTH: usize>(out: &mut Vec<u8>, values: impl Iterator<Item = [u8; WIDTH]> + Clone) {
    for plane in 0..WIDTH {
        out.extend(values.clone().map(|bytes| bytes[plane]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_written_plane_by_plane_and_users_as_steps() {
        let mut out = Vec::new();
        push_planes(&mut out, [[1, 2], [3, 4], [5, 6]].into_iter());
        assert_eq!(out, [1, 3, 5, 2, 4, 6]);
        assert_eq!(steps(&[1, 2, 2, 1]).collect::<Vec<_>>(), [1, 1, 0, u32::MAX]);
    }

    #[test]
    fn only_a_time_that_a_browser_holds_exactly_is_left_to_the_index() {
        let cases = [
            (None, true, ""),
            (Some(Instant(5)), true, "="),
            (Some(Instant(5)), false, "1970-01-01T00:00:00.000005Z"),
            (Some(Instant(EXACT_INTEGERS)), true, "2255-06-05T23:47:34.740992Z"),
        ];
        for (at, is_in_index, expected) in cases {
            let mut line = String::new();
            push_time(&mut line, at, is_in_index);
            assert_eq!(line, format!("{expected}\t"));
        }
    }
}
