//! Words for nothing as SQL says them.

use super::fields::literal;
use crate::domain::{NO_NAME, NO_VALUE, NULL_WORDS, PLACEHOLDERS};

/// True where a text is a word for nothing, as [`crate::domain::is_nothing`] has it.
pub(super) fn is_nothing(sql: &str) -> String {
    let words: Vec<String> = NULL_WORDS.iter().chain(&[""]).map(|word| literal(word)).collect();
    let word = format!("lower(btrim({sql}::text, E' \\t\\n\\f\\r') collate \"C\")");
    // Nearly all ids are longer than each of the words.
    let short = format!("(length({sql}::text) < 10 or ascii({sql}::text) <= 32)");
    format!("{short} and {word} = any (array[{}]::text[])", words.join(", "))
}

/// True where a text names something: not what [`crate::domain::names_nothing`] says.
pub fn names_something(text: &str) -> String {
    let words = NULL_WORDS.iter().chain(&PLACEHOLDERS).chain(&[""]);
    let words: Vec<String> = words.map(|word| literal(word)).collect();
    format!(
        "lower(coalesce(btrim({text}, E' \\t\\n\\f\\r'), '') collate \"C\") <> all (array[{}]::text[]) \
         and {text} collate \"C\" !~* {} and {text} collate \"C\" !~* {}",
        words.join(", "),
        literal(NO_VALUE),
        literal(NO_NAME)
    )
}
