//! The catalogue, the demo and a simulated town with too little memory for their rows: users are settled a part
//! at a time, and all that is said stays the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::postgres::{demo_in, without};
use super::program::{Run, reconcile, reconcile_with};
use super::table::Table;
use super::{Case, cases};
use crate::postgres::cluster::Cluster;

/// With so little memory no row waits in it until all users are known.
const PARTS: [&str; 2] = ["--memory", "170MiB"];

fn in_parts(config: &Path, out: &Path, more: &[(&str, &str)]) -> Run {
    let more: Vec<(&str, &str)> = more.iter().copied().chain([("RUST_LOG", "reckon=debug")]).collect();
    reconcile_with(config, out, &PARTS, &more)
}

#[test]
fn every_case_of_the_catalogue_says_what_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let (mut failed, mut settled) = (String::new(), 0);
    for case in cases().into_iter().filter(Case::has_findings) {
        let run = in_parts(&case.folder.join("reckon.toml"), &folder.path().join(&case.name), &[]);
        let lines = case.differences(&run);
        if !lines.is_empty() {
            failed += &format!("\n== {}\n{}\n", case.name, lines.join("\n"));
        }
        settled += usize::from(run.stderr.contains(" users settled, "));
    }
    assert!(failed.is_empty(), "{failed}");
    // One case has no grant at all.
    assert!(settled >= 35, "only {settled} cases were settled");
}

/// Every file of a run; of the manifest all but when and where it was made.
fn contents(run: &Run) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(&run.out).unwrap_or_else(|_| panic!("{}", run.stderr));
    let mut contents: BTreeMap<String, Vec<u8>> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    let mut manifest: serde_json::Value = serde_json::from_slice(&contents["manifest.json"]).unwrap();
    manifest["run"] = serde_json::Value::Null;
    contents.insert("manifest.json".to_owned(), manifest.to_string().into_bytes());
    contents
}

/// How many users were settled, of how many: `649 of 708 users settled, 668 rows left`.
fn settled(run: &Run) -> (u64, u64) {
    let line = run.stderr.lines().find(|line| line.contains(" users settled, "));
    let words: Vec<&str> = line.unwrap_or_else(|| panic!("{}", run.stderr)).split(' ').collect();
    let of = words.iter().position(|word| *word == "of").unwrap();
    (words[of - 1].parse().unwrap(), words[of + 1].parse().unwrap())
}

/// Most users leave the memory, and the files are the same.
fn assert_same(whole: &Run, parts: &Run) {
    let (done, all) = settled(parts);
    assert!(done * 2 > all, "only {done} of {all} users were settled");
    let (whole, parts) = (contents(whole), contents(parts));
    let differing: Vec<&String> = whole.keys().filter(|name| whole.get(*name) != parts.get(*name)).collect();
    assert!(differing.is_empty() && whole.len() == parts.len(), "{differing:?} differ");
}

#[test]
fn the_demo_holds_what_was_planted_and_no_byte_changes() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let folder = tempfile::tempdir().unwrap();
    let config = demo.join("reckon.toml");
    let parts = in_parts(&config, &folder.path().join("parts"), &[]);
    let truth = Table::read(&demo.join("truth.csv"));
    let lines = truth.differences_to(&parts.table("findings.csv"), "findings");
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    assert_same(&reconcile(&config, &folder.path().join("whole"), &[]), &parts);
}

/// Pools, balance columns, stored balances, every kind of defect, and a run before that had more rows.
#[test]
fn a_simulated_town_with_a_history_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = |out: &str, vanished: &str| {
        let made = Command::new(env!("CARGO_BIN_EXE_reckon"))
            .current_dir(folder.path())
            .args(["simulate", "--users", "500", "--seed", "11", "--out", out, "--vanished", vanished])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        folder.path().join(out).join("reckon.toml")
    };
    let (before, after) = (simulate("before", "0"), simulate("after", "0.1"));
    assert_same(
        &reconcile(&before, &folder.path().join("whole"), &[]),
        &in_parts(&before, &folder.path().join("parts"), &[]),
    );
    let nights = [&[][..], &PARTS[..]].map(|further| {
        let home = tempfile::tempdir().unwrap();
        let night = |ledgers: &Path| {
            for entry in fs::read_dir(ledgers.parent().unwrap()).unwrap().map(|entry| entry.unwrap()) {
                fs::copy(entry.path(), home.path().join(entry.file_name())).unwrap();
            }
            let output = Command::new(env!("CARGO_BIN_EXE_reckon"))
                .current_dir(home.path())
                .args(["reconcile", "--no-progress"])
                .args(further)
                .output()
                .unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            let out = fs::canonicalize(home.path().join("history/latest")).unwrap();
            Run { code: output.status.code().unwrap_or(-1), stderr, out }
        };
        let (first, second) = (night(&before), night(&after));
        assert_eq!((first.code, second.code), (1, 1), "{}", second.stderr);
        // Which run was before stands in its place, and that one says when it ran.
        let mut contents = contents(&second);
        contents
            .retain(|file, _| ["findings.csv", "dispositions.parquet", "balances.csv"].contains(&&**file));
        let shrunk = second.summary()["history"]["shrunk"].clone();
        assert!(shrunk.as_array().is_some_and(|shrunk| !shrunk.is_empty()), "{shrunk}");
        (contents, shrunk)
    });
    assert!(nights[0] == nights[1]);
}

#[test]
fn the_demo_in_postgres_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let db = Cluster::shared().database("parts");
    let config = without(&demo_in(&db), &["stored = ", "path = "]);
    let file = folder.path().join("reckon.toml");
    fs::write(&file, config).unwrap();
    let url = db.url();
    let whole = reconcile(&file, &folder.path().join("whole"), &[("DATABASE_URL", &url)]);
    let parts = in_parts(&file, &folder.path().join("parts"), &[("DATABASE_URL", &url)]);
    assert!(parts.stderr.contains(" users settled, "), "{}", parts.stderr);
    let (mut whole, mut parts) = (contents(&whole), contents(&parts));
    // Each run reads a snapshot of its own, which these name.
    for named in ["manifest.json", "report.html", "summary.json"] {
        whole.remove(named);
        parts.remove(named);
    }
    assert!(whole == parts && whole.len() > 8);
}
