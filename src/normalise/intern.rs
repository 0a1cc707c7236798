//! Numbers instead of ids: each distinct user, label and reference is kept once.

use std::hash::{BuildHasher as _, RandomState};

use hashbrown::hash_table::{Entry, HashTable};
use hashbrown::{DefaultHashBuilder, HashMap};

use crate::domain::RowId;

/// Distinct ids in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Ids {
    uuids: Uuids,
    texts: HashMap<Box<str>, u32>,
    all: Vec<RowId>,
}

impl Ids {
    /// The number of a UUID.
    pub(super) fn uuid(&mut self, bytes: [u8; 16]) -> u32 {
        let (number, is_new) = self.uuids.number(u128::from_be_bytes(bytes), self.all.len());
        if is_new {
            self.all.push(RowId::Uuid(bytes));
        }
        number
    }

    /// The numbers of many UUIDs.
    pub(super) fn uuids(&mut self, ids: impl Iterator<Item = [u8; 16]> + Clone, count: usize) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(count);
        let mut ids = ids;
        while numbers.len() < count {
            self.uuids.fetch(ids.clone().take(FETCHED));
            let before = numbers.len();
            numbers.extend(ids.by_ref().take(FETCHED).map(|id| self.uuid(id)));
            debug_assert!(numbers.len() > before, "there are as many ids as was said");
        }
        numbers
    }

    /// The number of an id given as text.
    pub(super) fn text(&mut self, text: &str) -> u32 {
        match RowId::parse(text) {
            RowId::Uuid(bytes) => self.uuid(bytes),
            RowId::Text(text) => self.own_text(text),
        }
    }

    /// The number of an id.
    pub(super) fn id(&mut self, id: RowId) -> u32 {
        match id {
            RowId::Uuid(bytes) => self.uuid(bytes),
            RowId::Text(text) => self.own_text(text),
        }
    }

    fn own_text(&mut self, text: Box<str>) -> u32 {
        if let Some(&known) = self.texts.get(&*text) {
            return known;
        }
        let new = number(self.all.len());
        self.all.push(RowId::Text(text.clone()));
        self.texts.insert(text, new);
        new
    }

    /// The id of a number.
    pub(super) fn get(&self, number: u32) -> &RowId {
        &self.all[number as usize]
    }

    /// All ids by number.
    pub(super) fn into_all(self) -> Vec<RowId> {
        self.all
    }
}

/// Keys whose slots are fetched at once.
const FETCHED: usize = 64;

/// No number: the slot is free.
const FREE: u32 = u32::MAX;

/// Numbers of UUIDs: open addressing, each key with its number in one place, so that a look-up fetches
/// one line of the processor's cache. Every row of usage passes here.
#[derive(Debug)]
struct Uuids {
    /// The four parts of a key, and its number.
    slots: Vec<[u32; 5]>,
    /// What of a hash is not the slot.
    shift: u32,
    held: usize,
    seeds: [u64; 2],
}

impl Default for Uuids {
    fn default() -> Uuids {
        // Nobody can choose ids that collide. The numbers do not depend on it.
        let seed = |of: u64| RandomState::new().hash_one(of);
        let mut uuids = Uuids { slots: Vec::new(), shift: 0, held: 0, seeds: [seed(0), seed(1)] };
        uuids.make(10);
        uuids
    }
}

/// The four parts of a key.
fn parts(key: u128) -> [u32; 4] {
    [key as u32, (key >> 32) as u32, (key >> 64) as u32, (key >> 96) as u32]
}

impl Uuids {
    /// Makes room for `1 << bits` slots; all are free.
    fn make(&mut self, bits: u32) {
        self.slots = vec![[0, 0, 0, 0, FREE]; 1 << bits];
        self.shift = 64 - bits;
    }

    #[inline]
    fn slot(&self, [a, b, c, d]: [u32; 4]) -> usize {
        let low = (u64::from(b) << 32 | u64::from(a)) ^ self.seeds[0];
        let high = (u64::from(d) << 32 | u64::from(c)) ^ self.seeds[1];
        let product = u128::from(low) * u128::from(high);
        ((product as u64 ^ (product >> 64) as u64) >> self.shift) as usize
    }

