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

/// No number: the slot is free.
const FREE: u32 = u32::MAX;

/// Numbers of UUIDs: open addressing with the keys and their numbers in two arrays, so that both are
/// fetched at once. Every row of usage passes here, and waits for memory alone: a look-up is so short
/// that the processor has many of them under way.
#[derive(Debug)]
struct Uuids {
    keys: Vec<u128>,
    numbers: Vec<u32>,
    /// What of a hash is not the slot.
    shift: u32,
    held: usize,
    seeds: [u64; 2],
}

impl Default for Uuids {
    fn default() -> Uuids {
        // Nobody can choose ids that collide. The numbers do not depend on it.
        let seed = |of: u64| RandomState::new().hash_one(of);
        let mut uuids =
            Uuids { keys: Vec::new(), numbers: Vec::new(), shift: 0, held: 0, seeds: [seed(0), seed(1)] };
        uuids.make(10);
        uuids
    }
}

impl Uuids {
    /// Makes room for `1 << bits` slots; all are free.
    fn make(&mut self, bits: u32) {
        self.keys = vec![0; 1 << bits];
        self.numbers = vec![FREE; 1 << bits];
        self.shift = 64 - bits;
    }

    fn slot(&self, key: u128) -> usize {
        let (low, high) = (key as u64 ^ self.seeds[0], (key >> 64) as u64 ^ self.seeds[1]);
        let product = u128::from(low) * u128::from(high);
        ((product as u64 ^ (product >> 64) as u64) >> self.shift) as usize
    }

    /// The number of a key, and whether it is new; it then gets the number `next`.
    #[inline]
    fn number(&mut self, key: u128, next: usize) -> (u32, bool) {
        let last = self.numbers.len() - 1;
        let mut slot = self.slot(key);
        loop {
            let held = self.numbers[slot];
            if self.keys[slot] == key && held != FREE {
                return (held, false);
            }
            if held == FREE {
                return (self.insert(slot, key, number(next)), true);
            }
            slot = (slot + 1) & last;
        }
    }

    #[cold]
    fn insert(&mut self, slot: usize, key: u128, number: u32) -> u32 {
        (self.keys[slot], self.numbers[slot]) = (key, number);
        self.held += 1;
        if self.held * 2 > self.numbers.len() {
            self.grow();
        }
        number
    }

    fn grow(&mut self) {
        let bits = 64 - self.shift + 1;
        let (keys, numbers) = (std::mem::take(&mut self.keys), std::mem::take(&mut self.numbers));
        self.make(bits);
        let last = self.numbers.len() - 1;
        for (key, number) in keys.into_iter().zip(numbers).filter(|(_, number)| *number != FREE) {
            let mut slot = self.slot(key);
            while self.numbers[slot] != FREE {
                slot = (slot + 1) & last;
            }
            (self.keys[slot], self.numbers[slot]) = (key, number);
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
        assert_eq!(ids.text("x"), all.len() as u32);
        assert_eq!(ids.text("00000000-0000-0000-0000-000000000007"), 7);
        assert_eq!(*ids.get(7), RowId::Uuid(7u128.to_be_bytes()));
        assert_eq!(ids.into_all().len(), all.len() + 1);
    }
}
