//! `reckon doctor` on a real server.

use std::path::Path;
use std::process::Command;

use super::cluster::{Cluster, Db};
use crate::cases::program::reconcile;

/// Runs the command; its exit code, and each check as `state check subject: detail`.
fn doctor(db: &Db, role: &str, config: &str) -> (i32, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reckon.toml");
    std::fs::write(&file, config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_reckon"))
        .args(["doctor", "--format", "json", "--config"])
        .arg(&file)
        .env("DATABASE_URL", db.url_as(role))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let found: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let line = |check: &serde_json::Value| {
        let [state, kind, subject, detail] =
            ["state", "check", "subject", "detail"].map(|key| text(&check[key]));
        format!("{state} {kind} {subject}: {detail}")
    };
    (output.status.code().unwrap(), found["checks"].as_array().unwrap().iter().map(line).collect())
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/postgres").join(name))
        .unwrap()
}

fn product(name: &str) -> Db {
    let db = Cluster::shared().database(name);
    db.sql(&fixture("schema.sql"));
    db.sql(&fixture("history.sql"));
    db.sql(&format!(
        "create role {0}_job login; grant usage on schema a, b, public to {0}_job;
         grant select on a.token_transactions, b.token_transactions, public.token_usage to {0}_job;",
        db.name
    ));
    db
}

/// Those checks that are not in order.
fn troubles(checks: &[String]) -> Vec<&String> {
    checks.iter().filter(|check| !check.starts_with("ok ")).collect()
}

#[test]
fn a_sound_product_has_no_troubles_in_either_shape() {
    let db = product("doctor");
    for shape in ["shape_a.toml", "shape_b.toml"] {
        let (code, checks) = doctor(&db, &format!("{}_job", db.name), &fixture(shape));
        assert_eq!(code, 0, "{checks:#?}");
        assert!(troubles(&checks).is_empty(), "{checks:#?}");
        for kind in [
            "connection",
            "snapshot",
            "sessions",
            "privileges",
            "row-level security",
            "mapping",
            "labels",
            "constraint",
        ] {
            assert!(
                checks.iter().any(|check| check.starts_with(&format!("ok {kind} "))),
                "{kind}: {checks:#?}"
            );
        }
    }
}

#[test]
fn each_trouble_is_named_with_the_way_out() {
    // What is done to the database, which change of the configuration, the check, its words, the exit code.
    let cases = [
        ("alter table token_usage enable row level security", ("", ""), "fail row-level security", "bypassrls", 2),
        ("revoke select on token_usage from JOB", ("", ""), "fail privileges", "grant select on public.token_usage", 2),
        ("alter table token_usage rename to usage_of_tokens", ("", ""), "fail table", "there is no table public.token_usage", 2),
        ("alter table token_usage rename tokens_used to token_used", ("", ""), "fail mapping", "did you mean token_used", 2),
        ("alter table token_usage alter metadata type text", ("", ""), "fail mapping", "not json or jsonb", 2),
        ("alter table token_usage alter created_at type timestamp", ("", ""), "warn mapping", "read as UTC", 0),
        (
            "alter table token_usage drop constraint token_usage_action_type_check;
             alter table token_usage add constraint narrow check (action_type not in ('trial_grant') and tokens_used >= 0)",
            ("", ""), "warn constraint", "constraint narrow refuses \"trial_grant\"", 0,
        ),
        (
            "alter table token_usage drop constraint token_usage_action_type_check;
             alter table token_usage alter action_type type varchar(18)",
            ("", ""), "warn constraint", "type character varying(18) refuses \"token_pack_purchase\"", 0,
        ),
        (
            "create table labels (label text primary key); insert into labels values ('admin_grant');
             grant select on labels to JOB; alter table token_usage add foreign key (action_type) references labels not valid",
            ("", ""), "warn constraint", "(public.labels has no such row) refuses \"token_pack_purchase\"", 0,
        ),
        (
            "create table labels (label text primary key);
             alter table token_usage add foreign key (action_type) references labels not valid",
            ("", ""), "warn constraint", "it cannot be told whether foreign key token_usage_action_type_fkey (public.labels cannot be looked up) admits \"trial_grant\"", 0,
        ),
        (
            "create function f() returns trigger language plpgsql as 'begin return new; end';
             create trigger balance after insert on token_usage for each row execute function f()",
            ("", ""), "warn triggers", "balance calls public.f", 0,
        ),
        ("select 1", ("values = { model_used = \"migration\" }", ""), "warn backfill", "nobody fills model_used", 0),
        ("alter table token_usage drop constraint token_usage_pkey", ("", ""), "warn indexes", "no unique index", 0),
        ("select 1", ("\"transfer/admin\" = \"ignore\"", ""), "warn labels", "\"transfer/admin\" (1 row)", 0),
        ("alter role JOB connection limit 1", ("", ""), "warn sessions", "1 of 3 sessions", 0),
    ];
    for (change, (from, to), expected, words, code) in cases {
        let db = product("trouble");
        let job = format!("{}_job", db.name);
        db.sql(&change.replace("JOB", &job));
        let config = format!("{}\n[postgres]\nstreams = 3\n", fixture("shape_a.toml").replace(from, to));
        let (exit, checks) = doctor(&db, &job, &config);
        assert_eq!(exit, code, "{change}: {checks:#?}");
        assert!(
            checks.iter().any(|check| check.starts_with(expected)
                && check.replace('"', "").contains(&words.replace('"', ""))),
            "{change}: {checks:#?}"
        );
    }
}

#[test]
fn what_cannot_be_told_is_not_tested_and_a_warning_of_the_run() {
    let db = product("doubt");
    let job = format!("{}_job", db.name);
    db.sql(&format!(
        "alter table a.token_transactions rename to rows_of_it;
         create function a.all_rows() returns setof a.rows_of_it language sql stable
           as 'select * from a.rows_of_it';
         create view a.token_transactions as select * from a.all_rows();
         grant select on a.token_transactions to {job};"
    ));
    let words = "view a.token_transactions calls function a.all_rows";
    let (code, checks) = doctor(&db, &job, &fixture("shape_a.toml"));
    assert_eq!(code, 0, "{checks:#?}");
    let of_it = "row-level security a.token_transactions: ";
    let told: Vec<&String> = checks.iter().filter(|check| check.contains(of_it)).collect();
    assert_eq!(told.len(), 1, "{checks:#?}");
    assert!(told[0].starts_with("not_tested") && told[0].contains(words), "{checks:#?}");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("reckon.toml");
    std::fs::write(&config, fixture("shape_a.toml")).unwrap();
    let run = reconcile(&config, &folder.path().join("out"), &[("DATABASE_URL", &db.url_as(&job))]);
    let warnings = run.summary()["warnings"].to_string();
    assert!(warnings.contains(words), "{warnings}");
}

#[test]
fn without_a_server_nothing_is_called_sound() {
    let db = product("nobody");
    let (code, checks) = doctor(&db, "no_such_role", &fixture("shape_a.toml"));
    assert_eq!(code, 2);
    assert!(checks[0].starts_with("fail connection") && checks[0].contains("28000"), "{checks:#?}");
    assert!(checks[1..].iter().all(|check| check.starts_with("not_tested table")), "{checks:#?}");
}

#[test]
fn files_are_opened_and_their_labels_counted() {
    let db = Cluster::shared().database("files");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let config = std::fs::read_to_string(folder.join("reckon.toml")).unwrap();
    let absolute = config.replace("path = \"", &format!("path = \"{}/", folder.display()));
    let (code, checks) = doctor(&db, "postgres", &absolute);
    assert_eq!(code, 0, "{checks:#?}");
    assert!(checks.iter().filter(|check| check.starts_with("ok files")).count() == 2, "{checks:#?}");
    let (code, checks) =
        doctor(&db, "postgres", &absolute.replace("created_at = \"created_at\"", "created_at = \"made_at\""));
    assert_eq!(code, 2, "{checks:#?}");
    assert!(
        checks.iter().any(|check| check.starts_with("fail files") && check.contains("made_at")),
        "{checks:#?}"
    );
}
