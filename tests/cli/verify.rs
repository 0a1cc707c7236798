//! `reckon verify`: what holds, and each way in which a run directory can be tampered with.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest, Sha256};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample")
}

/// A copy of the committed run that may be changed.
fn copy(into: &Path) -> PathBuf {
    let folder = into.join("run");
    std::fs::create_dir_all(&folder).unwrap();
    for entry in std::fs::read_dir(sample()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    folder
}

fn verify(folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reckon"))
        .args(["--format", "json", "verify"])
        .arg(folder)
        .output()
        .unwrap()
}

/// Exit code, and the checks with their state and words.
fn checks(folder: &Path) -> (i32, Vec<(String, String, String)>) {
    let output = verify(folder);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let checks = found["checks"].as_array().unwrap().iter();
    let checks = checks.map(|check| (text(&check["check"]), text(&check["state"]), text(&check["detail"])));
    (output.status.code().unwrap(), checks.collect())
}

/// Replaces text in a file and, as a careful forger would, brings the manifest up to date.
fn forge(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for listed in manifest["files"].as_array_mut().unwrap() {
        if listed["name"] == file {
            listed["bytes"] = bytes.len().into();
            listed["sha256"] = digest.clone().into();
        }
    }
    std::fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}

#[test]
fn the_committed_run_holds() {
    let (code, checks) = checks(&sample());
    assert_eq!(code, 0, "{checks:#?}");
    assert!(checks.iter().all(|(_, state, _)| state == "ok"), "{checks:#?}");
}

#[test]
fn what_was_changed_is_named() {
    let balances = std::fs::read_to_string(sample().join("balances.csv")).unwrap();
    let line = balances.lines().nth(1).unwrap();
    let cells: Vec<&str> = line.split(',').collect();
    let other_granted = line.replacen(cells[1], "1", 1);
    let findings = std::fs::read_to_string(sample().join("findings.csv")).unwrap();
    let first = findings.lines().nth(1).unwrap();
    let id = first.split(',').next().unwrap();
    let without_first = findings.replacen(&format!("{first}\n"), "", 1);
    let summary = "\"verdict\": \"discrepancies\"";
    let errors: Vec<&str> = findings.lines().filter(|line| line.contains(",error,")).collect();
    let amount = errors.iter().find(|line| line.contains("amount_mismatch")).unwrap();
    let milder = amount.replacen(",error,", ",warning,", 1);
    let blocking = format!("\"blocking\": {}", errors.len());
    let fewer = format!("\"blocking\": {}", errors.len() - 1);
    let near = "\"near\": {\n      \"rows\": 578";
    let table: [(&str, &str, &str, &str, &str); 14] = [
        ("findings.csv", amount, &milder, "findings", "amount_mismatch, is warning, and should be error"),
        ("summary.json", &blocking, &fewer, "findings", "nobody waived"),
        ("summary.json", near, &near.replace("578", "579"), "dispositions", "1225 legacy rows are in a pair"),
        (
            "summary.json",
            "\"mismatch\": {\n      \"rows\": 3",
            "\"mismatch\": {\n      \"rows\": 1",
            "findings",
            "pairs by mismatch",
        ),
        (
            "summary.json",
            "\"rejected\": {\n        \"rows\": 4",
            "\"rejected\": {\n        \"rows\": 3",
            "dispositions",
            "legacy rejected_row: 4 rows",
        ),
        (
            "summary.json",
            "\"previous\": null",
            "\"previous\": \"20260101T000000Z-00000000\"",
            "history",
            "manifest.json none",
        ),
        ("balances.csv", line, &other_granted, "balances", "recomputed is"),
        ("balances.csv", &format!("{line}\n"), "", "balances", "users: 299"),
        ("balances.csv", ",12345,unexplained,", ",12345,unique,", "balances", "12345 of it unexplained"),
        ("findings.csv", id, "0123456789abcdef", "findings", "is not the id of its rows"),
        ("findings.csv", &findings, &without_first, "findings", "in findings.csv"),
        ("findings.csv", &findings, &without_first, "dispositions", "which findings.csv does not have"),
        ("summary.json", summary, "\"verdict\": \"clean\"", "findings", "stand against a clean result"),
        ("summary.json", "\"rows_in\": 1326", "\"rows_in\": 1325", "conservation", "rows_in: 1325, not 1326"),
    ];
    for (file, from, to, check, words) in table {
        let temporary = tempfile::tempdir().unwrap();
        let folder = copy(temporary.path());
        forge(&folder, file, from, to);
        let (code, checks) = checks(&folder);
        let failed: Vec<_> = checks.iter().filter(|(_, state, _)| state == "fail").collect();
        assert_eq!(code, 1, "{file}: {checks:#?}");
        assert!(
            failed.iter().any(|(name, _, detail)| name == check && detail.contains(words)),
            "{file}: {check} should say {words:?}: {failed:#?}"
        );
    }
}

/// The file with another value in a column, in the first row that has one.
fn altered(text: &str, column: &str) -> String {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let at = header.iter().position(|name| name == column).unwrap();
    let mut rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    let row = rows.iter_mut().find(|row| !row[at].is_empty()).unwrap_or_else(|| panic!("no {column}"));
    let cell = &row[at];
    row[at] = match cell.starts_with("20") && cell.contains('T') {
        true => cell.replacen("20", "19", 1),
        false => format!("{cell}1"),
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[test]
fn both_files_of_the_findings_say_the_same_in_every_column() {
    let findings = std::fs::read_to_string(sample().join("findings.csv")).unwrap();
    let columns = findings.lines().next().unwrap().split(',');
    // What the other columns say is held against the rows and the counts first.
    let counted = ["finding_id", "class", "severity", "user_id", "legacy_ids", "unified_ids", "status"];
    for column in columns.filter(|column| !counted.contains(column)) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = copy(temporary.path());
        forge(&folder, "findings.csv", &findings, &altered(&findings, column));
        let (code, checks) = checks(&folder);
        let (_, state, detail) = checks.iter().find(|(name, _, _)| name == "findings").unwrap();
        assert_eq!((code, state.as_str()), (1, "fail"), "{column}: {checks:#?}");
        let words = format!(": {column} ");
        assert!(detail.contains("findings.parquet row ") && detail.contains(&words), "{column}: {detail}");
    }
}

#[test]
fn a_file_that_the_manifest_forgot_is_missing_all_the_same() {
    let names: Vec<String> = std::fs::read_dir(sample())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "manifest.json")
        .collect();
    assert!(names.len() >= 12, "{names:?}");
    for name in names {
        let temporary = tempfile::tempdir().unwrap();
        let folder = copy(temporary.path());
        std::fs::remove_file(folder.join(&name)).unwrap();
        let path = folder.join("manifest.json");
        let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        manifest["files"].as_array_mut().unwrap().retain(|listed| listed["name"] != name.as_str());
        std::fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
        let (code, checks) = checks(&folder);
        let (_, state, detail) = checks.iter().find(|(check, _, _)| check == "contents").unwrap();
        assert_eq!((code, state.as_str()), (1, "fail"), "{name}: {checks:#?}");
        assert!(detail.contains(&name), "{name}: {detail}");
    }
}

#[test]
fn the_manifest_is_that_of_the_summary_beside_it() {
    for key in ["as_of", "run_id"] {
        let temporary = tempfile::tempdir().unwrap();
        let folder = copy(temporary.path());
        let path = folder.join("manifest.json");
        let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        manifest[key] = "2025-09-01T00:00:00.000000Z".into();
        std::fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
        let (code, checks) = checks(&folder);
        let (_, state, detail) = checks.iter().find(|(check, _, _)| check == "contents").unwrap();
        assert_eq!((code, state.as_str()), (1, "fail"), "{key}: {checks:#?}");
        assert!(detail.contains(key) && detail.contains("in summary.json"), "{key}: {detail}");
    }
}

#[test]
fn a_file_that_is_changed_missing_or_foreign_fails_its_check() {
    type Change = fn(&Path);
    let table: [(&str, Change, &str); 4] = [
        ("changed", |run| append(&run.join("undo.sql"), "drop table x;"), "undo.sql: "),
        ("missing", |run| std::fs::remove_file(run.join("report.html")).unwrap(), "report.html: "),
        ("foreign", |run| append(&run.join("notes.txt"), "hello"), "notes.txt: not named"),
        (
            "as long",
            |run| {
                let text = std::fs::read_to_string(run.join("repair.sql")).unwrap();
                std::fs::write(run.join("repair.sql"), text.replacen("update", "UPDATE", 1)).unwrap();
            },
            "repair.sql: its SHA-256 is",
        ),
    ];
    for (name, change, words) in table {
        let temporary = tempfile::tempdir().unwrap();
        let folder = copy(temporary.path());
        change(&folder);
        let (code, checks) = checks(&folder);
        assert_eq!(code, 1, "{name}");
        assert_eq!((&*checks[0].0, &*checks[0].1), ("files", "fail"), "{name}");
        assert!(checks[0].2.contains(words), "{name}: {}", checks[0].2);
    }
}

fn append(path: &Path, text: &str) {
    let mut all = std::fs::read_to_string(path).unwrap_or_default();
    all.push_str(text);
    std::fs::write(path, all).unwrap();
}

/// Three runs of a history, oldest first.
fn history(root: &Path) -> Vec<PathBuf> {
    // The demo keeps its history in ../../reports/history.
    let folder = root.join("fixtures/demo");
    std::fs::create_dir_all(&folder).unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    for entry in std::fs::read_dir(&demo).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
    let mut runs = Vec::new();
    for _ in 0..3 {
        let status = Command::new(env!("CARGO_BIN_EXE_reckon"))
            .args(["reconcile", "--quiet"])
            .current_dir(&folder)
            .output()
            .unwrap();
        assert_eq!(status.status.code(), Some(1), "{}", String::from_utf8_lossy(&status.stderr));
        runs.push(std::fs::canonicalize(root.join("reports/history/latest")).unwrap());
    }
    runs
}

#[test]
fn the_chain_is_followed_to_the_first_run_and_a_changed_one_breaks_it() {
    let temporary = tempfile::tempdir().unwrap();
    let runs = history(temporary.path());
    let chain = |run: &Path| {
        let (code, checks) = checks(run);
        let (_, state, detail) = checks.into_iter().find(|(name, _, _)| name == "chain").unwrap();
        (code, state, detail)
    };
    let (code, state, detail) = chain(&runs[2]);
    assert_eq!((code, &*state), (0, "ok"), "{detail}");
    assert!(detail.starts_with("2 earlier runs"), "{detail}");
    assert_eq!(chain(&runs[0]).1, "ok");
    // Somebody makes the second run look other than it was, with a manifest that fits.
    forge(&runs[1], "report.html", "<html", "<html ");
    let (code, state, detail) = chain(&runs[2]);
    assert_eq!((code, &*state), (1, "fail"));
    assert!(detail.contains("was changed since"), "{detail}");
    // Taken out, it is missing; that is said, and not called ok.
    std::fs::remove_dir_all(&runs[1]).unwrap();
    let (code, state, _) = chain(&runs[2]);
    assert_eq!((code, &*state), (0, "not_tested"));
}

#[test]
fn a_folder_without_a_run_is_exit_2() {
    let temporary = tempfile::tempdir().unwrap();
    let output = verify(temporary.path());
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("has no manifest.json") && message.contains("reports/latest"), "{message}");
    let (gone, file) = (temporary.path().join("gone"), temporary.path().join("file"));
    std::fs::write(&file, "").unwrap();
    for (path, expected) in [
        (gone, "gone does not exist: name a run directory, such as reports/latest"),
        (file, "file is a file: name the directory of the run, such as reports/latest"),
    ] {
        let output = verify(&path);
        assert_eq!(output.status.code(), Some(2));
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn for_people_it_is_a_line_a_check() {
    let output = Command::new(env!("CARGO_BIN_EXE_reckon")).arg("verify").arg(sample()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 80 || line.starts_with('/')), "{text}");
    assert!(text.ends_with("everything holds\n"), "{text}");
}
