//! CSV and Parquet through one door: what a sink gets is compared with rows written out here.

mod csv;
mod parquet;

use std::path::Path;

use arrow_array::types::{TimestampMicrosecondType, TimestampNanosecondType};
use arrow_schema::TimeUnit;

use super::*;
use crate::config::{Field, TableName};
use crate::source::{DetailColumns, KeyColumns};

/// Writes down what it gets, one line a row; selects every row but usage.
#[derive(Debug, Default)]
struct Recorder {
    everything: bool,
    lines: Vec<String>,
}

impl Recorder {
    fn wants(&self, keys: &KeyColumns, row: usize) -> bool {
        let id_missing = keys.id_is_null.as_ref().is_some_and(|missing| missing.value(row));
        self.everything || id_missing || show(keys.action[0].as_ref(), row) != "usage"
    }
}

fn key_line(keys: &KeyColumns, row: usize) -> String {
    let mut parts = vec![show(keys.user.as_ref(), row)];
    parts.extend(keys.action.iter().map(|action| show(action.as_ref(), row)));
    parts.push(show(keys.amount.as_ref(), row));
    parts.push(show(keys.created_at.as_ref(), row));
    parts.extend(keys.success.iter().map(|success| show(success.as_ref(), row)));
    parts.join(" ")
}

impl Sink for Recorder {
    fn keys(&mut self, keys: &KeyColumns) -> Selection {
        let (mut rows, mut others) = (Vec::new(), Vec::new());
        for row in 0..keys.rows {
            if self.wants(keys, row) {
                rows.push(row as u32);
            } else {
                others.push(format!("{} -", key_line(keys, row)));
            }
        }
        self.lines.extend(others);
        if self.everything { Selection::All } else { Selection::Rows(rows) }
    }

    fn details(&mut self, keys: &KeyColumns, selection: &Selection, details: &DetailColumns) {
        let rows: Vec<u32> = match selection {
            Selection::All => (0..keys.rows as u32).collect(),
            Selection::Rows(rows) => rows.clone(),
        };
        for (at, row) in rows.into_iter().enumerate() {
            let columns = std::iter::once(&details.id)
                .chain(&details.reference)
                .chain(&details.link)
                .chain(&details.migrated)
                .chain(&details.expires_at)
                .chain(&details.balance_after);
            let shown: Vec<String> = columns.map(|column| show(column.as_ref(), at)).collect();
            let key = key_line(keys, row as usize);
            self.lines.push(format!("{key} | {} | {}", shown.join(" "), details.place.of(at)));
        }
    }
}

/// One value as text; `~` for null.
fn show(array: &dyn Array, row: usize) -> String {
    if array.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
        return "~".to_owned();
    }
    if let Some(mut texts) = texts(array) {
        return texts.nth(row).flatten().unwrap().to_owned();
    }
    match array.data_type() {
        DataType::FixedSizeBinary(16) => ids(array).nth(row).flatten().unwrap().to_string(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            format!("{micros}us{}", zone.as_deref().unwrap_or(""))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            let nanos = array.as_primitive::<TimestampNanosecondType>().value(row);
            format!("{nanos}ns{}", zone.as_deref().unwrap_or(""))
        }
        _ => control::amounts(array).nth(row).flatten().map_or("?".to_owned(), |number| number.to_string()),
    }
}

fn field(written: &str) -> Field {
    let mut parts = written.split('.').map(str::to_owned);
    Field { written: written.to_owned(), column: parts.next().unwrap(), path: parts.collect() }
}

fn origin(folder: &Path, pattern: &str) -> Origin {
    let target = TableName { schema: None, name: "ledger".to_owned() };
    Origin::Files { pattern: pattern.to_owned(), folder: folder.to_owned(), target }
}

/// id, user_id, action, tokens, at, ok; reference `metadata.ref`, link `metadata.legacy.id`.
fn columns(folder: &Path, pattern: &str) -> Columns {
    Columns {
        origin: origin(folder, pattern),
        id: field("id"),
        user: field("user_id"),
        action: vec![field("action")],
        amount: field("tokens"),
        created_at: field("at"),
        timezone: chrono_tz::Tz::UTC,
        reference: vec![field("metadata.ref")],
        payment: vec![field("metadata.ref")],
        expires_at: None,
        balance_after: None,
        success: Some(field("ok")),
        link: Some(field("metadata.legacy.id")),
        migrated: None,
    }
}

/// What the sinks got, sorted, and the provenance.
fn record(
    columns: &Columns,
    threads: usize,
    everything: bool,
) -> Result<(Vec<String>, Provenance), SourceError> {
    let new_sink = || Recorder { everything, lines: Vec::new() };
    let reading = scan(columns, &DetailRule::All, threads, &new_sink, &Progress::hidden())?;
    let mut lines: Vec<String> = reading.sinks.into_iter().flat_map(|sink| sink.lines).collect();
    lines.sort();
    let files = reading.digests.take(&Progress::hidden())?;
    Ok((lines, Provenance { files, ..reading.provenance }))
}

fn write(folder: &Path, name: &str, contents: &[u8]) {
    std::fs::write(folder.join(name), contents).unwrap();
}
