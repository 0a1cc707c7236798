//! The archive of the legacy table: what stands beside its rows, so that whoever finds it in ten years
//! can load it and prove that it is whole.
//!
//! `manifest.json` lists the files with their digests, `archive.json` says which table this is and
//! what its digest is, `restore.sql` makes an empty table for the rows, and `check.sql` holds a loaded
//! copy against the digest. Only texts are made here; the rows are written while they are read.

use serde::{Deserialize, Serialize};

use crate::config::{TableName, quote_identifier};
use crate::domain::Instant;
use crate::repair::quote::{comment, fill, literal, rows};
use crate::source::Snapshot;
pub use crate::source::archived::{FILE_NAME, SCHEMA};
use crate::source::digest::{ShapeColumn, TableDigest};
use crate::source::postgres::{ArchivedColumn, ArchivedTable, ROW_TEXT_SETTINGS, digest_query, shape_query};

/// What `manifest.json` of an archive says that it is.
pub const MANIFEST_SCHEMA: &str = "reckon.archive/1";

/// Makes an empty table for the rows.
pub const RESTORE: &str = "restore.sql";

/// Holds a loaded copy against the digest.
pub const CHECK: &str = "check.sql";

/// `archive.json`: which table was archived, and what proves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// [`SCHEMA`].
    pub schema: String,
    /// The table, `schema.name`, quoted where SQL wants it.
    pub table: String,
    /// The server's number of the table.
    pub oid: u32,
    /// Its rows.
    pub rows: u64,
    /// Their digest, `sha256/128:ROWS:HIGH:LOW`.
    pub digest: String,
    /// Digest of names and types of the columns.
    pub shape: String,
    /// The columns in order.
    pub columns: Vec<ShapeColumn>,
    /// Those whose values are filled up with blanks in the file, and are not where they are shown otherwise:
    /// of type `character(n)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub padded: Vec<String>,
    /// The rows.
    pub csv: CsvFile,
    /// Name of the snapshot in which all was read.
    pub snapshot: String,
    /// How far the write-ahead log had come, where the server tells.
    pub lsn: Option<String>,
    /// The server's time of the snapshot, RFC 3339.
    pub at: String,
}

/// The file of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvFile {
    /// Name in the archive's folder.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

impl Archive {
    /// What is known of a table that was written to a file.
    pub fn of(table: &ArchivedTable, csv: CsvFile, snapshot: &Snapshot) -> Archive {
        let padded = table.columns.iter().filter(|column| column.padded);
        Archive {
            schema: SCHEMA.to_owned(),
            table: table.state.table.sql(),
            oid: table.state.oid,
            rows: table.state.digest.rows,
            digest: table.state.digest.to_string(),
            shape: table.state.shape.clone(),
            columns: table.columns.iter().map(|column| column.shape.clone()).collect(),
            padded: padded.map(|column| column.shape.name.clone()).collect(),
            csv,
            snapshot: snapshot.name.clone(),
            lsn: snapshot.lsn.clone(),
            at: snapshot.at.rfc3339(),
        }
    }
}

/// Name of the file of the rows: `public.token_transactions.csv`. What a file system might not take is
/// an underscore.
pub fn csv_name(table: &TableName) -> String {
    let plain = |character: char| match character {
        '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
        other if other.is_control() || other.is_whitespace() => '_',
        other => other,
    };
    let name: String = table.to_string().chars().map(plain).collect();
    format!("{}.csv", name.trim_start_matches('.'))
}

/// `restore.sql`: makes the table again, empty, and says how its rows are loaded.
pub fn restore_sql(table: &ArchivedTable, csv_name: &str, at: Instant) -> String {
    let name = table.state.table.sql();
    let types: Vec<&str> = table.columns.iter().filter_map(|column| column.needs_type.as_deref()).collect();
    let mut needs: Vec<&str> = Vec::new();
    for needed in types {
        if !needs.contains(&needed) {
            needs.push(needed);
        }
    }
    let needs: String = needs.iter().map(|needed| comment(&format!("   {needed}")) + "\n").collect();
    let needs = match needs.is_empty() {
        true => String::new(),
        false => format!("-- The database needs these types first, where they are gone:\n{needs}"),
    };
    let title = format!(
        "reckon, restore.sql: makes {name} again, empty, for its {} as of {}.",
        rows(table.state.digest.rows),
        at.rfc3339()
    );
    let file = literal(csv_name);
    let on_server = literal(&format!("/FOLDER/ON/THE/SERVER/{csv_name}"));
    fill(
        include_str!("restore.sql"),
        &[
            ("title", &comment(&title)),
            (
                "psql",
                &comment(&format!(
                    "     \\copy {name} from {file} with (format csv, header, encoding 'UTF8')"
                )),
            ),
            (
                "server",
                &comment(&format!(
                    "     copy {name} from {on_server} with (format csv, header, encoding 'UTF8');"
                )),
            ),
            ("needs", &needs),
            ("digest", &comment(&format!("   {}", table.state.digest))),
            ("table", &name),
            ("columns", &column_list(table)),
        ],
    )
}

fn column_list(table: &ArchivedTable) -> String {
    let mut lines: Vec<String> = table.columns.iter().map(column_line).collect();
    if !table.primary_key.is_empty() {
        let key: Vec<String> = table.primary_key.iter().map(|name| quote_identifier(name)).collect();
        lines.push(format!("  primary key ({})", key.join(", ")));
    }
    lines.join(",\n")
}

/// A column; what it did by itself is a comment, since it must not act on rows that are loaded.
fn column_line(column: &ArchivedColumn) -> String {
    let mut line = String::new();
    let was = [("default", &column.default), ("generated always as", &column.generated)];
    for (word, expression) in was {
        if let Some(expression) = expression {
            line.push_str(&format!("  {}\n", comment(&format!("was: {word} {expression}"))));
        }
    }
    if column.identity {
        line.push_str("  -- was: an identity column\n");
    }
    let not_null = if column.not_null { " not null" } else { "" };
    line.push_str(&format!(
        "  {} {}{not_null}",
        quote_identifier(&column.shape.name),
        column.shape.type_name
    ));
    line
}

/// `check.sql`: one row that says whether the table is the one that was archived.
pub fn check_sql(table: &TableName, digest: TableDigest, shape: &str) -> String {
    let name = table.sql();
    let title = format!("reckon, check.sql: is {name} the table that was archived? Reads only.");
    fill(
        include_str!("check.sql"),
        &[
            ("title", &comment(&title)),
            ("settings", ROW_TEXT_SETTINGS.trim_end()),
            ("digest_query", &digest_query(&name)),
            ("shape_query", &shape_query(&format!("{}::regclass", literal(&name)))),
            ("digest", &literal(&digest.to_string())),
            ("shape", &literal(shape)),
        ],
    )
}
