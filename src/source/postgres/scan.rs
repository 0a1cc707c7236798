//! Reading a table whole: block ranges in a queue, several sessions in one snapshot, each with a
//! sink of its own.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant as Clock};

use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config;
use crate::domain::Total;

use super::super::{Meter, Progress, Sink, SourceError};
use super::catalogue::{Relation, text};
use super::connect::{Route, follow, unless_stopped, who};
use super::explain::explain;
use super::rows::Filler;
use super::select::Layout;
use super::session::Session;
use super::target::Target;

/// The first version that reads a block range without reading the whole table.
const BLOCK_RANGES_SINCE: u32 = 140_000;

/// Blocks of a range, at least and at most: 4 MiB … 128 MiB.
const RANGE_BLOCKS: (i64, i64) = (512, 16_384);

/// Keeps the planner from a sequential scan, as long as the transaction goes on.
pub(super) const BY_PLACE: &str = "set local enable_seqscan = off";

/// A range of blocks; no end: to the end of the table. No range: the whole table at once.
type Blocks = Option<(i64, Option<i64>)>;

/// What the readers of one table share.
pub(super) struct Work<'a> {
    pub layout: &'a Layout,
    pub table: String,
    pub ranges: Vec<Blocks>,
    pub meter: &'a Meter,
    next: AtomicUsize,
    /// A reader failed: the others need not go on.
    failed: AtomicBool,
}

/// How further sessions come about.
pub(super) struct Further<'a> {
    pub target: &'a Target,
    pub tls: &'a MakeRustlsConnect,
    pub route: &'a Route,
    pub snapshot: &'a str,
    pub settings: &'a config::Postgres,
    pub progress: &'a Progress,
}

/// Splits a table into block ranges where that can be done.
///
/// The ranges cut every member of an inheritance or partition tree at the same block numbers, and
/// the last one has no end, so that together they hold every row exactly once.
pub(super) fn ranges(relation: &Relation, version: u32, streams: usize) -> Vec<Blocks> {
    // The row's place may only be asked for with SELECT on the whole table.
    let by_block = relation.by_place() && version >= BLOCK_RANGES_SINCE;
    let (least, most) = RANGE_BLOCKS;
    let size = (relation.largest_blocks / (8 * streams.max(1) as i64)).clamp(least, most);
    if !by_block || streams < 2 || relation.largest_blocks <= size {
        return vec![None];
    }
    let count = (relation.largest_blocks + size - 1) / size;
    (0..count).map(|at| Some((at * size, (at + 1 < count).then_some((at + 1) * size)))).collect()
}

