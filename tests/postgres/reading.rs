//! One snapshot, many readers, and what happens when something goes wrong on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reckon::domain::Span;
use reckon::source::{DetailColumns, DetailRule, KeyColumns, Progress, Selection, Sink, SourceError};

use super::cluster::{Cluster, Db};
use super::collect::{Keeper, Row, field, open, open_with, rows_of, settings, side, table};

const COLUMNS: [&str; 5] = ["id", "u", "a", "n", "c"];

/// A table of so many rows with few rows a block, so that it has many blocks.
fn sparse_table(db: &Db, name: &str, definition: &str, rows: u32) {
    db.sql(&format!(
        "create table {name} (id int, u int, a text, n int, c timestamptz) {definition};
         insert into {name} select i, i % 97, case when i % 50 = 0 then 'trial_grant' else 'chat' end, i % 1000,
           timestamptz '2026-01-01' + i * interval '1 second' from generate_series(1, {rows}) i;"
    ));
}

fn scan(db: &Db, name: &str, streams: usize) -> Vec<Row> {
    let mut database = open_with(&db.url(), settings(streams)).unwrap();
    rows_of(
        &database.scan(&side(name, COLUMNS), &DetailRule::All, &Keeper::all, &Progress::hidden()).unwrap(),
    )
}

#[test]
fn one_reader_or_many_every_row_comes_once() {
    let db = Cluster::shared().database("streams");
    sparse_table(&db, "plain", "with (fillfactor = 10)", 30_000);
    db.sql("create table parted (like plain) partition by range (n)");
    sparse_table(&db, "low", "with (fillfactor = 10)", 0);
    sparse_table(&db, "high", "with (fillfactor = 10)", 0);
    db.sql(
        "alter table parted attach partition low for values from (0) to (300);
         alter table parted attach partition high for values from (300) to (1000);
         insert into parted select * from plain;
         create table parent (like plain); create table child () inherits (parent);
         insert into child select * from plain where id > 100; insert into parent select * from plain where id <= 100;
         create view seen as select * from plain; create materialized view kept as select * from plain;",
    );
    let expected = scan(&db, "plain", 1);
    assert_eq!(expected.len(), 30_000);
    for name in ["plain", "parted", "parent", "seen", "kept"] {
        for streams in [1, 4] {
            assert!(scan(&db, name, streams) == expected, "{name} with {streams} readers");
        }
    }
}

#[test]
fn only_what_was_there_when_it_was_opened_is_read() {
    let db = Cluster::shared().database("snapshot");
    sparse_table(&db, "t", "with (fillfactor = 10)", 10_000);
    let mut database = open_with(&db.url(), settings(3)).unwrap();
    db.sql(
        "delete from t where id % 2 = 0; insert into t values (0, 0, 'chat', 0, now()); update t set n = -1;",
    );
    let reading =
        database.scan(&side("t", COLUMNS), &DetailRule::All, &Keeper::all, &Progress::hidden()).unwrap();
    let rows = rows_of(&reading);
    assert_eq!((rows.len(), reading.provenance.control.rows), (10_000, 10_000));
    assert!(rows.iter().all(|row| !row.keys.contains("|-1|")));
    let now: i64 = db.value("select (extract(epoch from now()) * 1000000)::bigint").parse().unwrap();
    let age = now - database.snapshot().at.0;
    assert!((0..60_000_000).contains(&age), "the snapshot's time is the server's: {age} us ago");
    assert!(database.snapshot().lsn.as_deref().is_some_and(|lsn| lsn.contains('/')));
}

#[test]
fn details_of_usage_are_not_sent_and_a_sink_that_asks_for_them_is_a_defect() {
    let db = Cluster::shared().database("rule");
    sparse_table(&db, "t", "", 1_000);
    // With the labels that most rows have, the rule takes a shorter way.
    db.sql("analyze t; insert into t select 2000 + i, 1, 'chat', nullif(i, 1), '2026-01-01' from generate_series(1, 9) i");
    let rule = DetailRule::Labels { listed: vec!["trial_grant".to_owned()], usage: None, user: None };
    let mut database = open(&db.url()).unwrap();
    let grants = || Keeper::wanting(|keys| keys.contains("trial_grant") || keys.contains('∅'));
    let reading = database.scan(&side("t", COLUMNS), &rule, &grants, &Progress::hidden()).unwrap();
    let rows = rows_of(&reading);
    let with_details: Vec<&Row> = rows.iter().filter(|row| row.details.is_some()).collect();
    assert_eq!((rows.len(), with_details.len()), (1_009, 21));
    assert!(with_details.iter().all(|row| row.keys.contains("trial_grant") || row.keys.contains('∅')));
    let error = database.scan(&side("t", COLUMNS), &rule, &Keeper::all, &Progress::hidden()).unwrap_err();
    assert!(error.to_string().contains("defect"), "{error}");
}

