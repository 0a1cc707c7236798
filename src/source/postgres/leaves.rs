//! What the partitions of a table ask of a label: their bounds, and CHECK constraints of their own.

use std::collections::BTreeMap;

use crate::config::{TableName, quote_identifier};

use super::super::SourceError;
use super::Database;
use super::catalogue::{Relation, text};
use super::dependencies::mention;
use super::examine::condition_of;
use super::fields::literal;
use super::privileges;
use super::session::Session;

const DOING: &str = "looking up what the partitions take";

/// A partition that holds rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// `schema.name`.
    pub name: String,
    /// What its bounds, and those of the partitions that it is a part of, ask for; each has to hold.
    pub bounds: Vec<Condition>,
    /// CHECK constraints that the table itself does not have.
    pub checks: Vec<Condition>,
}

/// What a partition asks of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What asks it: `constraint c of partition public.p`.
    pub by: String,
    /// The condition as a CHECK constraint: `CHECK (…)`.
    pub definition: String,
    /// What the server says of each label that was tried; empty where other columns count as well, or where
    /// it could not be evaluated.
    pub answers: BTreeMap<String, bool>,
}

impl Database {
    /// The partitions of a table, with what they say of these labels in a column; `None` where it is no
    /// partitioned table. Labels that the type of the column refuses are not tried.
    ///
    /// # Errors
    /// A lost connection, [`SourceError::Interrupted`] after a signal, no such table.
    pub fn leaves(
        &mut self,
        table: &TableName,
        column: &str,
        labels: &[String],
    ) -> Result<Option<Vec<Leaf>>, SourceError> {
        let session = &self.session;
        self.runtime.block_on(async {
            let relation = privileges::existing(session, table).await?;
            if relation.relkind != 'p' {
                return Ok(None);
            }
            let rows = session.rows_with(include_str!("sql/leaves.sql"), &[&relation.oid], DOING).await?;
            let known = BTreeMap::new();
            let mut trial = Trial { session, relation: &relation, column, labels, known };
            let mut leaves: Vec<Leaf> = Vec::new();
            for row in &rows {
                let name = text(row, 0);
                if leaves.last().is_none_or(|leaf| leaf.name != name) {
                    let mut bounds = Vec::new();
                    for bound in conjuncts(&text(row, 1)) {
                        let by = format!("the bounds of partition {name}");
                        bounds.push(trial.condition(by, format!("CHECK ({bound})")).await?);
                    }
                    leaves.push(Leaf { name: name.clone(), bounds, checks: Vec::new() });
                }
                if let (Some(leaf), Some(definition)) = (leaves.last_mut(), &row[3]) {
                    let by = format!("constraint {} of partition {name}", text(row, 2));
                    leaf.checks.push(trial.condition(by, definition.clone()).await?);
                }
            }
            Ok(Some(leaves))
        })
    }
}

/// Labels to be tried on conditions.
struct Trial<'a> {
    session: &'a Session,
    relation: &'a Relation,
    column: &'a str,
    labels: &'a [String],
    /// What was answered already: many partitions ask for the same.
    known: BTreeMap<String, BTreeMap<String, bool>>,
}

impl Trial<'_> {
    async fn condition(&mut self, by: String, definition: String) -> Result<Condition, SourceError> {
        if let Some(answers) = self.known.get(&definition) {
            return Ok(Condition { by, definition, answers: answers.clone() });
        }
        let mut answers = BTreeMap::new();
        let condition = condition_of(&definition).filter(|condition| self.is_of_label_alone(condition));
        if let (Some(condition), Some(column)) = (condition, self.relation.column(self.column)) {
            for label in self.labels {
                // What is neither true nor false refuses nothing.
                let sql = format!(
                    "select (({condition}) is not false)::text from (select {}::{} as {}) as t",
                    literal(label),
                    column.facts.cast,
                    quote_identifier(self.column)
                );
                if let Ok([row]) = self.session.try_rows(&sql, &[], DOING).await?.as_deref() {
                    answers.insert(label.clone(), text(row, 0) == "true");
                }
            }
        }
        self.known.insert(definition.clone(), answers.clone());
        Ok(Condition { by, definition, answers })
    }

    /// Does it look at the label and at nothing else of the row? A name that a column bears may be that of a
    /// type or function too: then it is taken for the column.
    fn is_of_label_alone(&self, condition: &str) -> bool {
        let names = mention::names(condition);
        let is_column = |name: &String| name == "*" || self.relation.column(name).is_some();
        names.contains(self.column) && names.iter().all(|name| name == self.column || !is_column(name))
    }
}

