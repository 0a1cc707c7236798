//! Columns that only their owner can decide about: those that say of a row what became of it, which no row is
//! judged by, and those that a new row needs and nobody may guess.

use super::labels::words;
use super::roles::{SideRoles, is_reference};
use super::write::{Lines, key, one_line, rows};
use super::{Column, Sample, Seen, Shape};
use crate::domain::Side;

/// Last words of columns that say how far a row has come.
const STATES: [&str; 2] = ["status", "state"];
/// Words of columns that say that a row is gone.
const GONE: [&str; 18] = [
    "deleted",
    "removed",
    "void",
    "voided",
    "cancelled",
    "canceled",
    "archived",
    "reversed",
    "reverted",
    "refunded",
    "revoked",
    "failed",
    "invalid",
    "invalidated",
    "hidden",
    "disabled",
    "discarded",
    "disputed",
];
/// Words of columns whose value nobody may guess: of a status, a payment, a reference or a time.
const NEVER_GUESSED: [&str; 26] = [
    "status",
    "state",
    "payment",
    "payments",
    "paid",
    "stripe",
    "intent",
    "invoice",
    "charge",
    "order",
    "checkout",
    "receipt",
    "reference",
    "ref",
    "external",
    "idempotency",
    "subscription",
    "currency",
    "price",
    "id",
    "ids",
    "uuid",
    "key",
    "at",
    "date",
    "timestamp",
];
/// Values that are named.
const SHOWN: usize = 6;

/// A column that is left to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// The table that has it.
    pub side: Side,
    /// Its name.
    pub column: String,
    /// Its values with their rows, the commonest first, where they are few and known.
    pub values: Vec<(String, u64)>,
    /// What is to be decided, and the way out.
    pub question: String,
}

/// By its name a column says of a row what became of it: that it failed, or is gone.
pub fn says_what_became(name: &str) -> bool {
    let words = words(name);
    let is_state = words.last().is_some_and(|last| STATES.contains(&last.as_str()));
    is_state || (words.len() <= 3 && words.iter().any(|word| GONE.contains(&word.as_str())))
}

/// The columns of a side that say what became of a row and that no role has.
fn states<'a>(sample: &'a Sample, roles: &SideRoles) -> impl Iterator<Item = &'a Column> {
    let taken = roles.columns();
    sample.columns.iter().filter(move |column| {
        let is_told = column.filled > 0 || sample.rows == 0;
        is_told && says_what_became(&column.name) && !taken.contains(&column.name) && is_state(column)
    })
}

/// The values are those of a state: a sum of tokens that were refunded is none, and a flag that is no in every
/// row says nothing.
fn is_state(column: &Column) -> bool {
    let no = |value: &str| ["false", "f", "0", "no", "n"].contains(&value.to_ascii_lowercase().as_str());
    let words = words(&column.name);
    let first = words.first().map_or("", String::as_str);
    let is_no_throughout = !column.values.is_empty() && column.values.keys().all(|value| no(value));
    match column.shape {
        Shape::Json | Shape::Members | Shape::Decimal => false,
        Shape::Integer => (words.len() == 1 || first == "is") && !is_no_throughout,
        _ => !is_no_throughout,
    }
}

/// What [`Undecided`] says of a state.
fn state_question(side: Side) -> &'static str {
    match side {
        Side::Legacy => {
            "no row is judged by it: if some of its rows do not count, name a view or an export without them"
        }
        Side::Unified => {
            "no row is judged by it: if some of its rows do not count, name a view or an export without them, or \
             a boolean column as success"
        }
    }
}

/// The values of a column with their rows, the commonest first.
fn by_rows(column: &Column) -> Vec<(String, u64)> {
    if column.is_time() {
        return Vec::new();
    }
    let mut values: Vec<(String, u64)> =
        column.values.iter().map(|(value, rows)| (value.clone(), *rows)).collect();
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    values
}

/// The values in words; empty where they are not known.
pub fn shown_values(values: &[(String, u64)]) -> String {
    let mut each: Vec<String> =
        values.iter().take(SHOWN).map(|(value, count)| format!("{value:?} {}", rows(*count))).collect();
    if values.len() > SHOWN {
        each.push("others".to_owned());
    }
    each.join(", ")
}

/// All columns that are left to decide: legacy first.
pub(super) fn undecided(legacy: &Seen, unified: &Seen) -> Vec<Undecided> {
    let mut all = Vec::new();
    for (side, seen) in [(Side::Legacy, legacy), (Side::Unified, unified)] {
        all.extend(states(&seen.sample, &seen.roles).map(|column| Undecided {
            side,
            column: column.name.clone(),
            values: by_rows(column),
            question: state_question(side).to_owned(),
        }));
    }
    all.extend(unfilled(unified).into_iter().map(|column| Undecided {
        side: Side::Unified,
        column: column.name.clone(),
        values: Vec::new(),
        question: "it is never empty, and a row to insert has no value for it: add one to [backfill] values, or \
                   map the column"
            .to_owned(),
    }));
    all
}

/// Writes the states of a side as comments.
pub(super) fn write_states(lines: &mut Lines, seen: &Seen, side: Side) {
    for column in states(&seen.sample, &seen.roles) {
        let values = match shown_values(&by_rows(column)) {
            values if values.is_empty() => String::new(),
            values => format!(" ({values})"),
        };
        lines.comment(&one_line(&format!("{} is left to decide{values}:", column.name)));
        lines.comment(state_question(side));
    }
}

/// The columns of new rows that are never empty and that the mapping does not fill.
fn open(unified: &Seen) -> impl Iterator<Item = &Column> {
    let taken = unified.roles.columns();
    unified.sample.columns.iter().filter(move |column| column.required && !taken.contains(&column.name))
}

/// The value that does no harm in a column, as the configuration writes it.
fn guess(column: &Column) -> Option<&'static str> {
    let words = words(&column.name);
    let is_never = words.iter().any(|word| NEVER_GUESSED.contains(&word.as_str()))
        || words.last().is_some_and(|last| ["time", "on"].contains(&last.as_str()))
        || says_what_became(&column.name)
        || is_reference(column);
    match (column.shape, column.listed.is_empty()) {
        _ if is_never => None,
        (Shape::Text, true) => Some("\"migration\""),
        (Shape::Integer | Shape::Decimal, _) => Some("0"),
        (Shape::Boolean, _) => Some("false"),
        _ => None,
    }
}

/// Those of which no value can be guessed.
fn unfilled(unified: &Seen) -> Vec<&Column> {
    open(unified).filter(|column| guess(column).is_none()).collect()
}

/// Columns that a new row needs and the mapping does not fill.
pub(super) fn write_backfill(lines: &mut Lines, unified: &Seen) {
    let guessed = open(unified).filter_map(|column| Some((column, guess(column)?)));
    let values: Vec<String> =
        guessed.map(|(column, value)| format!("{} = {value}", key(&column.name))).collect();
    let unfilled = unfilled(unified);
    if values.is_empty() && unfilled.is_empty() {
        return;
    }
    lines.section("backfill", "columns that are never empty and that the mapping does not fill");
    if !values.is_empty() {
        lines.line(&format!("values = {{ {} }}", values.join(", ")), "");
    }
    for column in unfilled {
        lines.comment(&format!("{} needs a value too: add it to values", one_line(&column.name)));
    }
}