    /// Reads the slots of these keys without using them, so that memory is asked for all of them at
    /// once and not one after the other.
    fn fetch(&self, keys: impl Iterator<Item = [u8; 16]>) {
        let touched =
            keys.fold(0, |touched, key| touched ^ self.slots[self.slot(parts(u128::from_be_bytes(key)))][4]);
        std::hint::black_box(touched);
    }

    /// The number of a key, and whether it is new; it then gets the number `next`.
    #[inline]
    fn number(&mut self, key: u128, next: usize) -> (u32, bool) {
        let last = self.slots.len() - 1;
        let [a, b, c, d] = parts(key);
        let mut slot = self.slot([a, b, c, d]);
        loop {
            let [e, f, g, h, held] = self.slots[slot];
            if held == FREE {
                return (self.insert(slot, [a, b, c, d, number(next)]), true);
            }
            if [a, b, c, d] == [e, f, g, h] {
                return (held, false);
            }
            slot = (slot + 1) & last;
        }
    }

    #[cold]
    fn insert(&mut self, slot: usize, held: [u32; 5]) -> u32 {
        self.slots[slot] = held;
        self.held += 1;
        if self.held * 2 > self.slots.len() {
            self.grow();
        }
        held[4]
    }

    fn grow(&mut self) {
        let bits = 64 - self.shift + 1;
        let slots = std::mem::take(&mut self.slots);
        self.make(bits);
        let last = self.slots.len() - 1;
        for held in slots.into_iter().filter(|held| held[4] != FREE) {
            let [a, b, c, d, _] = held;
            let mut slot = self.slot([a, b, c, d]);
            while self.slots[slot][4] != FREE {
                slot = (slot + 1) & last;
            }
            self.slots[slot] = held;
        }
    }
}

/// Distinct texts in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Texts {
    numbers: HashTable<u32>,
    all: Vec<Box<str>>,
    hasher: DefaultHashBuilder,
}

impl Texts {
    /// The number of a text.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        let Texts { numbers, all, hasher } = self;
        let hash = |text: &str| hasher.hash_one(text);
        let is_it = |&number: &u32| &*all[number as usize] == text;
        match numbers.entry(hash(text), is_it, |&number| hash(&all[number as usize])) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let new = number(all.len());
                place.insert(new);
                all.push(text.into());
                new
            }
        }
    }

    /// Number of distinct texts.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The text of a number.
    pub(super) fn get(&self, number: u32) -> &str {
        &self.all[number as usize]
    }

    /// All texts by number.
    pub(super) fn into_all(self) -> Vec<Box<str>> {
        self.all
    }
}

/// The number of the next of things of which there are `len` so far.
fn number(len: usize) -> u32 {
    let fits = u32::try_from(len).ok().filter(|number| *number != FREE);
    fits.expect("fewer than 2^32 - 1 distinct ids: more do not fit into memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_keeps_its_number_however_many_come() {
        let mut ids = Ids::default();
        // Consecutive ids, the nil UUID among them, and the same ids with their halves changed over.
        let all: Vec<u128> = (0..5_000u128).chain((1..5_000).map(|id| id << 64)).collect();
        for round in 0..2 {
            for (at, id) in all.iter().enumerate() {
                assert_eq!(ids.uuid(id.to_be_bytes()), at as u32, "round {round}");
            }
        }
        let many = ids.uuids(all.iter().map(|id| id.to_be_bytes()), all.len());
        assert!(many.into_iter().eq(0..all.len() as u32));
        assert_eq!(ids.text("x"), all.len() as u32);
        assert_eq!(ids.text("00000000-0000-0000-0000-000000000007"), 7);
        assert_eq!(*ids.get(7), RowId::Uuid(7u128.to_be_bytes()));
        assert_eq!(ids.into_all().len(), all.len() + 1);
    }
}
