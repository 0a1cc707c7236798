//! The workbook, read back by another library, against the CSV files.

use std::fs;
use std::path::Path;

use calamine::{Data, Reader, Xlsx, open_workbook};

use super::pack::{Pack, audit, ended};
use super::world::World;

const SHEETS: [(&str, &str); 8] = [
    ("Summary", "summary.csv"),
    ("Roll-forward", "roll_forward.csv"),
    ("Grants by action", "grants_by_action.csv"),
    ("Exceptions", "exceptions.csv"),
    ("Balances", "balances.csv"),
    ("Causes", "causes.csv"),
    ("Sample", "sample.csv"),
    ("Provenance", "provenance.csv"),
];

fn demo_pack(folder: &Path) -> Pack {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = root.join("fixtures/demo/reckon.toml");
    let out = folder.join("pack");
    let args = ["--config", config.to_str().unwrap(), "--from", "2026-06-01", "--to", "2026-08-31"];
    let output = audit(root, &[&args[..], &["--out", out.to_str().unwrap()]].concat());
    assert_eq!(ended(&output).0, 1, "{}", ended(&output).1);
    Pack(out)
}

/// A cell as the CSV file would write it, but for times.
fn shown(cell: &Data) -> Option<String> {
    match cell {
        Data::Empty => Some(String::new()),
        Data::String(text) => Some(text.clone()),
        Data::Int(number) => Some(number.to_string()),
        Data::Float(number) if number.fract() == 0.0 => Some(format!("{number:.0}")),
        _ => None,
    }
}

#[test]
fn every_cell_of_every_sheet_is_that_of_the_csv_file() {
    let folder = tempfile::tempdir().unwrap();
    let pack = demo_pack(folder.path());
    let mut book: Xlsx<_> = open_workbook(pack.0.join("audit.xlsx")).unwrap();
    assert_eq!(book.sheet_names(), SHEETS.map(|(sheet, _)| sheet));
    for (sheet, file) in SHEETS {
        let csv = pack.csv(file);
        let range = book.worksheet_range(sheet).unwrap();
        let header: Vec<String> = range.rows().next().unwrap().iter().map(|cell| cell.to_string()).collect();
        assert_eq!(header, csv.header, "{sheet}");
        let mut compared = 0;
        for (at, row) in csv.rows.iter().enumerate() {
            for (column, expected) in row.iter().enumerate() {
                let cell = range.get_value((at as u32 + 1, column as u32)).unwrap_or(&Data::Empty);
                // The CSV file keeps a spreadsheet from running a text; the sheet has the text itself.
                let plain = expected.strip_prefix('\'').unwrap_or(expected);
                if expected.len() == 27 && expected.ends_with('Z') && !matches!(cell, Data::String(_)) {
                    assert!(matches!(cell, Data::DateTime(_) | Data::Float(_)), "{sheet}: {cell:?}");
                    continue;
                }
                if csv.header[column] == "lag_seconds" && !expected.is_empty() {
                    let Data::Float(seconds) = cell else { panic!("{sheet} {at}: {cell:?}") };
                    assert_eq!(format!("{seconds:.6}"), *expected, "{sheet} row {at}");
                    continue;
                }
                let shown = shown(cell).unwrap_or_else(|| panic!("{sheet} {at} {column}: {cell:?}"));
                assert_eq!(shown, plain, "{sheet} row {at} column {}", csv.header[column]);
                compared += 1;
            }
        }
        assert!(compared > 8, "{sheet} has something to compare");
    }
}

