//! The values of rows as SQL literals.
//!
//! They are written into temporary tables whose columns have the types of the real ones, so a quoted
//! literal is cast to the column's own type, whatever it is. Instants carry their zone, and the
//! session's zone is set to the configured one, so that a column without zone gets the right wall
//! clock.

use serde_json::{Map, Value};

use crate::domain::{Instant, RowId};

use super::columns::{Filling, Layout, Meaning, NewColumn};
use super::plan::{Change, LegacyRow, Plan, Values};
use super::quote::literal;

/// An id or user.
pub(super) fn id(id: &RowId) -> String {
    id.with_text(literal)
}

/// An instant with its zone.
pub(super) fn instant(at: Instant) -> String {
    format!("'{}'::timestamptz", at.rfc3339())
}

/// A tuple of literals.
pub(super) fn tuple(values: &[String]) -> String {
    format!("({})", values.join(", "))
}

/// User, action columns, tokens and instant of a unified row.
pub(super) fn content(layout: &Layout, values: &Values) -> Vec<String> {
    let mut content = vec![id(&values.user)];
    content.extend(layout.parts(&values.action).unwrap_or_default().into_iter().map(literal));
    content.extend([values.raw_tokens.to_string(), instant(values.at)]);
    content
}

/// The columns of `reckon_legacy`.
pub(super) fn legacy_row(row: &LegacyRow) -> String {
    tuple(&[id(&row.id), id(&row.user), literal(&row.label), row.raw_tokens.to_string(), instant(row.at)])
}

/// The literals of a row to insert, without those that every row has.
pub(super) fn new_row(plan: &Plan, change: &Change) -> Vec<String> {
    plan.new_columns
        .iter()
        .filter_map(|column| match &column.filling {
            Filling::Mapped(meaning) => Some(mapped(plan, change, column, *meaning)),
            Filling::Json { places, nullable } => Some(json(plan, change, places, *nullable)),
            Filling::Constant(_) => None,
        })
        .collect()
}

fn mapped(plan: &Plan, change: &Change, column: &NewColumn, meaning: Meaning) -> String {
    let type_name = column.facts.as_ref().map(|facts| facts.type_name.as_str());
    match (meaning, type_name) {
        (Meaning::CreatedAt, _) => change.new.as_ref().map_or_else(null, |new| instant(new.at)),
        (Meaning::ExpiresAt, _) => change.expires_at.map_or_else(null, instant),
        // Written as text, true fits a boolean as well as a text column.
        (Meaning::Success, Some("smallint" | "integer" | "bigint")) => "1".to_owned(),
        // A name is all there is to go by where the type is unknown.
        (Meaning::Migrated, None) if ["_at", "_on", "At"].iter().any(|end| column.name.ends_with(end)) => {
            instant(plan.as_of)
        }
        (Meaning::Success, _) | (Meaning::Migrated, None | Some("boolean")) => "'true'".to_owned(),
        (Meaning::Migrated, Some(name)) if name.starts_with("timestamp") || name == "date" => {
            instant(plan.as_of)
        }
        (_, Some("json" | "jsonb")) => literal(&json_value(plan, change, meaning).to_string()),
        _ => match json_value(plan, change, meaning) {
            Value::String(text) => literal(&text),
            Value::Null => null(),
            other => other.to_string(),
        },
    }
}

fn null() -> String {
    "null".to_owned()
}

fn json(plan: &Plan, change: &Change, places: &[(Vec<String>, Meaning)], nullable: bool) -> String {
    let mut object = Map::new();
    for (path, meaning) in places {
        let value = json_value(plan, change, *meaning);
        if !value.is_null() {
            put(&mut object, path, value);
        }
    }
    if object.is_empty() && nullable { null() } else { literal(&Value::Object(object).to_string()) }
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

fn json_value(plan: &Plan, change: &Change, meaning: Meaning) -> Value {
    let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
    let new = change.new.as_ref();
    match meaning {
        Meaning::Id => text(change.row.as_ref().map(RowId::to_string)),
        Meaning::User => text(new.map(|new| new.user.to_string())),
        Meaning::Action(part) => text(new.and_then(|new| {
            plan.unified.parts(&new.action).and_then(|parts| parts.get(part).map(|part| (*part).to_owned()))
        })),
        Meaning::Amount => new.map_or(Value::Null, |new| Value::from(new.raw_tokens)),
        Meaning::CreatedAt => text(new.map(|new| new.at.rfc3339())),
        Meaning::ExpiresAt => text(change.expires_at.map(Instant::rfc3339)),
        Meaning::Success => Value::Bool(true),
        Meaning::Link => text(change.legacy.as_ref().map(|legacy| legacy.id.to_string())),
        Meaning::Migrated => Value::String(plan.legacy_table.to_string()),
        Meaning::Reference => text(change.reference.clone()),
    }
}
