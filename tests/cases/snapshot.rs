//! What the balance column beside the rows means: the case of the catalogue and the demo, each
//! against what was written into its files.

use std::path::Path;

use serde_json::Value;

use super::program::reconcile;
use super::table::Table;

/// `label,meaning,from,to,rows,misfits` of the legacy column.
fn periods(summary: &Value) -> String {
    let mut text = "label,meaning,from,to,rows,misfits\n".to_owned();
    for label in summary["snapshot_columns"][0]["labels"].as_array().unwrap() {
        for period in label["periods"].as_array().unwrap() {
            let word = |value: &Value| value.as_str().unwrap().to_owned();
            text += &[
                word(&label["label"]),
                word(&period["meaning"]),
                word(&period["from"]),
                word(&period["to"]),
                period["rows"].to_string(),
                period["misfits"].to_string(),
            ]
            .join(",");
            text.push('\n');
        }
    }
    text
}

#[test]
fn the_case_of_the_catalogue_comes_out_as_written() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases/35-snapshot-columns");
    let folder = tempfile::tempdir().unwrap();
    let run = reconcile(&case.join("reckon.toml"), &folder.path().join("run"), &[]);
    let found = Table::parse(periods(&run.summary()).as_bytes(), "summary.json");
    let mut lines = Table::read(&case.join("expected_snapshot.csv")).differences_to(&found, "periods");
    let breaks = Table::read(&case.join("expected_breaks.csv"));
    lines.extend(breaks.differences_to(&run.table("chain_breaks.csv"), "breaks"));
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    let breaks = &run.summary()["snapshot_columns"][0]["breaks"];
    assert_eq!((breaks["rows"].as_u64(), breaks["users"].as_u64()), (Some(1), Some(1)));
}

#[test]
fn the_three_meanings_of_the_demo_change_when_its_generator_changed_them() {
    let folder = tempfile::tempdir().unwrap();
    let run = reconcile(Path::new("fixtures/demo/reckon.toml"), &folder.path().join("run"), &[]);
    let summary = run.summary();
    // `make.py`: after until November 2025, before until the copy in February 2026, then the size.
    let until = |meaning: &str| match meaning {
        "after" => ("2025-07-01", "2025-11-01"),
        "before" => ("2025-11-01", "2026-02-14T03"),
        "size" => ("2026-02-14T03", "2026-09-01"),
        other => panic!("nothing in the demo is {other}"),
    };
    let mut seen = 0;
    for line in periods(&summary).lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [label, meaning, from, to, rows, misfits] = cells[..] else { panic!("{line}") };
        // A first trial is its own balance, and of a label without a meaning nothing is known.
        let is_told = !(label == "loyalty_bonus" || label == "trial_grant" && from < "2025-11");
        assert_eq!(meaning != "unknown", is_told, "{line}");
        if is_told {
            let (first, end) = until(meaning);
            assert!(first <= from && to < end && misfits == "0", "{line}");
        }
        seen += rows.parse::<u64>().unwrap();
    }
    assert_eq!(seen, summary["snapshot_columns"][0]["values"].as_u64().unwrap());
    assert_eq!(summary["snapshot_columns"][0]["breaks"]["rows"], 0);
}

#[test]
fn a_value_that_is_no_number_is_unknown_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases/35-snapshot-columns");
    for entry in std::fs::read_dir(&case).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let rows = std::fs::read_to_string(case.join("legacy.csv")).unwrap();
    let rows = rows.replace("11:00:00Z,,532600", "11:00:00Z,,lots");
    std::fs::write(folder.path().join("legacy.csv"), rows).unwrap();
    let run = reconcile(&folder.path().join("reckon.toml"), &folder.path().join("run"), &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let column = &run.summary()["snapshot_columns"][0];
    assert_eq!((column["unreadable"].as_u64(), column["values"].as_u64()), (Some(2), Some(25)));
    let said = run.summary()["warnings"].to_string();
    assert!(
        said.contains("2 values of tokens_remaining in the legacy table are no number of tokens"),
        "{said}"
    );
}
