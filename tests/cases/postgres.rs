//! The same catalogue from a real database: the findings are the same, byte for byte.

use std::fs;
use std::path::{Path, PathBuf};

use super::program::reconcile;
use super::table::Table;
use super::{Case, cases};
use crate::postgres::cluster::{Cluster, Db};

/// The type that a column has in the database: what its values allow.
fn type_of(column: &str, table: &Table) -> &'static str {
    let cells: Vec<&str> = table.rows().map(|row| row.text(column)).filter(|cell| !cell.is_empty()).collect();
    let all = |test: fn(&str) -> bool| !cells.is_empty() && cells.iter().all(|cell| test(cell));
    match column {
        "metadata" => "jsonb",
        "success" if all(|cell| ["true", "false"].contains(&cell)) => "boolean",
        "created_at" | "expires_at" if all(|cell| cell.ends_with('Z') || cell.ends_with("+00")) => {
            "timestamptz"
        }
        "created_at" | "expires_at" => "timestamp",
        _ if all(|cell| cell.parse::<i64>().is_ok()) => "bigint",
        _ if all(|cell| cell.len() == 36 && cell.matches('-').count() == 4) => "uuid",
        _ => "text",
    }
}

/// Makes a table of the CSV file's columns and loads the file.
pub fn load(db: &Db, table: &str, file: &Path) {
    let text = Table::read(file);
    let mut columns: Vec<String> = text
        .columns()
        .iter()
        .map(|column| match (column.as_str(), type_of(column, &text)) {
            ("id", "uuid") => "id uuid primary key default gen_random_uuid()".to_owned(),
            ("id", _) => "id text primary key default gen_random_uuid()::text".to_owned(),
            ("model_used", _) => "model_used text not null".to_owned(),
            (column, kind) => format!("{column} {kind}"),
        })
        .collect();
    if table == "token_usage" && !text.columns().iter().any(|column| column == "model_used") {
        columns.push("model_used text not null default 'none'".to_owned());
    }
    db.sql(&format!("create table {table} ({})", columns.join(", ")));
    db.load_csv(table, file);
}

/// Loads the demo's tables; answers its configuration.
pub fn demo_in(db: &Db) -> String {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    load(db, "token_transactions", &demo.join("token_transactions.csv"));
    load(db, "token_usage", &demo.join("token_usage.csv"));
    fs::read_to_string(demo.join("reckon.toml")).unwrap()
}

/// Leaves these lines of a configuration out.
pub fn without(config: &str, starts: &[&str]) -> String {
    let kept = config.lines().filter(|line| !starts.iter().any(|start| line.starts_with(start)));
    kept.map(|line| format!("{line}\n")).collect()
}

/// Stored balances of a live database belong to now, so an as-of in the past leaves them out; a
/// moment that no clock has reached yet compares them.
const LATER: &str = "as_of = \"2099-01-01T00:00:00Z\"";

/// The case's configuration: for files in their folder, and for tables.
fn configurations(case: &Case, folder: &Path) -> [PathBuf; 2] {
    let config = fs::read_to_string(case.folder.join("reckon.toml")).unwrap();
    let config = match case.folder.join("profiles.csv").exists() {
        true => format!("{LATER}\n{}", without(&config, &["as_of = "])),
        false => config,
    };
    let files = config.replace("path = \"", &format!("path = \"{}/", case.folder.display()));
    let tables = without(&config, &["path = "])
        .replace("path = \"profiles.csv\", ", "")
        .replace("path = \"members.csv\", ", "");
    [("files", files), ("tables", tables)].map(|(kind, text)| {
        let file = folder.join(format!("{}-{kind}.toml", case.name));
        fs::write(&file, text).unwrap();
        file
    })
}

/// The case in a database of its own: what differs from the expected results and from its files.
fn in_database(case: &Case, folder: &Path) -> Vec<String> {
    let db = Cluster::shared().database("case");
    let tables = [
        ("legacy.csv", "token_transactions"),
        ("unified.csv", "token_usage"),
        ("profiles.csv", "user_profiles"),
        ("members.csv", "household_members"),
    ];
    for (file, table) in tables.map(|(file, table)| (case.folder.join(file), table)) {
        if file.exists() {
            load(&db, table, &file);
        }
    }
    let [files, tables] = configurations(case, folder);
    let out = |kind: &str| folder.join(format!("{}-{kind}", case.name));
    let url = db.url();
    let run = reconcile(&tables, &out("postgres"), &[("DATABASE_URL", &url)]);
    if run.code == 2 || run.code < 0 {
        return vec![format!("exit code {}\n{}", run.code, run.stderr)];
    }
    let mut lines = case.differences(&run);
    let from_files = reconcile(&files, &out("files"), &[]);
    for file in ["findings.csv", "balances.csv"] {
        if from_files.bytes(file) != run.bytes(file) {
            let expected = from_files.table(file);
            lines.extend(expected.differences_to(&run.table(file), "expected from files, got from postgres"));
            lines.push(format!("{file} is not the same from files and from postgres"));
        }
    }
    lines
}

#[test]
fn every_case_of_the_catalogue_in_postgres_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut failed = String::new();
    for case in cases().iter().filter(|case| case.has_findings()) {
        let lines = in_database(case, folder.path());
        if !lines.is_empty() {
            failed += &format!("\n== {}\n{}\n", case.name, lines.join("\n"));
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn the_demo_in_postgres_gives_the_bytes_of_the_demo_in_files() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let folder = tempfile::tempdir().unwrap();
    let db = Cluster::shared().database("demo");
    // Stored balances belong to another moment here: see LATER.
    let config = without(&demo_in(&db), &["stored = "]);
    let absolute = format!("path = \"{}/", demo.display());
    let (files, tables) = (folder.path().join("files.toml"), folder.path().join("tables.toml"));
    fs::write(&files, config.replace("path = \"", &absolute)).unwrap();
    fs::write(&tables, without(&config, &["path = "])).unwrap();
    let from_files = reconcile(&files, &folder.path().join("files"), &[]);
    let from_tables = reconcile(&tables, &folder.path().join("tables"), &[("DATABASE_URL", &db.url())]);
    for file in ["findings.csv", "balances.csv"] {
        let (expected, actual) = (from_files.bytes(file), from_tables.bytes(file));
        if expected != actual {
            let table = Table::parse(&expected, file);
            let lines = table.differences_to(&Table::parse(&actual, file), file);
            panic!("expected from files, got from postgres\n{}", lines.join("\n"));
        }
    }
}
