//! Entries that did not fit the memory, dealt out to ranges of users.
//!
//! Users are numbered once all are known; then both sides are dealt out to as many parts as it takes for
//! one to fit, and each part is read back, in order of ids, as often as it is asked for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::books::{entry, mark_minority_signs};
use super::codec;
use super::dealt::Entries;
use super::folder::RawEntry;
use super::months::Month;
use super::{NormaliseError, spill_error};
use crate::domain::{Entry, Side};

/// Parts at most: each has a buffer while entries are dealt out.
const MOST_PARTS: usize = 256;

/// Fewest parts, where there are as many users: what is not whole in memory is never judged in one go.
const FEWEST_PARTS: usize = 4;

/// Bytes of a part that are written in one go.
const SEGMENT_BYTES: usize = 1 << 15;

/// Nobody; and several, where one is asked for.
const NOBODY: u32 = u32::MAX;
const SEVERAL: u32 = u32::MAX - 1;

/// How users are dealt out: ranges of this many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    share: u32,
    count: usize,
    users: u32,
}

impl Shares {
    /// For so many entries of so many users, with about `part` entries each. Where it can, a part holds
    /// whole parts of the log of usage, which have `log_share` users.
    pub(super) fn of(entries: usize, users: usize, part: usize, log_share: u32) -> Shares {
        let parts = entries.div_ceil(part).clamp(FEWEST_PARTS, MOST_PARTS);
        let users = u32::try_from(users).expect("users are numbered by 32 bits");
        let share = users.div_ceil(parts as u32).max(1);
        let share = if share > log_share { share.next_multiple_of(log_share) } else { share };
        Shares { share, count: users.div_ceil(share) as usize, users }
    }
}

/// How the entries of a label and month were stored: above zero, below zero, as zero.
pub(super) type Signs = BTreeMap<(u16, Month), [u64; 3]>;

/// Entries of one side, while they are dealt out. Numbers are those of the books.
#[derive(Debug)]
pub(super) struct Dealing {
    shares: Shares,
    open: Vec<Vec<u8>>,
    side: PartsOfSide,
    written: u64,
    /// By reference: the one user who has it.
    owners: Vec<u32>,
}

/// The parts of one side.
#[derive(Debug)]
struct PartsOfSide {
    file: File,
    /// Of each part: where a segment begins, and how long it is.
    segments: Vec<Vec<(u64, usize)>>,
    /// Where the rarer sign of a month is to be marked.
    signs: Option<Signs>,
    has_links: bool,
}

impl Dealing {
    pub(super) fn new(shares: Shares, references: usize) -> io::Result<Dealing> {
        let side = PartsOfSide {
            file: tempfile::tempfile()?,
            segments: vec![Vec::new(); shares.count],
            signs: None,
            has_links: false,
        };
        let open = vec![Vec::new(); shares.count];
        Ok(Dealing { shares, open, side, written: 0, owners: vec![NOBODY; references] })
    }

    pub(super) fn push(&mut self, entry: &RawEntry) -> io::Result<()> {
        for &reference in &entry.references {
            add_owner(&mut self.owners[reference as usize], entry.user);
        }
        self.side.has_links |= entry.link.is_some();
        let part = (entry.user / self.shares.share) as usize;
        codec::encode(entry, &mut self.open[part]);
        if self.open[part].len() >= SEGMENT_BYTES { self.close(part) } else { Ok(()) }
    }

    fn close(&mut self, part: usize) -> io::Result<()> {
        let bytes = &mut self.open[part];
        self.side.file.write_all(bytes)?;
        self.side.segments[part].push((self.written, bytes.len()));
        self.written += bytes.len() as u64;
        bytes.clear();
        Ok(())
    }

    /// Everything has been pushed.
    pub(super) fn end(mut self, signs: Option<Signs>) -> io::Result<Dealing> {
        (0..self.open.len()).try_for_each(|part| self.close(part))?;
        self.open = Vec::new();
        self.side.signs = signs;
        Ok(self)
    }
}

fn add_owner(owner: &mut u32, user: u32) {
    *owner = match *owner {
        NOBODY => user,
        known if known == user => known,
        _ => SEVERAL,
    };
}

/// The entries of both sides, by ranges of users, in temporary files.
#[derive(Debug)]
pub struct Parts {
    shares: Shares,
    sides: [PartsOfSide; 2],
    is_shared: Vec<bool>,
}

impl Parts {
    pub(super) fn of(legacy: Dealing, unified: Dealing) -> Parts {
        let mut owners = legacy.owners;
        for (owner, other) in owners.iter_mut().zip(&unified.owners) {
            if *other != NOBODY {
                add_owner(owner, *other);
            }
        }
        let is_shared = owners.into_iter().map(|owner| owner == SEVERAL).collect();
        Parts { shares: legacy.shares, sides: [legacy.side, unified.side], is_shared }
    }

    /// The users of each part.
    pub fn users(&self) -> impl Iterator<Item = Range<u32>> + use<> {
        let Shares { share, count, users } = self.shares;
        (0..count as u32).map(move |part| part * share..users.min((part + 1).saturating_mul(share)))
    }

    /// By reference: rows of several users have it.
    pub fn is_shared(&self) -> &[bool] {
        &self.is_shared
    }

    /// A unified row names a legacy one.
    pub fn has_links(&self) -> bool {
        self.sides[Side::Unified as usize].has_links
    }

    /// The entries of a part, ascending by id.
    ///
    /// # Errors
    /// [`NormaliseError::Spill`] when the file cannot be read back.
    pub fn load(&self, part: usize, side: Side) -> Result<Vec<Entry>, NormaliseError> {
        let read = self.sides[side as usize].load(part);
        read.map_err(|error| spill_error(side, error))
    }
}

impl PartsOfSide {
    fn load(&self, part: usize) -> io::Result<Vec<Entry>> {
        let (mut entries, mut bytes) = (Entries::default(), Vec::new());
        for &(at, length) in &self.segments[part] {
            bytes.resize(length, 0);
            self.file.read_exact_at(&mut bytes, at)?;
            let mut from = &bytes[..];
            while let Some(raw) = codec::decode(&mut from)? {
                entries.extend([entry(raw)]);
            }
        }
        let mut entries = entries.into_sorted();
        if let Some(signs) = &self.signs {
            mark_minority_signs(&mut entries, signs);
        }
        Ok(entries)
    }
}
