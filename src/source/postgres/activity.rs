//! Who writes and who reads a table, as far as the server's statistics tell.

use serde::{Deserialize, Serialize};

use crate::config::TableName;
use crate::domain::Instant;

use super::super::SourceError;
use super::catalogue::{self, flag, integer, text};
use super::connect::follow;
use super::dependencies::mention;
use super::dependencies::paths::Paths;
use super::session::{FLUSH_SINCE, Session};
use super::{Certainty, Database};

const DOING: &str = "looking up statistics";

/// Characters of a statement that are shown.
const SHOWN: usize = 120;

/// What the statistics count for a table, partitions and children included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableActivity {
    /// `schema.name`.
    pub table: String,
    /// Which one it is: name and oid of its database, and its own oid. Another table of the same name
    /// has counters of its own. Empty in manifests that do not say it: those of no table.
    #[serde(default)]
    pub identity: String,
    /// The server's time of the reading.
    #[serde(with = "rfc3339")]
    pub at: Instant,
    /// When the counters of the database were last set back; `None`: never, or it is not known.
    #[serde(with = "rfc3339_or_null")]
    pub stats_reset: Option<Instant>,
    /// Since when the server keeps counters at all: it loses them when it does not end cleanly, and
    /// `stats_reset` need not tell. `None`: it is not known, as in older manifests.
    #[serde(with = "rfc3339_or_null", default)]
    pub kept_since: Option<Instant>,
    /// Rows inserted.
    pub n_tup_ins: i64,
    /// Rows updated.
    pub n_tup_upd: i64,
    /// Rows deleted.
    pub n_tup_del: i64,
    /// Sequential scans.
    pub seq_scan: i64,
    /// Index scans.
    pub idx_scan: i64,
    /// The last sequential scan, from PostgreSQL 16 on.
    #[serde(with = "rfc3339_or_null", default)]
    pub last_seq_scan: Option<Instant>,
    /// The last index scan, from PostgreSQL 16 on.
    #[serde(with = "rfc3339_or_null", default)]
    pub last_idx_scan: Option<Instant>,
    /// The server counts: `track_counts` is on, it is no standby (which counts for itself alone), and
    /// it knows the table.
    pub counts: bool,
}

/// The counters around a run: what it read itself lies between start and end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Before its first read.
    pub start: Vec<TableActivity>,
    /// After its last session had ended; empty where no further connection could be had.
    pub end: Vec<TableActivity>,
}

/// A statement of somebody else that names the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Who runs it.
    pub role: String,
    /// How often so far.
    pub calls: u64,
    /// Its first characters, on one line.
    pub text: String,
    /// It certainly names the table.
    pub certainty: Certainty,
}

/// What `pg_stat_statements` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statements {
    /// It is not installed in this database.
    Absent,
    /// It is there, but cannot be read; why.
    Unread(String),
    /// Statements of other roles that name the table, the most frequent first.
    Read(Vec<Statement>),
}

impl Database {
    /// What the statistics count for these tables; tables that are not there are left out.
    ///
    /// # Errors
    /// A lost connection, [`SourceError::Interrupted`] after a signal.
    pub fn activity(&mut self, tables: &[&TableName]) -> Result<Vec<TableActivity>, SourceError> {
        self.runtime.block_on(counters(&self.session, tables))
    }

    /// Ends the reading session and then reads the counters over a fresh connection, so that what
    /// this run read is in them. Empty where no connection can be had.
    ///
    /// # Errors
    /// [`SourceError::Interrupted`] after a signal.
    pub fn activity_at_end(mut self, tables: &[&TableName]) -> Result<Vec<TableActivity>, SourceError> {
        let (session, version) = (&mut self.session, self.version);
        let (target, tls, route, settings) = (&self.target, &self.tls, &self.route, &self.settings);
        self.runtime.block_on(async {
            session.end().await;
            let looked = async {
                let connection = follow(target, tls, route).await?;
                // The old session ends here: an older server gets its counts only then.
                *session = Session::new(connection, session.who.clone(), &session.progress);
                if version < FLUSH_SINCE {
                    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
                }
                session.begin(None, settings).await?;
                counters(session, tables).await
            };
            match looked.await {
                Err(SourceError::Interrupted) => Err(SourceError::Interrupted),
                Err(error) => {
                    tracing::info!("the counters at the end of the run are not known: {error}");
                    Ok(Vec::new())
                }
                Ok(counters) => Ok(counters),
            }
        })
    }

