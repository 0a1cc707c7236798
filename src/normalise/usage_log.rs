//! Every row of unified usage up to as-of, sixteen bytes each: what is needed to replay balances in
//! the order of time.
//!
//! Each worker fills chunks of its own; beyond a bound over all workers, full chunks go to an
//! anonymous temporary file, so that memory does not grow with usage. The log is read as a whole,
//! in no particular order, as often as it is needed.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::{Instant, UserNo};

/// Slots of one chunk. An event takes one; one of a very large amount takes two, side by side.
const CHUNK_SLOTS: usize = 1 << 16;
/// Events that are shown at a time.
const SHOWN_EVENTS: usize = 1 << 12;
/// What chunks may take in memory over all workers, in bytes.
pub(super) const MEMORY_BOUND_BYTES: usize = 64 << 20;
/// Of the 32 bits of an amount: the operation failed.
const FAILED: u32 = 1 << 31;
/// The amount does not fit beside the flag: it stands in place of the instant of the next slot.
const LARGE: u32 = FAILED - 1;

/// One row of usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageEvent {
    /// Whose.
    pub user: UserNo,
    /// When.
    pub at: Instant,
    /// Magnitude in tokens.
    pub tokens: i64,
    /// `success = false`.
    pub failed: bool,
}

/// An event as it is kept: user, amount with flag, instant, each little-endian.
type Packed = [u8; 16];

fn packed(user: u32, amount: u32, at: Instant) -> Packed {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&user.to_le_bytes());
    bytes[4..8].copy_from_slice(&amount.to_le_bytes());
    bytes[8..].copy_from_slice(&at.0.to_le_bytes());
    bytes
}

fn unpacked(bytes: &Packed) -> (u32, u32, Instant) {
    let [a, b, c, d, e, f, g, h, at @ ..] = *bytes;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]), Instant(i64::from_le_bytes(at)))
}

/// The log of one worker while rows stream by. Numbers of users are the worker's own.
#[derive(Debug, Default)]
pub(super) struct Writer {
    open: Vec<Packed>,
    full: Vec<Vec<Packed>>,
    file: Option<File>,
    /// Slots of each chunk in the file.
    spilled: Vec<usize>,
    rows: u64,
    pub(super) error: Option<io::Error>,
}

impl Writer {
    /// Takes one row. `in_memory` counts the bytes of all workers' chunks.
    pub(super) fn push(
        &mut self,
        user: u32,
        at: Instant,
        tokens: i64,
        failed: bool,
        in_memory: &AtomicUsize,
    ) {
        let flag = if failed { FAILED } else { 0 };
        let small = u32::try_from(tokens).ok().filter(|small| *small < LARGE);
        let slots = if small.is_some() { 1 } else { 2 };
        if self.open.len() + slots > CHUNK_SLOTS {
            self.close_chunk(in_memory);
        }
        self.open.push(packed(user, small.unwrap_or(LARGE) | flag, at));
        if small.is_none() {
            self.open.push(packed(user, 0, Instant(tokens)));
        }
        self.rows += 1;
    }

    fn close_chunk(&mut self, in_memory: &AtomicUsize) {
        let bytes = CHUNK_SLOTS * size_of::<Packed>();
        if in_memory.fetch_add(bytes, Ordering::Relaxed) + bytes <= MEMORY_BOUND_BYTES {
            let next = Vec::with_capacity(CHUNK_SLOTS);
            self.full.push(std::mem::replace(&mut self.open, next));
            return;
        }
        in_memory.fetch_sub(bytes, Ordering::Relaxed);
        if self.error.is_none()
            && let Err(error) = self.spill()
        {
            self.error = Some(error);
        }
        self.open.clear();
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.write_all(self.open.as_flattened())?;
        self.spilled.push(self.open.len());
        Ok(())
    }
}

/// All usage up to as-of. Numbers of users are those of the books.
#[derive(Debug, Default)]
pub struct UsageLog {
    workers: Vec<(Writer, Vec<u32>)>,
}

impl UsageLog {
    pub(super) fn add_worker(&mut self, writer: Writer, users: Vec<u32>) {
        self.workers.push((writer, users));
    }

    /// Number of rows.
    pub fn len(&self) -> u64 {
        self.workers.iter().map(|(writer, _)| writer.rows).sum()
    }

    /// No usage at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows every row, some thousands at a time and in no particular order. Several threads may
    /// look at once.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub fn for_each_chunk(&self, see: &mut dyn FnMut(&[UsageEvent])) -> io::Result<()> {
        let mut events = Vec::with_capacity(SHOWN_EVENTS);
        for (writer, users) in &self.workers {
            let mut see_chunk = |chunk: &[Packed]| {
                let mut slots = chunk.iter().map(unpacked);
                while let Some((user, amount, at)) = slots.next() {
                    let tokens = match amount & !FAILED {
                        LARGE => slots.next().map_or(0, |(_, _, tokens)| tokens.0),
                        small => i64::from(small),
                    };
                    let user = UserNo(users[user as usize]);
                    events.push(UsageEvent { user, at, tokens, failed: amount & FAILED != 0 });
                    if events.len() == SHOWN_EVENTS {
                        see(&events);
                        events.clear();
                    }
                }
            };
            writer.full.iter().for_each(|chunk| see_chunk(chunk));
            see_chunk(&writer.open);
            if let Some(file) = &writer.file {
                let mut chunk = vec![Packed::default(); CHUNK_SLOTS];
                let mut offset = 0;
                for &slots in &writer.spilled {
                    let bytes = chunk[..slots].as_flattened_mut();
                    // Read at a place, so that several threads may read at once.
                    file.read_exact_at(bytes, offset)?;
                    offset += bytes.len() as u64;
                    see_chunk(&chunk[..slots]);
                }
            }
        }
        see(&events);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_whether_it_was_spilled_or_not() {
        let amounts = [0, 1, 12, i64::from(LARGE) - 1, i64::from(LARGE), i64::from(u32::MAX), i64::MAX];
        for in_memory in [0, MEMORY_BOUND_BYTES] {
            let in_memory = AtomicUsize::new(in_memory);
            let mut writer = Writer::default();
            let rows = 2 * CHUNK_SLOTS + 17;
            let row =
                |at: usize| (at as u32 % 3, Instant(at as i64 - 40), amounts[at % 7], at.is_multiple_of(5));
            for (user, at, tokens, failed) in (0..rows).map(row) {
                writer.push(user, at, tokens, failed, &in_memory);
            }
            assert!(writer.error.is_none());
            let mut log = UsageLog::default();
            log.add_worker(writer, vec![7, 5, 6]);
            assert_eq!(log.len(), rows as u64);
            for _ in 0..2 {
                let mut seen = Vec::new();
                log.for_each_chunk(&mut |events| seen.extend_from_slice(events)).unwrap();
                let mut expected: Vec<UsageEvent> = (0..rows)
                    .map(row)
                    .map(|(user, at, tokens, failed)| {
                        let user = UserNo([7, 5, 6][user as usize]);
                        UsageEvent { user, at, tokens, failed }
                    })
                    .collect();
                seen.sort();
                expected.sort();
                assert!(seen == expected);
            }
        }
    }
}
