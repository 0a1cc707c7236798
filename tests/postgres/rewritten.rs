//! A table that somebody rewrites when a run starts: its new rows are read, or none, but never is it
//! taken for empty.

use std::time::{Duration, Instant};

use reckon::config::{Origin, StoredBalance, TableName};
use reckon::source::postgres::Database;
use reckon::source::{DetailRule, Progress, SourceError};

use super::cluster::{Cluster, Db};
use super::collect::{Keeper, open, settings, side, table};

const COLUMNS: [&str; 5] = ["id", "u", "a", "n", "c"];

const ROWS: &str = "insert into %t select i, i, 'chat', i, '2026-01-01' from generate_series(1, 9) i";

fn with_tables(name: &str) -> Db {
    let db = Cluster::shared().database(name);
    let columns = "(id int, u int, a text, n int, c timestamptz)";
    db.sql(&format!(
        "create table plain {columns}; create table parted {columns} partition by range (id);
         create table part partition of parted for values from (0) to (100);
         create table parent {columns}; create table child () inherits (parent);
         create table beneath {columns}; create view seen as select * from beneath;
         create table kept_of {columns}; create materialized view kept as select * from kept_of;
         {}; {}; {}; {}; {}; refresh materialized view kept",
        ROWS.replace("%t", "plain"),
        ROWS.replace("%t", "parted"),
        ROWS.replace("%t", "child"),
        ROWS.replace("%t", "beneath"),
        ROWS.replace("%t", "kept_of"),
    ));
    db
}

fn open_holding(db: &Db, role: &str, tables: &[&TableName]) -> Result<Database, SourceError> {
    let url = db.url_as(role);
    let variable = |name: &str| (name == "DATABASE_URL").then(|| url.clone());
    Database::open_holding(tables, &variable, &settings(2), &Progress::hidden())
}

fn rows(database: &mut Database, name: &str) -> Result<u64, SourceError> {
    let reading = database.scan(&side(name, COLUMNS), &DetailRule::All, &Keeper::all, &Progress::hidden())?;
    Ok(reading.provenance.control.rows)
}

/// Runs a transaction that holds what it changed for a second, while something else is done.
fn during<T>(db: &Db, change: &str, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        scope.spawn(|| db.sql(&format!("begin; {change}; select pg_sleep(1); commit")));
        let held = format!(
            "select count(*) from pg_stat_activity where datname = '{}' and wait_event = 'PgSleep'",
            db.name
        );
        let since = Instant::now();
        while db.value(&held) == "0" {
            assert!(since.elapsed() < Duration::from_secs(10), "{change}");
            std::thread::sleep(Duration::from_millis(20));
        }
        work()
    })
}

#[test]
fn a_table_that_is_rewritten_when_a_run_starts_is_read_as_it_is_afterwards() {
    let db = with_tables("rewritten");
    let again = |name: &str| format!("truncate {name}; {}", ROWS.replace("%t", name));
    let cases = [
        ("plain", again("plain")),
        ("plain", "alter table plain alter column n type bigint".to_owned()),
        ("plain", "alter table plain set unlogged".to_owned()),
        (
            "plain",
            "alter table plain rename to old; create table plain as table old; drop table old".to_owned(),
        ),
        ("parted", again("part")),
        ("parent", again("child")),
        ("seen", again("beneath")),
    ];
    for (name, change) in cases {
        let held = table(&format!("public.{name}"));
        let found = during(&db, &change, || {
            rows(&mut open_holding(&db, "postgres", &[&held]).unwrap(), name).unwrap()
        });
        assert_eq!(found, 9, "{name}: {change}");
    }
}

#[test]
fn what_could_not_be_locked_and_was_rewritten_since_the_snapshot_is_not_taken_for_empty() {
    let db = with_tables("missed");
    let cases = [
        ("plain", "truncate plain; insert into plain select * from beneath"),
        ("parted", "alter table part set unlogged"),
        ("seen", "truncate beneath; insert into beneath select * from child"),
        ("kept", "refresh materialized view kept"),
        ("plain", "alter table plain rename to old; alter table beneath rename to plain"),
    ];
    for (name, change) in cases {
        let mut database = open(&db.url()).unwrap();
        db.sql(change);
        match rows(&mut database, name) {
            Err(SourceError::Database { message, transient: true }) => {
                assert!(message.contains("was rewritten while the run started; run again"), "{message}");
            }
            other => panic!("{name}: {change}: {other:?}"),
        }
        assert_eq!(rows(&mut open(&db.url()).unwrap(), name).unwrap(), 9, "{name}: the next try");
    }
    let stored = reckon::config::Stored {
        origin: Origin::Table(table("parted")),
        user: super::collect::field("u"),
        balance: super::collect::field("n"),
        sum_rows: false,
    };
    let of = |database: &mut Database| -> Result<Vec<StoredBalance>, SourceError> {
        Ok(database.stored(&stored)?.balances)
    };
    let mut database = open(&db.url()).unwrap();
    db.sql("alter table part set logged");
    let error = of(&mut database).unwrap_err().to_string();
    assert!(error.contains("public.part: the table was rewritten"), "{error}");
    assert_eq!(of(&mut open(&db.url()).unwrap()).unwrap().len(), 9);
}

#[test]
fn what_cannot_be_locked_is_read_as_before() {
    let db = with_tables("unlockable");
    let role = format!("{}_columns", db.name);
    db.sql(&format!(
        "create role {role} login; grant usage on schema public to {role};
         grant select (id, u, a, n, c) on plain to {role}; grant select on kept, seen to {role}"
    ));
    let names = ["plain", "kept", "seen", "not_there"].map(|name| table(&format!("public.{name}")));
    let mut database = open_holding(&db, &role, &names.each_ref()).unwrap();
    for name in ["plain", "kept", "seen"] {
        assert_eq!(rows(&mut database, name).unwrap(), 9, "{name}");
    }
    drop(database);
    db.sql(&format!("drop owned by {role}; drop role {role}"));
}

#[test]
fn nobody_can_rewrite_a_table_between_the_snapshot_and_its_reading() {
    let db = with_tables("held");
    let (plain, seen) = (table("plain"), table("public.seen"));
    let mut database = open_holding(&db, "postgres", &[&plain, &seen]).unwrap();
    for name in ["plain", "beneath"] {
        let refused = db.try_sql(&format!("set lock_timeout = '50ms'; truncate {name}")).unwrap_err();
        assert!(refused.contains("lock timeout"), "{name}: {refused}");
        db.sql(&format!("insert into {name} values (10, 10, 'chat', 10, '2026-01-01')"));
    }
    // Locks took no snapshot of their own: the moment of the run lies after them.
    assert_eq!(rows(&mut database, "plain").unwrap(), 9);
}
