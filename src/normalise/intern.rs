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

    /// Asks memory for what a look-up of these UUIDs will read; adds none of them.
    pub(super) fn fetch(&self, ids: impl Iterator<Item = [u8; 16]>) {
        self.uuids.fetch(ids);
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

/// Keys that are fetched at once.
pub(super) const FETCHED: usize = 64;

/// No number: the slot is free.
const FREE: u32 = u32::MAX;

/// Slots of a bucket.
const SLOTS: usize = 3;

/// Numbers of UUIDs. Buckets fill one line of the processor's cache each, and keys that find theirs full
/// go to the next: so almost every look-up fetches one line. Every row of usage passes here.
#[derive(Debug)]
struct Uuids {
    buckets: Vec<Bucket>,
    /// What of a hash is not the bucket.
    shift: u32,
    held: usize,
    seeds: [u64; 2],
}

/// Keys with their numbers; free slots come last.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Bucket {
    keys: [u128; SLOTS],
    numbers: [u32; SLOTS],
}

impl Bucket {
    const EMPTY: Bucket = Bucket { keys: [0; SLOTS], numbers: [FREE; SLOTS] };

    /// The number of a key that is here. Looks at all slots without asking which of them are taken: one
    /// branch that can be foreseen instead of several that cannot.
    #[inline]
    fn find(&self, key: u128) -> Option<u32> {
        let is_it = |slot: usize| u32::from(self.keys[slot] == key && self.numbers[slot] != FREE) << slot;
        let found = is_it(0) | is_it(1) | is_it(2);
        (found != 0).then(|| self.numbers[found.trailing_zeros() as usize])
    }

    fn free_slot(&self) -> Option<usize> {
        self.numbers.iter().position(|number| *number == FREE)
    }
}

impl Default for Uuids {
    fn default() -> Uuids {
        // Nobody can choose ids that collide. The numbers do not depend on it.
        let seed = |of: u64| RandomState::new().hash_one(of);
        let mut uuids = Uuids { buckets: Vec::new(), shift: 0, held: 0, seeds: [seed(0), seed(1)] };
        uuids.make(8);
        uuids
    }
}

impl Uuids {
    /// Makes room for `1 << bits` buckets; all are empty.
    fn make(&mut self, bits: u32) {
        self.buckets = vec![Bucket::EMPTY; 1 << bits];
        self.shift = 64 - bits;
    }

    /// The bucket where a key belongs.
    #[inline]
    fn home(&self, key: u128) -> usize {
        let low = key as u64 ^ self.seeds[0];
        let high = (key >> 64) as u64 ^ self.seeds[1];
        let product = u128::from(low) * u128::from(high);
        ((product as u64 ^ (product >> 64) as u64) >> self.shift) as usize
    }

    /// Reads the buckets of these keys without using them, so that memory is asked for all of them at
    /// once and not one after the other.
    fn fetch(&self, keys: impl Iterator<Item = [u8; 16]>) {
        let home = |key: [u8; 16]| self.buckets[self.home(u128::from_be_bytes(key))].numbers[0];
        std::hint::black_box(keys.fold(0, |touched, key| touched ^ home(key)));
    }

    /// The number of a key, and whether it is new; it then gets the number `next`.
    #[inline]
    fn number(&mut self, key: u128, next: usize) -> (u32, bool) {
        let last = self.buckets.len() - 1;
        let mut at = self.home(key);
        loop {
            let bucket = &self.buckets[at];
            if let Some(known) = bucket.find(key) {
                return (known, false);
            }
            if bucket.numbers[SLOTS - 1] == FREE {
                return (self.insert(at, key, number(next)), true);
            }
            at = (at + 1) & last;
        }
    }

    #[cold]
    fn insert(&mut self, at: usize, key: u128, number: u32) -> u32 {
        self.put(at, key, number);
        self.held += 1;
        // Beyond that many look-ups would go past their first bucket.
        if self.held * 5 > self.buckets.len() * SLOTS * 4 {
            self.grow();
        }
        number
    }

    /// Puts a key into the first free slot from a bucket on.
    fn put(&mut self, mut at: usize, key: u128, number: u32) {
        let last = self.buckets.len() - 1;
        loop {
            let bucket = &mut self.buckets[at];
            if let Some(slot) = bucket.free_slot() {
                (bucket.keys[slot], bucket.numbers[slot]) = (key, number);
                return;
            }
            at = (at + 1) & last;
        }
    }

    fn grow(&mut self) {
        let bits = 64 - self.shift + 1;
        let buckets = std::mem::take(&mut self.buckets);
        self.make(bits);
        for Bucket { keys, numbers } in buckets {
            for (key, number) in keys.into_iter().zip(numbers).filter(|(_, number)| *number != FREE) {
                self.put(self.home(key), key, number);
            }
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
