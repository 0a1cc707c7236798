//! A legacy table on a real server, its seal, and the files run with psql.

use std::path::Path;

use reckon::config::{self, TableName};
use reckon::cutover::retire::{self, ArchiveSeal, Sealed};
use reckon::domain::{Instant, Span};
use reckon::source::Progress;
use reckon::source::postgres::{Database, TableState};

use crate::postgres::cluster::{Cluster, Db};

pub const DAY: i64 = 86_400_000_000;

/// The legacy table with three rows, and one that has its rows now.
const SCHEMA: &str = "
    create table public.token_transactions (
      id integer primary key, user_id uuid not null, amount numeric(12, 2), note text,
      created_at timestamptz default now());
    insert into public.token_transactions values
      (1, '00000000-0000-4000-8000-000000000001', 100.50, 'first, with a comma', '2026-01-01 00:00:00Z'),
      (2, '00000000-0000-4000-8000-000000000001', -20, null, '2026-01-02 00:00:00.123456Z'),
      (3, '00000000-0000-4000-8000-000000000002', 7, '', null);
    create table public.token_usage (id integer primary key);";

/// A row more.
pub const INSERT: &str = "insert into public.token_transactions (id, user_id) \
     values (9, '00000000-0000-4000-8000-000000000009')";

pub struct World {
    pub db: Db,
    pub sealed: Sealed,
    /// Where `retire.sql` and `unretire.sql` lie.
    folder: tempfile::TempDir,
}

pub fn open(db: &Db) -> Database {
    let url = db.url();
    let variable = |name: &str| (name == "DATABASE_URL").then(|| url.clone());
    Database::open_with(&variable, &config::Postgres::default(), &Progress::hidden()).unwrap()
}

pub fn table(name: &str) -> TableName {
    let (schema, name) = name.split_once('.').unwrap();
    TableName { schema: Some(schema.to_owned()), name: name.to_owned() }
}

pub fn now() -> Instant {
    Instant(chrono::Utc::now().timestamp_micros())
}

/// The certificate of a table as it is: open for a day, no hold, with its archive.
pub fn seal(state: &TableState) -> Sealed {
    let archive =
        ArchiveSeal { digest: state.digest, shape: state.shape.clone(), csv_sha256: "0f".repeat(32) };
    Sealed {
        table: state.table.clone(),
        oid: state.oid,
        digest: state.digest,
        shape: state.shape.clone(),
        publications: Vec::new(),
        archive: Some(archive),
        run_id: "4f1e".to_owned(),
        issued_at: now(),
        expires_at: now().plus(Span(DAY)),
        hold: Span(0),
    }
}

impl World {
    pub fn new(name: &str) -> World {
        World::of(name, SCHEMA, "public.token_transactions")
    }

    /// Another table.
    pub fn of(name: &str, schema: &str, sealed_table: &str) -> World {
        let db = Cluster::shared().database(name);
        db.sql(schema);
        let sealed = seal(&open(&db).digest(&table(sealed_table)).unwrap());
        World { db, sealed, folder: tempfile::tempdir().unwrap() }
    }

    /// A new certificate for the table as it is now.
    pub fn certify(&mut self) {
        self.sealed = Sealed {
            run_id: format!("{}b", self.sealed.run_id),
            ..seal(&open(&self.db).digest(&self.sealed.table).unwrap())
        };
    }

    pub fn text(&self, name: &str) -> String {
        let files = retire::files(&self.sealed);
        files.into_iter().find(|file| file.name == name).unwrap().text
    }

    fn run(&self, name: &str, text: &str) -> Result<String, String> {
        let file = self.folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        self.db.try_file(Path::new(&file))
    }

    /// The whole of `retire.sql`; the first error ends it.
    pub fn retire(&self) -> Result<String, String> {
        self.run("retire.sql", &self.text("retire.sql"))
    }

    /// One step of it.
    pub fn step(&self, number: usize) -> Result<String, String> {
        let text = self.text("retire.sql");
        let steps: Vec<&str> = text.split("\n-- Step ").collect();
        assert_eq!(steps.len(), 4, "a header and three steps");
        let step = format!("-- Step {}", steps[number]);
        assert!(step.starts_with(&format!("-- Step {number} of 3")), "{step}");
        self.run("step.sql", &step)
    }

    pub fn steps(&self, numbers: &[usize]) {
        for number in numbers {
            self.step(*number).unwrap_or_else(|error| panic!("step {number}: {error}"));
        }
    }

    pub fn unretire(&self) -> Result<String, String> {
        self.run("unretire.sql", &self.text("unretire.sql"))
    }

    /// What the table is called now: nothing when it is gone.
    pub fn called(&self) -> String {
        let rows = self.db.query(&format!(
            "select relname from pg_class where oid = {} and relkind = 'r'",
            self.sealed.oid
        ));
        rows.first().map(|row| row[0].clone()).unwrap_or_default()
    }

    /// Steps that are in force.
    pub fn in_force(&self) -> Vec<String> {
        let known = self.db.value("select to_regclass('reckon_journal.retirement') is not null");
        if known != "t" {
            return Vec::new();
        }
        let sql = "select step from reckon_journal.retirement where ended_at is null order by step";
        self.db.query(sql).into_iter().map(|row| row[0].clone()).collect()
    }

    /// Everything that a step could change: names, triggers, functions, the journal, rows.
    pub fn state(&self) -> Vec<Vec<String>> {
        let journal = match self
            .db
            .value("select to_regclass('reckon_journal.retirement') is not null")
            .as_str()
        {
            "t" => {
                "select 'journal', format('%s %s %s', step, done_at, ended_at) from reckon_journal.retirement"
            }
            _ => "select 'journal', ''",
        };
        self.db.query(&format!(
            "select 'relation', format('%s %s', relname, relkind) from pg_class \
              where relnamespace = 'public'::regnamespace \
             union all select 'trigger', format('%s %s', tgname, tgenabled) from pg_trigger where not tgisinternal \
             union all select 'function', proname from pg_proc where pronamespace::regnamespace::text = 'reckon_journal' \
             union all {journal} order by 1, 2"
        ))
    }
}
