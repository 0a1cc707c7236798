//! How an inserted row says that it succeeded.

use crate::config::{Config, Literal};
use crate::source::TRUE_WORDS;
use crate::source::postgres::catalogue::ColumnFacts;

use super::columns::{Layout, Slot};
use super::constraint::{Admission, admission};
use super::quote::literal;

/// What stands in the column `success` of a new row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Success {
    /// This literal.
    Writes(String),
    /// What the server gives by itself, or `[backfill] values`: the file looks whether it means yes.
    LeftOut,
    /// Nobody knows how the column says yes.
    Unknown,
}

impl Success {
    pub fn of(config: &Config, unified: &Layout) -> Success {
        let yes = || Success::Writes("'true'".to_owned());
        let Some(slot) = &unified.success else { return yes() };
        if slot.is_generated() || is_given(config, slot) {
            return Success::LeftOut;
        }
        let Some(facts) = slot.facts.as_ref().filter(|_| slot.is_plain()) else { return yes() };
        match facts.base_type.as_str() {
            "boolean" | "json" | "jsonb" => yes(),
            "smallint" | "integer" | "bigint" | "real" | "double precision" => {
                Success::Writes("1".to_owned())
            }
            number if number.starts_with("numeric") => Success::Writes("1".to_owned()),
            bits if bits.starts_with("bit") => Success::Writes("'1'".to_owned()),
            _ if facts.default.as_deref().is_some_and(says_yes) => Success::LeftOut,
            _ => match only_word(facts, unified) {
                Some(word) => Success::Writes(literal(&word)),
                None => Success::Unknown,
            },
        }
    }
}

/// `[backfill] values` gives the column a value that means yes.
fn is_given(config: &Config, slot: &Slot) -> bool {
    let given = config.backfill.values.iter().find(|(name, _)| slot.is_plain() && **name == slot.column);
    given.is_some_and(|(_, value)| match value {
        Literal::Boolean(value) => *value,
        Literal::Integer(number) => i128::from(*number) == 1,
        Literal::Text(text) => is_yes(text),
        Literal::Decimal(_) => false,
    })
}

fn is_yes(text: &str) -> bool {
    let text = text.trim_ascii();
    text == "1" || TRUE_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The expression of a default is a literal that means yes: `'yes'::text`.
fn says_yes(default: &str) -> bool {
    let is_type = |name: &str| name.chars().all(|it| it.is_alphanumeric() || "_.\" ()".contains(it));
    let inner = default.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    inner.is_some_and(|(text, cast)| is_yes(text) && cast.strip_prefix("::").is_none_or(is_type))
}

/// The one label of an enum that means yes, or the one word that the constraints admit.
fn only_word(facts: &ColumnFacts, unified: &Layout) -> Option<String> {
    let words: Vec<String> = match &facts.enum_labels {
        Some(labels) => labels.iter().filter(|label| is_yes(label)).cloned().collect(),
        None => {
            let admitted = |word: &&&str| {
                let own = unified.facts.iter().flat_map(|table| &table.checks);
                let says = own.map(|(_, check)| admission(check, &facts.name, word));
                let domain = facts.domain_checks.iter().map(|(_, check)| admission(check, "value", word));
                let says: Vec<Admission> = says.chain(domain).filter(|it| *it != Admission::Silent).collect();
                !says.is_empty() && says.iter().all(|it| *it == Admission::Accepts)
            };
            TRUE_WORDS.iter().filter(admitted).map(|word| (*word).to_owned()).collect()
        }
    };
    match words.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_that_means_yes_is_known_by_its_expression() {
        let cases = [
            ("'yes'::text", true),
            ("'Y'::\"char\"", true),
            ("'1'::character varying", true),
            ("'no'::text", false),
            ("'ok'::public.st", false),
            ("'yes'::character varying(3)", true),
            ("'yes'::text || 'x'::text", false),
            ("'it''s'::text", false),
            ("lower('yes'::text)", false),
            ("now()", false),
        ];
        for (default, expected) in cases {
            assert_eq!(says_yes(default), expected, "{default}");
        }
    }
}
