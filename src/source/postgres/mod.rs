//! Reading PostgreSQL: one exported snapshot, parallel binary COPY, the catalogue.
//!
//! Everything a run reads comes from one `REPEATABLE READ READ ONLY` transaction, or from sessions
//! that took over its snapshot. The tables are locked before it is taken ([`held`]). Nothing is set outside a transaction and no statement outlives one,
//! so that poolers in transaction mode can stand between.

pub mod activity;
mod archive;
pub mod catalogue;
mod column;
mod connect;
mod conninfo;
pub mod dependencies;
mod digest;
mod examine;
mod explain;
mod fields;
mod held;
mod label_keys;
pub mod leaves;
mod nothing;
mod numeric;
pub mod open_writes;
mod privileges;
mod rows;
mod scan;
mod security;
pub(crate) mod select;
mod session;
mod split;
mod tap;
mod tapped;
mod target;
mod tls;
pub mod writers;

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::{Duration, Instant as Clock};

use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{self, Columns, Field, Origin, Pools, Stored, StoredBalance, TableName};
use crate::domain::{Instant, RowId, Span, parse_tokens};

use super::{
    DetailRule, Digests, PoolsReading, Progress, Provenance, Reading, Sink, Snapshot, SourceError,
    StoredReading,
};
use catalogue::{Relation, TableFacts, flag, text};
use dependencies::Certainty;
use select::Layout;
use session::Session;
use target::Target;

pub use archive::{ArchivedColumn, ArchivedTable};
pub use digest::{ROW_TEXT_SETTINGS, TableState, digest_query, shape_query};
pub use examine::{Fit, Mapped};
pub use nothing::names_something;
pub use session::TextRow;

/// A database, seen at one moment. Dropping it ends its session.
pub struct Database {
    target: Target,
    tls: MakeRustlsConnect,
    route: connect::Route,
    settings: config::Postgres,
    session: Session,
    snapshot: Snapshot,
    opened: Clock,
    version: u32,
    role: String,
    /// Table, and what about its rows cannot be told.
    doubts: BTreeSet<(String, String)>,
    // Last: the session ends while its runtime is still there.
    runtime: tokio::runtime::Runtime,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("who", &self.session.who).field("snapshot", &self.snapshot).finish()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.runtime.block_on(self.session.end());
    }
}

/// One thread, driven while it waits.
fn runtime() -> Result<tokio::runtime::Runtime, SourceError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|cause| {
        SourceError::Database { message: format!("cannot wait for the network: {cause}"), transient: true }
    })
}

impl Database {
    /// Opens the database that `DATABASE_URL`, or else libpq's variables, service file and password
    /// file name; begins the read-only transaction and exports its snapshot.
    ///
    /// # Errors
    /// [`SourceError::Database`] naming role, database, server and the way out, never a secret;
    /// [`SourceError::Interrupted`] after a signal.
    pub fn open(settings: &config::Postgres, progress: &Progress) -> Result<Database, SourceError> {
        Database::open_with(&|name| std::env::var(name).ok(), settings, progress)
    }