#[test]
fn a_session_of_reckon_cannot_write() {
    let db = Cluster::shared().database("writes");
    db.sql("create table t (id int)");
    for statement in ["insert into t values (1)", "create table u (id int)", "truncate t"] {
        let error = open(&db.url()).unwrap().rows_text(statement).unwrap_err().to_string();
        assert!(error.contains("25006") && error.contains("read-only transaction"), "{error}");
    }
    let mut database = open(&db.url()).unwrap();
    let error = database.rows_text("set transaction read write").unwrap_err().to_string();
    assert!(error.contains("read-write mode"), "{error}");
    assert_eq!(db.value("select count(*) from t"), "0");
    // Beyond the transaction, too: a statement after it would find the session read only.
    let mut database = open(&db.url()).unwrap();
    let error = database.rows_text("rollback; insert into t values (1)").unwrap_err().to_string();
    assert!(error.contains("25006"), "{error}");
}

/// Does something when the first chunk comes.
struct Tripwire(Arc<dyn Fn() + Send + Sync>);

impl Sink for Tripwire {
    fn keys(&mut self, _: &KeyColumns) -> Selection {
        (self.0)();
        Selection::Rows(Vec::new())
    }

    fn details(&mut self, _: &KeyColumns, _: &Selection, _: &DetailColumns) {}
}

fn sessions_of_reckon(db: &Db) -> String {
    format!(
        "select count(*) from pg_stat_activity where application_name = 'reckon' and datname = '{}' \
         and state = 'active'",
        db.name
    )
}

fn eventually(db: &Db, sql: &str, expected: &str) {
    let started = Instant::now();
    while db.value(sql) != expected {
        assert!(started.elapsed() < Duration::from_secs(10), "{sql} is not {expected}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_signal_ends_the_reading_and_the_servers_work() {
    let db = Cluster::shared().database("signal");
    sparse_table(&db, "t", "", 200_000);
    let stop = Arc::new(AtomicBool::new(false));
    let progress = Progress::new(false, stop.clone());
    let variable = |name: &str| (name == "DATABASE_URL").then(|| db.url());
    let mut database =
        reckon::source::postgres::Database::open_with(&variable, &settings(2), &progress).unwrap();
    let trip: Arc<dyn Fn() + Send + Sync> = Arc::new(move || stop.store(true, Ordering::Relaxed));
    let sink = || Tripwire(trip.clone());
    let result = database.scan(&side("t", COLUMNS), &DetailRule::All, &sink, &progress);
    assert!(matches!(result, Err(SourceError::Interrupted)));
    eventually(&db, &sessions_of_reckon(&db), "0");
}

#[test]
fn a_signal_ends_a_wait_for_the_server() {
    let db = Cluster::shared().database("wait");
    let stop = Arc::new(AtomicBool::new(false));
    let progress = Progress::new(false, stop.clone());
    let variable = |name: &str| (name == "DATABASE_URL").then(|| db.url());
    let mut database =
        reckon::source::postgres::Database::open_with(&variable, &settings(1), &progress).unwrap();
    let alarm = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
    });
    let started = Instant::now();
    let result = database.rows_text("select pg_sleep(60)");
    assert!(matches!(result, Err(SourceError::Interrupted)));
    assert!(started.elapsed() < Duration::from_secs(20));
    alarm.join().unwrap();
    eventually(&db, &sessions_of_reckon(&db), "0");
}

#[test]
fn a_connection_lost_on_the_way_is_an_error_that_may_pass() {
    let db = Arc::new(Cluster::shared().database("lost"));
    sparse_table(&db, "t", "", 400_000);
    let mut database = open(&db.url()).unwrap();
    let killer = db.clone();
    let trip: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        killer.sql(&format!(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where application_name = 'reckon' and datname = '{}'",
            killer.name
        ));
    });
    let sink = || Tripwire(trip.clone());
    match database.scan(&side("t", COLUMNS), &DetailRule::All, &sink, &Progress::hidden()) {
        Err(SourceError::Database { message, transient }) => {
            assert!(
                transient && message.contains("run it again") && message.contains("role postgres"),
                "{message}"
            );
        }
        other => panic!("{:?}", other.map(|reading| reading.provenance)),
    }
}

