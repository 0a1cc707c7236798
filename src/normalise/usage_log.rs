//! Every row of unified usage up to as-of, sixteen bytes each: what is needed to replay balances in
//! the order of time.
//!
//! Each worker fills chunks of its own; beyond a bound over all workers, full chunks go to an
//! anonymous temporary file, so that memory does not grow with usage. Once all users are numbered,
//! the rows are dealt out to [parts](UsageLog::part_end), ranges of users that are small enough for
//! a processor's cache: whoever sums the rows of some users then reads those and no others. Within
//! a part the rows lie in no particular order.

use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cores;
use crate::domain::{Instant, UserNo, UserUsage};

/// Slots of one chunk of a worker. An event takes one; one of a very large amount takes two, side by
/// side.
const CHUNK_SLOTS: usize = 1 << 16;
/// Slots of one chunk of a part: there are as many open ones as parts and workers, eight kilobytes each.
const PART_CHUNK_SLOTS: usize = 1 << 9;
/// Users of a part, at least: their stretches fit a processor's cache.
const PART_USERS: u32 = 1 << 11;
/// Parts at most, so that the ends of their open chunks fit a processor's cache too.
const MOST_PARTS: u32 = 1 << 10;
/// Slots whose users are looked up in one go, before any is dealt out: so many ways through memory overlap.
const NUMBERED: usize = 1 << 8;
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

/// Chunks of the rows of one range of users.
#[derive(Debug, Default)]
struct Part {
    chunks: Vec<Vec<Packed>>,
    /// Number of the file, offset in bytes, slots.
    spilled: Vec<(usize, u64, usize)>,
}

/// All usage up to as-of. Numbers of users are those of the books.
#[derive(Debug)]
pub struct UsageLog {
    /// Users of a part.
    share: u32,
    parts: Vec<Part>,
    files: Vec<File>,
    rows: u64,
}

impl Default for UsageLog {
    fn default() -> UsageLog {
        UsageLog { share: u32::MAX, parts: Vec::new(), files: Vec::new(), rows: 0 }
    }
}

impl UsageLog {
    /// Deals out what the workers wrote to parts, each worker's rows on a thread of its own, and sums
    /// it by user. With each writer comes the number in the books of each of its users; `users` is how
    /// many there are.
    ///
    /// # Errors
    /// When a temporary file cannot be read or written.
    pub(super) fn of(
        writers: Vec<(Writer, Vec<u32>)>,
        users: usize,
        in_memory: &AtomicUsize,
    ) -> io::Result<(UsageLog, Vec<UserUsage>)> {
        let share = users_of_part(users);
        let users = u32::try_from(users).expect("users are numbered by 32 bits");
        let count = users.div_ceil(share) as usize;
        let rows = writers.iter().map(|(writer, _)| writer.rows).sum();
        let dealt = cores::each(writers, |(writer, numbers)| {
            Dealer::new(share, count, in_memory).deal(writer, &numbers)
        });
        let mut log = UsageLog { share, parts: Vec::new(), files: Vec::new(), rows };
        log.parts.resize_with(count, Part::default);
        for dealer in dealt {
            let Dealer { parts, file, .. } = dealer?;
            for (all, own) in log.parts.iter_mut().zip(parts) {
                all.chunks.extend(own.chunks);
                let number = log.files.len();
                all.spilled.extend(own.spilled.into_iter().map(|(_, offset, slots)| (number, offset, slots)));
            }
            log.files.extend(file);
        }
        let sums = log.sums(users)?;
        Ok((log, sums))
    }

    /// Sums by user.
    fn sums(&self, users: u32) -> io::Result<Vec<UserUsage>> {
        let mut sums = vec![UserUsage::default(); users as usize];
        let parts_each = self.parts.len().div_ceil(cores::count()).max(1);
        let shares = sums.chunks_mut(parts_each * self.share as usize).enumerate();
        let added = cores::each(shares, |(number, sums)| {
            let first = (number * parts_each) as u32 * self.share;
            self.for_each_chunk_of(first..first + sums.len() as u32, &mut |events| {
                for event in events {
                    let usage = &mut sums[(event.user.0 - first) as usize];
                    let sum = if event.failed { &mut usage.failed } else { &mut usage.used };
                    *sum += i128::from(event.tokens);
                    usage.first_at = Some(usage.first_at.map_or(event.at, |first| first.min(event.at)));
                }
            })
        });
        added.into_iter().collect::<io::Result<()>>()?;
        Ok(sums)
    }

