//! Paths into JSON text: `metadata.payment_intent`.
//!
//! A value becomes text as PostgreSQL's `#>>` makes it: a string its contents, a number or boolean
//! as it is written, an object or array its JSON without blanks; null and missing become null. Of a
//! key that stands twice the last counts. In an array a key is a position, from 0, or from the end
//! when negative.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A row whose text is no JSON.
#[derive(Debug)]
pub(super) struct BrokenJson {
    /// Row of the array.
    pub row: usize,
    /// What the parser says.
    pub cause: serde_json::Error,
}

impl BrokenJson {
    /// What is wrong and what to do, for people.
    pub fn message(&self, column: &str) -> String {
        format!(
            "column {column} holds text that is not JSON ({}); write the column as JSON, or take its fields out \
             of [legacy] or [unified]",
            self.cause
        )
    }
}

/// Text of every row of an array; `None` if the array holds no text.
pub(super) fn texts<'a>(array: &'a dyn Array) -> Option<Box<dyn Iterator<Item = Option<&'a str>> + 'a>> {
    Some(match array.data_type() {
        DataType::Utf8 => Box::new(array.as_string::<i32>().iter()),
        DataType::LargeUtf8 => Box::new(array.as_string::<i64>().iter()),
        DataType::Utf8View => Box::new(array.as_string_view().iter()),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_dictionary_opt::<Int32Type>()?;
            let values = dictionary.values().as_string_opt::<i32>()?;
            let keys = dictionary.keys().iter();
            Box::new(keys.map(move |key| {
                let key = key? as usize;
                values.is_valid(key).then(|| values.value(key))
            }))
        }
        _ => return None,
    })
}

/// Follows several paths through the JSON text of each row, reading each text once. Gives one text
/// array a path. Null stays null.
///
/// # Errors
/// The first row whose text is no JSON.
pub(super) fn follow<'a>(
    texts: impl Iterator<Item = Option<&'a str>>,
    paths: &[&[String]],
) -> Result<Vec<ArrayRef>, BrokenJson> {
    let mut columns: Vec<StringBuilder> = paths.iter().map(|_| StringBuilder::new()).collect();
    let heads: Vec<&str> = paths.iter().map(|path| path[0].as_str()).collect();
    let mut found: Vec<Option<&RawValue>> = vec![None; paths.len()];
    for (row, text) in texts.enumerate() {
        found.fill(None);
        if let Some(text) = text {
            step(text, &heads, &mut found).map_err(|cause| BrokenJson { row, cause })?;
        }
        for ((column, value), path) in columns.iter_mut().zip(&found).zip(paths) {
            let text = match value {
                Some(value) => end_of(value, &path[1..]).map_err(|cause| BrokenJson { row, cause })?,
                None => None,
            };
            column.append_option(text);
        }
    }
    Ok(columns.into_iter().map(|mut column| Arc::new(column.finish()) as ArrayRef).collect())
}

/// The text at the end of a path.
fn end_of<'a>(value: &'a RawValue, path: &[String]) -> serde_json::Result<Option<Cow<'a, str>>> {
    let mut value = value;
    for key in path {
        let mut found = [None];
        step(value.get(), &[key], &mut found)?;
        match found[0] {
            Some(below) => value = below,
            None => return Ok(None),
        }
    }
    as_text(value.get())
}

fn as_text(raw: &str) -> serde_json::Result<Option<Cow<'_, str>>> {
    Ok(match raw.as_bytes().first() {
        Some(b'n') => None,
        Some(b'"') if raw.contains('\\') => Some(Cow::Owned(serde_json::from_str(raw)?)),
        Some(b'"') => Some(Cow::Borrowed(&raw[1..raw.len() - 1])),
        Some(b'{' | b'[') => Some(Cow::Owned(without_blanks(raw))),
        _ => Some(Cow::Borrowed(raw)),
    })
}

/// JSON without the blanks between its parts.
fn without_blanks(raw: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    raw.chars()
        .filter(|&c| {
            if in_string {
                in_string = escaped || c != '"';
                escaped = !escaped && c == '\\';
                return true;
            }
            in_string = c == '"';
            !c.is_ascii_whitespace()
        })
        .collect()
}

/// One step down: the values under the keys `heads` of the object (or array) in `text`. The whole
/// text is checked.
fn step<'a>(text: &'a str, heads: &[&str], found: &mut [Option<&'a RawValue>]) -> serde_json::Result<()> {
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'{') => {
            let mut parser = serde_json::Deserializer::from_str(text);
            parser.deserialize_map(Members { heads, found })?;
            parser.end()
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            for (head, found) in heads.iter().zip(found) {
                *found = head.parse().ok().and_then(|at: i64| {
                    let at = if at < 0 { at + i64::try_from(items.len()).ok()? } else { at };
                    items.get(usize::try_from(at).ok()?).copied()
                });
            }
            Ok(())
        }
        // A bare value has nothing below it, but it has to be JSON.
        _ => serde_json::from_str::<IgnoredAny>(text).map(|_| ()),
    }
}

