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
    std::fs::write(folder.path().join("new.csv"), format!("{HEADER}{GOOD}")).unwrap();
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
            2,
            "fail the only row cannot be read, as old.csv line 2: at \"1769051425\" is not a time (numbers are \
             not read as times: write RFC 3339, as in 2026-02-10T09:00:00Z); each that cannot would be a finding",
        ),
        (
            format!("{GOOD}2,ada,trial_grant,\"1,000\",2026-02-10,{{}}\n"),
            0,
            "warn 1 of 2 rows cannot be read, as old.csv line 3: tokens \"1,000\" is not an integer; each",
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
