//! Tables of PostgreSQL: the catalogue, counts of values, rows by label. In the database's one
//! snapshot, by its server.

use crate::config::infer::{
    Column, LabelCount, Labels, Place, Repeated, Repeats, Sample, Shape, SideRoles, says_what_became,
};
use crate::config::{Field, TableName, parse_field, quote_identifier};
use crate::source::SourceError;
use crate::source::postgres::catalogue::{ColumnFacts, TableFacts};
use crate::source::postgres::{Database, names_something};

/// Looks at the columns of a table.
///
/// # Errors
/// What the server says: no such table, no privilege, row-level security that would hide rows.
pub fn table_sample(database: &mut Database, table: &TableName) -> Result<Sample, SourceError> {
    let facts = database.facts(table)?;
    database.check_readable(&facts.name, &[])?;
    let mut sample = of_facts(&facts);
    let counts: Vec<String> =
        facts.columns.iter().map(|column| format!("count({})", quote_identifier(&column.name))).collect();
    let sql = format!("select count(*), {} from {}", counts.join(", "), facts.name.sql());
    let row = database.rows_text(&sql)?.into_iter().next().unwrap_or_default();
    let mut numbers = row.iter().map(|value| number(value.as_deref()));
    sample.rows = numbers.next().unwrap_or_default();
    for (column, filled) in sample.columns.iter_mut().zip(numbers) {
        column.filled = filled;
    }
    for column in sample.columns.iter_mut().filter(|column| column.shape == Shape::Json) {
        let sql = include_str!("json_keys.sql")
            .replace("{column}", &quote_identifier(&column.name))
            .replace("{table}", &facts.name.sql());
        for row in database.rows_text(&sql)? {
            if let [Some(key), count] = &row[..] {
                column.json_keys.insert(key.clone(), number(count.as_deref()));
            }
        }
    }
    // What the rows say of themselves, where a column does.
    let asked =
        sample.columns.iter_mut().filter(|column| says_what_became(&column.name) && column.filled > 0);
    for column in asked.filter(|column| !column.is_time()) {
        let sql = include_str!("values.sql")
            .replace("{column}", &quote_identifier(&column.name))
            .replace("{table}", &facts.name.sql());
        let rows = database.rows_text(&sql)?;
        column.values = rows
            .iter()
            .filter_map(|row| Some((row.first()?.clone()?, number(row.get(1)?.as_deref()))))
            .collect();
    }
    Ok(sample)
}

/// All tables that may be read, by their catalogue alone: no row is looked at.
///
/// # Errors
/// What the server says.
pub fn table_samples(database: &mut Database) -> Result<Vec<Sample>, SourceError> {
    let tables = database.tables_like("")?;
    Ok(tables.iter().filter(|facts| matches!(facts.relkind, 'r' | 'p')).map(of_facts).collect())
}

/// Counts the rows of a table by label.
///
/// # Errors
/// What the server says.
pub fn table_labels(
    database: &mut Database,
    table: &TableName,
    roles: &SideRoles,
) -> Result<Labels, SourceError> {
    let sql = include_str!("labels.sql")
        .replace("{label}", &label_of(roles))
        .replace("{amount}", &quote_identifier(&roles.amount))
        .replace("{referenced}", &any_named(roles.more.reference.iter()))
        .replace("{marked}", &any_filled(roles.more.link.iter().chain(&roles.more.migrated)))
        .replace("{table}", &table.sql());
    let mut labels = Labels::new();
    for row in database.rows_text(&sql)? {
        let mut values = row.iter().map(Option::as_deref);
        let Some(label) = values.next().flatten() else { continue };
        let mut next = || number(values.next().flatten());
        let count = LabelCount {
            rows: next(),
            positive: next(),
            negative: next(),
            referenced: next(),
            marked: next(),
        };
        labels.insert(label.to_owned(), count);
    }
    Ok(labels)
}

/// Counts on how many days a user has the same value of a reference on the same label.
///
/// # Errors
/// What the server says.
pub fn table_repeats(
    database: &mut Database,
    table: &TableName,
    roles: &SideRoles,
) -> Result<Repeats, SourceError> {
    let mut repeats = Repeats::new();
    for field in roles.more.reference.iter().filter_map(|name| parse_field(name).ok()) {
        let sql = include_str!("repeats.sql")
            .replace("{label}", &label_of(roles))
            .replace("{user}", &quote_identifier(&roles.user))
            .replace("{created_at}", &quote_identifier(&roles.created_at))
            .replace("{named}", &names_something(&text_of(&field)))
            .replace("{value}", &text_of(&field))
            .replace("{table}", &table.sql());
        let labels = repeats.entry(field.written).or_default();
        for row in database.rows_text(&sql)? {
            if let [Some(label), filled, again] = &row[..] {
                let (filled, again) = (number(filled.as_deref()), number(again.as_deref()));
                labels.insert(label.clone(), Repeated { filled, again });
            }
        }
    }
    Ok(repeats)
}