/// Picks the members of an object that are named in `heads`.
struct Members<'p, 'f, 'a> {
    heads: &'p [&'p str],
    found: &'f mut [Option<&'a RawValue>],
}

impl<'a> Visitor<'a> for Members<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut members: M) -> Result<(), M::Error> {
        while let Some(known) = members.next_key_seed(Known(self.heads))? {
            let Some(key) = known else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: &'a RawValue = members.next_value()?;
            for (head, found) in self.heads.iter().zip(self.found.iter_mut()) {
                if *head == key {
                    *found = Some(value);
                }
            }
        }
        Ok(())
    }
}

/// Recognises a key that is asked for, without keeping the others.
struct Known<'p>(&'p [&'p str]);

impl<'a, 'p> DeserializeSeed<'a> for Known<'p> {
    type Value = Option<&'p str>;

    fn deserialize<D: Deserializer<'a>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl<'a, 'p> Visitor<'a> for Known<'p> {
    type Value = Option<&'p str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|head| **head == key).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `path` finds in `text`.
    fn at(text: &str, path: &str) -> Option<String> {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        let columns = follow([Some(text)].into_iter(), &[&path]).unwrap();
        texts(columns[0].as_ref()).unwrap().next().unwrap().map(str::to_owned)
    }

    #[test]
    fn a_value_becomes_the_text_that_postgresql_makes_of_it() {
        let cases = [
            (r#"{"a": "pi_1"}"#, "a", Some("pi_1")),
            (r#"{"a": ""}"#, "a", Some("")),
            (r#"{"a": "q\"\\\u00e9\n"}"#, "a", Some("q\"\\é\n")),
            (r#"{"a": 12}"#, "a", Some("12")),
            (r#"{"a": 12345678901234567890.50}"#, "a", Some("12345678901234567890.50")),
            (r#"{"a": true}"#, "a", Some("true")),
            (r#"{"a": null}"#, "a", None),
            (r#"{"b": 1}"#, "a", None),
            ("{}", "a", None),
            (r#"{"a": {"b": [1, 2]}}"#, "a", Some(r#"{"b":[1,2]}"#)),
            (r#"{"a": {"k ey": "v \" al"}}"#, "a", Some(r#"{"k ey":"v \" al"}"#)),
            (r#"{"a": {"b": {"c": "deep"}}}"#, "a.b.c", Some("deep")),
            (r#"{"a": {"b": 1}}"#, "a.x", None),
            (r#"{"a": 7}"#, "a.b", None),
            (r#"{"a": [{"b": "first"}, {"b": "last"}]}"#, "a.0.b", Some("first")),
            (r#"{"a": [{"b": "first"}, {"b": "last"}]}"#, "a.-1.b", Some("last")),
            (r#"{"a": [1]}"#, "a.1", None),
            (r#"[10, 20]"#, "1", Some("20")),
            (r#"{"a": 1, "a": 2}"#, "a", Some("2")),
            (r#"{"\u0061": "escaped key"}"#, "a", Some("escaped key")),
            (r#" "scalar" "#, "a", None),
            ("null", "a", None),
        ];
        for (text, path, expected) in cases {
            assert_eq!(at(text, path).as_deref(), expected, "{path} in {text}");
        }
    }

    #[test]
    fn several_paths_share_one_reading_and_null_rows_stay_null() {
        let rows = [Some(r#"{"x": {"a": 1, "b": 2}, "y": "z"}"#), None, Some("{}")];
        let paths = ["x.a", "x.b", "y"].map(|path| path.split('.').map(str::to_owned).collect::<Vec<_>>());
        let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        let columns = follow(rows.into_iter(), &paths).unwrap();
        let rows: Vec<Vec<Option<&str>>> =
            columns.iter().map(|column| texts(column.as_ref()).unwrap().collect()).collect();
        assert_eq!(
            rows,
            [[Some("1"), None, None], [Some("2"), None, None], [Some("z"), None, None]].map(Vec::from)
        );
    }

    #[test]
    fn broken_json_is_an_error_that_names_the_row() {
        let broken =
            ["{", "{'a': 1}", r#"{"a": NaN}"#, "", "  ", r#"{"a": 1} x"#, r#"{"a": "\ud800"}"#, "[1,", "nul"];
        for text in broken {
            let path = ["a".to_owned()];
            let error = follow([Some("{}"), Some(text)].into_iter(), &[&path]).expect_err(text);
            assert_eq!(error.row, 1, "{text}");
            assert!(error.message("metadata").contains("column metadata"), "{text}");
        }
    }
}
