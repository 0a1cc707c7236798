//! What is read, and what of it would be clean only because nobody looked: the same source twice, rows that are
//! no grants, names that lead nowhere.

use std::fmt::Write as _;
use std::path::Path;

use super::{code, run, stderr, stdout};

const CONFIG: &str = r#"
as_of = "2026-09-01T00:00:00Z"
[legacy]
path = "old.csv"
table = "token_transactions"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
[unified]
path = "new.csv"
table = "token_usage"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
grants = ["subscription_grant"]
"#;

const HEADER: &str = "id,user_id,action_type,tokens_used,created_at,legacy_id,metadata\n";

/// Four grants a side, each with its link and some JSON; `of` writes id, user and link.
fn ledger(of: impl Fn(u32) -> [String; 3], metadata: &str) -> String {
    let mut text = HEADER.to_owned();
    for row in 1..=4 {
        let [id, user, link] = of(row);
        let metadata = metadata.replace('"', "\"\"");
        writeln!(
            text,
            "{id},{user},subscription_grant,{row}000,2026-05-0{row} 10:00:00,{link},\"{metadata}\""
        )
        .unwrap();
    }
    text
}

fn old(metadata: &str) -> String {
    ledger(|row| [format!("{row}"), format!("{}", 100 + row), String::new()], metadata)
}

fn new(metadata: &str) -> String {
    ledger(|row| [format!("{}", 50 + row), format!("{}", 100 + row), format!("{row}")], metadata)
}

/// Two sides without a difference, `config` changed by `change`.
fn world(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("old.csv"), old("{}")).unwrap();
    std::fs::write(folder.path().join("new.csv"), new("{}")).unwrap();
    std::fs::write(folder.path().join("reckon.toml"), change(CONFIG)).unwrap();
    folder
}

