//! Reading again what failed for a reason that may pass by itself: a server that starts anew, a
//! standby that had to go on, a connection that was lost, no session to be had.
//!
//! Each try begins from the beginning, in a snapshot of its own: rows of two moments are never mixed.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant as Clock};

use anyhow::Context as _;

use super::read::read_once;
use super::{Options, Reads};
use crate::config::{Config, Origin, TableName};
use crate::domain::Span;
use crate::source::postgres::Database;
use crate::source::{Progress, SourceError};

/// Wait before the second try; doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A server that was never reached in this run may be one that does not exist: a wrong port should
/// not keep a job for minutes.
const UNREACHED_FOR: Duration = Duration::from_secs(30);

/// How often a wait looks for the signal to stop.
const STOP_TICK: Duration = Duration::from_millis(50);

/// What is to be done about a failed try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It stays.
    Lasting,
    /// It may pass.
    Passing,
    /// Nobody was there; it may pass.
    Unreached,
    /// Nobody was there, and nobody said where. Waiting helps where a server was there before.
    Unnamed,
}

/// Reads both ledgers, and the digests of their files with them.
///
/// # Errors
/// As [`read_rows`], and files that were changed meanwhile.
pub fn read(config: &Config, options: &Options, progress: &Progress) -> anyhow::Result<Reads> {
    let mut reads = read_rows(config, options, progress)?;
    reads.end_digests(config)?;
    Ok(reads)
}

/// Reads both ledgers at one moment and brings them into the books. What fails for a reason that may
/// pass is tried again for as long as `[postgres] retry_for` says, counted from the first failure.
///
/// # Errors
/// Whatever keeps a row from being read; after several tries, that of the last one.
pub(super) fn read_rows(config: &Config, options: &Options, progress: &Progress) -> anyhow::Result<Reads> {
    let mut since: Option<Clock> = None;
    let mut reached = false;
    let mut tried: u32 = 0;
    loop {
        tried = tried.saturating_add(1);
        let error = match read_once(config, options, progress) {
            Ok(reads) => {
                warn_of_age(config, reads.snapshot_held);
                return Ok(reads);
            }
            Err(error) => error,
        };
        let kind = kind(&error);
        reached |= kind == Kind::Passing;
        let failing_for = since.get_or_insert_with(Clock::now).elapsed();
        let wait = match kind {
            Kind::Lasting => None,
            Kind::Passing | Kind::Unreached | Kind::Unnamed => {
                let watched = progress.is_shown() || kind == Kind::Unnamed;
                wait(config.postgres.retry_for, failing_for, reached, watched, tried, jitter())
            }
        };
        let Some(wait) = wait else {
            return match tried {
                1 => Err(error),
                _ => Err(error).with_context(|| {
                    format!("gave up after {tried} tries in {} s, the last time", seconds(failing_for))
                }),
            };
        };
        tracing::warn!("try {} in {} s: {error:#}", tried + 1, seconds(wait));
        let until = Clock::now() + wait;
        while Clock::now() < until {
            if progress.is_stopped() {
                return Err(SourceError::Interrupted.into());
            }
            std::thread::sleep(STOP_TICK.min(until.saturating_duration_since(Clock::now())));
        }
    }
}

/// The database, where any of what is configured lies there.
pub(super) fn open(config: &Config, progress: &Progress) -> anyhow::Result<Option<Database>> {
    let ledgers = [&config.legacy.columns.origin, &config.unified.columns.origin].into_iter();
    let stored = config.balances.stored.iter().map(|stored| &stored.origin);
    let pools = config.balances.pools.iter().map(|pools| &pools.origin);
    let tables: Vec<&TableName> = ledgers
        .chain(stored)
        .chain(pools)
        .filter_map(|origin| match origin {
            Origin::Table(table) => Some(table),
            Origin::Files { .. } => None,
        })
        .collect();
    if tables.is_empty() {
        return Ok(None);
    }
    let variable = |name: &str| std::env::var(name).ok();
    Ok(Some(Database::open_holding(&tables, &variable, &config.postgres, progress)?))
}

