//! What `reckon doctor` asks of a database beyond what reading it needs.

use std::time::Duration;

use crate::config::{Columns, Field, TableName, quote_identifier};

use super::super::{Progress, SourceError};
use super::Database;
use super::catalogue::{self, text};
use super::explain::where_to_look;
use super::fields::{Purpose, Wire, expression, literal};
use super::label_keys;
use super::privileges;
use super::scan::{Further, open_further};
use super::select::joined_label;
use super::writers::LabelVerdict;

/// How well a configured field fits its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// As it should be.
    Good,
    /// It works; what to know.
    Usable(String),
    /// It cannot work; why and what to do.
    Wrong(String),
}

/// A configured field and the column behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// Key of the configuration: `amount`.
    pub key: &'static str,
    /// The field as written.
    pub field: String,
    /// Its type as the server prints it; empty when there is no such column.
    pub type_name: String,
    /// Does it fit?
    pub fit: Fit,
}

impl Database {
    /// Checks only what this role is granted.
    ///
    /// # Errors
    /// As [`Database::check_readable`], row-level security apart.
    pub fn check_privileges(&mut self, table: &TableName) -> Result<(), SourceError> {
        self.runtime.block_on(async {
            let relation = privileges::existing(&self.session, table).await?;
            privileges::check_privileges(&self.session, &relation)
        })
    }

    /// How many sessions can read at once: this one, and as many further ones as open within the
    /// configured wait, up to `wanted`. They are closed again.
    ///
    /// # Errors
    /// [`SourceError::Interrupted`] after a signal.
    pub fn sessions(&mut self, wanted: usize, progress: &Progress) -> Result<usize, SourceError> {
        let further = Further {
            target: &self.target,
            tls: &self.tls,
            route: &self.route,
            snapshot: &self.snapshot.name,
            settings: &self.settings,
            progress,
        };
        let wait = Duration::from_micros(self.settings.session_wait.0.max(0).unsigned_abs());
        self.runtime.block_on(async {
            let mut open = Vec::new();
            while open.len() + 1 < wanted {
                match tokio::time::timeout(wait, open_further(&further)).await {
                    Ok(Ok(session)) => open.push(session),
                    Ok(Err(SourceError::Interrupted)) => return Err(SourceError::Interrupted),
                    Ok(Err(_)) | Err(_) => break,
                }
            }
            for session in &open {
                session.end().await;
            }
            Ok(open.len() + 1)
        })
    }

    /// Looks at every configured field of a side.
    ///
    /// # Errors
    /// There is no such table.
    pub fn mapping(&mut self, table: &TableName, columns: &Columns) -> Result<Vec<Mapped>, SourceError> {
        let relation = self.runtime.block_on(privileges::existing(&self.session, table))?;
        let optional = |key, field: &Option<Field>, purpose| field.clone().map(|field| (key, field, purpose));
        let many = |key, fields: &[Field], purpose| -> Vec<(&'static str, Field, Purpose)> {
            fields.iter().map(|field| (key, field.clone(), purpose)).collect()
        };
        let mut wanted =
            vec![("id", columns.id.clone(), Purpose::Id), ("user", columns.user.clone(), Purpose::Id)];
        wanted.extend(many("action", &columns.action, Purpose::Label));
        wanted.push(("amount", columns.amount.clone(), Purpose::Amount));
        wanted.push(("created_at", columns.created_at.clone(), Purpose::Time));
        wanted.extend(optional("success", &columns.success, Purpose::Flag));
        wanted.extend(many("reference", &columns.reference, Purpose::Text));
        if columns.payment != columns.reference {
            wanted.extend(many("payment", &columns.payment, Purpose::Text));
        }
        wanted.extend(optional("link", &columns.link, Purpose::Text));
        wanted.extend(optional("migrated", &columns.migrated, Purpose::Text));
        wanted.extend(optional("expires_at", &columns.expires_at, Purpose::Time));
        wanted.extend(optional("balance_after", &columns.balance_after, Purpose::Amount));
        let mapped = wanted.into_iter().map(|(key, field, purpose)| {
            let column = relation.column(&field.written).or_else(|| relation.column(&field.column));
            Mapped {
                key,
                type_name: column.map(|column| column.facts.type_name.clone()).unwrap_or_default(),
                fit: match expression(&relation, &field, purpose) {
                    Err(why) => Fit::Wrong(why),
                    Ok(found) => fit(found.wire, purpose, &columns.timezone.to_string()),
                },
                field: field.written,
            }
        });
        Ok(mapped.collect())
    }

