//! The same catalogue from a real database: the findings are the same, byte for byte.

use std::fs;
use std::path::Path;

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
        "success" => "boolean",
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

/// The case in a database of its own: findings as the program writes them, or what went wrong.
fn findings(case: &Case, folder: &Path) -> Result<(Vec<u8>, Vec<String>), String> {
    let db = Cluster::shared().database("case");
    load(&db, "token_transactions", &case.folder.join("legacy.csv"));
    load(&db, "token_usage", &case.folder.join("unified.csv"));
    let config = fs::read_to_string(case.folder.join("reckon.toml")).unwrap();
    let config = without(&config, &["path = "]);
    let file = folder.join(format!("{}.toml", case.name));
    fs::write(&file, config).unwrap();
    let run =
        reconcile(&file, &folder.join(format!("{}-postgres", case.name)), &[("DATABASE_URL", &db.url())]);
    if run.code == 2 || run.code < 0 {
        return Err(format!("exit code {}\n{}", run.code, run.stderr));
    }
    Ok((run.bytes("findings.csv"), case.differences(&run)))
}

#[test]
fn every_case_of_the_catalogue_in_postgres_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut failed = String::new();
    // A fixed as-of lies in the past of a live database, where stored balances belong to another
    // moment and are left out: cases with stored balances are for files.
    for case in
        cases().iter().filter(|case| case.has_findings() && !case.folder.join("profiles.csv").exists())
    {
        let (bytes, mut lines) = match findings(case, folder.path()) {
            Ok(found) => found,
            Err(why) => {
                failed += &format!("\n== {}\n{why}\n", case.name);
                continue;
            }
        };
        let files = reconcile(&case.folder.join("reckon.toml"), &folder.path().join(&case.name), &[]);
        if files.bytes("findings.csv") != bytes {
            let (file, database) = (files.table("findings.csv"), Table::parse(&bytes, "postgres"));
            lines.extend(file.differences_to(&database, "expected from files, got from postgres"));
            lines.push("findings.csv is not the same from files and from postgres".to_owned());
        }
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
    // Stored balances belong to another moment here: see above.
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
