//! `reckon grants`: the figures against a hand's sums and against SQL.

use super::document::Document;
use super::{code, reckon, root, run, stderr, stdout};
use crate::cases::postgres::{demo_in, load, without};
use crate::postgres::cluster::Cluster;

#[test]
fn the_two_questions_on_ledgers_added_up_by_hand() {
    let document = Document::read("questions.txt");
    let folder = tempfile::tempdir().unwrap();
    document.write_files(folder.path());
    document.check_or_update(folder.path());
}

#[test]
fn from_a_database_and_mixed_the_answers_are_the_same_bytes() {
    let document = Document::read("questions.txt");
    let folder = tempfile::tempdir().unwrap();
    document.write_files(folder.path());
    let db = Cluster::shared().database("questions");
    for (table, file) in [
        ("token_transactions", "legacy.csv"),
        ("token_usage", "unified.csv"),
        ("user_profiles", "profiles.csv"),
    ] {
        load(&db, table, &folder.path().join(file));
    }
    let written = folder.path().join("reckon.toml");
    let files = std::fs::read_to_string(&written).unwrap();
    let all_tables = without(&files, &["path = "]).replace("path = \"profiles.csv\", ", "");
    let mixed = without(&files, &["path = \"unified.csv\""]);
    assert!(!all_tables.contains("path") && mixed.matches("path").count() == 2);
    for config in [all_tables, mixed] {
        std::fs::write(&written, config).unwrap();
        document.check(folder.path(), &[("DATABASE_URL", &db.url())]);
    }
}

/// Grants by action and a further column, as a database counts them.
fn counted_by_sql(further: &str) -> String {
    let known = "user_id is not null and created_at is not null and tokens_used is not null";
    let moment = |what: &str| {
        format!("to_char({what}(created_at) at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
    };
    let (first, last) = (moment("min"), moment("max"));
    format!(
        "select 'unified', action_type, {further}, count(*), sum(tokens_used), {first}, {last}
         from token_usage
         where action_type in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase')
           and success and tokens_used > 0 and created_at <= '2026-09-01T00:00:00Z' and {known}
         group by 2, 3
         union all
         select 'legacy', action, {further}, count(*), sum(abs(tokens_used)), {first}, {last}
         from token_transactions,
           (values ('subscription_grant', 'subscription_grant'), ('renewal_grant', 'subscription_grant'),
             ('trial_grant', 'trial_grant'), ('pack_purchase', 'token_pack_purchase'),
             ('manual_adjustment', 'admin_grant')) meaning (label, action)
         where label = action_type and tokens_used <> 0 and created_at <= '2026-09-01T00:00:00Z' and {known}
         group by 2, 3"
    )
}

/// The groups of the JSON that have rows, in the form of the SQL.
fn groups(json: &serde_json::Value, key: &str) -> Vec<Vec<String>> {
    let text = |value: &serde_json::Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let mut rows = Vec::new();
    for group in json["groups"].as_array().unwrap() {
        let further = if key.is_empty() { String::new() } else { text(&group[key]) };
        for side in ["unified", "legacy"] {
            let sum = &group[side];
            if sum["grants"] != 0 {
                let figures = ["grants", "tokens", "first", "last"].map(|figure| text(&sum[figure]));
                rows.push(
                    [vec![side.to_owned(), text(&group["action"]), further.clone()], figures.to_vec()]
                        .concat(),
                );
            }
        }
    }
    rows.sort();
    rows
}

#[test]
fn the_figures_of_the_demo_are_those_that_sql_counts() {
    let db = Cluster::shared().database("grants");
    let config = demo_in(&db);
    let folder = tempfile::tempdir().unwrap();
    let tables = without(&config, &["path = ", "stored = "]);
    std::fs::write(folder.path().join("reckon.toml"), tables).unwrap();
    let cases = [
        ("grants --format json", "", "''"),
        ("grants --format json --by month", "month", "to_char(created_at at time zone 'utc', 'YYYY-MM')"),
        ("grants --format json --by user", "user_id", "user_id::text"),
    ];
    for (command, key, column) in cases {
        let arguments: Vec<&str> = command.split(' ').collect();
        let output = reckon(folder.path()).args(&arguments).env("DATABASE_URL", db.url()).output().unwrap();
        assert_eq!((code(&output), stderr(&output).as_str()), (0, ""));
        let found = groups(&serde_json::from_slice(&output.stdout).unwrap(), key);
        let mut expected = db.query(&counted_by_sql(column));
        expected.sort();
        assert!(expected.len() >= 7, "{expected:?}");
        assert_eq!(found, expected, "{command}");
        let from_files = run(&root().join("fixtures/demo"), &arguments);
        assert_eq!(stdout(&from_files), stdout(&output), "{command}: from files and from tables");
    }
}

#[test]
fn the_table_fits_80_columns_whatever_the_split() {
    for command in ["grants", "grants --by month", "grants --by user"] {
        let output = run(&root().join("fixtures/demo"), &command.split(' ').collect::<Vec<_>>());
        let text = stdout(&output);
        assert!(text.lines().count() > 10 && !text.contains('\x1b'), "{command}\n{text}");
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{command}: {widest:?}");
    }
}
