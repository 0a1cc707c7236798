//! From configured fields to SQL expressions and the form in which their values travel.

use crate::config::{Field, quote_identifier};

use super::catalogue::{BaseType, Column, Relation};
use super::privileges::missing_column;

/// How a value comes in binary COPY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// 16 bytes.
    Uuid,
    /// 2 or 4 bytes.
    Small,
    /// 8 bytes.
    Integer,
    /// PostgreSQL's base-10000 digits.
    Numeric,
    /// 4 or 8 bytes.
    Float,
    Boolean,
    /// Microseconds since 2000-01-01, UTC.
    Zoned,
    /// The same by the clock on the wall.
    Wall,
    /// Days since 2000-01-01.
    Date,
    Text,
    /// Text with few distinct values.
    Label,
}

/// What a field is needed for: it decides which types may stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Id,
    Label,
    Amount,
    Time,
    Flag,
    Text,
}

/// A field as SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expression {
    /// Over the table's alias `t`.
    pub sql: String,
    pub wire: Wire,
    /// May it be null?
    pub nullable: bool,
}

/// The expression of a field.
///
/// # Errors
/// A sentence: the column is not there, or holds no JSON though a path leads into it.
pub(super) fn expression(relation: &Relation, field: &Field, purpose: Purpose) -> Result<Expression, String> {
    if let Some(column) = relation.column(&field.written) {
        return Ok(plain(column, purpose));
    }
    let Some(column) = relation.column(&field.column) else {
        return Err(missing_column(relation, &field.column));
    };
    if field.path.is_empty() {
        return Ok(plain(column, purpose));
    }
    if !is_json(column) {
        return Err(format!(
            "{} leads into column {} of table {}, which holds {}, not json or jsonb",
            field.written,
            field.column,
            relation.sql(),
            column.facts.type_name
        ));
    }
    let keys: Vec<String> = field.path.iter().map(|key| literal(key)).collect();
    let name = quote_identifier(&field.column);
    let sql = match field.path.as_slice() {
        // Costs the server less; but a number would not count the elements of an array.
        [key] if !may_count(key) => format!("t.{name} ->> {}", literal(key)),
        _ => format!("t.{name} #>> array[{}]::text[]", keys.join(", ")),
    };
    let wire = if purpose == Purpose::Label { Wire::Label } else { Wire::Text };
    Ok(Expression { sql: format!("({sql})"), wire, nullable: true })
}

/// The expression of a field of which only some rows are asked, and the path into its text that is left to
/// follow here. A path into `json` is: that type keeps every text as it came, also one with `\u0000` or half of
/// a surrogate pair in it, and the server gives up at the first such row, whatever key is asked for.
///
/// # Errors
/// As [`expression`].
pub(super) fn detail<'f>(
    relation: &Relation,
    field: &'f Field,
    purpose: Purpose,
) -> Result<(Expression, &'f [String]), String> {
    let found = expression(relation, field, purpose)?;
    match relation.column(&field.column) {
        Some(column) if leads_into_json(relation, field) => Ok((plain(column, Purpose::Text), &field.path)),
        _ => Ok((found, &[])),
    }
}

/// Is it a path into a column of type `json` (not `jsonb`)?
pub(super) fn leads_into_json(relation: &Relation, field: &Field) -> bool {
    let is_path = relation.column(&field.written).is_none() && !field.path.is_empty();
    let base = relation.column(&field.column).map(|column| &column.base);
    is_path && base == Some(&BaseType::BuiltIn("json".to_owned()))
}

/// May the server read it as a place in an array?
fn may_count(key: &str) -> bool {
    key.contains(|character: char| character.is_ascii_digit())
}

/// Is it `json` or `jsonb`?
pub(super) fn is_json(column: &Column) -> bool {
    matches!(&column.base, BaseType::BuiltIn(name) if name == "json" || name == "jsonb")
}

fn plain(column: &Column, purpose: Purpose) -> Expression {
    let name = format!("t.{}", quote_identifier(&column.facts.name));
    let nullable = !column.never_null;
    let native = match &column.base {
        BaseType::BuiltIn(base) => match (base.as_str(), purpose) {
            ("uuid", Purpose::Id) => Some(Wire::Uuid),
            ("int2" | "int4", Purpose::Id | Purpose::Amount | Purpose::Flag) => Some(Wire::Small),
            ("int8", Purpose::Id | Purpose::Amount | Purpose::Flag) => Some(Wire::Integer),
            ("numeric", Purpose::Id | Purpose::Amount) => Some(Wire::Numeric),
            ("float4" | "float8", Purpose::Amount) => Some(Wire::Float),
            ("bool", Purpose::Flag) => Some(Wire::Boolean),
            ("timestamptz", Purpose::Time) => Some(Wire::Zoned),
            ("timestamp", Purpose::Time) => Some(Wire::Wall),
            ("date", Purpose::Time) => Some(Wire::Date),
            ("text" | "varchar" | "name", _) => Some(Wire::Text),
            // Whole, as it came.
            ("json", Purpose::Text) => Some(Wire::Text),
            _ => None,
        },
        BaseType::Enum => Some(Wire::Text),
        BaseType::Other(base) if base == "citext" => Some(Wire::Text),
        BaseType::Other(_) => None,
    };
    // Whatever else it is travels as the text that the server shows.
    let (sql, wire) = match native {
        Some(wire) => (name, wire),
        None => (format!("{name}::text"), Wire::Text),
    };
    let wire = if purpose == Purpose::Label { Wire::Label } else { wire };
    Expression { sql, wire, nullable }
}

/// A string literal; sessions run with `standard_conforming_strings`.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