    /// The labels of a side with their number of rows, most frequent first. Reads the whole table.
    ///
    /// # Errors
    /// The server's; a column that is not there.
    pub fn labels(
        &mut self,
        table: &TableName,
        columns: &Columns,
    ) -> Result<Vec<(String, u64)>, SourceError> {
        self.runtime.block_on(async {
            let relation = privileges::existing(&self.session, table).await?;
            let labels: Result<Vec<_>, String> =
                columns.action.iter().map(|field| expression(&relation, field, Purpose::Label)).collect();
            let labels = labels.map_err(|what| privileges::refusal(&self.session, &what))?;
            let sql = format!(
                "select {}, count(*) from {} t{} group by 1 order by 2 desc, 1",
                joined_label(&labels),
                relation.sql(),
                relation.all_rows()
            );
            let rows = self.session.rows(&sql, &format!("counting the labels of {table}")).await;
            let written: Vec<&str> = columns.action.iter().map(|field| field.written.as_str()).collect();
            let rows = rows.map_err(|error| where_to_look(error, &relation, &written))?;
            Ok(rows.iter().map(|row| (text(row, 0), text(row, 1).parse().unwrap_or(0))).collect())
        })
    }

    /// Which of these labels the column's type, its foreign keys or the table's CHECK constraints refuse, and
    /// what refuses them; of foreign keys also which may. The constraints are evaluated by the server, with null
    /// in every other column.
    ///
    /// # Errors
    /// The server's; there is no such table.
    pub fn refused_labels(
        &mut self,
        table: &TableName,
        column: &str,
        labels: &[String],
    ) -> Result<Vec<LabelVerdict>, SourceError> {
        self.runtime.block_on(async {
            let relation = privileges::existing(&self.session, table).await?;
            let facts = catalogue::facts(&self.session, &relation).await?;
            let Some(found) = relation.column(column) else { return Ok(Vec::new()) };
            let refusal = |label: &str, by: String| {
                let label = label.to_owned();
                LabelVerdict { label, by, admits: Some(false) }
            };
            let mut refused = label_keys::verdicts(&self.session, &relation, found, labels).await?;
            let kind = if found.facts.enum_labels.is_some() { "enum" } else { "type" };
            for label in labels {
                if !label_keys::type_holds(&self.session, found, label).await? {
                    refused.push(refusal(label, format!("{kind} {}", found.facts.type_name)));
                }
            }
            if found.facts.enum_labels.is_some() {
                return Ok(refused);
            }
            for (name, definition) in &facts.checks {
                let Some(condition) = condition_of(definition) else { continue };
                let rows: Vec<String> = labels.iter().map(|label| format!("({})", literal(label))).collect();
                let others: Vec<String> = relation
                    .columns
                    .iter()
                    .filter(|other| other.facts.name != column)
                    .map(|other| {
                        format!("null::{} as {}", other.facts.cast, quote_identifier(&other.facts.name))
                    })
                    .collect();
                let sql = format!(
                    "select x.label from (values {}) as x (label), \
                     lateral (select {}) as t where ({condition}) is false",
                    rows.join(", "),
                    others
                        .into_iter()
                        .chain([format!("x.label::{} as {}", found.facts.cast, quote_identifier(column))])
                        .collect::<Vec<_>>()
                        .join(", "),
                );
                // A condition may call what fails on nulls: then it says nothing about labels.
                self.session.run("savepoint labels", "checking a constraint").await?;
                let answer = self.session.rows(&sql, "checking a constraint").await;
                self.session.run("rollback to savepoint labels", "checking a constraint").await?;
                match answer {
                    Ok(rows) => refused
                        .extend(rows.iter().map(|row| refusal(&text(row, 0), format!("constraint {name}")))),
                    Err(SourceError::Interrupted) => return Err(SourceError::Interrupted),
                    Err(_) => {}
                }
            }
            Ok(refused)
        })
    }
}

/// The condition inside `CHECK (…) [NO INHERIT] [NOT VALID]`.
pub(super) fn condition_of(definition: &str) -> Option<&str> {
    let inside = definition.strip_prefix("CHECK ")?;
    Some(inside.trim_end_matches(" NOT VALID").trim_end_matches(" NO INHERIT"))
}

fn fit(wire: Wire, purpose: Purpose, zone: &str) -> Fit {
    match (purpose, wire) {
        (Purpose::Amount, Wire::Float) => {
            Fit::Usable("a floating-point type: amounts that are not whole are rejected".to_owned())
        }
        (Purpose::Amount, Wire::Text | Wire::Label) => {
            Fit::Usable("text: amounts that are not whole numbers are rejected".to_owned())
        }
        (Purpose::Time, Wire::Wall | Wire::Date) => {
            Fit::Usable(format!("without a zone: read as {zone} (key timezone)"))
        }
        (Purpose::Time, Wire::Text | Wire::Label) => {
            Fit::Usable("text: what is no time is rejected".to_owned())
        }
        (Purpose::Flag, Wire::Text | Wire::Label) => {
            Fit::Usable("no boolean: what is neither yes nor no is rejected".to_owned())
        }
        _ => Fit::Good,
    }
}
