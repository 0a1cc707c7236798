//! The entries of one folder: in memory, or beyond what all folders may hold in a temporary file.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::codec;
use super::dealt::Dealt;
use super::folder::RawEntry;

/// How much a run may hold of what it reads, over the folders of both sides. Beyond it rows wait in
/// temporary files and are settled a part at a time.
#[derive(Debug)]
pub struct Room {
    /// Entries in memory.
    entries: usize,
    /// Entries of a part, about.
    part: usize,
    /// Bytes of the log of usage.
    log: usize,
    held: AtomicUsize,
}

/// What an entry takes in memory while a run is at its largest: the entry itself, its keys, its outcome,
/// its disposition, the lists that are sorted, and its part of a user. Measured, with half as much again: a run
/// that did not fit after all would have to be ended.
const ENTRY_BYTES: u64 = 448;

/// What a run takes beside entries: the program, columns on their way from a file, its logs.
const BESIDE_BYTES: u64 = 160 << 20;

/// A part is judged while other things are in memory, so it takes this share of the bound.
const PART_SHARE: u64 = 16;

impl Room {
    /// As much as it takes.
    pub fn unbounded() -> Room {
        Room { entries: usize::MAX, part: usize::MAX, log: usize::MAX, held: AtomicUsize::new(0) }
    }

    /// What fits a run that may take so many bytes.
    pub fn of(bytes: u64) -> Room {
        let rows = |bytes: u64| usize::try_from(bytes / ENTRY_BYTES).unwrap_or(usize::MAX);
        Room {
            entries: rows(bytes.saturating_sub(BESIDE_BYTES)),
            part: rows(bytes / PART_SHARE).max(1),
            log: usize::try_from(bytes / PART_SHARE).unwrap_or(usize::MAX),
            held: AtomicUsize::new(0),
        }
    }

    /// Entries of a part, about.
    pub(super) fn part(&self) -> usize {
        self.part
    }

    /// Bytes of the log of usage.
    pub(super) fn log(&self) -> usize {
        self.log
    }

    /// Takes room for one more; `false`: there is none.
    fn take(&self) -> bool {
        // Most runs have no bound, and need not count.
        self.entries == usize::MAX
            || (self.entries > 0 && self.held.fetch_add(1, Ordering::Relaxed) < self.entries)
    }
}

/// Entries in no particular order.
#[derive(Debug, Default)]
pub(super) struct Kept {
    held: Dealt<RawEntry>,
    file: Option<BufWriter<File>>,
    spilled: usize,
    bytes: Vec<u8>,
    /// Why some could not be kept; those that came after are not there either.
    pub(super) error: Option<io::Error>,
}

impl Kept {
    /// Adds an entry.
    pub(super) fn push(&mut self, entry: RawEntry, room: &Room) {
        if self.file.is_none() && room.take() {
            return self.held.push(entry, |entry| &entry.id);
        }
        if self.error.is_none()
            && let Err(error) = self.spill(&entry)
        {
            self.error = Some(error);
        }
    }

    /// Writes an entry down; with the first of them all that were in memory, since these will not be judged
    /// there either.
    fn spill(&mut self, entry: &RawEntry) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        let mut write = |entry: &RawEntry| {
            self.bytes.clear();
            codec::encode(entry, &mut self.bytes);
            self.spilled += 1;
            file.write_all(&self.bytes)
        };
        std::mem::take(&mut self.held).into_all().try_for_each(|held| write(&held))?;
        write(entry)
    }

    /// Some of them are in a file.
    pub(super) fn is_spilled(&self) -> bool {
        self.file.is_some()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.held.len() + self.spilled
    }

    /// All of them, where all are in memory.
    pub(super) fn into_held(self) -> Dealt<RawEntry> {
        debug_assert!(self.file.is_none());
        self.held
    }

    /// Shows all of them, in no particular order.
    ///
    /// # Errors
    /// When the file cannot be read back, and whatever `see` fails with.
    pub(super) fn each(self, mut see: impl FnMut(RawEntry) -> io::Result<()>) -> io::Result<()> {
        self.held.into_all().try_for_each(&mut see)?;
        let Some(file) = self.file else { return Ok(()) };
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut from = BufReader::new(file);
        while let Some(entry) = codec::decode(&mut from)? {
            see(entry)?;
        }
        Ok(())
    }
}
