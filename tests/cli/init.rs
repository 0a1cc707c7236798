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

/// A ledger of ten grants of one label, of which the unified table lacks the last.
fn one_label(label: &str, use_label: &str, folder: &Path) {
    let header = "id,user_id,type,tokens,created_at\n";
    let (mut legacy, mut unified) = (header.to_owned(), header.to_owned());
    for day in 10..20 {
        let rest = format!("ada,{label},{day}00,2026-02-{day} 09:00:00+00\n");
        legacy.push_str(&format!("l{day},{rest}"));
        if day != 19 {
            unified.push_str(&format!("u{day},{rest}"));
        }
        unified.push_str(&format!("x{day},ada,{use_label},5,2026-02-{day} 10:00:00+00\n"));
    }
    std::fs::write(folder.join("legacy.csv"), legacy).unwrap();
    std::fs::write(folder.join("unified.csv"), unified).unwrap();
}

#[test]
fn a_proposal_for_labels_in_other_words_is_never_clean() {
    for (label, use_label, named) in [
        ("Gutschrift", "Verbrauch", &["Gutschrift", "Verbrauch"][..]),
        ("welcome", "chat", &["welcome"]),
        ("compensation", "image", &["compensation"]),
        ("credits", "credits_used", &["credits"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        one_label(label, use_label, folder.path());
        let output = run(folder.path(), &["init", "--legacy", "legacy.csv", "--unified", "unified.csv"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        for name in named {
            let told = format!("label {name:?} (10 rows) is unclear: give it a meaning in the file");
            assert!(stdout(&output).contains(&told), "{}", stdout(&output));
        }
        let output = run(folder.path(), &["reconcile", "--as-of", "2026-04-01T00:00:00Z", "--out", "run"]);
        assert_eq!(code(&output), 1, "{label}: {}", stdout(&output));
        let findings = std::fs::read_to_string(folder.path().join("run/findings.csv")).unwrap();
        let unmapped = findings.lines().filter(|line| line.contains(",unmapped_action,")).count();
        assert!(unmapped >= 19, "{label}: {unmapped}\n{findings}");
    }
}

#[test]
fn the_id_of_a_customer_is_no_reference() {
    let folder = tempfile::tempdir().unwrap();
    let header = "id,user_id,type,tokens,created_at,external_id\n";
    let (mut legacy, mut unified) = (header.to_owned(), header.to_owned());
    for user in 1..4 {
        for month in 1..9 {
            let rest =
                format!("u{user},subscription_grant,100000,2026-0{month}-0{user} 09:00:00+00,cus_{user}\n");
            legacy.push_str(&format!("l{user}-{month},{rest}"));
            if month != 3 {
                unified.push_str(&format!("n{user}-{month},{rest}"));
            }
        }
    }
    std::fs::write(folder.path().join("legacy.csv"), legacy).unwrap();
    std::fs::write(folder.path().join("unified.csv"), unified).unwrap();
    let output = run(folder.path(), &["init", "--legacy", "legacy.csv", "--unified", "unified.csv"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = std::fs::read_to_string(folder.path().join("reckon.toml")).unwrap();
    assert!(text.contains("# external_id is no reference") && !text.contains("\nreference ="), "{text}");
    let output = run(folder.path(), &["reconcile", "--as-of", "2026-10-01T00:00:00Z", "--out", "run"]);
    assert_eq!(code(&output), 1, "{}", stdout(&output));
    let findings = std::fs::read_to_string(folder.path().join("run/findings.csv")).unwrap();
    assert_eq!(findings.matches(",unmigrated,").count(), 3, "{findings}");
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
    std::fs::write(folder.path().join("semi.csv"), "id;user_id;tokens\n1;ada;5\n").unwrap();
    std::fs::write(folder.path().join("wide.csv"), b"\xff\xfei\0d\0,\0u\0\n\0").unwrap();
    std::fs::write(folder.path().join("latin.csv"), b"id,\xfcser\n1,a\n").unwrap();
    let cases = [
        ("init", "say where the two tables are"),
        ("init --legacy bare.csv", "say where the two tables are"),
        ("init --legacy gone.csv --unified gone.csv", "gone.csv: no file has this name"),
        ("init --legacy empty.csv --unified empty.csv", "empty.csv"),
        (
            "init --legacy semi.csv --unified bare.csv",
            "semi.csv:1: the only column is \"id;user_id;tokens\": fields have to be parted by commas, or by \
             tabs in a .tsv",
        ),
        ("init --legacy wide.csv --unified bare.csv", "wide.csv:1: is UTF-16: save it as UTF-8"),
        ("init --legacy latin.csv --unified bare.csv", "latin.csv:1: the header is not UTF-8"),
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

#[test]
fn columns_that_do_not_fit_are_told_with_row_and_value() {
    let folder = tempfile::tempdir().unwrap();
    let header = "id,user_id,action_type,tokens_used,created_at";
    let good = "1,ada,trial_grant,1000,2026-02-10T09:00:00Z";
    std::fs::write(folder.path().join("new.csv"), format!("{header}\n{good}\n")).unwrap();
    for (text, expected) in [
        (String::new(), "old.csv:1: is empty: the first line has to name the columns".to_owned()),
        (format!("{header}\n"), "old.csv: there is no row below the names of the columns".to_owned()),
        (
            format!("{header}\n{}\n", good.replace("1000", "\"1,000\"")),
            format!(
                "old.csv: no column looks like an amount of tokens (columns: {}); tokens_used has the name, but its \
                 row 1 holds \"1,000\", which is no number: write digits alone, without separators or units; write \
                 reckon.toml by hand and name it as `amount`",
                header.replace(',', ", ")
            ),
        ),
        (
            format!("{header}\n{}\n", good.replace("2026-02-10T09:00:00Z", "1767258000")),
            "; created_at has the name, but its row 1 holds \"1767258000\", which is not read as a time: write RFC \
             3339"
                .to_owned(),
        ),
        (
            format!("{header}\n{}\n", good.replace("1,ada", "1.23457E+15,ada")),
            "; id has the name, but its row 1 holds \"1.23457E+15\", as spreadsheets shorten a long number".to_owned(),
        ),
        (
            format!("{header},tokens_used\n{good},5\n"),
            "old.csv: the column tokens_used stands twice: rename one of them".to_owned(),
        ),
        (
            format!("sep=,\n{header}\n{good}\n"),
            "old.csv:1: the first line is sep=, which spreadsheets alone understand".to_owned(),
        ),
    ] {
        std::fs::write(folder.path().join("old.csv"), &text).unwrap();
        let output = run(folder.path(), &["init", "--legacy", "old.csv", "--unified", "new.csv"]);
        assert_eq!(code(&output), 2, "{text}{}", stdout(&output));
        assert!(stderr(&output).contains(&expected), "{}\n{expected}", stderr(&output));
    }
    std::fs::write(folder.path().join("old.parquet"), "").unwrap();
    let output = run(folder.path(), &["init", "--legacy", "old.parquet", "--unified", "new.csv"]);
    assert!(stderr(&output).contains("old.parquet: has no bytes at all"), "{}", stderr(&output));
}

/// Two ledgers of which the unified one has `columns` more, with `values` in its three rows.
fn with_more(columns: &str, values: [&str; 3], folder: &Path) {
    let header = "id,user_id,type,tokens,created_at";
    let (mut legacy, mut unified) = (format!("{header}\n"), format!("{header},{columns}\n"));
    for (day, value) in (11..).zip(values) {
        let row = format!("ada,trial_grant,5{day},2026-02-{day} 09:00:00+00");
        legacy.push_str(&format!("l{day},{row}\n"));
        unified.push_str(&format!("u{day},{row},{value}\n"));
    }
    std::fs::write(folder.join("legacy.csv"), legacy).unwrap();
    std::fs::write(folder.join("unified.csv"), unified).unwrap();
}

#[test]
fn columns_that_say_what_became_of_a_row_are_left_to_decide() {
    let folder = tempfile::tempdir().unwrap();
    let columns = "status,deleted_at,is_deleted,model_used,payment_ref";
    let values = [
        "completed,,false,m1,pi_1",
        "completed,2026-03-01 00:00:00+00,false,m2,pi_2",
        "failed,,false,m1,pi_3",
    ];
    with_more(columns, values, folder.path());
    let args = ["init", "--legacy", "legacy.csv", "--unified", "unified.csv", "--force"];
    let output = run(folder.path(), &args);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let way_out = "no row is judged by it: if some of its rows do not count, name a view or an export without them, \
                   or a boolean column as success\n";
    for expected in [
        format!(
            "  column \"status\" of the unified table (\"completed\" 2 rows, \"failed\" 1 row) is left to decide: {way_out}"
        ),
        format!("  column \"deleted_at\" of the unified table is left to decide: {way_out}"),
        "  column \"payment_ref\" of the unified table is left to decide: it is never empty".to_owned(),
    ] {
        assert!(stdout(&output).contains(&expected), "{}\n{expected}", stdout(&output));
    }
    assert_eq!(stdout(&output).matches("left to decide").count(), 4, "{}", stdout(&output));
    let text = std::fs::read_to_string(folder.path().join("reckon.toml")).unwrap();
    for expected in [
        "# status is left to decide (\"completed\" 2 rows, \"failed\" 1 row):\n# no row is judged by it",
        "# deleted_at is left to decide:\n",
        "values = { model_used = \"migration\" }\n# status needs a value too: add it to values\n# payment_ref needs",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    let output = run(folder.path(), &[&args[..], &["--format", "json"]].concat());
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let columns = said["undecided_columns"].as_array().unwrap();
    let names: Vec<&str> = columns.iter().map(|column| column["column"].as_str().unwrap()).collect();
    assert_eq!(names, ["status", "deleted_at", "status", "payment_ref"]);
    assert_eq!(columns[0]["values"][1], serde_json::json!({ "value": "failed", "rows": 1 }));
}

#[test]
fn a_placeholder_that_comes_back_is_no_customer() {
    let folder = tempfile::tempdir().unwrap();
    let header = "id,user_id,type,tokens,created_at,stripe_payment_intent_id\n";
    let (mut legacy, mut unified) = (header.to_owned(), header.to_owned());
    for month in 1..9 {
        let value = if month == 8 { "pi_1" } else { "N/A" };
        let rest = format!("ada,subscription_grant,100000,2026-0{month}-01 09:00:00+00,{value}\n");
        legacy.push_str(&format!("l{month},{rest}"));
        unified.push_str(&format!("n{month},{rest}"));
    }
    std::fs::write(folder.path().join("legacy.csv"), legacy).unwrap();
    std::fs::write(folder.path().join("unified.csv"), unified).unwrap();
    let output =
        run(folder.path(), &["init", "--legacy", "legacy.csv", "--unified", "unified.csv", "-o", "-"]);
    let text = stdout(&output);
    assert_eq!(text.matches("\nreference = [\"stripe_payment_intent_id\"]").count(), 2, "{text}");
    assert!(!text.contains("migration\" }"), "{text}");
}

#[test]
fn of_many_unclear_labels_the_terminal_names_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut legacy = "id,user_id,type,tokens,created_at\n".to_owned();
    for row in 100..130 {
        legacy.push_str(&format!("{row},ada,gratis{row},5,2026-02-10 09:00:00+00\n"));
    }
    std::fs::write(folder.path().join("legacy.csv"), legacy).unwrap();
    let unified = "id,user_id,type,tokens,created_at\n1,ada,trial_grant,5,2026-02-10 09:00:00+00\n";
    std::fs::write(folder.path().join("unified.csv"), unified).unwrap();
    let output = run(folder.path(), &["init", "--legacy", "legacy.csv", "--unified", "unified.csv"]);
    let told = stdout(&output);
    assert_eq!(told.matches(" is unclear: ").count(), 20, "{told}");
    assert!(
        told.contains("  10 more labels (10 rows) are unclear; all of them stand in the file\n"),
        "{told}"
    );
    let text = std::fs::read_to_string(folder.path().join("reckon.toml")).unwrap();
    assert_eq!(text.matches("# gratis1").count(), 30, "{text}");
}

#[test]
fn json_says_what_was_written_and_what_is_left_to_decide() {
    let folder = tempfile::tempdir().unwrap();
    let header = "id,user_id,type,tokens,created_at\n";
    let legacy = "1,ada,renewal_grant,100,2026-02-10 09:00:00+00\n2,ada,gratis,5,2026-02-11 09:00:00+00\n";
    let unified =
        "1,ada,renewal_grant,100,2026-02-10 09:00:00+00\n2,ada,chat_usage,5,2026-02-12 09:00:00+00\n";
    std::fs::write(folder.path().join("legacy.csv"), format!("{header}{legacy}")).unwrap();
    std::fs::write(folder.path().join("unified.csv"), format!("{header}{unified}")).unwrap();
    let json = |more: &[&str]| -> serde_json::Value {
        let args = ["init", "--format", "json", "--legacy", "legacy.csv", "--unified", "unified.csv"];
        let output = run(folder.path(), &[&args[..], more].concat());
        assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let label = |side: &str, label: &str, meaning: Option<&str>| serde_json::json!({ "side": side, "label": label, "rows": 1, "meaning": meaning });
    let said = json(&["-o", "mine.toml"]);
    assert_eq!(
        (&said["schema"], &said["written"], &said["next"]),
        (&"reckon.init/1".into(), &"mine.toml".into(), &"reckon reconcile --config mine.toml".into())
    );
    let decided = [
        label("legacy", "renewal_grant", Some("renewal_grant")),
        label("unified", "chat_usage", Some("usage")),
        label("unified", "renewal_grant", Some("grant")),
    ];
    assert_eq!(said["labels"], serde_json::json!(decided));
    assert_eq!(said["undecided"], serde_json::json!([label("legacy", "gratis", None)]));
    assert_eq!(said["configuration"]["unified"]["grants"], serde_json::json!(["renewal_grant"]));
    assert_eq!(said["configuration"]["legacy"]["path"], "legacy.csv");
    let file = std::fs::read_to_string(folder.path().join("mine.toml")).unwrap();
    assert_eq!(said["text"], file);

    let shown = json(&["-o", "-"]);
    assert!(shown["written"].is_null() && shown["next"].is_null(), "{shown}");
    assert_eq!(shown["text"], file);
}
