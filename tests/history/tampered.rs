//! A past that was tampered with is named: by `reckon runs`, and by `reckon verify`.

use super::{World, copy, forge, migrated, missing};

/// Three nights: L1 is resolved in the second and back in the third, L2 stays.
fn world() -> World {
    let world = World::new("");
    for night in 0..3 {
        let first = if night == 1 { migrated("L1", "ada", 1_000) } else { missing("L1", "ada", 1_000) };
        world.ledgers(&[first, missing("L2", "ben", 5)]);
        world.night(night, &[]);
    }
    world
}

#[test]
fn a_forged_past_does_not_hold() {
    let intact = world();
    let (code, checks) = intact.verify("reports/latest");
    assert_eq!(code, 0, "{checks:#?}");
    assert!(checks.iter().all(|check| check[1] == "ok"), "{checks:#?}");

    type Change = fn(&str) -> String;
    let cases: [(&str, &str, Change, &str); 10] = [
        ("lifecycle.csv", ",ben,", |_| String::new(), "lifecycle.csv does not have it"),
        (
            "lifecycle.csv",
            ",ben,",
            |line| line.replace(",open,open", ",waived,open"),
            "is open in findings.csv",
        ),
        ("lifecycle.csv", ",ben,", |line| line.replace(",error,", ",info,"), "another class, severity"),
        ("lifecycle.csv", ",ben,", |line| line.replace(",open,open", ",open,resolved"), "cannot be so"),
        ("lifecycle.csv", ",ben,", |line| line.replacen("-01-01T", "-01-02T", 1), "told otherwise"),
        ("lifecycle.csv", ",ada,", |line| line.replace(",reopened,resolved", ",new,"), "are reopened"),
        ("lifecycle.csv", ",ada,", |line| line.repeat(2), "more than once"),
        ("runs.csv", "20260102T", |_| String::new(), "is not the run that the manifest names"),
        ("runs.csv", "20260102T", |line| line.replacen(",discrepancies,1,", ",clean,0,", 1), "other figures"),
        (
            "runs.csv",
            "20260102T",
            |line| {
                let cells: Vec<&str> = line.rsplitn(3, ',').collect();
                format!("{},{},{}", cells[2], "0".repeat(64), cells[0])
            },
            "does not follow",
        ),
    ];
    for (file, which, change, words) in cases {
        let world = world();
        let text = world.read(&format!("reports/latest/{file}"));
        let line = text.lines().find(|line| line.contains(which)).unwrap().to_owned() + "\n";
        let run = std::fs::canonicalize(world.path("reports/latest")).unwrap();
        forge(&run, file, &line, &change(&line));
        let (code, checks) = world.verify("reports/latest");
        let history = checks.iter().find(|check| check[0] == "history").unwrap();
        assert_eq!((code, history[1].as_str()), (1, "fail"), "{file} {words}: {checks:#?}");
        assert!(history[2].contains(words), "{words}: {}", history[2]);
    }
}

#[test]
fn a_chain_that_does_not_hold_is_told_by_runs() {
    // A run that was changed after the next had followed it.
    let changed = world();
    let names = changed.names();
    let run = changed.path("reports").join(&names[1]);
    forge(&run, "summary.json", "\"verdict\": \"discrepancies\"", "\"verdict\": \"clean\"");
    let warnings = changed.runs()["warnings"].to_string();
    assert!(warnings.contains(&format!("{} was changed", names[1])), "{warnings}");

    // A run that two follow.
    let forked = world();
    let names = forked.names();
    let (last, other) =
        (forked.path("reports").join(&names[2]), forked.path("reports/20260104T120000Z-00000000"));
    copy(&last, &other);
    forge(&other, "metrics.prom", "# EOF", "# eof");
    let warnings = forked.runs()["warnings"].to_string();
    assert!(warnings.contains("both follow the same run"), "{warnings}");

    // A history that lost its past.
    let lost = world();
    for name in &lost.names()[..2] {
        std::fs::remove_dir_all(lost.path("reports").join(name)).unwrap();
    }
    std::fs::remove_file(lost.path("reports/latest/runs.csv")).unwrap();
    let warnings = lost.runs()["warnings"].to_string();
    assert!(warnings.contains("no such run is known"), "{warnings}");

    // A history that began anew.
    let anew = world();
    let (first, other) =
        (anew.path("reports").join(&anew.names()[0]), anew.path("reports/20260104T120000Z-00000000"));
    copy(&first, &other);
    forge(&other, "metrics.prom", "# EOF", "# eof");
    let warnings = anew.runs()["warnings"].to_string();
    assert!(warnings.contains("the history began anew"), "{warnings}");
}

