//! `reckon history USER`: one user's rows against SQL, whatever the type of the user's id.

use super::{code, reckon, root, run, stderr, stdout};
use crate::cases::postgres::{demo_in, without};
use crate::postgres::cluster::Cluster;

/// The owners' query, with a running sum.
const UNIFIED: &str = "
    select id, case when adds then '+' else '-' end || tokens_used,
      sum(case when adds then tokens_used else -tokens_used end)
        over (order by created_at, not adds, id)
    from (select *, action_type in ('admin_grant', 'subscription_grant', 'trial_grant', 'token_pack_purchase')
            as adds from token_usage) marked
    where user_id = '{user}' and success and created_at <= '2026-09-01T00:00:00Z'
      and action_type <> 'referral_bonus' and tokens_used > 0
    order by created_at desc, adds, id desc";

#[test]
fn the_unified_rows_of_users_of_the_demo_are_those_of_the_owners_query() {
    let db = Cluster::shared().database("history");
    let config = demo_in(&db);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("files.toml"), {
        let demo = format!("path = \"{}/", root().join("fixtures/demo").display());
        without(&config, &["stored = "]).replace("path = \"", &demo)
    })
    .unwrap();
    let tables = without(&config, &["path = ", "stored = "]);
    std::fs::write(folder.path().join("reckon.toml"), tables).unwrap();
    let most =
        "select user_id from token_usage where user_id is not null group by 1 order by count(*) desc, 1";
    let failed = "select user_id from token_usage where not success and user_id is not null order by 1";
    let unmapped = "select user_id from token_usage where action_type = 'referral_bonus' order by 1";
    let users: Vec<String> = [most, failed, unmapped]
        .iter()
        .flat_map(|sql| db.query(&format!("{sql} limit 3")))
        .flatten()
        .collect();
    assert!(users.len() > 6, "{users:?}");
    for user in &users {
        let ask = |arguments: &[&str]| {
            let mut command = reckon(folder.path());
            command.args(["history", user]).args(arguments).env("DATABASE_URL", db.url());
            let output = command.output().unwrap();
            assert_eq!((code(&output), stderr(&output).as_str()), (0, ""), "{user}");
            stdout(&output)
        };
        for form in [&["--csv"][..], &["--format", "json"], &[]] {
            let files = [form, &["--config", "files.toml"]].concat();
            assert_eq!(ask(form), ask(&files), "{user} {form:?}: from tables and from files");
        }
        let text = ask(&["--csv"]);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let found: Vec<Vec<String>> = reader
            .records()
            .map(|row| row.unwrap())
            .filter(|row| &row[1] == "unified" && !row[6].is_empty())
            .map(|row| {
                let sign = if row[6].starts_with('-') { "" } else { "+" };
                vec![row[2].to_owned(), format!("{sign}{}", &row[6]), row[7].to_owned()]
            })
            .collect();
        let expected = db.query(&UNIFIED.replace("{user}", user));
        assert!(expected.len() > 2, "{user}");
        assert_eq!(found, expected, "{user}");
        let widest = ask(&[]).lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{user}: {widest:?}");
    }
}

#[test]
fn a_user_is_found_whatever_the_type_of_the_id() {
    let uuid = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";
    let cases = [
        ("uuid", format!("'{uuid}'"), uuid),
        ("text", format!("'{uuid}'"), uuid),
        ("text", format!("'{uuid}'"), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("text", "'it''s \\ me'".to_owned(), "it's \\ me"),
        ("varchar(20)", "'-7'".to_owned(), "-7"),
        ("smallint", "-7".to_owned(), "-7"),
        ("bigint", "9007199254740993".to_owned(), "9007199254740993"),
        ("numeric(20, 0)", "42".to_owned(), "42"),
        ("numeric", "42.00".to_owned(), "42"),
    ];
    let config = std::fs::read_to_string(root().join("fixtures/cases/26-zero-tokens/reckon.toml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("reckon.toml"), without(&config, &["path = "])).unwrap();
    for (kind, stored, asked) in cases {
        let db = Cluster::shared().database("user_types");
        let columns = format!(
            "id text not null, user_id {kind} not null, action_type text not null, tokens_used int not null"
        );
        db.sql(&format!(
            "create table token_transactions ({columns}, created_at timestamptz not null, stripe_payment_intent_id text);
             create table token_usage ({columns}, created_at timestamptz not null, success bool, metadata jsonb);
             insert into token_usage values
               ('g', {stored}, 'admin_grant', 100, '2026-01-01', true, null),
               ('u', {stored}, 'chat', 30, '2026-01-02', true, null),
               ('f', {stored}, 'chat', 7, '2026-01-03', false, null);"
        ));
        let output = reckon(folder.path())
            .args(["history", "--csv", "--", asked])
            .env("DATABASE_URL", db.url())
            .output()
            .unwrap();
        assert_eq!((code(&output), stderr(&output).as_str()), (0, ""), "{kind} {asked}");
        let text = stdout(&output);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<String> = reader
            .records()
            .map(|row| row.unwrap())
            .map(|row| format!("{} {} {} {}", &row[2], &row[6], &row[7], &row[8]))
            .collect();
        assert_eq!(rows, ["f   failed", "u -30 70 usage", "g 100 100 unified_only"], "{kind} {asked}");
    }
}

#[test]
fn an_unknown_user_is_2_with_the_nearest_ids_and_nothing_on_stdout() {
    let demo = root().join("fixtures/demo");
    // A digit short: the id is the nearest, and comes first.
    let output = run(&demo, &["history", "167a117e-8eb8-4d95-bbb5-f4631092c41"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (2, ""));
    let said = stderr(&output);
    assert!(
        said.starts_with("reckon: no row and no stored balance belongs to user 167a117e-")
            && said.contains("whole UUIDs with hyphens")
            && said.contains("are 167a117e-8eb8-4d95-bbb5-f4631092c41d, "),
        "{said}"
    );
}
