//! What fails and passes: a server that starts anew, a session that is ended, none to be had. And what
//! does not pass.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use reckon::config::Postgres;
use reckon::domain::Span;
use reckon::source::postgres::Database;
use reckon::source::{Progress, SourceError};

use super::{Night, Ran, eventually, signal};
use crate::postgres::cluster::{Cluster, Db, OPEN_HBA};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/postgres").join(name)
}

/// The product's database with a grant that lacks its unified row.
fn product(cluster: &'static Cluster, name: &str) -> Db {
    let db = cluster.database(name);
    for file in ["schema.sql", "functions.sql"] {
        db.file(&fixture(file));
    }
    db.sql(
        "select b.grant_annual_tokens('10000000-0000-4000-8000-000000000009');
         insert into b.token_transactions (id, user_id, action_type, tokens_used, created_at)
         values (gen_random_uuid(), gen_random_uuid(), 'renewal_grant', 250000, '2026-03-01T09:00:00Z');",
    );
    db
}

/// A job that reads this database.
fn night(url: &str, more: &str) -> Night {
    let night = Night::new("");
    let config = std::fs::read_to_string(fixture("shape_b.toml")).unwrap();
    std::fs::write(night.path("reckon.toml"), format!("{config}\n{more}\n")).unwrap();
    night.with("DATABASE_URL", url)
}

fn start(night: &Night, args: &[&str]) -> Child {
    night.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn end(child: Child) -> Ran {
    Ran::of(child.wait_with_output().unwrap())
}

/// A session that does something and then waits, until it is ended.
struct Session<'a> {
    db: &'a Db,
    child: Child,
}

impl Session<'_> {
    fn doing<'a>(db: &'a Db, role: &str, sql: &str) -> Session<'a> {
        let child = std::process::Command::new(db.cluster.program("psql"))
            .args(["--no-psqlrc", "--quiet", "--dbname", &db.url_as(role), "--command"])
            .arg(format!("begin; {sql}; select pg_sleep(600)"))
            .env("PGAPPNAME", "in the way")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let session = Session { db, child };
        eventually("the session is there", || session.count("query like '%pg_sleep%'") == "1");
        session
    }

    fn count(&self, condition: &str) -> String {
        self.db.value(&format!(
            "select count(*) from pg_stat_activity where application_name = 'in the way' and \
             datname = '{}' and {condition}",
            self.db.name
        ))
    }

    fn end(mut self) {
        terminate(self.db, "in the way", "");
        let _ = self.child.wait();
    }
}

/// Ends the sessions of a program; how many there were.
fn terminate(db: &Db, program: &str, condition: &str) -> usize {
    db.query(&format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = '{program}' and \
         datname = '{}' {condition}",
        db.name
    ))
    .len()
}

fn is_waiting_for_a_lock(db: &Db) -> bool {
    db.value(&format!(
        "select count(*) > 0 from pg_stat_activity where application_name = 'reckon' and datname = '{}' and \
         wait_event_type = 'Lock'",
        db.name
    )) == "t"
}

/// The findings of the run in `out`, without anything that tells one night from another.
fn findings(night: &Night) -> String {
    std::fs::read_to_string(night.path("out/findings.csv")).unwrap()
}

const OUT: [&str; 3] = ["reconcile", "--out", "out"];

#[test]
fn a_server_that_is_stopped_midway_and_starts_again_is_waited_for() {
    let cluster = Cluster::start(&[], OPEN_HBA).leak();
    let db = product(cluster, "restarted");
    let night = night(&db.url(), "[postgres]\nstreams = 2\nretry_for = \"60s\"");
    assert_eq!(night.run(&OUT).code, 1);
    let undisturbed = findings(&night);
    std::fs::remove_dir_all(night.path("out")).unwrap();
    // The test servers commit without waiting for the disk: what was just written would be lost with it.
    db.sql("checkpoint");

    let in_the_way = Session::doing(&db, "postgres", "lock table token_usage in access exclusive mode");
    let run = start(&night, &OUT);
    eventually("the run reads", || is_waiting_for_a_lock(&db));
    cluster.stop();
    // Long enough that it finds nobody there, too.
    std::thread::sleep(Duration::from_millis(2_500));
    cluster.start_again();
    let ran = end(run);
    drop(in_the_way.child);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("try 2 in ") && ran.stderr.contains("run it again"), "{ran:?}");
    assert!(ran.stderr.contains("no server listens there"), "it was down for a while: {ran:?}");
    assert_eq!(findings(&night), undisturbed, "as if nothing had been");
}