    /// The statements of other roles that name a table, from `pg_stat_statements`.
    ///
    /// # Errors
    /// A lost connection, [`SourceError::Interrupted`] after a signal.
    pub fn statements(&mut self, table: &TableName) -> Result<Statements, SourceError> {
        let session = &self.session;
        self.runtime.block_on(statements(session, table))
    }
}

async fn counters(session: &Session, tables: &[&TableName]) -> Result<Vec<TableActivity>, SourceError> {
    let mut found = Vec::new();
    let kept_since = session.try_rows(include_str!("activity/lost.sql"), &[], DOING).await?;
    let kept_since = kept_since.ok().and_then(|rows| text(rows.first()?, 0).parse().ok().map(Instant));
    for table in tables {
        let Some(relation) = catalogue::find(session, table).await? else { continue };
        let sql = include_str!("activity/counters.sql");
        let rows = match session.try_rows(sql, &[&relation.oid], DOING).await? {
            Ok(rows) => rows,
            Err(why) => {
                tracing::info!("no statistics of {table}: {why}");
                continue;
            }
        };
        let Some(row) = rows.first() else { continue };
        let instant = |at: usize| text(row, at).parse().ok().map(Instant);
        let Some(at) = instant(0) else { continue };
        found.push(TableActivity {
            table: relation.name.to_string(),
            at,
            stats_reset: instant(1),
            kept_since,
            n_tup_ins: integer(row, 2),
            n_tup_upd: integer(row, 3),
            n_tup_del: integer(row, 4),
            seq_scan: integer(row, 5),
            idx_scan: integer(row, 6),
            last_seq_scan: instant(7),
            last_idx_scan: instant(8),
            identity: text(row, 12),
            counts: text(row, 9) == "on" && !flag(row, 10) && integer(row, 11) > 0,
        });
    }
    Ok(found)
}

async fn statements(session: &Session, table: &TableName) -> Result<Statements, SourceError> {
    let found = session.try_rows(include_str!("activity/statements_where.sql"), &[], DOING).await?;
    let rows = match found {
        Ok(rows) => rows,
        Err(why) => return Ok(Statements::Unread(why)),
    };
    let Some(row) = rows.first() else { return Ok(Statements::Absent) };
    if !flag(row, 1) {
        let why = "this role may not see the statements of others: grant pg_read_all_stats to it";
        return Ok(Statements::Unread(why.to_owned()));
    }
    let Some(relation) = catalogue::find(session, table).await? else {
        return Ok(Statements::Unread(format!("there is no table {table}")));
    };
    let sql = format!(
        "select coalesce(r.rolname::text, s.userid::text), sum(s.calls)::text, s.query \
         from {}.pg_stat_statements s left join pg_catalog.pg_roles r on r.oid = s.userid \
         where s.dbid = (select oid from pg_catalog.pg_database where datname = current_database()) \
           and r.rolname is distinct from current_user \
         group by 1, 3 order by sum(s.calls) desc, 1, 3",
        text(row, 0)
    );
    let rows = match session.try_rows(&sql, &[], DOING).await? {
        Ok(rows) => rows,
        Err(why) => return Ok(Statements::Unread(why)),
    };
    let paths = Paths::read(session, &relation).await?;
    let schema = relation.name.schema.as_deref().unwrap_or_default();
    let wanted = paths.wanted(schema, &relation.name.name);
    let named = rows.iter().filter_map(|row| {
        let query = text(row, 2);
        if is_definition(&query) {
            return None;
        }
        let certainty = paths.weigh(&mention::in_sql(&query, wanted), wanted, None)?;
        let calls = text(row, 1).parse().unwrap_or(0);
        Some(Statement { role: text(row, 0), calls, text: shown(&query), certainty })
    });
    Ok(Statements::Read(named.collect()))
}