/// A clean run's warnings.
fn warnings(folder: &Path) -> Vec<String> {
    let output = run(folder, &["reconcile", "--out", "out"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let summary = std::fs::read(folder.join("out/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    let told = summary["warnings"].as_array().unwrap();
    told.iter().map(|warning| warning.as_str().unwrap().to_owned()).collect()
}

fn refused(folder: &Path, args: &[&str], expected: &str) {
    let output = run(folder, args);
    let told = stderr(&output);
    assert!(code(&output) == 2 && told.contains(expected), "{args:?}: {}{told}", code(&output));
    assert!(!folder.join("out").exists(), "{args:?}");
}

#[test]
fn a_ledger_is_not_compared_with_itself() {
    let reconcile = ["reconcile", "--out", "out"];
    let same_path = world(|config| config.replace("new.csv", "./old.csv"));
    refused(
        same_path.path(),
        &reconcile,
        "old.csv: the path of [legacy] and that of [unified] both name this",
    );
    // Files of one name in two folders, and nothing says for which tables they stand.
    let of_one_name = world(|config| {
        let unnamed = config.lines().filter(|line| !line.starts_with("table"));
        unnamed.collect::<Vec<_>>().join("\n").replace("new.csv", "new/old.csv")
    });
    std::fs::create_dir(of_one_name.path().join("new")).unwrap();
    std::fs::write(of_one_name.path().join("new/old.csv"), new("{}")).unwrap();
    refused(
        of_one_name.path(),
        &reconcile,
        "new/old.csv: is of the same name as old.csv, so that SQL would be",
    );
    let init =
        run(of_one_name.path(), &["init", "--legacy", "old.csv", "--unified", "new/old.csv", "-o", "-"]);
    assert_eq!(code(&init), 0, "{}", stderr(&init));
    let copied = world(str::to_owned);
    std::fs::copy(copied.path().join("old.csv"), copied.path().join("new.csv")).unwrap();
    for command in [&reconcile[..], &["grants"][..]] {
        refused(copied.path(), command, "new.csv: is to the byte what the legacy side read as old.csv");
    }
    // Of two empty exports nothing can be told.
    for name in ["old.csv", "new.csv"] {
        std::fs::write(copied.path().join(name), HEADER).unwrap();
    }
    let output = run(copied.path(), &reconcile);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let headline = "There was no legacy grant or deduction to compare, and nothing is found.";
    assert!(stdout(&output).contains(headline), "{}", stdout(&output));
    let page = std::fs::read_to_string(copied.path().join("out/report.html")).unwrap();
    assert!(page.contains(headline) && !page.contains("Every legacy grant stands"));
}

#[test]
fn rows_of_which_none_is_a_grant_are_no_clean_result() {
    let as_use = world(|config| {
        config.replace("[unified]", "[legacy.actions]\nsubscription_grant = \"usage\"\n[unified]")
    });
    let expected = "no row of old.csv is a grant or a deduction (4 rows of use, 0 left out), so nothing was \
                    compared: say in [legacy.actions] which of its labels are (\"subscription_grant\")";
    refused(as_use.path(), &["reconcile", "--out", "out"], expected);
    // What the labels are can still be looked up.
    assert_eq!(code(&run(as_use.path(), &["grants"])), 0);
    // Rows that are yet to be judged are no such case.
    let later = world(|config| config.replace("2026-09-01", "2026-01-01"));
    let told = warnings(later.path());
    let expected = "no legacy row was compared with anything, so that nothing is found says nothing: of 4 rows 4 \
                    lie after as-of 2026-01-01T00:00:00.000000Z; make sure";
    assert!(told[0].starts_with(expected), "{told:?}");
    assert!(told[1].starts_with("4 legacy rows lie after as-of"), "{told:?}");
    // Some are worth nothing, and the others are late.
    let worthless = world(|config| config.replace("2026-09-01", "2026-05-02"));
    for (file, text) in [("old.csv", old("{}")), ("new.csv", new("{}"))] {
        std::fs::write(worthless.path().join(file), text.replace(",1000,", ",0,")).unwrap();
    }
    let told = warnings(worthless.path());
    assert!(told[0].contains("of 4 rows 3 lie after as-of") && told[0].contains(", 1 are of 0 tokens;"));
    assert!(!warnings(world(str::to_owned).path()).iter().any(|told| told.starts_with("no legacy row")));
}

#[test]
fn points_that_may_part_thousands_are_told_with_an_example() {
    let folder = world(str::to_owned);
    let told = |legacy: &str, unified: &str| {
        let with = |text: String, amounts: &str| {
            let mut text = text.replace(",4000,", ",40,");
            for (row, amount) in (1..=3).zip(amounts.split(' ')) {
                text = text.replace(&format!(",{row}000,"), &format!(",{amount},"));
            }
            text
        };
        std::fs::write(folder.path().join("old.csv"), with(old("{}"), legacy)).unwrap();
        std::fs::write(folder.path().join("new.csv"), with(new("{}"), unified)).unwrap();
        let output = run(folder.path(), &["reconcile", "--out", "out"]);
        assert!(code(&output) < 2, "{}", stderr(&output));
        let summary = std::fs::read(folder.path().join("out/summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
        let all = summary["warnings"].as_array().unwrap().iter().map(|told| told.as_str().unwrap());
        let told: Vec<String> = all.filter(|told| told.contains("amounts like")).map(str::to_owned).collect();
        let doctor = stdout(&run(folder.path(), &["doctor"]));
        assert_eq!(doctor.matches("amounts: amounts like").count(), told.len(), "{doctor}");
        told
    };
    let open = "amounts like 1.000 (tokens_used in old.csv) are read as 1, and nothing in the column shows \
                whether its points group thousands: ";
    let seems = "amounts like 1.000 (tokens_used in new.csv) are read as 1, and points seem to group thousands \
                 there, as in 2.500, which cannot be read: ";
    let both = told("1.000 2.000 3.000", "1.000 2.500 3.000");
    assert!(both.len() == 2 && both[0].starts_with(open) && both[1].starts_with(seems), "{both:?}");
    assert_eq!(told("1.000 2.000 3000", "1.0 2.000 3.000"), Vec::<String>::new());
}

#[test]
fn a_field_that_may_have_swallowed_records_is_told() {
    let folder = world(str::to_owned);
    // Two stray quotes, in the first line and in the third: three grants fewer on either side, and all is clean.
    for (file, text) in [("old.csv", old("{}")), ("new.csv", new("{}"))] {
        let mut lines: Vec<String> = text.lines().map(|line| line.replace("\"{}\"", "x")).collect();
        lines[1] = lines[1].replace(",x", ",\"x");
        lines[3].push('"');
        std::fs::write(folder.path().join(file), lines.join("\n") + "\n").unwrap();
    }
    let expected = "old.csv:2: a field in quotes goes on for 3 lines, each of which has as many separators as the \
                    header: two stray quotes";
    let told = warnings(folder.path());
    assert!(told.iter().any(|told| told.starts_with(expected)), "{told:?}");
    let doctor = stdout(&run(folder.path(), &["doctor"]));
    assert!(doctor.contains("files: old.csv:2: a field in quotes goes on for 3 lines"), "{doctor}");
}

#[test]
fn a_header_of_another_dialect_is_told_with_what_to_do() {
    let reconcile = ["reconcile", "--out", "out"];
    for (header, expected) in [
        (
            format!("sep=,\n{HEADER}"),
            "old.csv:1: the first line is sep=, which spreadsheets alone understand: remove the line",
        ),
        (
            HEADER.replace(",user_id", ", user_id"),
            "old.csv: has no column \"user_id\", but \" user_id\": take the blanks around the names out",
        ),
        (HEADER.replace(',', ";"), "old.csv:1: the only column is \"id;user_id;"),
    ] {
        let folder = world(str::to_owned);
        std::fs::write(folder.path().join("old.csv"), old("{}").replace(HEADER, &header)).unwrap();
        refused(folder.path(), &reconcile, expected);
    }
    let folder = world(|config| config.replace("old.csv", "old"));
    std::fs::create_dir(folder.path().join("old")).unwrap();
    refused(folder.path(), &reconcile, "legacy side: old: is a folder: write old/*.parquet or old/*.csv");
}

#[test]
fn ids_that_a_spreadsheet_shortened_and_amounts_that_are_too_large_are_told_as_such() {
    let folder = world(str::to_owned);
    let shortened = ledger(|row| ["1.23457E+15".to_owned(), format!("{}", 100 + row), String::new()], "{}");
    std::fs::write(folder.path().join("old.csv"), shortened).unwrap();
    let expected = "the id 1.23457E+15 stands on more than one row. Ids tell rows apart in every finding and in all \
                    SQL, so they must be unique: a spreadsheet has shortened this one, and its last digits are lost";
    refused(folder.path(), &["reconcile", "--out", "out"], expected);
    std::fs::write(folder.path().join("old.csv"), old("{}").replace(",1000,", ",99999999999999999999,"))
        .unwrap();
    let output = run(folder.path(), &["reconcile", "--out", "out"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let findings = std::fs::read_to_string(folder.path().join("out/findings.csv")).unwrap();
    let expected = "99999999999999999999\"\" is too large: amounts go up to 9223372036854775807";
    assert!(findings.contains(expected), "{findings}");
}

#[test]
fn a_place_in_json_that_no_row_has_is_told() {
    let with = |key: &str, value: &str| {
        let folder = world(|config| config.replace("grants =", &format!("{key} = {value}\ngrants =")));
        std::fs::write(folder.path().join("new.csv"), new("{\"success\": true, \"ends\": \"2027-01-01\"}"))
            .unwrap();
        let told = warnings(folder.path()).into_iter();
        told.filter(|told| told.starts_with("no unified")).collect::<Vec<_>>()
    };
    for (key, value, expected) in [
        ("success", "\"metadata.success\"", None),
        ("success", "\"metadata.succes\"", Some("no unified row has a flag of success (metadata.succes): ")),
        ("expires_at", "\"metadata.ends\"", None),
        ("expires_at", "\"metadata.end\"", Some("no unified grant or deduction has an end (metadata.end): ")),
        ("balance_after", "\"metadata.balance\"", Some("no unified row has a balance (metadata.balance): ")),
        ("payment", "[\"metadata.pi\"]", Some("no unified grant or deduction has a payment (metadata.pi): ")),
        // The other side has none configured, so it does not say that nothing was paid for.
        (
            "reference",
            "[\"metadata.pi\"]",
            Some("no unified grant or deduction has a reference (metadata.pi): "),
        ),
        // A column is there under its name, and may be empty.
        ("expires_at", "\"metadata\"", None),
    ] {
        let told = with(key, value);
        assert_eq!(told.len(), usize::from(expected.is_some()), "{key} = {value}: {told:?}");
        assert!(told.iter().all(|told| expected.is_some_and(|text| told.starts_with(text))), "{told:?}");
    }
}

#[test]
fn use_that_says_whether_it_succeeded_shows_that_the_name_is_right() {
    let folder = world(|config| config.replace("grants =", "success = \"metadata.success\"\ngrants ="));
    let mut text = new("{}");
    text.push_str("90,101,chat,5,2026-05-09 10:00:00,,\"{\"\"success\"\": false}\"\n");
    std::fs::write(folder.path().join("new.csv"), text).unwrap();
    assert_eq!(warnings(folder.path()).iter().filter(|told| told.starts_with("no unified")).count(), 0);
}

#[test]
fn whole_numbers_with_a_point_are_told_by_column_and_file() {
    let folder = world(|config| config.replace("grants =", "link = \"legacy_id\"\ngrants ="));
    let point = |row: u32| [format!("{}", 50 + row), format!("{}", 100 + row), format!("{row}.0")];
    let expected = "every link of the unified side is written like 7.0 (legacy_id in new.csv)";
    let told = |text: String| {
        std::fs::write(folder.path().join("new.csv"), text).unwrap();
        let output = run(folder.path(), &["reconcile", "--out", "out"]);
        assert!(code(&output) < 2, "{}", stderr(&output));
        std::fs::read_to_string(folder.path().join("out/summary.json")).unwrap().contains(expected)
    };
    assert!(told(ledger(point, "{}")));
    // One that is written otherwise, and it is nobody's habit.
    assert!(!told(ledger(
        |row| if row == 2 { ["52", "102", "2"].map(str::to_owned) } else { point(row) },
        "{}"
    )));
    assert!(!told(new("{}")));
}

#[test]
fn a_last_line_without_its_end_is_told() {
    let folder = world(str::to_owned);
    let whole = new("{}");
    std::fs::write(folder.path().join("new.csv"), whole.trim_end()).unwrap();
    let expected = "the last line of new.csv has no line end: the file may be cut off there";
    assert!(warnings(folder.path()).iter().any(|told| told.starts_with(expected)));
    std::fs::write(folder.path().join("new.csv"), whole).unwrap();
    assert!(!warnings(folder.path()).iter().any(|told| told.starts_with(expected)));
}

#[test]
fn the_result_promises_no_sql_where_the_file_does_nothing() {
    // Ids of the database's own and no link: a second backfill would insert the rows again.
    let folder = world(str::to_owned);
    let text: Vec<String> =
        new("{}").lines().filter(|line| !line.starts_with("53,")).map(str::to_owned).collect();
    std::fs::write(folder.path().join("new.csv"), text.join("\n") + "\n").unwrap();
    let output = run(folder.path(), &["reconcile", "--out", "out"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let told = stdout(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "One finding stands against a clean result. One could be mended, but no SQL does it: the \
                    warnings say why.";
    assert!(told.contains(expected) && told.contains("backfill does nothing"), "{told}");
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("One could be mended, but no SQL does it"));
}
