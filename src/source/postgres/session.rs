//! A session: one read-only transaction that sees one snapshot.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, CopyOutStream, SimpleQueryMessage};

use crate::config;
use crate::domain::Span;

use super::super::{Progress, SourceError};
use super::connect::unless_stopped;
use super::explain::explain;
use super::tap::Flow;
use super::tapped::Connection;

/// A row as text; `None` is null.
pub type TextRow = Vec<Option<String>>;

/// How long a session waits for a lock: reading needs none that ordinary writers hold.
const LOCK_TIMEOUT: &str = "30s";

/// A value that travels as text is the same text whatever the role or the database has set. These are the
/// defaults; those of time stand beside them.
const VALUES_AS_TEXT: &str = "set local bytea_output = 'hex'; set local intervalstyle = 'postgres'; \
                              set local extra_float_digits = 1; set local lc_monetary = 'C'; \
                              set local quote_all_identifiers = off";

/// Longest wait for the server when a session ends.
const GOODBYE: std::time::Duration = std::time::Duration::from_secs(2);

/// The first version that can be asked to count at once.
pub(super) const FLUSH_SINCE: u32 = 150_000;

/// The first version that limits whole transactions.
const TRANSACTION_TIMEOUT_SINCE: u32 = 170_000;

/// An open connection inside its transaction.
///
/// Everything a session does happens in one transaction, as `SET LOCAL`: a pooler in transaction
/// mode gives the server session to others afterwards, and they find it as it was.
pub(super) struct Session {
    connection: Connection,
    /// Role, database and server, for messages.
    pub who: String,
    pub progress: Progress,
    /// `server_version_num`; 0 before the transaction has begun.
    version: std::sync::atomic::AtomicU32,
}

impl Session {
    pub fn new(connection: Connection, who: String, progress: &Progress) -> Session {
        let version = std::sync::atomic::AtomicU32::new(0);
        Session { connection, who, progress: progress.clone(), version }
    }

    /// The driver's side of the connection.
    pub fn client(&self) -> &Client {
        &self.connection.client
    }

    /// Begins the transaction, in an exported snapshot if one is given; answers the server's version
    /// (`server_version_num`, 150004 for 15.4).
    pub async fn begin(
        &self,
        snapshot: Option<&str>,
        settings: &config::Postgres,
    ) -> Result<u32, SourceError> {
        let adopt = snapshot
            .map(|name| format!("set transaction snapshot '{}';", name.replace('\'', "''")))
            .unwrap_or_default();
        let milliseconds = |span: Span| span.0.max(0) / 1000;
        let (timeout_ms, idle_ms) =
            (milliseconds(settings.statement_timeout), milliseconds(settings.idle_timeout));
        let begin = format!(
            "begin transaction isolation level repeatable read read only; {adopt} \
             set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; {VALUES_AS_TEXT}; \
             set local standard_conforming_strings = on; set local client_min_messages = warning; \
             set local idle_in_transaction_session_timeout = {idle_ms}; \
             set local lock_timeout = '{LOCK_TIMEOUT}'; set local statement_timeout = {timeout_ms}; \
             set local jit = off;"
        );
        self.run(&begin, "beginning the snapshot").await?;
        // SHOW looks at no table, so the snapshot is still to be taken.
        let version = self.rows("show server_version_num", "beginning the snapshot").await?;
        let version = version.first().and_then(|row| row[0].as_deref()?.parse().ok()).unwrap_or(0);
        self.version.store(version, std::sync::atomic::Ordering::Relaxed);
        if version >= TRANSACTION_TIMEOUT_SINCE {
            self.run("set local transaction_timeout = 0", "beginning the snapshot").await?;
        }
        Ok(version)
    }

    /// Tells the server that this session is still wanted. Best effort: what is wrong with the session,
    /// its next query says.
    pub async fn ping(&self) {
        let _ = tokio::time::timeout(GOODBYE, self.client().batch_execute("select 1")).await;
    }