/// The conditions that a condition joins by AND, as the server prints it. What it is not sure to take apart
/// rightly stays whole; nothing is none.
fn conjuncts(condition: &str) -> Vec<&str> {
    let condition = condition.trim();
    if condition.is_empty() {
        return Vec::new();
    }
    let inner = inside(condition);
    let is_plain = !["CASE", "BETWEEN", "OR"].iter().any(|word| !outside(inner, word).is_empty());
    if !is_plain {
        return vec![condition];
    }
    let mut parts = Vec::new();
    let mut start = 0;
    for at in outside(inner, "AND") {
        parts.push(inner[start..at].trim());
        start = at + "AND".len();
    }
    parts.push(inner[start..].trim());
    parts
}

/// The text without the brackets around all of it.
fn inside(text: &str) -> &str {
    let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    // In `(a) AND (b)` the first bracket is not closed by the last one.
    inner.filter(|inner| depths(inner).all(|(_, depth)| depth >= 0)).unwrap_or(text)
}

/// Where a word stands outside brackets and quotes.
fn outside(text: &str, word: &str) -> Vec<usize> {
    let is_part =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let stands = |at: usize| {
        text[at..].starts_with(word)
            && !is_part(text[..at].chars().next_back())
            && !is_part(text[at + word.len()..].chars().next())
    };
    depths(text).filter(|(at, depth)| *depth == 0 && stands(*at)).map(|(at, _)| at).collect()
}

/// Every place outside quotes with how many brackets are open after it.
fn depths(text: &str) -> impl Iterator<Item = (usize, i32)> {
    let (mut depth, mut quote) = (0, None);
    text.char_indices().filter_map(move |(at, letter)| {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            _ => {}
        }
        quote.is_none().then_some((at, depth))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_taken_apart_as_the_server_prints_them() {
        let cases: [(&str, &[&str]); 9] = [
            ("", &[]),
            (
                "((a IS NOT NULL) AND (a = 'x'::text) AND (t >= '2026-01-01'::date))",
                &["(a IS NOT NULL)", "(a = 'x'::text)", "(t >= '2026-01-01'::date)"],
            ),
            ("(a IS NOT NULL) AND (b = 1)", &["(a IS NOT NULL)", "(b = 1)"]),
            ("((a = ') AND ('::text) AND (b = 1))", &["(a = ') AND ('::text)", "(b = 1)"]),
            (
                "(NOT ((a IS NOT NULL) AND (a = ANY (ARRAY['x'::text, 'y'::text]))))",
                &["NOT ((a IS NOT NULL) AND (a = ANY (ARRAY['x'::text, 'y'::text])))"],
            ),
            (
                "satisfies_hash_partition('16400'::oid, 4, 0, a)",
                &["satisfies_hash_partition('16400'::oid, 4, 0, a)"],
            ),
            ("((a = 'x'::text) OR (b = 1))", &["((a = 'x'::text) OR (b = 1))"]),
            ("(CASE WHEN a AND b THEN c ELSE d END)", &["(CASE WHEN a AND b THEN c ELSE d END)"]),
            ("((a = 'it''s (AND'::text) AND (\"AND\" = 1))", &["(a = 'it''s (AND'::text)", "(\"AND\" = 1)"]),
        ];
        for (condition, expected) in cases {
            assert_eq!(conjuncts(condition), expected, "{condition}");
        }
    }
}
