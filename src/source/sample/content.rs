//! What the values of a column are, judged by the values.

use std::collections::BTreeMap;

use crate::config::infer::{Column, Odd, Shape};
use crate::domain::{RowId, parse_tokens};

/// A value in a hundred may be wrong in four of five columns; the shape is that of the other four
/// fifths.
const SHAPE_PERCENT: u64 = 80;
/// Keys of JSON beyond these are data, not structure.
const MOST_JSON_KEYS: usize = 200;

/// Values of a column beyond these are no states of a row.
const MOST_VALUES: usize = 12;
/// Nor is a longer text.
const LONGEST_VALUE: usize = 40;

/// Counts over the values of one column.
#[derive(Debug)]
pub(super) struct Content {
    /// Rows that were counted, empty ones too.
    rows: u64,
    filled: u64,
    uuids: u64,
    integers: u64,
    decimals: u64,
    booleans: u64,
    zoned: u64,
    unzoned: u64,
    objects: u64,
    json_keys: BTreeMap<String, u64>,
    /// Rows by value; `None`: there are too many.
    values: Option<BTreeMap<String, u64>>,
    odd: Odd,
}

impl Default for Content {
    fn default() -> Content {
        Content {
            rows: 0,
            filled: 0,
            uuids: 0,
            integers: 0,
            decimals: 0,
            booleans: 0,
            zoned: 0,
            unzoned: 0,
            objects: 0,
            json_keys: BTreeMap::new(),
            values: Some(BTreeMap::new()),
            odd: Odd::default(),
        }
    }
}

impl Content {
    /// Counts one value.
    pub fn add(&mut self, value: Option<&str>) {
        self.rows += 1;
        let Some(text) = value.map(str::trim).filter(|text| !text.is_empty()) else { return };
        self.filled += 1;
        self.note_value(text);
        self.note_odd(text);
        if text.starts_with('{') {
            self.add_object(text);
        } else if parse_tokens(text).is_some() {
            self.integers += 1;
        } else if text.parse::<f64>().is_ok() {
            self.decimals += 1;
        } else if matches!(RowId::parse(text), RowId::Uuid(_)) {
            self.uuids += 1;
        } else if ["true", "false", "t", "f"].contains(&text.to_ascii_lowercase().as_str()) {
            self.booleans += 1;
        } else {
            match zone_of(text) {
                Some(true) => self.zoned += 1,
                Some(false) => self.unzoned += 1,
                None => {}
            }
        }
    }

    fn note_value(&mut self, text: &str) {
        let Some(values) = &mut self.values else { return };
        if let Some(rows) = values.get_mut(text) {
            *rows += 1;
        } else if values.len() < MOST_VALUES && text.len() <= LONGEST_VALUE {
            values.insert(text.to_owned(), 1);
        } else {
            self.values = None;
        }
    }

    fn note_odd(&mut self, text: &str) {
        let shown = || Some((self.rows, text.chars().take(LONGEST_VALUE).collect()));
        if self.odd.number.is_none() && parse_tokens(text).is_none() {
            self.odd.number = shown();
        }
        if self.odd.time.is_none() && zone_of(text).is_none() {
            self.odd.time = shown();
        }
    }

    fn add_object(&mut self, text: &str) {
        let Ok(object) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) else {
            return;
        };
        self.objects += 1;
        for (key, value) in object {
            let known = self.json_keys.len() < MOST_JSON_KEYS || self.json_keys.contains_key(&key);
            if known && !value.is_null() && value != "" {
                *self.json_keys.entry(key).or_default() += 1;
            }
        }
    }

    /// The column; `typed` is its shape where the file says it.
    pub fn column(self, name: String, typed: Option<Shape>, rows: u64) -> Column {
        let judged = [
            (Shape::Json, self.objects),
            (Shape::Integer, self.integers),
            (Shape::Decimal, self.integers + self.decimals),
            (Shape::Uuid, self.uuids),
            (Shape::Boolean, self.booleans),
            (Shape::Zoned, self.zoned),
            (Shape::Unzoned, self.zoned + self.unzoned),
        ];
        let content = judged
            .into_iter()
            .find(|(_, count)| self.filled > 0 && count * 100 >= self.filled * SHAPE_PERCENT)
            .map_or(Shape::Text, |(shape, _)| shape);
        // An empty column can be told by its name alone.
        let content = if self.filled == 0 && name == "metadata" { Shape::Json } else { content };
        // A text column may hold anything; every other type is what it says.
        let shape = typed.filter(|typed| *typed != Shape::Text).unwrap_or(content);
        Column {
            name,
            shape,
            required: shape == Shape::Text && rows > 0 && self.filled == rows,
            primary_key: false,
            filled: self.filled,
            default: None,
            listed: Vec::new(),
            json_keys: self.json_keys,
            odd: self.odd,
            values: self.values.unwrap_or_default(),
        }
    }
}

/// Is the text a time, and does it have a zone?
fn zone_of(text: &str) -> Option<bool> {
    let bytes = text.as_bytes();
    let digits =
        |from: usize, to: usize| bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let is_date = digits(0, 4)
        && bytes.get(4) == Some(&b'-')
        && digits(5, 7)
        && bytes.get(7) == Some(&b'-')
        && digits(8, 10);
    if !is_date {
        return None;
    }
    let rest = &bytes[10..];
    Some(rest.iter().any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-')) || text.ends_with("UTC"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_that_of_most_values() {
        let cases: [(&[&str], Shape); 11] = [
            (&["1", "-2", "3.00"], Shape::Integer),
            (&["1", "2", "3", "4", "oops"], Shape::Integer),
            (&["1", "2.5"], Shape::Decimal),
            (&["true", "FALSE", "t"], Shape::Boolean),
            (&["24d9518c-1ede-47aa-8628-257b33ddf634"], Shape::Uuid),
            (&["2026-02-10T09:00:00Z", ""], Shape::Zoned),
            (&["2025-07-01 17:19:51.790709+00"], Shape::Zoned),
            (&["2025-07-01 17:19:51"], Shape::Unzoned),
            (&["{}", "{\"a\": 1}"], Shape::Json),
            (&["grant", "1"], Shape::Text),
            (&["", ""], Shape::Text),
        ];
        for (values, expected) in cases {
            let mut content = Content::default();
            for value in values {
                content.add(Some(value));
            }
            assert_eq!(content.column("a".to_owned(), None, 9).shape, expected, "{values:?}");
        }
    }

    #[test]
    fn keys_of_json_are_counted_where_they_have_a_value() {
        let mut content = Content::default();
        for value in [r#"{"a": "x", "b": null}"#, r#"{"a": 1, "c": ""}"#, "{broken"] {
            content.add(Some(value));
        }
        let column = content.column("metadata".to_owned(), Some(Shape::Text), 3);
        assert_eq!(column.json_keys, BTreeMap::from([("a".to_owned(), 2)]));
    }
}