/// SQL of a row's label.
fn label_of(roles: &SideRoles) -> String {
    let parts: Vec<String> =
        roles.action.iter().map(|name| format!("coalesce({}::text, '')", quote_identifier(name))).collect();
    parts.join(" || '/' || ")
}

fn number(text: Option<&str>) -> u64 {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// SQL that is true where one of the fields names something.
fn any_named<'a>(names: impl Iterator<Item = &'a String>) -> String {
    any(names, |text| format!("({})", names_something(text)))
}

/// SQL that is true where one of the fields has a value.
fn any_filled<'a>(names: impl Iterator<Item = &'a String>) -> String {
    any(names, |text| format!("coalesce({text}, '') <> ''"))
}

fn any<'a>(names: impl Iterator<Item = &'a String>, is: impl Fn(&str) -> String) -> String {
    let fields = names.filter_map(|name| parse_field(name).ok());
    let filled: Vec<String> = fields.map(|field| is(&text_of(&field))).collect();
    if filled.is_empty() { "false".to_owned() } else { filled.join(" or ") }
}

fn text_of(field: &Field) -> String {
    let column = quote_identifier(&field.column);
    match &field.path[..] {
        [] => format!("{column}::text"),
        path => {
            let keys: Vec<String> = path.iter().map(|key| format!("'{}'", key.replace('\'', "''"))).collect();
            format!("({column}::jsonb #>> array[{}])", keys.join(", "))
        }
    }
}

fn of_facts(facts: &TableFacts) -> Sample {
    let column = |column: &ColumnFacts| Column {
        name: column.name.clone(),
        shape: Shape::of_type(&column.type_name),
        required: column.not_null && column.default.is_none() && !column.generated,
        primary_key: facts.primary_key == [column.name.clone()],
        filled: 0,
        default: column.default.as_deref().and_then(|expression| expression.parse().ok()),
        listed: match &column.enum_labels {
            Some(labels) => labels.clone(),
            None => listed_in_checks(&facts.checks, &column.name),
        },
        json_keys: Default::default(),
        odd: Default::default(),
        values: Default::default(),
    };
    Sample {
        place: Place::Table(facts.name.clone()),
        columns: facts.columns.iter().map(column).collect(),
        rows: 0,
        whole: true,
    }
}

/// The texts that a CHECK constraint of the form `column = any (array['a', 'b'])` allows.
fn listed_in_checks(checks: &[(String, String)], column: &str) -> Vec<String> {
    let quoted = quote_identifier(column);
    let starts = [format!("CHECK (({quoted} = ANY"), format!("CHECK ((({quoted})::text = ANY")];
    let lists =
        checks.iter().filter(|(_, definition)| starts.iter().any(|start| definition.starts_with(start)));
    lists.flat_map(|(_, definition)| texts_in(definition)).collect()
}

/// The string literals of an expression as the server prints it.
fn texts_in(definition: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = definition;
    while let Some(start) = rest.find('\'') {
        let mut text = String::new();
        rest = &rest[start + 1..];
        while let Some(end) = rest.find('\'') {
            text.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(after) => {
                    text.push('\'');
                    rest = after;
                }
                None => break,
            }
        }
        texts.push(text);
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_constraint_lists_labels() {
        let cases = [
            ("CHECK ((action_type = ANY (ARRAY['a'::text, 'it''s'::text])))", vec!["a", "it's"]),
            ("CHECK (((action_type)::text = ANY ((ARRAY['a'::character varying])::text[])))", vec!["a"]),
            ("CHECK ((other = ANY (ARRAY['a'::text])))", vec![]),
            ("CHECK ((action_type <> ''::text))", vec![]),
        ];
        for (definition, expected) in cases {
            let checks = [("c".to_owned(), definition.to_owned())];
            assert_eq!(listed_in_checks(&checks, "action_type"), expected, "{definition}");
        }
    }

    #[test]
    fn fields_become_sql() {
        let field = |text: &str| parse_field(text).expect("a field");
        assert_eq!(text_of(&field("order")), "\"order\"::text");
        assert_eq!(text_of(&field("metadata.it's")), "(metadata::jsonb #>> array['it''s'])");
        assert_eq!(any_filled([].into_iter()), "false");
    }
}