fn kind(error: &anyhow::Error) -> Kind {
    match error.chain().find_map(|cause| cause.downcast_ref::<SourceError>()) {
        Some(SourceError::Unreachable { .. }) => Kind::Unreached,
        Some(SourceError::Unnamed { .. }) => Kind::Unnamed,
        Some(SourceError::Database { transient: true, .. }) => Kind::Passing,
        _ => Kind::Lasting,
    }
}

/// How long to wait before the next try; `None`: there is none.
///
/// A server that answered in this run is waited for as long as `retry_for` says. One that never did is
/// waited for [`UNREACHED_FOR`] at most, and not at all where somebody watches, who sees the message
/// and can correct the address, or where there is no address to be wrong.
fn wait(
    retry_for: Span,
    failing_for: Duration,
    reached: bool,
    watched: bool,
    tried: u32,
    jitter: f64,
) -> Option<Duration> {
    let most = Duration::from_micros(retry_for.0.max(0).unsigned_abs());
    let most = match (reached, watched) {
        (true, _) => most,
        (false, false) => most.min(UNREACHED_FOR),
        (false, true) => Duration::ZERO,
    };
    let left = most.checked_sub(failing_for).filter(|left| !left.is_zero())?;
    let doubled = FIRST_WAIT.saturating_mul(1 << tried.saturating_sub(1).min(10)).min(LONGEST_WAIT);
    // Jobs that lost the same server do not come back at the same moment.
    Some(doubled.mul_f64(0.75 + jitter / 2.0).min(left))
}

/// A number in 0..1 that differs between processes and calls.
fn jitter() -> f64 {
    let bits = RandomState::new().hash_one(std::process::id());
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

fn seconds(span: Duration) -> String {
    format!("{:.1}", span.as_secs_f64())
}

fn warn_of_age(config: &Config, held: Option<Span>) {
    let most = config.postgres.snapshot_age;
    if let Some(held) = held.filter(|held| most.0 > 0 && *held > most) {
        tracing::warn!(
            "the snapshot was held for {} s, longer than [postgres] snapshot_age ({} s): so long vacuum could \
             not clean up on the server. Read a standby, or raise [postgres] streams",
            held.0 / 1_000_000,
            most.0 / 1_000_000
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_waited_out_for_as_long_as_configured_and_no_longer() {
        // retry_for, failing for, reached, watched, tries so far => wait in ms (jitter in the middle)
        let cases = [
            (300, 0, true, false, 1, Some(1_000)),
            (300, 1, true, false, 2, Some(2_000)),
            (300, 100, true, false, 9, Some(30_000)),
            (300, 299, true, false, 12, Some(1_000)),
            (300, 300, true, false, 13, None),
            (0, 0, true, false, 1, None),
            (300, 0, false, false, 1, Some(1_000)),
            (300, 29, false, false, 5, Some(1_000)),
            (300, 30, false, false, 6, None),
            (2, 1, false, false, 2, Some(1_000)),
            (300, 0, false, true, 1, None),
            (300, 0, true, true, 1, Some(1_000)),
        ];
        for (retry_for, failing_for, reached, watched, tried, expected) in cases {
            let wait = wait(
                Span(retry_for * 1_000_000),
                Duration::from_secs(failing_for),
                reached,
                watched,
                tried,
                0.5,
            );
            let expected = expected.map(Duration::from_millis);
            assert_eq!(wait, expected, "{retry_for} {failing_for} {reached} {watched} {tried}");
        }
    }

    #[test]
    fn two_processes_do_not_wait_alike() {
        let drawn: Vec<f64> = (0..100).map(|_| jitter()).collect();
        assert!(drawn.iter().all(|drawn| (0.0..1.0).contains(drawn)));
        assert!(drawn.iter().any(|one| (one - drawn[0]).abs() > 0.1), "{drawn:?}");
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let database = |transient| SourceError::Database { message: String::new(), transient };
        let cases = [
            (database(true), Kind::Passing),
            (database(false), Kind::Lasting),
            (SourceError::Unreachable { message: String::new() }, Kind::Unreached),
            (SourceError::Unnamed { tried: String::new() }, Kind::Unnamed),
            (SourceError::Interrupted, Kind::Lasting),
        ];
        for (error, expected) in cases {
            let shown = format!("{error:?}");
            let error = anyhow::Error::new(error).context("the legacy side");
            assert_eq!(kind(&error), expected, "{shown}");
        }
    }
}