#[test]
fn sums_are_formulas_that_carry_what_they_come_to() {
    let folder = tempfile::tempdir().unwrap();
    let pack = demo_pack(folder.path());
    let mut book: Xlsx<_> = open_workbook(pack.0.join("audit.xlsx")).unwrap();
    let summed = [
        (
            "Balances",
            "balances.csv",
            vec!["opening", "granted_paid", "usage", "closing", "stored", "gap", "unexplained"],
        ),
        (
            "Grants by action",
            "grants_by_action.csv",
            vec!["unified_tokens", "legacy_rows", "difference_tokens"],
        ),
        ("Exceptions", "exceptions.csv", vec!["tokens_effect"]),
    ];
    for (sheet, file, columns) in summed {
        let csv = pack.csv(file);
        let row = csv.rows.len() as u32 + 1;
        let range = book.worksheet_range(sheet).unwrap();
        let formulas = book.worksheet_formula(sheet).unwrap();
        assert_eq!(range.get_value((row, 0)), Some(&Data::String("Total".to_owned())));
        for column in columns {
            let at = (row, csv.at(column) as u32);
            let formula = formulas.get_value(at).unwrap();
            assert!(formula.starts_with("SUM("), "{sheet} {column}: {formula}");
            let value = shown(range.get_value(at).unwrap()).unwrap();
            assert_eq!(value, csv.sum(column).to_string(), "{sheet} {column}");
        }
    }
    let roll = pack.csv("roll_forward.csv");
    let formulas = book.worksheet_formula("Roll-forward").unwrap();
    let last = roll.rows.len() as u32;
    assert_eq!(formulas.get_value((last, 7)).unwrap(), &format!("F{0}+G{0}", last + 1));
    assert!(formulas.get_value((last, 6)).unwrap().starts_with("SUM(G"));
    let summary = pack.csv("summary.csv");
    let ties = summary.rows.iter().filter(|row| !summary.cell(row, "difference").is_empty());
    let ties: Vec<_> = ties.collect();
    assert!(ties.len() > 15, "everything is compared");
    assert!(ties.iter().all(|row| summary.cell(row, "difference") == "0"), "and ties out");
}

#[test]
fn text_stays_text_in_the_workbook_whatever_it_looks_like() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    World::new(12, false).write(folder, 12, "");
    let output = audit(folder, &["--from", "2024-01-01", "--to", "2024-12-31", "--out", "pack"]);
    assert_eq!(ended(&output), (0, String::new()));
    let mut book: Xlsx<_> = open_workbook(folder.join("pack/audit.xlsx")).unwrap();
    let range = book.worksheet_range("Balances").unwrap();
    let formulas = book.worksheet_formula("Balances").unwrap();
    let users: Vec<&Data> = range.rows().skip(1).map(|row| &row[0]).collect();
    for name in super::world::USERS {
        assert!(users.contains(&&Data::String(name.to_owned())), "{name} is a text of its own: {users:?}");
    }
    let first_column = (0..formulas.height() as u32).filter_map(|row| formulas.get_value((row, 0)));
    assert!(first_column.into_iter().all(String::is_empty), "no id is a formula");
}

#[test]
fn the_same_data_are_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| demo_pack(&folder.path().join(name)));
    for entry in fs::read_dir(&one.0).unwrap() {
        let name = entry.unwrap().file_name();
        if name != "manifest.json" {
            let same = fs::read(one.0.join(&name)).unwrap() == fs::read(two.0.join(&name)).unwrap();
            assert!(same, "{} differs", name.display());
        }
    }
}

#[test]
fn another_seed_draws_other_rows_and_the_same_seed_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    World::new(12, false).write(folder, 12, "");
    let drawn = |out: &str, seed: &str| {
        let args =
            ["--from", "2024-01-01", "--to", "2024-12-31", "--sample", "5", "--seed", seed, "--out", out];
        assert_eq!(ended(&audit(folder, &args)).0, 0);
        let sample = Pack(folder.join(out)).csv("sample.csv");
        let ids = |method: &str| -> Vec<String> {
            let rows = sample.rows.iter().filter(|row| sample.cell(row, "method") == method);
            rows.map(|row| sample.cell(row, "row_id").to_owned()).collect()
        };
        (ids("monetary_unit"), ids("random"))
    };
    let (first, again, other) = (drawn("a/1", "1"), drawn("a/2", "1"), drawn("a/3", "2"));
    assert_eq!(first, again);
    assert_ne!(first.0, other.0);
    assert_ne!(first.1, other.1);
    assert_eq!(first.1.len(), 10, "five of each table");
    assert!((8..=10).contains(&first.0.len()), "a large row may be hit more than once: {:?}", first.0);
}