    /// Number of rows.
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// No usage at all.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The first user after the part that `user` is in: to look at whole parts costs least.
    pub fn part_end(&self, user: UserNo) -> UserNo {
        UserNo((user.0 / self.share + 1).saturating_mul(self.share))
    }

    /// Shows every row, some thousands at a time and in no particular order. Several threads may
    /// look at once.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub fn for_each_chunk(&self, see: &mut dyn FnMut(&[UsageEvent])) -> io::Result<()> {
        self.for_each_chunk_of(0..u32::MAX, see)
    }

    /// The same for the parts that the users of a range are in: shows every row of theirs, and rows
    /// of their neighbours where the range cuts a part.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub fn for_each_chunk_of(&self, users: Range<u32>, see: &mut dyn FnMut(&[UsageEvent])) -> io::Result<()> {
        let first = ((users.start / self.share) as usize).min(self.parts.len());
        let end = (users.end.div_ceil(self.share) as usize).clamp(first, self.parts.len());
        let mut events = Vec::with_capacity(SHOWN_EVENTS);
        let mut buffer = Vec::new();
        for part in &self.parts[first..end] {
            for chunk in &part.chunks {
                show(chunk, &mut events, see);
            }
            for &(file, offset, slots) in &part.spilled {
                buffer.resize(slots, Packed::default());
                // Read at a place, so that several threads may read at once.
                self.files[file].read_exact_at(buffer.as_flattened_mut(), offset)?;
                show(&buffer, &mut events, see);
            }
        }
        Ok(())
    }
}

/// How many users a part of the log has, of so many in all.
pub(super) fn users_of_part(users: usize) -> u32 {
    let users = u32::try_from(users).expect("users are numbered by 32 bits");
    users.div_ceil(MOST_PARTS).max(PART_USERS)
}

/// Shows the rows of a chunk.
fn show(chunk: &[Packed], events: &mut Vec<UsageEvent>, see: &mut dyn FnMut(&[UsageEvent])) {
    let mut slots = chunk.iter().map(unpacked);
    while let Some((user, amount, at)) = slots.next() {
        let tokens = match amount & !FAILED {
            LARGE => slots.next().map_or(0, |(_, _, tokens)| tokens.0),
            small => i64::from(small),
        };
        events.push(UsageEvent { user: UserNo(user), at, tokens, failed: amount & FAILED != 0 });
        if events.len() == SHOWN_EVENTS {
            see(events);
            events.clear();
        }
    }
    see(events);
    events.clear();
}

/// Deals out the rows of one worker to parts.
#[derive(Debug)]
struct Dealer<'m> {
    share: u32,
    open: Vec<Vec<Packed>>,
    parts: Vec<Part>,
    file: Option<File>,
    written: u64,
    in_memory: &'m AtomicUsize,
}

impl<'m> Dealer<'m> {
    fn new(share: u32, count: usize, in_memory: &'m AtomicUsize) -> Dealer<'m> {
        let open = (0..count).map(|_| Vec::new()).collect();
        let parts = (0..count).map(|_| Part::default()).collect();
        Dealer { share, open, parts, file: None, written: 0, in_memory }
    }

    fn deal(mut self, writer: Writer, numbers: &[u32]) -> io::Result<Dealer<'m>> {
        let Writer { open, full, file, spilled, .. } = writer;
        for chunk in full {
            self.take(&chunk, numbers)?;
            drop(chunk);
            self.in_memory.fetch_sub(CHUNK_SLOTS * size_of::<Packed>(), Ordering::Relaxed);
        }
        self.take(&open, numbers)?;
        if let Some(file) = file {
            let (mut chunk, mut offset) = (vec![Packed::default(); CHUNK_SLOTS], 0);
            for slots in spilled {
                let bytes = chunk[..slots].as_flattened_mut();
                file.read_exact_at(bytes, offset)?;
                offset += bytes.len() as u64;
                self.take(&chunk[..slots], numbers)?;
            }
        }
        for part in 0..self.open.len() {
            let rest = std::mem::take(&mut self.open[part]);
            if !rest.is_empty() {
                self.parts[part].chunks.push(rest);
            }
        }
        Ok(self)
    }