#[test]
fn a_session_that_is_ended_midway_is_begun_again_from_the_beginning() {
    let db = product(Cluster::shared(), "ended");
    db.sql(
        "insert into token_usage (user_id, action_type, model_used, tokens_used, created_at)
         select lpad((i % 100)::text, 32, '0')::uuid, 'chat_conversation', 'm', 1, '2026-01-01'
         from generate_series(1, 150000) i",
    );
    let night = night(&db.url(), "[postgres]\nstreams = 1\nretry_for = \"60s\"");
    let run = start(&night, &OUT);
    eventually("the session reads rows", || {
        terminate(&db, "reckon", "and query ilike 'copy%' and state = 'active'") > 0
    });
    let ran = end(run);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("try 2 in "), "{ran:?}");
    let summary = super::json(&night.path("out/summary.json"));
    assert_eq!(summary["population"]["unified"]["usage"]["rows"], 150_000, "each row once");
    assert_eq!(summary["conservation"]["holds"], true);
}

#[test]
fn sessions_that_are_all_taken_are_waited_for_by_every_command_that_reads() {
    let db = product(Cluster::shared(), "taken");
    db.sql(
        "create role night_single login connection limit 1; grant usage on schema b to night_single;
         grant select on all tables in schema b, public to night_single;",
    );
    let night = night(&db.url_as("night_single"), "[postgres]\nretry_for = \"60s\"");
    let audit = ["audit", "--from", "2026-01-01", "--to", "2026-03-31"];
    for (args, code) in [(&["reconcile"][..], 1), (&["grants"], 0), (&audit, 1)] {
        let in_the_way = Session::doing(&db, "night_single", "select 1");
        let run = start(&night, args);
        std::thread::sleep(Duration::from_millis(700));
        in_the_way.end();
        let ran = end(run);
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        assert!(ran.stderr.contains("try 2 in ") && ran.stderr.contains("53300"), "{args:?}: {ran:?}");
    }
    // For as long as is said, and no longer; then the reason is that of the last try.
    let in_the_way = Session::doing(&db, "night_single", "select 1");
    let short = self::night(&db.url_as("night_single"), "[postgres]\nretry_for = \"2s\"");
    let began = Instant::now();
    let ran = short.run(&["reconcile", "-q"]);
    assert_eq!(ran.code, 2);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(ran.stderr.starts_with("reckon: gave up after ") && ran.stderr.contains("53300"), "{ran:?}");
    assert!(!short.path("reports/latest").exists());
    in_the_way.end();
    db.sql("drop owned by night_single; drop role night_single;");
}

