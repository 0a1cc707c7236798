//! Opens test databases, and a sink that keeps every row as text, to compare with what psql shows.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use reckon::config::{Columns, Field, Origin, Postgres, TableName};
use reckon::domain::{Instant, Span};
use reckon::source::postgres::Database;
use reckon::source::{
    DetailColumns, DetailRule, KeyColumns, Progress, Reading, Selection, Sink, SourceError,
};

use super::cluster::Db;

/// Settings with so many readers.
pub fn settings(streams: usize) -> Postgres {
    Postgres { streams, session_wait: Span(5_000_000), ..Postgres::default() }
}

/// Opens the database that a URL names.
pub fn open(url: &str) -> Result<Database, SourceError> {
    open_with(url, settings(2))
}

/// Opens with these settings.
pub fn open_with(url: &str, settings: Postgres) -> Result<Database, SourceError> {
    let variable = |name: &str| (name == "DATABASE_URL").then(|| url.to_owned());
    Database::open_with(&variable, &settings, &Progress::hidden())
}

/// `schema.name` or `name`.
pub fn table(text: &str) -> TableName {
    match text.split_once('.') {
        Some((schema, name)) => TableName { schema: Some(schema.to_owned()), name: name.to_owned() },
        None => TableName { schema: None, name: text.to_owned() },
    }
}

/// `column` or `column.key.key`.
pub fn field(text: &str) -> Field {
    let mut parts = text.split('.').map(str::to_owned);
    Field { written: text.to_owned(), column: parts.next().unwrap(), path: parts.collect() }
}

/// A side with the five columns that every side has.
pub fn side(name: &str, [id, user, action, amount, created_at]: [&str; 5]) -> Columns {
    Columns {
        origin: Origin::Table(table(name)),
        id: field(id),
        user: field(user),
        action: action.split('+').map(field).collect(),
        amount: field(amount),
        created_at: field(created_at),
        timezone: chrono_tz::UTC,
        reference: Vec::new(),
        payment: Vec::new(),
        expires_at: None,
        balance_after: None,
        success: None,
        link: None,
        migrated: None,
    }
}

/// A row: keys joined with `|`, and its details where the sink asked for them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub keys: String,
    pub details: Option<String>,
    pub id_is_null: bool,
}

/// Keeps all rows; asks for the details of those whose keys `wants` names.
#[derive(Debug)]
pub struct Keeper {
    pub rows: Vec<Row>,
    pub chunks: usize,
    wants: fn(&str) -> bool,
}

impl Keeper {
    pub fn all() -> Keeper {
        Keeper { rows: Vec::new(), chunks: 0, wants: |_| true }
    }

    pub fn wanting(wants: fn(&str) -> bool) -> Keeper {
        Keeper { rows: Vec::new(), chunks: 0, wants }
    }
}

impl Sink for Keeper {
    fn keys(&mut self, keys: &KeyColumns) -> Selection {
        self.chunks += 1;
        let mut selected = Vec::new();
        for row in 0..keys.rows {
            let labels: Vec<String> = keys.action.iter().map(|array| shown(array, row)).collect();
            let mut parts = vec![shown(&keys.user, row), labels.join("/")];
            parts.extend([shown(&keys.amount, row), shown(&keys.created_at, row)]);
            parts.extend(keys.success.as_ref().map(|array| shown(array, row)));
            let id_is_null = keys.id_is_null.as_ref().is_some_and(|nulls| nulls.value(row));
            let keys = parts.join("|");
            if (self.wants)(&keys) {
                selected.push(row as u32);
            }
            self.rows.push(Row { keys, details: None, id_is_null });
        }
        if selected.len() == keys.rows { Selection::All } else { Selection::Rows(selected) }
    }

    fn details(&mut self, keys: &KeyColumns, selection: &Selection, details: &DetailColumns) {
        let start = self.rows.len() - keys.rows;
        let rows: Vec<usize> = match selection {
            Selection::All => (0..keys.rows).collect(),
            Selection::Rows(rows) => rows.iter().map(|row| *row as usize).collect(),
        };
        let optional = [&details.link, &details.migrated, &details.expires_at, &details.balance_after];
        for (at, row) in rows.into_iter().enumerate() {
            let mut parts = vec![shown(&details.id, at)];
            parts.extend(details.reference.iter().chain(&details.payment).map(|array| shown(array, at)));
            parts.extend(optional.iter().filter_map(|array| array.as_ref()).map(|array| shown(array, at)));
            self.rows[start + row].details = Some(parts.join("|"));
        }
    }
}

/// A value as text; null is `∅`, times are microseconds since 1970.
fn shown(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return "∅".to_owned();
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_dictionary::<Int32Type>();
            shown(dictionary.values(), dictionary.keys().value(row) as usize)
        }
        DataType::FixedSizeBinary(16) => {
            let bytes = array.as_fixed_size_binary().value(row);
            reckon::domain::RowId::Uuid(bytes.try_into().unwrap()).to_string()
        }
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Timestamp(_, zone) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            match micros {
                i64::MAX => "infinity".to_owned(),
                i64::MIN => "-infinity".to_owned(),
                micros if zone.is_some() => Instant(micros).rfc3339(),
                micros => Instant(micros).rfc3339().trim_end_matches('Z').to_owned(),
            }
        }
        other => panic!("unexpected type {other}"),
    }
}

/// All rows of a reading, sorted.
pub fn rows_of(reading: &Reading<Keeper>) -> Vec<Row> {
    let mut rows: Vec<Row> = reading.sinks.iter().flat_map(|sink| sink.rows.clone()).collect();
    rows.sort();
    rows
}

/// Reads a side whole, with every detail.
pub fn read_all(db: &Db, columns: &Columns) -> Reading<Keeper> {
    open(&db.url()).unwrap().scan(columns, &DetailRule::All, &Keeper::all, &Progress::hidden()).unwrap()
}
