//! Functions that should write the unified table: whether they do, and with which labels.

use crate::config::{TableName, quote_identifier};

use super::super::SourceError;
use super::catalogue::{self, text};
use super::dependencies::mention::{self, Mention, Wanted};
use super::dependencies::paths::Paths;
use super::fields::literal;
use super::session::TextRow;
use super::{Certainty, Database, label_keys, privileges};

const DOING: &str = "looking up the functions that write grants";

/// A function that was found under the name of a writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writer {
    /// `schema.name`.
    pub name: String,
    /// Types of its arguments.
    pub arguments: String,
    /// Whether its text inserts into the unified table; `None`: it does not.
    pub inserts: Option<Insertion>,
    /// Strings in its text: its labels are among them.
    pub texts: Vec<String>,
}

/// How a function inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insertion {
    /// It says so.
    Direct,
    /// It may: from text, or under a name that may mean another table.
    Possible,
    /// A function that it calls does: which one.
    Through(String),
}

/// What a constraint or type says of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelVerdict {
    /// The label.
    pub label: String,
    /// What refuses it or cannot be told: `type public.t`, `constraint c`.
    pub by: String,
    /// `false`: refused; `None`: it cannot be told.
    pub admits: Option<bool>,
}

impl Database {
    /// The functions of this name, in its schema, or else in the search path and in these schemas.
    /// `None` where the table that they should write is not there.
    ///
    /// # Errors
    /// A lost connection, [`SourceError::Interrupted`] after a signal, a catalogue that cannot be read.
    pub fn writers(
        &mut self,
        function: &TableName,
        schemas: &[&str],
        table: &TableName,
    ) -> Result<Option<Vec<Writer>>, SourceError> {
        let session = &self.session;
        self.runtime.block_on(async {
            let Some(relation) = catalogue::find(session, table).await? else { return Ok(None) };
            let schema = function.schema.as_deref().unwrap_or_default();
            let schemas = array(schemas);
            let sql = include_str!("writers/named.sql");
            let rows = session.rows_with(sql, &[schema, &function.name, &schemas], DOING).await?;
            let paths = Paths::read(session, &relation).await?;
            let schema = relation.name.schema.as_deref().unwrap_or_default();
            let wanted = paths.wanted(schema, &relation.name.name);
            let mut writers = Vec::new();
            for row in &rows {
                let (definition, own) = (text(row, 4), row[5].as_deref());
                let mut inserts = insertion(&definition, wanted, &paths, own);
                if inserts.is_none() {
                    let called = called(&definition);
                    let called: Vec<&str> =
                        called.iter().map(String::as_str).filter(|name| *name != function.name).collect();
                    let sql = include_str!("writers/called.sql");
                    let rows = session.rows_with(sql, &[&array(&called)], DOING).await?;
                    inserts = through(&rows, wanted, &paths);
                }
                writers.push(Writer {
                    name: format!("{}.{}", text(row, 0), text(row, 1)),
                    arguments: text(row, 2),
                    inserts,
                    texts: mention::texts(&definition).iter().flat_map(|body| literals(body)).collect(),
                });
            }
            Ok(Some(writers))
        })
    }

    /// Which of these labels the column's type, its foreign keys or the table's CHECK constraints refuse, or
    /// may. The server evaluates them, with null in every other column; labels that all admit are left out.
    ///
    /// # Errors
    /// A lost connection, [`SourceError::Interrupted`] after a signal, no such table or column.
    pub fn label_verdicts(
        &mut self,
        table: &TableName,
        column: &str,
        labels: &[String],
    ) -> Result<Vec<LabelVerdict>, SourceError> {
        let session = &self.session;
        self.runtime.block_on(async {
            let relation = privileges::existing(session, table).await?;
            let facts = catalogue::facts(session, &relation).await?;
            let Some(found) = relation.column(column) else {
                return Err(privileges::refusal(session, &privileges::missing_column(&relation, column)));
            };
            let mut verdicts = label_keys::verdicts(session, &relation, found, labels).await?;
            for label in labels {
                let cast = format!("{}::{}", literal(label), found.facts.cast);
                if !label_keys::type_holds(session, found, label).await? {
                    let by = format!("type {}", found.facts.type_name);
                    verdicts.push(LabelVerdict { label: label.clone(), by, admits: Some(false) });
                    continue;
                }
                for (name, definition) in &facts.checks {
                    let others: Vec<String> = relation
                        .columns
                        .iter()
                        .filter(|other| other.facts.name != column)
                        .map(|other| {
                            format!("null::{} as {}", other.facts.cast, quote_identifier(&other.facts.name))
                        })
                        .chain([format!("{cast} as {}", quote_identifier(column))])
                        .collect();
                    let condition = super::examine::condition_of(definition).unwrap_or("null");
                    let sql = format!("select ({condition})::text from (select {}) as t", others.join(", "));
                    let admits = match session.try_rows(&sql, &[], DOING).await?.as_deref() {
                        Ok([row]) => row[0].as_deref().map(|answer| answer == "true"),
                        _ => None,
                    };
                    if admits != Some(true) {
                        let by = format!("constraint {name}");
                        verdicts.push(LabelVerdict { label: label.clone(), by, admits });
                    }
                }
            }
            Ok(verdicts)
        })
    }
}

/// `{"a","b"}`.
fn array(names: &[&str]) -> String {
    let quoted = names.iter().map(|name| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")));
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// A definition holds its body as one string, or as SQL.
fn literals(body: &str) -> Vec<String> {
    let inner = mention::texts(body);
    if inner.is_empty() { vec![body.to_owned()] } else { inner }
}

/// The functions that a definition calls: its body stands in it as a string, or as SQL.
fn called(definition: &str) -> Vec<String> {
    let bodies = mention::texts(definition);
    bodies.iter().map(String::as_str).chain([definition]).flat_map(mention::calls).collect()
}

fn insertion(definition: &str, wanted: Wanted<'_>, paths: &Paths, own: Option<&str>) -> Option<Insertion> {
    // The body stands in the definition as a string of its own, unless it is standard SQL.
    let bodies = mention::texts(definition);
    let direct = mention::inserts(definition, wanted).filter(|mention| *mention != Mention::Text);
    let found = bodies.iter().filter_map(|body| mention::inserts(body, wanted)).chain(direct).max()?;
    Some(match paths.weigh(&[found], wanted, own)? {
        Certainty::Certain => Insertion::Direct,
        Certainty::Possible | Certainty::Note => Insertion::Possible,
    })
}

fn through(rows: &[TextRow], wanted: Wanted<'_>, paths: &Paths) -> Option<Insertion> {
    let called =
        rows.iter().find(|row| insertion(&text(row, 3), wanted, paths, row[4].as_deref()).is_some())?;
    Some(Insertion::Through(format!("{}.{}", text(called, 0), text(called, 1))))
}
