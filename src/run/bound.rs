//! A bound on the memory of the process, for machines that it shares with others.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::normalise::Room;

/// Where the system says how many pages the process holds.
const STATM: &str = "/proc/self/statm";

/// How often memory is looked at. Two cores fill some megabytes meanwhile.
const TICK: Duration = Duration::from_millis(5);

/// A run has to end when this share of the bound is left: pages are seen only once they are there.
const LEFT: u64 = 16;

/// More memory than was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the run needs more than the {} MiB that --memory allows, so it was ended before it took them, and there is no \
     run directory. Memory is needed for users, for findings and for the rows of users about whom there is \
     something to say, not for use: allow more, or leave --memory out",
    .bound >> 20
)]
pub struct MemoryError {
    /// Bytes that are allowed.
    pub bound: u64,
}

/// Watches what the process holds while it reads, judges and writes.
#[derive(Debug)]
pub struct MemoryBound {
    bound: u64,
    page: u64,
    has_ended: Mutex<bool>,
    ended: Condvar,
}

impl MemoryBound {
    /// What fits within the bound of what is read.
    pub(super) fn room(&self) -> Room {
        Room::of(self.bound - self.bound / LEFT)
    }

    /// A bound in bytes.
    ///
    /// # Errors
    /// Where the system does not say what a process holds.
    pub fn new(bound: u64) -> io::Result<MemoryBound> {
        let page = rustix::param::page_size() as u64;
        let watched = MemoryBound { bound, page, has_ended: Mutex::default(), ended: Condvar::new() };
        watched.resident()?;
        Ok(watched)
    }

    /// As [`MemoryBound::watch`], once.
    ///
    /// # Errors
    /// [`MemoryError`] where there is too little left already.
    pub fn check(&self) -> Result<(), MemoryError> {
        if self.is_exceeded() { Err(MemoryError { bound: self.bound }) } else { Ok(()) }
    }

    /// There is less left than a run needs to end in time.
    fn is_exceeded(&self) -> bool {
        // What cannot be read any more cannot be kept either.
        self.resident().map_or(true, |held| held > self.bound - self.bound / LEFT)
    }

    /// Looks at the memory until [`MemoryBound::end`]. `exceed` is called where there is too little left,
    /// and must remove what is not finished and end the process: the run goes on beside it.
    pub fn watch(&self, exceed: impl FnOnce(MemoryError)) {
        let mut has_ended = self.lock();
        while !*has_ended {
            if self.is_exceeded() {
                // The lock is held: a run that has more memory than it may have does not come into its place.
                return exceed(MemoryError { bound: self.bound });
            }
            has_ended = self.ended.wait_timeout(has_ended, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The work is done: what follows takes no more memory. Returns only where the bound was kept.
    pub fn end(&self) {
        *self.lock() = true;
        self.ended.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.has_ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of memory that the process holds now.
    fn resident(&self) -> io::Result<u64> {
        let text = std::fs::read_to_string(STATM)?;
        let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        let wrong = || io::Error::other(format!("{STATM} does not say how much memory is in use"));
        pages.and_then(|pages| pages.checked_mul(self.page)).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_that_is_kept_is_not_heard_of_and_one_that_is_not_is_heard_of_once() {
        for (bound, is_exceeded) in [(1 << 50, false), (1 << 20, true)] {
            let watched = MemoryBound::new(bound).unwrap();
            let mut exceeded = Vec::new();
            std::thread::scope(|scope| {
                let watch = scope.spawn(|| watched.watch(|error| exceeded.push(error)));
                std::thread::sleep(10 * TICK);
                watched.end();
                watch.join().unwrap();
            });
            let expected = if is_exceeded { vec![MemoryError { bound }] } else { Vec::new() };
            assert_eq!(exceeded, expected);
        }
    }

    #[test]
    fn what_the_process_holds_grows_with_what_it_writes_to() {
        let watched = MemoryBound::new(1 << 50).unwrap();
        let before = watched.resident().unwrap();
        let held = std::hint::black_box(vec![1u8; 256 << 20]);
        let after = watched.resident().unwrap();
        assert!(after > before + (200 << 20), "{before} {after} {}", held.len());
    }
}