    /// Runs statements without looking at their rows.
    pub async fn run(&self, sql: &str, doing: &str) -> Result<(), SourceError> {
        let done = self.watched(self.client().batch_execute(sql)).await?;
        done.map_err(|error| explain(&error, &self.who, doing))
    }

    /// The rows of a query, as text, by the simple protocol.
    pub async fn rows(&self, sql: &str, doing: &str) -> Result<Vec<TextRow>, SourceError> {
        let answer = self.watched(self.client().simple_query(sql)).await?;
        let messages = answer.map_err(|error| explain(&error, &self.who, doing))?;
        let row = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            }
            _ => None,
        };
        Ok(messages.iter().filter_map(row).collect())
    }

    /// The rows of a query whose columns are all text, with text parameters. The statement has no
    /// name, so that nothing is left behind in a pooled server session.
    pub async fn rows_with(
        &self,
        sql: &str,
        parameters: &[&str],
        doing: &str,
    ) -> Result<Vec<TextRow>, SourceError> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            parameters.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
        let answer = self.watched(self.client().query_typed(sql, &typed)).await?;
        let rows = answer.map_err(|error| explain(&error, &self.who, doing))?;
        rows.iter()
            .map(|row| (0..row.len()).map(|at| row.try_get(at)).collect::<Result<TextRow, _>>())
            .collect::<Result<_, _>>()
            .map_err(|error| explain(&error, &self.who, doing))
    }

    /// As [`Session::rows_with`]; where the server refuses, the reason is no error of the run, and the
    /// transaction goes on.
    ///
    /// # Errors
    /// What may pass by itself (a lost connection), and [`SourceError::Interrupted`] after a signal.
    pub async fn try_rows(
        &self,
        sql: &str,
        parameters: &[&str],
        doing: &str,
    ) -> Result<Result<Vec<TextRow>, String>, SourceError> {
        self.run("savepoint look", doing).await?;
        let answer = self.rows_with(sql, parameters, doing).await;
        if let Err(SourceError::Interrupted) = answer {
            return Err(SourceError::Interrupted);
        }
        // Fails where the connection is lost; otherwise whatever happened is undone.
        self.run("rollback to savepoint look; release savepoint look", doing).await?;
        Ok(answer.map_err(|error| error.to_string()))
    }

    /// Begins a COPY and gives out its bytes. The statement gets a name, which the driver closes again
    /// before the transaction ends.
    pub async fn copy_out(&self, statement: &str, doing: &str) -> Result<Flow<'_>, SourceError> {
        let basin = &self.connection.basin;
        basin.open();
        let begun = self.watched(self.client().copy_out(statement)).await?;
        let flow = |stream: CopyOutStream| Flow::new(basin, stream);
        begun.map(flow).map_err(|error| explain(&error, &self.who, doing))
    }

    /// Waits for the server; after a signal the server's query is cancelled.
    pub async fn watched<T>(&self, work: impl Future<Output = T>) -> Result<T, SourceError> {
        let done = unless_stopped(&self.progress, work).await;
        if done.is_err() {
            self.cancel().await;
        }
        done
    }

    /// Asks the server to drop what it is doing for this session. Best effort.
    pub async fn cancel(&self) {
        let _ = tokio::time::timeout(GOODBYE, self.connection.cancel()).await;
    }

    /// Ends the transaction, so that a pooler can give the server session to others. Best effort.
    ///
    /// What the session read is counted by then, where the server can be asked for that: who looks at
    /// the statistics afterwards can tell our reads from those of others.
    pub async fn end(&self) {
        if self.version.load(std::sync::atomic::Ordering::Relaxed) >= FLUSH_SINCE {
            let flush = self.client().batch_execute("select pg_stat_force_next_flush()");
            let _ = tokio::time::timeout(GOODBYE, flush).await;
        }
        let _ = tokio::time::timeout(GOODBYE, self.client().batch_execute("rollback")).await;
    }
}
