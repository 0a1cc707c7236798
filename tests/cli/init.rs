//! `reckon init`: its proposal for the fixtures, and what it refuses.

use std::path::Path;

use super::{assert_golden, code, root, run, stderr, stdout};

fn copy(from: &Path, files: &[&str], to: &Path) {
    for file in files {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
}

#[test]
fn the_proposal_for_the_demo() {
    let demo = root().join("fixtures/demo");
    let args =
        "init --legacy token_transactions.csv --unified token_usage.csv --stored user_profiles.csv -o -";
    let output = run(&demo, &args.split(' ').collect::<Vec<_>>());
    assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
    assert_golden("init_demo.toml", &stdout(&output));
}

#[test]
fn the_proposal_runs_unchanged_on_every_case_of_the_catalogue() {
    let mut cases = 0;
    for case in std::fs::read_dir(root().join("fixtures/cases")).unwrap() {
        let case = case.unwrap().path();
        if !case.join("legacy.csv").exists() || !case.join("unified.csv").exists() {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        copy(&case, &["legacy.csv", "unified.csv"], folder.path());
        let output = run(folder.path(), &["init", "--legacy", "legacy.csv", "--unified", "unified.csv"]);
        assert_eq!(code(&output), 0, "{}: {}", case.display(), stderr(&output));
        let output = run(folder.path(), &["reconcile", "--as-of", "2026-04-01T00:00:00Z", "--out", "run"]);
        assert!(matches!(code(&output), 0 | 1), "{}: {}", case.display(), stderr(&output));
        assert!(folder.path().join("run/summary.json").exists(), "{}", case.display());
        cases += 1;
    }
    assert!(cases > 20, "the catalogue is read: {cases}");
}

#[test]
fn a_file_that_is_there_is_kept_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    copy(
        &root().join("fixtures/cases/02-label-needs-two-columns"),
        &["legacy.csv", "unified.csv"],
        folder.path(),
    );
    std::fs::write(folder.path().join("reckon.toml"), "mine").unwrap();
    let args = ["init", "--legacy", "legacy.csv", "--unified", "unified.csv"];
    let output = run(folder.path(), &args);
    assert_eq!(
        (code(&output), stderr(&output).as_str()),
        (2, "reckon: reckon.toml is there already: --force overwrites it, -o names another file\n")
    );
    assert_eq!(std::fs::read_to_string(folder.path().join("reckon.toml")).unwrap(), "mine");
    let output = run(folder.path(), &[&args[..], &["--force"]].concat());
    assert_eq!(code(&output), 0);
    assert_eq!(stdout(&output), "wrote reckon.toml\nlook it over, then: reckon reconcile\n");
}

#[test]
fn paths_are_written_as_the_file_will_read_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("etc/data");
    std::fs::create_dir_all(&data).unwrap();
    let case = root().join("fixtures/cases/02-label-needs-two-columns");
    copy(&case, &["legacy.csv"], &data);
    copy(&case, &["unified.csv"], folder.path());
    let args = "init --legacy etc/data/legacy.csv --unified unified.csv -o etc/reckon.toml";
    let output = run(folder.path(), &args.split(' ').collect::<Vec<_>>());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = std::fs::read_to_string(folder.path().join("etc/reckon.toml")).unwrap();
    assert!(text.contains("path = \"data/legacy.csv\"\n"), "{text}");
    let outside = folder.path().join("unified.csv");
    assert!(text.contains(&format!("path = {:?}\n", outside.to_str().unwrap())), "{text}");
}

#[test]
fn what_cannot_be_looked_at_is_2_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bare.csv"), "id,name\n1,a\n").unwrap();
    std::fs::write(folder.path().join("empty.csv"), "").unwrap();
    let cases = [
        ("init", "say where the two tables are"),
        ("init --legacy bare.csv", "say where the two tables are"),
        ("init --legacy gone.csv --unified gone.csv", "gone.csv: no file has this name"),
        ("init --legacy empty.csv --unified empty.csv", "empty.csv"),
        (
            "init --legacy bare.csv --unified bare.csv",
            "bare.csv: no column looks like a user id (columns: id, name)",
        ),
    ];
    for (args, expected) in cases {
        let output = run(folder.path(), &args.split(' ').collect::<Vec<_>>());
        assert_eq!(code(&output), 2, "{args}");
        assert!(
            stderr(&output).starts_with("reckon: ") && stderr(&output).contains(expected),
            "{}",
            stderr(&output)
        );
        assert!(!folder.path().join("reckon.toml").exists());
    }
}
