//! `reckon doctor` on files: would their rows be read?

use super::{code, run, stdout};

const HEADER: &str = "id,user,action,tokens,at,metadata\n";
const GOOD: &str = "1,ada,trial_grant,5,2026-02-10 09:00:00+00,{}\n";

/// The line about the rows of the legacy file, and the exit code.
fn rows(legacy: &str) -> (String, i32) {
    let folder = tempfile::tempdir().unwrap();
    let side = |file: &str| {
        format!(
            "path = \"{file}\"\nid = \"id\"\nuser = \"user\"\naction = \"action\"\namount = \"tokens\"\ncreated_at = \"at\"\n"
        )
    };
    let config = format!(
        "[legacy]\n{}reference = [\"metadata.order\"]\n[unified]\n{}grants = [\"trial_grant\"]\n",
        side("old.csv"),
        side("new.csv")
    );
    std::fs::write(folder.path().join("reckon.toml"), config).unwrap();
    std::fs::write(folder.path().join("old.csv"), format!("{HEADER}{legacy}")).unwrap();
    std::fs::write(folder.path().join("new.csv"), format!("{HEADER}{GOOD}").replace("1,ada", "9,ada"))
        .unwrap();
    let output = run(folder.path(), &["doctor", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = found["checks"].as_array().unwrap();
    // Where the file cannot be read to its end, nothing more is said of its rows.
    let about =
        |name: &str| checks.iter().find(|check| check["check"] == name && check["subject"] == "old.csv");
    let check = about("rows").or(about("files")).unwrap_or_else(|| panic!("{}", stdout(&output)));
    let text = |key: &str| check[key].as_str().unwrap();
    (format!("{} {}", text("state"), text("detail")), code(&output))
}

#[test]
fn rows_are_brought_into_the_books_before_all_is_well() {
    let cases = [
        (GOOD.to_owned(), 0, "ok 1 row looked at, every one can be read"),
        (String::new(), 0, "warn there is no row: make sure that the right file is named"),
        (
            "1,ada,trial_grant,5,1769051425,{}\n".to_owned(),
            0,
            "warn the only row cannot be read, as old.csv line 2: at \"1769051425\" is not a time (numbers are \
             not read as times: write RFC 3339, as in 2026-02-10T09:00:00Z); each that cannot would be a finding",
        ),
        (
            format!("{GOOD}2,ada,trial_grant,\"1,000\",2026-02-10,{{}}\n"),
            0,
            "warn 1 of 2 rows cannot be read, as old.csv line 3: tokens \"1,000\" is not an integer; each",
        ),
        (
            format!("{GOOD}2,ada,trial_grant,99999999999999999999,2026-02-10,{{}}\n"),
            0,
            "warn 1 of 2 rows cannot be read, as old.csv line 3: tokens \"99999999999999999999\" is too large: ",
        ),
        (format!("{GOOD}{GOOD}"), 2, "fail legacy: the id 1 stands on more than one row"),
        (
            "1,ada,trial_grant,5,2026-02-10,{'order': 1}\n".to_owned(),
            2,
            "fail old.csv:2: column metadata holds text that is not JSON",
        ),
    ];
    for (legacy, expected_code, expected) in cases {
        let (line, code) = rows(&legacy);
        assert!(line.starts_with(expected), "{line}\n{expected}");
        assert_eq!(code, expected_code, "{line}");
    }
}

/// Checks that are not in order, of a ledger with `more` in its configuration and `files`.
fn doubts(more: &str, files: &[(&str, &str)]) -> (Vec<String>, i32) {
    let folder = tempfile::tempdir().unwrap();
    let side =
        "id = \"id\"\nuser = \"user\"\naction = \"action\"\namount = \"tokens\"\ncreated_at = \"at\"\n";
    let config = format!(
        "[legacy]\npath = \"old*.csv\"\ntable = \"old\"\n{side}[unified]\npath = \"new*.csv\"\ntable = \"new\"\n{side}\
         grants = [\"trial_grant\"]\n{more}"
    );
    std::fs::write(folder.path().join("reckon.toml"), config).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let output = run(folder.path(), &["doctor", "--format", "json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = found["checks"].as_array().unwrap().iter().filter(|check| check["state"] != "ok");
    let line = |check: &serde_json::Value| {
        let text = |key: &str| check[key].as_str().unwrap().to_owned();
        format!("{} {}: {}", text("state"), text("check"), text("detail"))
    };
    (checks.map(line).collect(), code(&output))
}

#[test]
fn what_would_end_a_run_is_a_failure_and_what_it_would_tell_a_warning() {
    let (old, new) = (format!("{HEADER}{GOOD}"), format!("{HEADER}{GOOD}2,bob,chat,7,2026-02-11,\n"));
    let stored = "[balances]\nstored = { path = \"left.csv\", user = \"user\", balance = \"left\" }\n";
    let total = format!("{HEADER}{GOOD},,,5,,\n");
    let use_alone = format!("{HEADER}3,bob,chat,7,2026-02-11,\n");
    type Files<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, Files<'_>, i32, &str); 5] = [
        (
            stored,
            &[("old.csv", &old), ("new.csv", &new), ("left.csv", "user,left\nada,5\nada,6\n")],
            2,
            "fail stored balances: 1 users have several rows, ada among them: keep one row each, or set \
             `several_rows = \"sum\"` in [balances] stored",
        ),
        (
            "",
            &[("old.csv", &old), ("new.csv", &new), ("new1.csv", &use_alone), ("new2.csv", &use_alone)],
            0,
            "warn files: new1.csv and new2.csv are the same to the byte: use in them counts as often",
        ),
        (
            "",
            &[("old.csv", &new), ("new.csv", &new)],
            2,
            "fail files: new.csv: is to the byte what the legacy side",
        ),
        (
            "",
            &[("old.csv", &total), ("new.csv", &new)],
            0,
            "warn rows: 1 of 2 rows cannot be read, as old.csv line 3",
        ),
        (
            "",
            &[("old.csv", old.trim_end()), ("new.csv", &new)],
            0,
            "warn files: the last line of old.csv has no line",
        ),
    ];
    for (more, files, expected_code, expected) in cases {
        let (told, code) = doubts(more, files);
        assert!(told.iter().any(|told| told.starts_with(expected)), "{told:?}");
        // The label of a row that cannot be read is nobody's to map.
        assert!(!told.iter().any(|told| told.contains("not mapped: \"\"")), "{told:?}");
        assert_eq!(code, expected_code, "{told:?}");
    }
}