#[test]
fn what_does_not_pass_is_not_tried_again() {
    let db = product(Cluster::shared(), "lasting");
    db.sql("create role night_pass login password 'right-password' in role by_password");
    let place = format!("127.0.0.1:{}/{}", db.cluster.port(), db.name);
    let cases = [
        (
            "a wrong password",
            format!("postgres://night_pass:wrong-password@{place}?sslmode=disable"),
            "28P01",
        ),
        ("no such database", db.url().replace(&db.name, "nowhere"), "3D000"),
        (
            "no right to read",
            db.url_as("night_pass").replace("night_pass@", "night_pass:right-password@"),
            "grant",
        ),
    ];
    for (what, url, expected) in cases {
        let began = Instant::now();
        let ran = night(&url, "").run(&["reconcile"]);
        assert_eq!(ran.code, 2, "{what}: {ran:?}");
        assert!(ran.stderr.contains(expected) && !ran.stderr.contains("try 2"), "{what}: {ran:?}");
        assert!(!ran.stderr.contains("-password"), "{what}: {ran:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
    }
    db.sql("drop owned by night_pass; drop role night_pass;");
}

#[test]
fn a_server_that_nobody_ever_reached_is_asked_for_a_short_while_only() {
    let nobody = "postgres://ada@127.0.0.1:1/app?sslmode=disable";
    let asked = |ran: &Ran| ran.stderr.matches("no server listens there").count();
    let never = night(nobody, "[postgres]\nretry_for = \"0s\"").run(&["reconcile"]);
    assert_eq!((never.code, asked(&never)), (2, 1), "{never:?}");
    assert!(never.stderr.starts_with("reckon: role ada on database app at 127.0.0.1:1: "), "{never:?}");
    let short = night(nobody, "[postgres]\nretry_for = \"2500ms\"").run(&["reconcile"]);
    assert_eq!(short.code, 2, "{short:?}");
    let tries = asked(&short);
    assert!(
        tries > 1 && short.stderr.contains(&format!("reckon: gave up after {tries} tries in ")),
        "{short:?}"
    );
    let socket = night("postgres:///app?host=/nowhere", "[postgres]\nretry_for = \"0s\"").run(&["reconcile"]);
    assert!(socket.stderr.contains("there is no such socket"), "{socket:?}");
}

#[test]
fn a_signal_ends_the_waiting_for_the_next_try() {
    let night = night("postgres://ada@127.0.0.1:1/app?sslmode=disable", "");
    let mut run = start(&night, &["reconcile"]);
    std::thread::sleep(Duration::from_millis(1_000));
    assert!(run.try_wait().unwrap().is_none(), "it waits");
    signal("-TERM", run.id());
    let began = Instant::now();
    let ran = end(run);
    assert_eq!(ran.code, 143, "{ran:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(ran.stderr.ends_with("reckon: interrupted, nothing was finished\n"), "{ran:?}");
}

fn open(db: &Db, settings: Postgres) -> Database {
    let url = db.url();
    let variable = |name: &str| (name == "DATABASE_URL").then(|| url.clone());
    Database::open_with(&variable, &settings, &Progress::hidden()).unwrap()
}

#[test]
fn the_server_frees_the_snapshot_of_a_program_that_hangs_and_keeps_that_of_one_at_work() {
    let db = Cluster::shared().database("idle");
    let settings =
        Postgres { idle_timeout: Span(600_000), statement_timeout: Span(7_000_000), ..Postgres::default() };
    let mut busy = open(&db, settings);
    for (name, expected) in [("idle_in_transaction_session_timeout", "600ms"), ("statement_timeout", "7s")] {
        assert_eq!(busy.rows_text(&format!("show {name}")).unwrap(), [[Some(expected.to_owned())]]);
    }
    busy.awake_during(|| std::thread::sleep(Duration::from_millis(2_000)));
    assert_eq!(busy.rows_text("select 1").unwrap(), [[Some("1".to_owned())]]);
    assert!(busy.held() >= Span(2_000_000));

    let mut hanging = open(&db, settings);
    std::thread::sleep(Duration::from_millis(2_000));
    match hanging.rows_text("select 1") {
        Err(SourceError::Database { transient: true, message }) => {
            assert!(message.contains("idle_timeout") || message.contains("run it again"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_snapshot_that_is_held_for_long_is_said_in_the_log_and_in_the_manifest() {
    let db = product(Cluster::shared(), "age");
    let old = night(&db.url(), "[postgres]\nsnapshot_age = \"1ms\"");
    let ran = old.run(&OUT);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("longer than [postgres] snapshot_age"), "{ran:?}");
    let seconds = super::json(&old.path("out/manifest.json"))["run"]["snapshot_seconds"].as_f64().unwrap();
    assert!((0.001..60.0).contains(&seconds), "{seconds}");
    let young = night(&db.url(), "").run(&OUT);
    assert_eq!((young.code, young.stderr.as_str()), (1, ""), "{young:?}");
    let files = Night::new("");
    assert_eq!(files.run(&OUT).code, 1);
    let manifest = super::json(&files.path("out/manifest.json"));
    assert!(manifest["run"].get("snapshot_seconds").is_none(), "files have no snapshot");
}