    /// As [`Database::open`], with the environment given.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_with(
        variable: &dyn Fn(&str) -> Option<String>,
        settings: &config::Postgres,
        progress: &Progress,
    ) -> Result<Database, SourceError> {
        Database::open_holding(&[], variable, settings, progress)
    }

    /// As [`Database::open_with`], for reading these tables: before the snapshot is taken they are locked
    /// as reading locks them, so that nobody rewrites them between the two. Those that are not there, or
    /// cannot be locked, are no error here.
    ///
    /// # Errors
    /// As [`Database::open`]; somebody holds one of the tables and goes on doing so.
    pub fn open_holding(
        tables: &[&TableName],
        variable: &dyn Fn(&str) -> Option<String>,
        settings: &config::Postgres,
        progress: &Progress,
    ) -> Result<Database, SourceError> {
        let target = target::find(variable)?;
        let tls = tls::connector(&target)?;
        let runtime = runtime()?;
        let opened = Clock::now();
        let (session, route, version, taken) = runtime.block_on(async {
            let found = connect::unless_stopped(progress, connect::find_route(&target, &tls)).await?;
            let (connection, route) = found.map_err(|error| match (error, target.servers.first()) {
                (SourceError::Unreachable { .. }, Some(server)) if !target::is_named(variable) => {
                    SourceError::Unnamed { tried: connect::who(&target, server) }
                }
                (error, _) => error,
            })?;
            let who = connect::who(&target, &route.server);
            let session = Session::new(connection, who, progress);
            let version = session.begin(None, settings).await?;
            held::lock(&session, tables).await?;
            Ok::<_, SourceError>((session, route, version, Clock::now()))
        })?;
        let (snapshot, role) = runtime.block_on(export(&session, taken))?;
        tracing::debug!("{}: snapshot {} at {:?}", session.who, snapshot.name, snapshot.lsn);
        let (settings, doubts) = (*settings, BTreeSet::new());
        Ok(Database {
            target,
            tls,
            route,
            settings,
            session,
            snapshot,
            opened,
            version,
            role,
            doubts,
            runtime,
        })
    }

    /// The moment that all reads see.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// How long the snapshot has been held: so long the server's vacuum has had to keep what it sees.
    pub fn held(&self) -> Span {
        Span(i64::try_from(self.opened.elapsed().as_micros()).unwrap_or(i64::MAX))
    }

    /// Does other work while the session waits, and lets the server know now and then that it is still
    /// wanted, so that `idle_timeout` ends a program that hangs and not one that is busy.
    pub fn awake_during<T>(&self, work: impl FnOnce() -> T) -> T {
        let idle = Duration::from_micros(self.settings.idle_timeout.0.max(0).unsigned_abs());
        if idle.is_zero() {
            return work();
        }
        let (done, waiting) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while waiting.recv_timeout(idle / 3) == Err(mpsc::RecvTimeoutError::Timeout) {
                    self.runtime.block_on(self.session.ping());
                }
            });
            // Gone also when the work panics: then nobody is waited for.
            let _done = done;
            work()
        })
    }

    /// The server's version, `server_version_num`: 150004 is 15.4.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The role that reads: `current_user`.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Role, database and server, for people. No secret.
    pub fn describe(&self) -> &str {
        &self.session.who
    }

    /// What the catalogue says about a table.
    ///
    /// # Errors
    /// There is no such table: the message names the nearest one.
    pub fn facts(&mut self, table: &TableName) -> Result<TableFacts, SourceError> {
        self.runtime.block_on(async {
            let relation = privileges::existing(&self.session, table).await?;
            catalogue::facts(&self.session, &relation).await
        })
    }

    /// Checks that the table is there, that this role may read it and these columns (a column, or a
    /// path into a JSON column), and that row-level security hides no row of it.
    ///
    /// # Errors
    /// [`SourceError::Database`] naming role, table and the way out.
    pub fn check_readable(&mut self, table: &TableName, columns: &[&str]) -> Result<(), SourceError> {
        self.readable(table, columns).map(|_| ())
    }

    fn readable(&mut self, table: &TableName, columns: &[&str]) -> Result<Relation, SourceError> {
        let read = self.runtime.block_on(privileges::readable(&self.session, table, columns));
        let (relation, doubts) = read?;
        self.doubts.extend(doubts.into_iter().map(|doubt| (table.to_string(), doubt)));
        Ok(relation)
    }

    /// Tables that were read or checked, each with a sentence that says what may hide rows of it and cannot be
    /// judged from here: a function that a view calls, a foreign table.
    pub fn doubts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.doubts.iter().map(|(table, doubt)| (table.as_str(), doubt.as_str()))
    }

    /// Reads all rows of a side into sinks, several sessions at once where the table allows it, and
    /// compares their number with the server's own count in the same snapshot.
    ///
    /// # Errors
    /// Everything that [`Database::check_readable`] refuses, a lost connection, a timeout, a count
    /// that differs, [`SourceError::Interrupted`] after a signal. Then no sink is given back.
    pub fn scan<S: Sink>(
        &mut self,
        columns: &Columns,
        rule: &DetailRule,
        new_sink: &(dyn Fn() -> S + Sync),
        progress: &Progress,
    ) -> Result<Reading<S>, SourceError> {
        let table = origin_table(&columns.origin)?;
        let written = written_columns(columns);
        let relation = self.readable(table, &written)?;
        let usual = self.usual_labels(&relation, columns)?;
        let layout = Layout::new(&relation, columns, rule, &usual, self.version)
            .map_err(|what| privileges::refusal(&self.session, &what))?;
        let streams = self.settings.streams.max(1);
        let ranges = scan::ranges(&relation, self.version, streams);
        let readers = streams.min(ranges.len());
        let total = u64::try_from(relation.estimated_rows).ok().filter(|rows| *rows > 0);
        let meter = progress.start(&format!("reading {table}"), total);
        let work = scan::Work::new(&layout, table.to_string(), ranges, &meter);
        let (parts, control) = self
            .read_all(&work, readers, new_sink, progress)
            .map_err(|error| explain::where_to_look(error, &relation, &written))?;
        let received: u64 = parts.iter().map(|(_, rows)| rows).sum();
        if received != control.rows {
            let what = format!(
                "the server counts {} rows in {table}, but {received} arrived: \
                 something between here and the server cuts results short (a row limit?)",
                control.rows
            );
            return Err(privileges::refusal(&self.session, &what));
        }
        self.runtime.block_on(held::check(&self.session, &relation))?;
        let (name, files, notes) = (table.to_string(), Vec::new(), Vec::new());
        let provenance = Provenance { kind: "postgres", name, files, control, notes };
        let sinks = parts.into_iter().map(|(sink, _)| sink).collect();
        Ok(Reading { sinks, provenance, digests: Digests::Taken(Vec::new()) })
    }

    /// Labels that most rows have, where one column holds them and the server's statistics tell.
    fn usual_labels(&self, relation: &Relation, columns: &Columns) -> Result<Vec<String>, SourceError> {
        let [action] = columns.action.as_slice() else { return Ok(Vec::new()) };
        let schema = relation.name.schema.as_deref().unwrap_or_default();
        let parameters = [schema, &relation.name.name, &action.written];
        let sql = include_str!("sql/usual_labels.sql");
        let rows =
            self.runtime.block_on(self.session.rows_with(sql, &parameters, "looking up statistics"))?;
        Ok(rows.iter().map(|row| text(row, 0)).collect())
    }

    /// Counts and reads with the first session, while further ones join in as they come.
    #[allow(clippy::type_complexity, reason = "a sink and its number of rows, for each reader")]
    fn read_all<S: Sink>(
        &self,
        work: &scan::Work<'_>,
        readers: usize,
        new_sink: &(dyn Fn() -> S + Sync),
        progress: &Progress,
    ) -> Result<(Vec<(S, u64)>, crate::domain::Total), SourceError> {
        let further = scan::Further {
            target: &self.target,
            tls: &self.tls,
            route: &self.route,
            snapshot: &self.snapshot.name,
            settings: &self.settings,
            progress,
        };
        let (first, others) = std::thread::scope(|scope| {
            let others: Vec<_> =
                (1..readers).map(|_| scope.spawn(|| work.join(&further, new_sink))).collect();
            let first = self.runtime.block_on(async {
                let control = work.control(&self.session).await.inspect_err(|_| work.fail())?;
                let part = work.read(&self.session, new_sink()).await?;
                Ok::<_, SourceError>((part, control))
            });
            let join = || others.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            let others: Vec<_> = self.awake_during(join);
            (first, others)
        });
        let mut parts = Vec::new();
        let mut failure = None;
        for other in others {
            match other {
                Ok(Ok(part)) => parts.extend(part),
                Ok(Err(error)) => failure = Some(error),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        let (part, control) = first?;
        if let Some(error) = failure {
            return Err(error);
        }
        parts.push(part);
        Ok((parts, control))
    }

    /// The rows of a query that reads a relation whole.
    fn whole(&self, sql: &str, relation: &Relation, written: &[&str]) -> Result<Vec<TextRow>, SourceError> {
        self.runtime.block_on(async {
            let rows = self.session.rows(sql, &format!("reading {}", relation.name)).await;
            let rows = rows.map_err(|error| explain::where_to_look(error, relation, written))?;
            held::check(&self.session, relation).await?;
            Ok(rows)
        })
    }

    /// Every stored balance, ascending by user, then by balance.
    ///
    /// # Errors
    /// As [`Database::check_readable`]; a row without a user, a balance that is no integer.
    pub fn stored(&mut self, stored: &Stored) -> Result<StoredReading, SourceError> {
        let table = origin_table(&stored.origin)?;
        let written = [stored.user.written.as_str(), &stored.balance.written];
        let relation = self.readable(table, &written)?;
        let sql = select::stored(&relation, &stored.user, &stored.balance)
            .map_err(|what| privileges::refusal(&self.session, &what))?;
        let rows = self.whole(&sql, &relation, &written)?;
        let wrong = |user: &str, what: &str| SourceError::Malformed {
            place: format!("table {table}"),
            message: format!("{user}{what}; correct the row, or read a view that leaves it out"),
        };
        let mut balances = Vec::with_capacity(rows.len());
        for row in rows {
            let user = text(&row, 0);
            if user.is_empty() {
                return Err(wrong("", "a stored balance without a user"));
            }
            let tokens =
                match row.get(1).and_then(Option::as_deref).filter(|text| !text.trim_ascii().is_empty()) {
                    None => None,
                    Some(text) => Some(parse_tokens(text).ok_or_else(|| {
                        wrong(
                            &format!("user {user}: "),
                            &format!(
                                "the stored balance {text:?} is not an integer within ±9223372036854775807"
                            ),
                        )
                    })?),
                };
            balances.push(StoredBalance { user: RowId::parse(&user), tokens });
        }
        balances.sort_by(|a, b| a.user.cmp(&b.user).then(a.tokens.cmp(&b.tokens)));
        Ok(StoredReading::new("postgres", table.to_string(), Vec::new(), balances))
    }

    /// The members of pools, as raw columns of text.
    ///
    /// # Errors
    /// As [`Database::check_readable`].
    pub fn pools(&mut self, pools: &Pools) -> Result<PoolsReading, SourceError> {
        let table = origin_table(&pools.origin)?;
        let optional = [&pools.owner, &pools.from, &pools.to];
        let fields: Vec<&Field> =
            [&pools.user, &pools.pool].into_iter().chain(optional.into_iter().flatten()).collect();
        let written: Vec<&str> = fields.iter().map(|field| field.written.as_str()).collect();
        let relation = self.readable(table, &written)?;
        let sql =
            select::pools(&relation, &fields).map_err(|what| privileges::refusal(&self.session, &what))?;
        let rows = self.whole(&sql, &relation, &written)?;
        Ok(PoolsReading::of_table(pools, table.to_string(), &rows))
    }

    /// The rows of a read-only query in the snapshot, as text; null is `None`.
    ///
    /// # Errors
    /// The server's. The transaction is over then: open a new [`Database`].
    pub fn rows_text(&mut self, sql: &str) -> Result<Vec<TextRow>, SourceError> {
        self.runtime.block_on(self.session.rows(sql, "looking"))
    }

    /// Facts of all tables and views that people made and this role may read, whose schema or name
    /// contains `part` (empty: all), by name.
    ///
    /// # Errors
    /// The server's.
    pub fn tables_like(&mut self, part: &str) -> Result<Vec<TableFacts>, SourceError> {
        self.runtime.block_on(async {
            let names = self.session.rows(include_str!("sql/names.sql"), "looking up table names").await?;
            let mut found = Vec::new();
            for row in &names {
                let (schema, name) = (text(row, 0), text(row, 1));
                if !part.is_empty() && !format!("{schema}.{name}").contains(part) {
                    continue;
                }
                let table = TableName { schema: Some(schema), name };
                let Some(relation) = catalogue::find(&self.session, &table).await? else { continue };
                if relation.schema_usage && relation.table_select {
                    found.push(catalogue::facts(&self.session, &relation).await?);
                }
            }
            Ok(found)
        })
    }
}

/// Exports the snapshot of the open transaction; the role that reads.
async fn export(session: &Session, taken: Clock) -> Result<(Snapshot, String), SourceError> {
    let doing = "exporting the snapshot";
    let rows = session.rows(include_str!("sql/export.sql"), doing).await?;
    let row = rows.into_iter().next().unwrap_or_default();
    let at = text(&row, 1).parse().map_err(|_| privileges::refusal(session, "the server tells no time"))?;
    // Some hosts forbid these functions: then the position is unknown, and the transaction goes on.
    session.run("savepoint position", doing).await?;
    let position = session.rows(include_str!("sql/position.sql"), doing).await;
    if matches!(position, Err(SourceError::Interrupted)) {
        return Err(SourceError::Interrupted);
    }
    session.run("rollback to savepoint position", doing).await?;
    let lsn = position.ok().and_then(|rows| rows.into_iter().next()?.into_iter().next()?);
    let (name, at, of_standby) = (text(&row, 0), Instant(at), flag(&row, 3));
    Ok((Snapshot { name, lsn, at, taken, of_standby }, text(&row, 2)))
}

fn origin_table(origin: &Origin) -> Result<&TableName, SourceError> {
    match origin {
        Origin::Table(table) => Ok(table),
        Origin::Files { .. } => Err(SourceError::Database {
            message: "files are not read from a database (a defect of reckon)".to_owned(),
            transient: false,
        }),
    }
}

/// Every column that a side reads, as written.
fn written_columns(columns: &Columns) -> Vec<&str> {
    let single = [&columns.id, &columns.user, &columns.amount, &columns.created_at];
    let optional =
        [&columns.expires_at, &columns.balance_after, &columns.success, &columns.link, &columns.migrated];
    single
        .into_iter()
        .chain(&columns.action)
        .chain(&columns.reference)
        .chain(&columns.payment)
        .chain(optional.into_iter().flatten())
        .map(|field| field.written.as_str())
        .collect()
}
