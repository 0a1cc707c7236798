//! How rows are read does not change a byte of any file: not their order, not the number of threads,
//! not the pieces in which they come.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::files;
use super::generate;
use super::notation;
use super::town::{self, Town};
use super::transform;

/// File name → bytes.
pub type Contents = BTreeMap<String, Vec<u8>>;

/// The configuration, with stored balances and `pattern` as the ledgers' paths.
fn configuration(town: &Town, pattern: fn(&str) -> String) -> String {
    let mut toml = files::toml_of(&town.ledgers.rules);
    for side in ["legacy", "unified"] {
        let path = format!("path = \"{side}.csv\"");
        let named = format!("path = \"{}\"\ntable = \"{side}\"", pattern(side));
        assert!(toml.contains(&path));
        toml = toml.replace(&path, &named);
    }
    let stored = "stored = { path = \"profiles.csv\", user = \"user\", balance = \"tokens\" }";
    writeln!(toml, "\n[balances]\n{stored}\n{}", town.policies.join("\n")).unwrap();
    toml
}

fn begin(town: &Town, pattern: fn(&str) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut profiles = "user,tokens\n".to_owned();
    for (user, tokens) in &town.stored {
        writeln!(profiles, "{user},{}", tokens.map_or(String::new(), |tokens| tokens.to_string())).unwrap();
    }
    fs::write(folder.path().join("profiles.csv"), profiles).unwrap();
    fs::write(folder.path().join("reckon.toml"), configuration(town, pattern)).unwrap();
    folder
}

/// Everything in the run directory. Of the manifest, what says when and where the program ran is left
/// out; `with_inputs` keeps what says from which files the rows came.
fn end(folder: &Path, town: &Town, threads: &str, with_inputs: bool) -> Contents {
    end_with(folder, town, &["--threads", threads], with_inputs)
}

fn end_with(folder: &Path, town: &Town, further: &[&str], with_inputs: bool) -> Contents {
    files::reconcile(folder, town.ledgers.rules.as_of, "out", further, None);
    let entries = fs::read_dir(folder.join("out")).unwrap().map(|entry| entry.unwrap());
    let mut contents: Contents = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    let mut manifest: serde_json::Value = serde_json::from_slice(&contents["manifest.json"]).unwrap();
    manifest["run"] = serde_json::Value::Null;
    if !with_inputs {
        // The digests of the files written are those of the bytes compared here.
        manifest["files"] = serde_json::Value::Null;
        for input in manifest["inputs"].as_array_mut().unwrap() {
            input["files"] = serde_json::Value::Null;
        }
    }
    contents.insert("manifest.json".to_owned(), manifest.to_string().into_bytes());
    if !with_inputs {
        // The page lists the files that were read, one a line.
        let page = String::from_utf8(contents["report.html"].clone()).unwrap();
        let kept: Vec<&str> = page.lines().filter(|line| !line.contains("<td>file</td>")).collect();
        contents.insert("report.html".to_owned(), kept.join("\n").into_bytes());
    }
    assert!(contents.len() >= 13, "a run directory has all its files: {:?}", contents.keys());
    contents
}

/// Both directories hold the same.
pub fn same(town: &Town, one: &Contents, other: &Contents, what: &str) -> Result<(), TestCaseError> {
    let names: Vec<&String> = one.keys().collect();
    prop_assert_eq!(names, other.keys().collect::<Vec<_>>(), "{}", what);
    for (name, bytes) in one {
        if *bytes != other[name] {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (here, there) = (text(bytes), text(&other[name]));
            let mut lines = here.lines().zip(there.lines()).filter(|(here, there)| here != there);
            let first = lines.next().map(|(here, there)| format!("{here}\n{there}")).unwrap_or_default();
            let text = format!("{what}: {name} differs\n{first}\n{}", notation::text(&town.ledgers));
            return Err(TestCaseError::fail(text));
        }
    }
    Ok(())
}

fn whole(side: &str) -> String {
    format!("{side}.csv")
}

fn pieces(side: &str) -> String {
    format!("{side}-*.csv")
}

fn row_groups(side: &str) -> String {
    format!("{side}.parquet")
}

fn sides(town: &Town) -> [(&'static str, String); 2] {
    [("legacy", files::csv_of(&town.ledgers.legacy)), ("unified", files::csv_of(&town.ledgers.unified))]
}

/// The run over one file a side.
pub fn of_whole_files(town: &Town, threads: &str, with_inputs: bool) -> Contents {
    of_whole_files_with(town, &["--threads", threads], with_inputs)
}

/// The same with further arguments.
pub fn of_whole_files_with(town: &Town, further: &[&str], with_inputs: bool) -> Contents {
    let folder = begin(town, whole);
    for (side, text) in sides(town) {
        fs::write(folder.path().join(whole(side)), text).unwrap();
    }
    end_with(folder.path(), town, further, with_inputs)
}

/// Each piece a file of its own of `rows` rows.
fn of_pieces(town: &Town, rows: usize) -> Contents {
    let folder = begin(town, pieces);
    for (side, text) in sides(town) {
        let mut lines = text.lines();
        let header = lines.next().unwrap();
        let lines: Vec<&str> = lines.collect();
        let mut chunks: Vec<&[&str]> = lines.chunks(rows).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        for (number, chunk) in chunks.iter().enumerate() {
            let file = folder.path().join(format!("{side}-{number:03}.csv"));
            fs::write(file, format!("{header}\n{}\n", chunk.join("\n"))).unwrap();
        }
    }
    end(folder.path(), town, "2", false)
}

/// Parquet with row groups of `rows` rows; all columns are text, as in CSV.
fn of_row_groups(town: &Town, rows: usize, threads: &str) -> Contents {
    use arrow_array::{ArrayRef, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::WriterProperties;
    let folder = begin(town, row_groups);
    for (side, text) in sides(town) {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let records: Vec<csv::StringRecord> = reader.records().map(|record| record.unwrap()).collect();
        let columns = header.iter().enumerate().map(|(at, name)| {
            let cells = records.iter().map(|record| Some(&record[at]).filter(|cell| !cell.is_empty()));
            (name.as_str(), Arc::new(cells.collect::<StringArray>()) as ArrayRef, true)
        });
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows)).build();
        let file = fs::File::create(folder.path().join(row_groups(side))).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }
    end(folder.path(), town, threads, false)
}

proptest! {
    #![proptest_config(generate::config(8))]

    #[test]
    fn the_number_of_threads_changes_no_byte(town in town::towns(8)) {
        let one = of_whole_files(&town, "1", true);
        for threads in ["2", "7"] {
            same(&town, &one, &of_whole_files(&town, threads, true), "threads")?;
        }
    }

    #[test]
    fn the_order_of_rows_changes_no_byte(town in town::towns(8), turn in 0usize..50) {
        let mut turned = town.clone();
        turned.ledgers = transform::turned(town.ledgers.clone(), turn);
        turned.stored.reverse();
        same(&town, &of_whole_files(&town, "2", false), &of_whole_files(&turned, "2", false), "order")?;
    }

    #[test]
    fn the_pieces_in_which_rows_come_change_no_byte(town in town::towns(8), rows in 1usize..6) {
        same(&town, &of_pieces(&town, 1_000), &of_pieces(&town, rows), "files")?;
        let one = of_row_groups(&town, 1_000, "2");
        same(&town, &one, &of_row_groups(&town, rows, "2"), "row groups")?;
        same(&town, &one, &of_row_groups(&town, rows, "5"), "row groups and threads")?;
    }
}