#[test]
fn limits_of_the_server_are_explained() {
    let db = Cluster::shared().database("limits");
    db.sql(
        "create table t (id int, u int, a text, n int, c timestamptz);
         insert into t select i, 1, 'chat', 1, now() from generate_series(1, 1000) i;
         create view slow as select t.* from t, lateral (select pg_sleep(0.01 + t.id * 0)) as wait;
         create view moving as select * from t where id <= 500 or current_query() not like 'copy%';",
    );
    let mut short = settings(1);
    short.statement_timeout = Span(100_000);
    let read = |name: &str, settings| {
        let mut database = open_with(&db.url(), settings).unwrap();
        let columns = side(name, COLUMNS);
        let result = database.scan(&columns, &DetailRule::All, &Keeper::all, &Progress::hidden());
        result.map(|_| ()).unwrap_err().to_string()
    };
    let error = read("slow", short);
    assert!(error.contains("slow") && error.contains("[postgres] statement_timeout"), "{error}");
    // What the server counts and what arrives must be the same.
    let error = read("moving", settings(1));
    assert!(error.contains("rows in moving, but"), "{error}");
}

#[test]
fn stored_balances_are_read_as_they_are() {
    let db = Cluster::shared().database("stored");
    db.sql(
        "create table p (u uuid, n numeric, j jsonb, half numeric);
         insert into p values ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 12.00, '{\"left\": 7}', 0.5),
           ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', null, '{}', 1);",
    );
    let read = |balance: &str| -> Result<Vec<String>, String> {
        let stored = reckon::config::Stored {
            origin: reckon::config::Origin::Table(table("p")),
            user: field("u"),
            balance: field(balance),
            sum_rows: false,
        };
        let balances = open(&db.url()).unwrap().stored(&stored).map_err(|error| error.to_string())?;
        let mut shown: Vec<String> =
            balances.balances.iter().map(|stored| format!("{} {:?}", stored.user, stored.tokens)).collect();
        shown.sort();
        Ok(shown)
    };
    let (one, two) = ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12");
    assert_eq!(read("n").unwrap(), [format!("{one} Some(12)"), format!("{two} None")]);
    assert_eq!(read("j.left").unwrap(), [format!("{one} Some(7)"), format!("{two} None")]);
    let error = read("half").unwrap_err();
    assert!(error.contains(one) && error.contains("0.5"), "{error}");
    db.sql("insert into p values (null, 1)");
    assert!(read("n").unwrap_err().contains("without a user"));
}

#[test]
fn members_of_pools_are_read_with_their_times_whatever_the_type() {
    let db = Cluster::shared().database("pools");
    db.sql(
        "create table m (u uuid, h int, o uuid, since timestamptz, wall timestamp, until date);
         insert into m values
           ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 7, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12',
            '2026-01-01 02:00+02', '2026-01-01 01:00', '2026-02-01'),
           ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 7, null, null, null, 'infinity'),
           ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a13', null, null, null, null, null);",
    );
    let read = |from: &str, zone: chrono_tz::Tz| {
        let pools = reckon::config::Pools {
            origin: reckon::config::Origin::Table(table("m")),
            user: field("u"),
            pool: field("h"),
            owner: Some(field("o")),
            from: Some(field(from)),
            to: Some(field("until")),
            timezone: zone,
        };
        let reading = open(&db.url()).unwrap().pools(&pools).unwrap();
        assert_eq!(reading.provenance.control.rows, 3);
        let time = |at: Option<reckon::domain::Instant>| at.map_or("-".to_owned(), |at| at.rfc3339());
        let members = reckon::normalise::members(&reading, &pools).unwrap();
        let line = |member: &reckon::normalise::Member| {
            let owner = member.owner.as_ref().map_or("-".to_owned(), ToString::to_string);
            let user = member.user.to_string();
            format!(
                "{} in {} of {} {} {}",
                &user[34..],
                member.pool,
                owner,
                time(member.from),
                time(member.to)
            )
        };
        members.iter().map(line).collect::<Vec<_>>()
    };
    let (utc, berlin) = (chrono_tz::Tz::UTC, chrono_tz::Europe::Berlin);
    let owner = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12";
    let member = |from: &str, to: &str| format!("11 in 7 of {owner} {from}:00:00.000000Z {to}:00:00.000000Z");
    let other = "12 in 7 of - - -".to_owned();
    assert_eq!(read("since", utc), [member("2026-01-01T00", "2026-02-01T00"), other.clone()]);
    assert_eq!(read("wall", utc), [member("2026-01-01T01", "2026-02-01T00"), other.clone()]);
    assert_eq!(read("wall", berlin), [member("2026-01-01T00", "2026-01-31T23"), other]);
}