/// Edits a file of a run and leaves its manifest alone.
fn edit(world: &World, file: &str, from: &str, to: &str) {
    let text = world.read(file);
    assert!(text.contains(from), "{file} has no {from:?}");
    world.write(file, &text.replacen(from, to, 1));
}

#[test]
fn a_night_that_was_edited_is_named_and_nowhere_clean() {
    let cases = [
        ("summary.json", "\"verdict\": \"discrepancies\"", "\"verdict\": \"clean\""),
        ("summary.json", "\"as_of\": \"2026-01-02", "\"as_of\": \"2026-01-01"),
        ("runs.csv", ",discrepancies,", ",clean,"),
    ];
    for (file, from, to) in cases {
        let world = world();
        let name = world.names()[1].clone();
        edit(&world, &format!("reports/{name}/{file}"), from, to);
        let told = format!(
            "{name} is not as it was written, so it counts as clean nowhere: the SHA-256 of its {file} is not that \
             of its manifest"
        );
        let runs = world.runs();
        assert!(runs["warnings"].to_string().contains(&told), "{file}: {}", runs["warnings"]);
        let altered = runs["runs"].as_array().unwrap().iter().filter(|run| !run["altered"].is_null());
        assert_eq!(altered.count(), 1, "{file}");
        let shown = super::stdout(&world.run(&["runs"]));
        let marked = shown.lines().filter(|line| line.trim_start().starts_with("? 2026-01-0"));
        assert_eq!(marked.count(), 1, "{file}: {shown}");
        let (code, checks) = world.verify("reports/latest");
        let history = checks.iter().find(|check| check[0] == "history").unwrap();
        assert_eq!((code, history[1].as_str()), (1, "fail"), "{file}: {checks:#?}");
        assert!(history[2].contains("is not as it was written"), "{file}: {}", history[2]);
    }
}

#[test]
fn an_edited_night_is_no_clean_night_of_the_gate() {
    let world = World::new("[cutover]\nclean_nights = 1\n");
    let now = |grants: &[super::Grant]| {
        world.ledgers(grants);
        assert!(super::code(&world.run(&["reconcile", "--no-progress"])) < 2);
    };
    let gate = || {
        world.run(&["cutover", "--no-progress", "--out", "gate"]);
        let checks = world.json("gate/cutover.json")["checks"].as_array().unwrap().clone();
        let check = checks.iter().find(|check| check["check"] == "clean_nights").unwrap().clone();
        (check["ok"].as_bool().unwrap(), check["detail"].as_str().unwrap().to_owned())
    };
    now(&[missing("L1", "ada", 5)]);
    now(&[migrated("L1", "ada", 5)]);
    let (is_ok, said) = gate();
    assert!(is_ok, "{said}");
    let dirty = world.json("reports/latest/summary.json")["history"]["previous"].as_str().unwrap().to_owned();
    edit(&world, &format!("reports/{dirty}/summary.json"), "\"discrepancies\"", "\"clean\"");
    let (is_ok, said) = gate();
    assert!(!is_ok && said.contains("is not as it was written"), "{said}");
}

#[test]
fn a_past_that_was_taken_out_is_no_earlier_version() {
    let cases: [(&[&str], bool, &str, &str); 4] = [
        (&["lifecycle.csv"], false, "fail", "lifecycle.csv is missing"),
        (&["runs.csv"], false, "fail", "runs.csv is missing"),
        (
            &["lifecycle.csv", "runs.csv"],
            false,
            "fail",
            "the version of reckon that wrote this run writes both",
        ),
        (&["lifecycle.csv", "runs.csv"], true, "not_tested", "an earlier version of reckon wrote this run"),
    ];
    for (files, is_earlier, state, words) in cases {
        let world = world();
        let run = std::fs::canonicalize(world.path("reports/latest")).unwrap();
        if is_earlier {
            forge(&run, "summary.json", "    \"reopened\": 1,\n", "");
        }
        let path = run.join("manifest.json");
        let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let is_kept = |file: &serde_json::Value| !files.contains(&file["name"].as_str().unwrap());
        manifest["files"].as_array_mut().unwrap().retain(is_kept);
        std::fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
        files.iter().for_each(|file| std::fs::remove_file(run.join(file)).unwrap());
        let (_, checks) = world.verify("reports/latest");
        let history = checks.iter().find(|check| check[0] == "history").unwrap();
        assert_eq!(history[1], state, "{files:?}: {checks:#?}");
        assert!(history[2].contains(words), "{files:?}: {}", history[2]);
    }
}
