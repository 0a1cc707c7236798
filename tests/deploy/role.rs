//! `deploy/role.sql`: the job runs as this role, sees every row, and the file says what it cannot do.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use super::{HBA, Product, STATE, USER, replaced, root, said};
use crate::postgres::cluster::Cluster;

/// After every row, so that stored balances count; fixed, so that two runs are one.
const AS_OF: &str = "2031-01-01T00:00:00Z";

const BALANCES: &str = r#"
[balances]
stored = { table = "public.user_profiles", user = "user_id", balance = "vibe_assistant_tokens_remaining" }
[balances.pools]
table = "public.household_members"
user = "user_id"
pool = "household_id"
"#;

fn reckon(folder: &Path, url: &str, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reckon"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").env_remove("RECKON_CONFIG").env("DATABASE_URL", url);
    command.current_dir(folder).arg("--no-progress").args(args).output().unwrap()
}

/// A folder with the configuration of shape A, balances and pools.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = std::fs::read_to_string(root().join("fixtures/postgres/shape_a.toml")).unwrap();
    std::fs::write(folder.path().join("reckon.toml"), config + BALANCES).unwrap();
    folder
}

/// Runs every command; what was printed and written, apart from what names the run itself.
fn everything(url: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = folder();
    let commands: [(&[&str], i32); 6] = [
        (&["doctor", "--format", "json"], 0),
        (&["reconcile", "--as-of", AS_OF, "--out", "run"], 1),
        (&["grants", "--as-of", AS_OF], 0),
        (&["history", USER, "--as-of", AS_OF], 0),
        (&["audit", "--from", "2025-01-01", "--to", "2025-06-30", "--out", "pack"], 1),
        (&["init", "--output", "proposed.toml"], 0),
    ];
    let mut found = BTreeMap::new();
    for (args, code) in commands {
        let output = reckon(folder.path(), url, args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
        if ["doctor", "grants", "history"].contains(&args[0]) {
            found.insert(args[0].to_owned(), output.stdout);
        }
    }
    found.insert("init".to_owned(), std::fs::read(folder.path().join("proposed.toml")).unwrap());
    // These hold the name of the snapshot.
    let own = ["manifest.json", "report.html", "audit.html", "audit.xlsx", "provenance.csv"];
    for place in ["run", "pack"] {
        for entry in std::fs::read_dir(folder.path().join(place)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if !own.contains(&name.as_str()) {
                found.insert(format!("{place}/{name}"), std::fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

#[test]
fn the_role_runs_every_command_and_sees_what_a_superuser_sees() {
    let cluster = Cluster::start(&[], HBA).leak();
    let product = Product::new(cluster, "app", "reckon");
    product.apply("role.sql");
    product.apply("role.sql");
    product.db.sql("alter role reckon password 'p@ss'");
    let url = product.url_as("reckon").replace("reckon@", "reckon:p%40ss@");

    let refused = reckon(folder().path(), &product.url_as("reckon"), &["doctor"]);
    assert_eq!(refused.status.code(), Some(2), "without the password the server lets nobody in");

    let (mut job, mut superuser) = (everything(&url), everything(&product.db.url()));
    let doctor: serde_json::Value = serde_json::from_slice(&job.remove("doctor").unwrap()).unwrap();
    superuser.remove("doctor");
    for check in doctor["checks"].as_array().unwrap() {
        assert_eq!(check["state"], "ok", "{check}");
    }
    let summary = |found: &mut BTreeMap<String, Vec<u8>>| {
        let bytes = found.remove("run/summary.json").unwrap();
        let mut summary: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        for key in ["snapshot", "lsn"] {
            summary["source"][key] = serde_json::Value::Null;
        }
        summary
    };
    let (counted, expected) = (summary(&mut job), summary(&mut superuser));
    assert_eq!(counted, expected);
    for (side, table) in [("legacy", "a.token_transactions"), ("unified", "token_usage")] {
        let rows = product.db.value(&format!("select count(*) from {table}"));
        assert_eq!(counted["population"][side]["rows"].to_string(), rows, "{table}");
    }
    assert_eq!(job.keys().collect::<Vec<_>>(), superuser.keys().collect::<Vec<_>>());
    assert!(job["run/findings.csv"].len() > 1_000, "there is something to find");
    for (name, bytes) in &job {
        assert!(*bytes == superuser[name], "{name} differs from a superuser's");
    }

    // The judge of all this: without its policy the role would not see every row.
    product.db.sql("drop policy reckon_reads on token_usage");
    let output = reckon(folder().path(), &url, &["reconcile", "--out", "run"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("row-level security on table public.token_usage"), "{}", said(&output));
}

#[test]
fn an_owner_who_is_no_superuser_can_make_the_role_in_a_web_editor() {
    let cluster = Cluster::start(&[], HBA).leak();
    cluster.database("any").sql("create role hosted login createrole");
    let product = Product::owned(cluster, "hosted", "reckon", "hosted");
    let script = product.script("role.sql");
    for _ in 0..2 {
        let output = product.psql(&product.url_as("hosted"), &[&script]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(!said(&output).contains("WARNING"), "{}", said(&output));
    }
    product.db.sql("alter role reckon password 'p'");
    let url = product.url_as("reckon").replace("reckon@", "reckon:p@");
    let output = reckon(folder().path(), &url, &["reconcile", "--out", "run"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let output = product.psql(&product.url_as("hosted"), &[&product.script("role_drop.sql")]);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(product.db.value("select count(*) from pg_roles where rolname = 'reckon'"), "0");
}

#[test]
fn a_second_run_grants_what_is_new_and_takes_back_what_is_gone() {
    let product = Product::new(Cluster::shared(), "again", "reckon_again");
    product.apply("role.sql");
    let given = |product: &Product| {
        let rights = product.rights().into_iter().filter(|right| right[0] == "t" && right[1] != "connect");
        rights.map(|[_, may, on, _]| format!("{may} {on}")).collect::<Vec<_>>()
    };
    let all = [
        "log in reckon_again",
        "usage schema a",
        "usage schema public",
        "select a.token_transactions",
        "select public.household_members",
        "select public.token_usage",
        "select public.user_profiles",
    ];
    assert_eq!(given(&product), all);
    let script = product.script("role.sql");
    let fewer = replaced(&script, "    'a.token_transactions',  -- [legacy] table\n", "");
    let fewer = replaced(&fewer, "statistics constant bool := false", "statistics constant bool := true");
    product.db.sql(&fewer);
    let expected = [
        "log in reckon_again",
        "act as a member pg_read_all_stats",
        "usage schema public",
        "select public.household_members",
        "select public.token_usage",
        "select public.user_profiles",
    ];
    assert_eq!(given(&product), expected);
    let seen = "select pg_has_role('reckon_again', 'pg_read_all_stats', 'usage')";
    assert_eq!(product.db.value(seen), "t", "membership works without set role");
    let policies = "select count(*) from pg_policy where polname = 'reckon_again_reads'";
    assert_eq!(product.db.value(policies), "3");
    product.db.sql(&script);
    assert_eq!(given(&product), all);
    assert_eq!(product.db.value(policies), "4");
    product.apply("role_drop.sql");
}

#[test]
fn the_script_refuses_what_would_give_more_than_it_says() {
    // What is done before, the words of the refusal, how it is undone.
    let cases = [
        ("alter table a.token_transactions rename to old", "there is no table a.token_transactions", ""),
        ("create role JOB superuser", "role JOB is a superuser: take that from it", "drop role JOB"),
        (
            "create role JOB createdb createrole",
            "role JOB may create roles, may create databases",
            "drop role JOB",
        ),
        (
            "create role JOB; create table mine (a int); alter table mine owner to JOB",
            "role JOB owns objects",
            "drop table mine; drop role JOB",
        ),
        (
            "create role JOB_group; create role JOB in role JOB_group",
            "role JOB is a member of JOB_group",
            "drop role JOB, JOB_group",
        ),
        ("create policy JOB_reads on token_usage for select using (false)", "is for other roles too", ""),
    ];
    for (at, (before, words, undo)) in cases.into_iter().enumerate() {
        let product = Product::new(Cluster::shared(), "refused", &format!("reckon_refused_{at}"));
        let [before, words, undo] = [before, words, undo].map(|text| text.replace("JOB", &product.job));
        product.db.sql(&before);
        let roles = format!("select count(*) from pg_roles where rolname = '{}'", product.job);
        let found = (product.db.query(STATE), product.db.value(&roles));
        let error = product.db.try_sql(&product.script("role.sql")).unwrap_err();
        assert!(error.contains(&words), "{words}: {error}");
        assert_eq!((product.db.query(STATE), product.db.value(&roles)), found, "{words}: nothing is changed");
        product.db.sql(&undo);
    }
}

#[test]
fn a_restrictive_policy_is_said_to_hide_rows() {
    let product = Product::new(Cluster::shared(), "narrow", "reckon_narrow");
    product.db.sql("create policy cut on public.token_usage as restrictive using (tokens_used < 1000)");
    let output = product.psql(&product.db.url(), &[&product.script("role.sql")]);
    assert!(output.status.success(), "{}", said(&output));
    for words in [
        "policy cut on token_usage is restrictive",
        "(tokens_used < 1000)",
        "alter role reckon_narrow bypassrls",
    ] {
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    product.apply("role_drop.sql");
}