/// Makes, changes or describes objects, and reads no row for anybody. What makes a table or a
/// materialised view of a query does read; so may a block of code.
fn is_definition(query: &str) -> bool {
    const WORDS: [&str; 9] =
        ["alter", "drop", "comment", "grant", "revoke", "analyze", "vacuum", "reindex", "cluster"];
    let words = query.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let mut words = words.filter(|word| !word.is_empty());
    let is = |word: &str, among: &[&str]| among.iter().any(|other| word.eq_ignore_ascii_case(other));
    match query.trim_start().split(|letter: char| !letter.is_ascii_alphabetic()).next() {
        Some(first) if is(first, &["create"]) => {
            let makes_rows = words.clone().take(8).any(|word| is(word, &["table", "materialized"]));
            !(makes_rows && words.any(|word| is(word, &["as"])))
        }
        Some(first) => is(first, &WORDS),
        None => false,
    }
}

/// The beginning of a statement on one line.
fn shown(query: &str) -> String {
    let line = query.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use crate::config::parse_instant;
    use crate::domain::Instant;

    pub fn serialize<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.rfc3339())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_instant(&text).map_err(D::Error::custom)
    }
}

mod rfc3339_or_null {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use crate::config::parse_instant;
    use crate::domain::Instant;

    pub fn serialize<S: Serializer>(at: &Option<Instant>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_some(&at.rfc3339()),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Instant>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parse_instant(&text).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_read_no_row_are_told_apart() {
        let cases = [
            ("CREATE TABLE t (a int)", true),
            ("create function f() returns int language sql as $$ select 1 from t $$", true),
            ("create table copied as select * from t", false),
            ("create temporary\n        table copied as\n  select * from t", false),
            ("CREATE TEMP TABLE copied\nAS TABLE t", false),
            ("create materialized view m as select * from t", false),
            ("do $$ begin perform from t; end $$", false),
            ("refresh materialized view m", false),
            ("  vacuum analyze t", true),
            ("select * from t", false),
            ("copy t to stdout", false),
            ("delete from t", false),
            ("document()", false),
        ];
        for (query, expected) in cases {
            assert_eq!(is_definition(query), expected, "{query}");
        }
    }

    #[test]
    fn a_statement_is_shown_on_one_short_line() {
        assert_eq!(shown("select *\n  from t"), "select * from t");
        let long = shown(&"ä".repeat(200));
        assert_eq!(long.chars().count(), SHOWN + 1);
    }

    #[test]
    fn counters_are_read_back_as_they_were_written() {
        let counters = TableActivity {
            table: "public.t".to_owned(),
            identity: "app/5/16385".to_owned(),
            at: Instant(1_772_357_400_000_001),
            stats_reset: None,
            kept_since: Some(Instant(-1)),
            n_tup_ins: 1,
            n_tup_upd: 2,
            n_tup_del: 3,
            seq_scan: 4,
            idx_scan: 5,
            last_seq_scan: Some(Instant(0)),
            last_idx_scan: None,
            counts: true,
        };
        let text = serde_json::to_string(&counters).expect("JSON");
        assert!(text.contains("\"at\":\"2026-03-01T09:30:00.000001Z\""), "{text}");
        assert_eq!(serde_json::from_str::<TableActivity>(&text).expect("counters"), counters);
        let older = text.replace("\"kept_since\":\"1969-12-31T23:59:59.999999Z\",", "");
        assert_ne!(older, text);
        let older = serde_json::from_str::<TableActivity>(&older).expect("counters of an older manifest");
        assert_eq!(older, TableActivity { kept_since: None, ..counters });
    }
}