impl<'a> Work<'a> {
    pub fn new(layout: &'a Layout, table: String, ranges: Vec<Blocks>, meter: &'a Meter) -> Work<'a> {
        Work { layout, table, ranges, meter, next: AtomicUsize::new(0), failed: AtomicBool::new(false) }
    }

    fn take(&self) -> Option<Blocks> {
        if self.failed.load(Ordering::Relaxed) {
            return None;
        }
        self.ranges.get(self.next.fetch_add(1, Ordering::Relaxed)).copied()
    }

    fn is_over(&self) -> bool {
        self.failed.load(Ordering::Relaxed) || self.next.load(Ordering::Relaxed) >= self.ranges.len()
    }

    /// The others need not go on.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Reads ranges until none is left.
    ///
    /// # Errors
    /// The server's, or [`SourceError::Interrupted`].
    pub async fn read<S: Sink>(&self, session: &Session, sink: S) -> Result<(S, u64), SourceError> {
        let mut filler = Filler::new(self.layout, self.table.clone(), sink);
        while let Some(blocks) = self.take() {
            let done = self.copy(session, blocks, &mut filler).await;
            if let Err(error) = done {
                self.fail();
                if matches!(error, SourceError::Interrupted) {
                    session.cancel().await;
                }
                return Err(error);
            }
        }
        let before = filler.rows;
        filler.flush().inspect_err(|_| self.fail())?;
        self.meter.add(filler.rows - before)?;
        Ok((filler.sink, filler.rows))
    }

    async fn copy<S: Sink>(
        &self,
        session: &Session,
        blocks: Blocks,
        filler: &mut Filler<'_, S>,
    ) -> Result<(), SourceError> {
        let doing = format!("reading {}", self.table);
        let failed = |error: tokio_postgres::Error| explain(&error, &session.who, &doing);
        let statement = self.layout.copy(blocks);
        self.prefer_places(session, true).await?;
        let mut flow = session.copy_out(&statement, &doing).await?;
        filler.begin();
        while let Some(bytes) = unless_stopped(&session.progress, flow.next()).await? {
            let rows = filler.feed(bytes.map_err(failed)?)?;
            if rows > 0 {
                self.meter.add(rows)?;
            }
        }
        filler.end()?;
        self.prefer_places(session, false).await
    }

    /// Keeps the planner from reading a small table in sequence, which the statistics would count as
    /// somebody's scan; or lets it choose again. Only for tables that are read by place alone.
    async fn prefer_places(&self, session: &Session, on: bool) -> Result<(), SourceError> {
        match (self.layout.by_place, on) {
            (false, _) => Ok(()),
            (true, true) => session.run(BY_PLACE, &format!("reading {}", self.table)).await,
            (true, false) => {
                session.run("set local enable_seqscan to default", &format!("reading {}", self.table)).await
            }
        }
    }

    /// The server's own count of rows and tokens, inside the snapshot.
    ///
    /// # Errors
    /// The server's.
    pub async fn control(&self, session: &Session) -> Result<Total, SourceError> {
        let doing = format!("counting {}", self.table);
        self.prefer_places(session, true).await?;
        let rows = session.rows(&self.layout.control, &doing).await?;
        self.prefer_places(session, false).await?;
        let row = rows.into_iter().next().unwrap_or_default();
        match (text(&row, 0).parse(), text(&row, 1).split('.').next().unwrap_or_default().parse()) {
            (Ok(rows), Ok(tokens)) => Ok(Total { rows, tokens }),
            _ => Err(SourceError::Database {
                message: format!("{}: {doing}: the sum of all tokens leaves 128 bits", session.who),
                transient: false,
            }),
        }
    }

    /// A further reader: opens a session in the snapshot and joins in. `None`: it came too late, or
    /// there is no further session to be had; the others do its work.
    ///
    /// # Errors
    /// What happens once it reads.
    pub fn join<S: Sink>(
        &self,
        further: &Further<'_>,
        new_sink: &(dyn Fn() -> S + Sync),
    ) -> Result<Option<(S, u64)>, SourceError> {
        let runtime = super::runtime()?;
        runtime.block_on(async {
            let Some(session) = self.wait_for_session(further).await else { return Ok(None) };
            let part = self.read(&session, new_sink()).await?;
            session.end().await;
            Ok(Some(part))
        })
    }

    /// Waits a bounded time, and no longer than there is work.
    async fn wait_for_session(&self, further: &Further<'_>) -> Option<Session> {
        let wait = Duration::from_micros(further.settings.session_wait.0.max(0).unsigned_abs());
        let started = Clock::now();
        let mut open = std::pin::pin!(open_further(further));
        loop {
            if self.is_over() || further.progress.is_stopped() {
                return None;
            }
            if started.elapsed() >= wait {
                tracing::info!(
                    "{}: no further session within {:.1} s, going on with those there are",
                    who(further.target, &further.route.server),
                    wait.as_secs_f64()
                );
                return None;
            }
            match tokio::time::timeout(Duration::from_millis(20), open.as_mut()).await {
                Err(_) => {}
                Ok(Ok(session)) => return Some(session),
                Ok(Err(error)) => {
                    tracing::info!("no further session, going on with those there are: {error}");
                    return None;
                }
            }
        }
    }
}

/// A further session, inside the snapshot.
pub(super) async fn open_further(further: &Further<'_>) -> Result<Session, SourceError> {
    let connection = follow(further.target, further.tls, further.route).await?;
    let who = who(further.target, &further.route.server);
    let session = Session::new(connection, who, further.progress);
    session.begin(Some(further.snapshot), further.settings).await?;
    Ok(session)
}
