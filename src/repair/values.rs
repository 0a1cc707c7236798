//! The values of rows as SQL literals.
//!
//! They are written into temporary tables whose columns have the types of the real ones, so a quoted
//! literal is cast to the column's own type, whatever it is. Instants carry their zone, and the
//! session's zone is set to the configured one, so that a column without zone gets the right wall
//! clock.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::domain::{Instant, RowId};

use super::columns::{Filling, Layout, Meaning, NewColumn};
use super::plan::{Change, Plan, Values};
use super::quote::push_literal;
use super::success::Success;

/// A tuple of literals that is written into a line.
pub(super) struct Tuple<'l> {
    line: &'l mut String,
    is_begun: bool,
}

impl<'l> Tuple<'l> {
    pub fn new(line: &'l mut String) -> Tuple<'l> {
        line.push('(');
        Tuple { line, is_begun: false }
    }

    /// The line, ready for the next value.
    fn next(&mut self) -> &mut String {
        if std::mem::replace(&mut self.is_begun, true) {
            self.line.push_str(", ");
        }
        self.line
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        push_literal(self.next(), text);
        self
    }

    /// An id or user.
    pub fn id(&mut self, id: &RowId) -> &mut Self {
        id.with_text(|text| push_literal(self.next(), text));
        self
    }

    /// An id that is text in SQL, or null.
    pub fn known_id(&mut self, id: Option<&RowId>) -> &mut Self {
        match id {
            Some(id) => self.id(id),
            None => self.number(NULL),
        }
    }

    /// An array of texts.
    pub fn texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> &mut Self {
        let line = self.next();
        let mut is_empty = true;
        for text in texts {
            line.push_str(if std::mem::replace(&mut is_empty, false) { "array[" } else { ", " });
            push_literal(line, text);
        }
        line.push_str(if is_empty { "'{}'" } else { "]" });
        self
    }

    pub fn number(&mut self, number: impl std::fmt::Display) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = write!(self.next(), "{number}");
        self
    }

    /// An instant with its zone.
    pub fn instant(&mut self, at: Instant) -> &mut Self {
        push_instant(self.next(), at);
        self
    }

    /// The end of a grant, or null; PostgreSQL's `infinity` is the last instant.
    pub fn end_of_grant(&mut self, at: Option<Instant>) -> &mut Self {
        match at {
            Some(Instant(i64::MAX)) => self.number("'infinity'::timestamptz"),
            Some(at) => self.instant(at),
            None => self.number(NULL),
        }
    }

    /// Action columns, tokens and instant of a unified row.
    pub fn content(&mut self, layout: &Layout, values: &Values<'_>) -> &mut Self {
        self.action(layout, values.action).number(values.raw_tokens).instant(values.at)
    }

    /// Action columns.
    pub fn action(&mut self, layout: &Layout, action: &str) -> &mut Self {
        if layout.action.len() == 1 {
            return self.text(action);
        }
        for part in layout.parts(action).unwrap_or_default() {
            self.text(part);
        }
        self
    }

    /// The literals of a row to insert, without those that every row has.
    pub fn new_row(&mut self, plan: &Plan<'_>, change: &Change<'_>) -> &mut Self {
        for column in &plan.new_columns {
            match &column.filling {
                Filling::Mapped(meaning) => push_mapped(self.next(), plan, change, column, *meaning),
                Filling::Json { places, nullable } => {
                    push_json(self.next(), plan, change, places, *nullable);
                }
                Filling::Constant(_) => {}
            }
        }
        self
    }

    pub fn end(&mut self) {
        self.line.push(')');
    }
}

fn push_instant(line: &mut String, at: Instant) {
    line.push('\'');
    at.push_rfc3339(line);
    line.push_str("'::timestamptz");
}

fn push_mapped(
    line: &mut String,
    plan: &Plan<'_>,
    change: &Change<'_>,
    column: &NewColumn,
    meaning: Meaning,
) {
    let type_name = column.facts.as_ref().map(|facts| facts.base_type.as_str());
    let push_known = |line: &mut String, at: Option<Instant>| match at {
        Some(at) => push_instant(line, at),
        None => line.push_str(NULL),
    };
    let push_id = |line: &mut String, id: Option<&RowId>| match id {
        Some(id) => id.with_text(|text| push_literal(line, text)),
        None => line.push_str(NULL),
    };
    match (meaning, type_name) {
        (Meaning::CreatedAt, _) => push_known(line, change.new.map(|new| new.at)),
        (Meaning::ExpiresAt, _) => push_known(line, change.expires_at),
        (Meaning::Success, _) => line.push_str(match &plan.success {
            Success::Writes(literal) => literal,
            // The file refuses, or the column is not among these.
            Success::LeftOut | Success::Unknown => NULL,
        }),
        // A name is all there is to go by where the type is unknown.
        (Meaning::Migrated, None) if ["_at", "_on", "At"].iter().any(|end| column.name.ends_with(end)) => {
            push_instant(line, plan.as_of);
        }
        (Meaning::Migrated, None | Some("boolean")) => line.push_str("'true'"),
        (Meaning::Migrated, Some(name)) if name.starts_with("timestamp") || name == "date" => {
            push_instant(line, plan.as_of);
        }
        (_, Some("json" | "jsonb")) => push_literal(line, &json_value(plan, change, meaning).to_string()),
        (Meaning::Id, _) => push_id(line, change.row.as_ref()),
        (Meaning::User, _) => push_id(line, change.new.map(|new| new.user)),
        (Meaning::Link, _) => push_id(line, change.legacy.map(|legacy| legacy.id)),
        _ => match json_value(plan, change, meaning) {
            Value::String(text) => push_literal(line, &text),
            Value::Null => line.push_str(NULL),
            other => line.push_str(&other.to_string()),
        },
    }
}

const NULL: &str = "null";

fn push_json(
    line: &mut String,
    plan: &Plan<'_>,
    change: &Change<'_>,
    places: &[(Vec<String>, Meaning)],
    nullable: bool,
) {
    let mut object = Map::new();
    for (path, meaning) in places {
        let value = json_value(plan, change, *meaning);
        if !value.is_null() {
            put(&mut object, path, value);
        }
    }
    if object.is_empty() && nullable {
        line.push_str(NULL);
    } else {
        push_literal(line, &Value::Object(object).to_string());
    }
}

/// Puts a value at the end of a path. The paths of a mapping never run through one another's ends:
/// that was checked when the columns were laid out.
fn put(object: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            object.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = object.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

fn json_value(plan: &Plan<'_>, change: &Change<'_>, meaning: Meaning) -> Value {
    let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
    let new = change.new.as_ref();
    match meaning {
        Meaning::Id => text(change.row.as_ref().map(RowId::to_string)),
        Meaning::User => text(new.map(|new| new.user.to_string())),
        Meaning::Action(part) => text(new.and_then(|new| {
            plan.unified.parts(new.action).and_then(|parts| parts.get(part).map(|part| (*part).to_owned()))
        })),
        Meaning::Amount => new.map_or(Value::Null, |new| Value::from(new.raw_tokens)),
        Meaning::CreatedAt => text(new.map(|new| new.at.rfc3339())),
        Meaning::ExpiresAt => text(change.expires_at.map(Instant::rfc3339)),
        Meaning::Success => Value::Bool(true),
        Meaning::Link => text(change.legacy.as_ref().map(|legacy| legacy.id.to_string())),
        Meaning::Migrated => Value::String(plan.legacy_table.to_string()),
        Meaning::Reference => text(change.reference.map(str::to_owned)),
    }
}
