//! Flags of any type: whether a row succeeded, whether it is marked.

use arrow_array::cast::AsArray;
use arrow_array::{Array, BooleanArray, FixedSizeBinaryArray};
use arrow_schema::DataType;

use super::columns::{Amount, IntegerColumn, Text};
use crate::domain::{parse_tokens, says_nothing};
use crate::source::{FALSE_WORDS, TRUE_WORDS};

/// What a flag says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flag {
    Yes,
    No,
    /// Null or empty: nothing.
    Missing,
    /// Neither yes nor no; its text.
    Unreadable(String),
}

/// A flag: success, a payment, or a migration mark.
#[derive(Debug)]
pub(super) enum FlagColumn<'a> {
    Boolean(&'a BooleanArray),
    Text(Text<'a>),
    Integer(IntegerColumn<'a>),
    /// A payment or the row that was copied: there or not.
    Uuid(&'a FixedSizeBinaryArray),
}

impl<'a> FlagColumn<'a> {
    pub(super) fn of(array: &'a dyn Array) -> Option<FlagColumn<'a>> {
        if *array.data_type() == DataType::Boolean {
            return Some(FlagColumn::Boolean(array.as_boolean()));
        }
        if let Some(text) = Text::of(array) {
            return Some(FlagColumn::Text(text));
        }
        if let DataType::FixedSizeBinary(16) = array.data_type() {
            return Some(FlagColumn::Uuid(array.as_fixed_size_binary()));
        }
        IntegerColumn::of(array).map(FlagColumn::Integer)
    }

    pub(super) fn get(&self, row: usize) -> Flag {
        match self {
            FlagColumn::Boolean(array) if array.is_null(row) => Flag::Missing,
            FlagColumn::Boolean(array) => {
                if array.value(row) {
                    Flag::Yes
                } else {
                    Flag::No
                }
            }
            FlagColumn::Text(text) => text.get(row).map_or(Flag::Missing, of_text),
            FlagColumn::Uuid(ids) if ids.is_null(row) => Flag::Missing,
            FlagColumn::Uuid(_) => Flag::Unreadable("a UUID".to_owned()),
            FlagColumn::Integer(numbers) => of_number(numbers.get(row)),
        }
    }

    /// The text of a row, in a column of text.
    pub(super) fn text(&self, row: usize) -> Option<&'a str> {
        if let FlagColumn::Text(text) = self { text.get(row) } else { None }
    }

    /// Every value is a yes, a no, or nothing, whatever it is.
    pub(super) fn is_always_readable(&self) -> bool {
        matches!(self, FlagColumn::Boolean(_))
    }

    /// The value says no.
    pub(super) fn is_false(&self, row: usize) -> bool {
        match self {
            FlagColumn::Boolean(array) => array.is_valid(row) && !array.value(row),
            _ => self.get(row) == Flag::No,
        }
    }

    /// The value is there and does not say no. A mark may be any text.
    pub(super) fn is_set(&self, row: usize) -> bool {
        match self {
            FlagColumn::Uuid(ids) => ids.is_valid(row) && ids.value(row).iter().any(|byte| *byte != 0),
            FlagColumn::Text(text) => text.get(row).is_some_and(|text| {
                !says_nothing(text) && !matches!(of_text(text), Flag::No | Flag::Missing)
            }),
            FlagColumn::Boolean(_) | FlagColumn::Integer(_) => {
                matches!(self.get(row), Flag::Yes | Flag::Unreadable(_))
            }
        }
    }
}

/// `null` is what a path into JSON gives.
fn of_text(text: &str) -> Flag {
    let word = text.trim_ascii();
    let is = |known: &&str| word.eq_ignore_ascii_case(known);
    match () {
        () if word.is_empty() || word == "null" => Flag::Missing,
        () if TRUE_WORDS.iter().any(is) => Flag::Yes,
        () if FALSE_WORDS.iter().any(is) => Flag::No,
        () => match parse_tokens(word) {
            Some(number @ (0 | 1)) => of_number(Amount::Tokens(number)),
            _ => Flag::Unreadable(text.to_owned()),
        },
    }
}

fn of_number(number: Amount) -> Flag {
    match number {
        Amount::Tokens(0) => Flag::No,
        Amount::Tokens(1) => Flag::Yes,
        Amount::Tokens(other) => Flag::Unreadable(other.to_string()),
        Amount::Missing => Flag::Missing,
        Amount::Unreadable(text) => Flag::Unreadable(text),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, FixedSizeBinaryArray, Float64Array, Int32Array, StringArray};

    use super::{Flag, FlagColumn};

    #[test]
    fn a_flag_is_yes_or_no_or_nothing_and_whatever_else_is_unreadable() {
        for (flag, expected) in [
            ("true t yes y on 1 1.0 TRUE On", "yes"),
            ("false f no n off 0 0.0 00 False OFF", "no"),
            ("null", "missing"),
            ("failed error ok nein maybe 2 -1 NULL nan 0.5 tru", "unreadable"),
        ] {
            for word in flag.split(' ') {
                assert_eq!(said(Arc::new(StringArray::from(vec![word]))), expected, "{word}");
            }
        }
        let empty: [Option<&str>; 3] = [None, Some(""), Some("  ")];
        for text in empty {
            assert_eq!(said(Arc::new(StringArray::from(vec![text]))), "missing", "{text:?}");
        }
        for (number, expected) in [
            (Some(0), "no"),
            (Some(1), "yes"),
            (Some(2), "unreadable"),
            (Some(-1), "unreadable"),
            (None, "missing"),
        ] {
            assert_eq!(said(Arc::new(Int32Array::from(vec![number]))), expected, "{number:?}");
        }
        for (number, expected) in [(0.0, "no"), (1.0, "yes"), (0.5, "unreadable"), (f64::NAN, "missing")] {
            assert_eq!(said(Arc::new(Float64Array::from(vec![number]))), expected, "{number:?}");
        }
        for (value, expected) in [(Some(true), "yes"), (Some(false), "no"), (None, "missing")] {
            assert_eq!(said(Arc::new(BooleanArray::from(vec![value]))), expected, "{value:?}");
        }
    }

    #[test]
    fn a_mark_may_be_any_text() {
        let marks = ["token_transactions", "true", "2", "x", "false", "0", "", "null", "-", "n/a"];
        let marks = StringArray::from(marks.to_vec());
        let column = FlagColumn::of(&marks).unwrap();
        let set: Vec<bool> = (0..10).map(|row| column.is_set(row)).collect();
        assert_eq!(set, [true, true, true, true, false, false, false, false, false, false]);
        let ids = FixedSizeBinaryArray::try_from_iter([[0_u8; 16], [1_u8; 16]].into_iter()).unwrap();
        let column = FlagColumn::of(&ids).unwrap();
        assert_eq!([column.is_set(0), column.is_set(1)], [false, true]);
    }

    fn said(array: ArrayRef) -> &'static str {
        match FlagColumn::of(&array).unwrap().get(0) {
            Flag::Yes => "yes",
            Flag::No => "no",
            Flag::Missing => "missing",
            Flag::Unreadable(_) => "unreadable",
        }
    }
}