    fn take(&mut self, chunk: &[Packed], numbers: &[u32]) -> io::Result<()> {
        let mut users = [0; NUMBERED];
        let mut next = 0;
        while next < chunk.len() {
            let begin = next;
            let block = &chunk[begin..chunk.len().min(begin + NUMBERED)];
            for (user, slot) in users.iter_mut().zip(block) {
                *user = numbers[unpacked(slot).0 as usize];
            }
            while next < begin + block.len() {
                let (_, amount, at) = unpacked(&chunk[next]);
                let user = users[next - begin];
                let has_large = amount & !FAILED == LARGE;
                let large = if has_large { chunk.get(next + 1) } else { None };
                next += 1 + usize::from(has_large);
                let part = (user / self.share) as usize;
                if self.open[part].len() + 2 > self.open[part].capacity() {
                    self.close(part)?;
                }
                let open = &mut self.open[part];
                open.push(packed(user, amount, at));
                open.extend(large);
            }
        }
        Ok(())
    }

    /// Puts a part's open chunk away and begins a new one.
    fn close(&mut self, part: usize) -> io::Result<()> {
        let bytes = PART_CHUNK_SLOTS * size_of::<Packed>();
        let open = &mut self.open[part];
        if open.is_empty() {
            *open = Vec::with_capacity(PART_CHUNK_SLOTS);
            return Ok(());
        }
        if self.in_memory.fetch_add(bytes, Ordering::Relaxed) + bytes <= MEMORY_BOUND_BYTES {
            let full = std::mem::replace(open, Vec::with_capacity(PART_CHUNK_SLOTS));
            self.parts[part].chunks.push(full);
            return Ok(());
        }
        self.in_memory.fetch_sub(bytes, Ordering::Relaxed);
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        file.write_all(open.as_flattened())?;
        self.parts[part].spilled.push((0, self.written, open.len()));
        self.written += (open.len() * size_of::<Packed>()) as u64;
        open.clear();
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
            let users = [7, 3 * PART_USERS, 6];
            let (log, sums) =
                UsageLog::of(vec![(writer, users.to_vec())], 3 * PART_USERS as usize + 1, &in_memory)
                    .unwrap();
            assert_eq!(log.len(), rows as u64);
            assert_eq!(sums.len(), 3 * PART_USERS as usize + 1);
            for user in 0..3 {
                let own = (0..rows).map(row).filter(|row| row.0 == user);
                let sum = |failed: bool| -> i128 {
                    own.clone().filter(|row| row.3 == failed).map(|row| i128::from(row.2)).sum()
                };
                let first_at = own.clone().map(|row| row.1).min();
                let expected = UserUsage { used: sum(false), failed: sum(true), first_at };
                assert_eq!(sums[users[user as usize] as usize], expected);
            }
            let mut of_last = Vec::new();
            let last = 3 * PART_USERS..3 * PART_USERS + 1;
            log.for_each_chunk_of(last, &mut |events| of_last.extend_from_slice(events)).unwrap();
            assert_eq!(of_last.len(), (0..rows).filter(|at| at % 3 == 1).count());
            for _ in 0..2 {
                let mut seen = Vec::new();
                log.for_each_chunk(&mut |events| seen.extend_from_slice(events)).unwrap();
                let mut expected: Vec<UsageEvent> = (0..rows)
                    .map(row)
                    .map(|(user, at, tokens, failed)| {
                        let user = UserNo(users[user as usize]);
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
