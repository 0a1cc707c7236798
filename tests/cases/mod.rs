//! The failure catalogue, the demo and its committed report, run through the program itself.
//!
//! Each folder of `fixtures/cases` is one case: two small ledgers, a configuration, and
//! `expected.csv`, written by hand from the rule book. A column that is not in `expected.csv` and a
//! cell `*` are not compared. Cases that need several commands or a server are told in `steps.csv`.

mod calibration;
mod demo;
mod mend;
mod parts;
pub mod postgres;
pub mod program;
mod sample;
mod snapshot;
mod steps;
pub mod table;

use std::fs;
use std::path::{Path, PathBuf};

use program::{Run, reconcile};
use table::Table;

/// One folder of the catalogue.
#[derive(Debug)]
pub struct Case {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
}

/// All cases in order.
pub fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases");
    let mut cases: Vec<Case> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| Case { name: entry.file_name().into_string().unwrap(), folder: entry.path() })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(cases.len() >= 43, "the catalogue has shrunk to {} cases", cases.len());
    cases
}

impl Case {
    /// Its findings are compared with `expected.csv`.
    pub fn has_findings(&self) -> bool {
        self.folder.join("expected.csv").exists()
    }

    fn expected(&self, file: &str) -> Option<Table> {
        let path = self.folder.join(file);
        path.exists().then(|| Table::read(&path))
    }

    /// What differs from the expected results; empty when nothing does.
    fn differences(&self, run: &Run) -> Vec<String> {
        let mut lines = Vec::new();
        let expected = self.expected("expected.csv").expect("every case has expected.csv");
        let code = i32::from(expected.rows().any(|row| row.get("severity") == Some("error")));
        if run.code != code {
            lines.push(format!("exit code {}, expected {code}\n{}", run.code, run.stderr));
        }
        if run.code == 2 {
            return lines;
        }
        lines.extend(expected.differences_to(&run.table("findings.csv"), "findings"));
        if let Some(expected) = self.expected("expected_balances.csv") {
            lines.extend(expected.differences_to(&run.table("balances.csv"), "balances"));
        }
        let summary = run.summary();
        if let Some(expected) = self.expected("expected_population.csv") {
            for row in expected.rows() {
                let total = &summary["population"][row.text("side")][row.text("class")];
                lines.extend(row.differences_to_total(total));
            }
        }
        if let Some(expected) = self.expected("expected_pairs.csv") {
            for row in expected.rows() {
                lines.extend(row.differences_to_total(&summary["pairs"][row.text("rule")]));
            }
        }
        if summary["conservation"]["holds"] != true {
            lines.push(format!("conservation does not hold: {}", summary["conservation"]));
        }
        lines
    }
}

#[test]
fn every_case_of_the_catalogue_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut failed = String::new();
    for case in cases().into_iter().filter(Case::has_findings) {
        let out = folder.path().join(&case.name);
        let run = reconcile(&case.folder.join("reckon.toml"), &out, &[]);
        let lines = case.differences(&run);
        if !lines.is_empty() {
            failed += &format!("\n== {}\n{}\n", case.name, lines.join("\n"));
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

#[test]
fn every_case_says_what_it_is_in_words_and_expects_something() {
    for case in cases() {
        assert!(case.has_findings() || case.folder.join("steps.csv").exists(), "{}", case.name);
        let text = fs::read_to_string(case.folder.join("README.md")).unwrap();
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("# "), "{}: no title", case.name);
        let body: String = lines.collect();
        assert!(body.split(". ").count() >= 2, "{}: two sentences, please", case.name);
    }
}
