//! Numbers instead of ids: each distinct user, label and reference is kept once.

use hashbrown::HashMap;

use crate::domain::RowId;

/// Distinct ids in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Ids {
    uuids: HashMap<[u8; 16], u32>,
    texts: HashMap<Box<str>, u32>,
    all: Vec<RowId>,
}

impl Ids {
    /// The number of a UUID.
    pub(super) fn uuid(&mut self, bytes: [u8; 16]) -> u32 {
        let all = &mut self.all;
        *self.uuids.entry(bytes).or_insert_with(|| {
            all.push(RowId::Uuid(bytes));
            number(all.len())
        })
    }

    /// The number of an id given as text.
    pub(super) fn text(&mut self, text: &str) -> u32 {
        match RowId::parse(text) {
            RowId::Uuid(bytes) => self.uuid(bytes),
            RowId::Text(text) => {
                if let Some(&known) = self.texts.get(&*text) {
                    return known;
                }
                self.all.push(RowId::Text(text.clone()));
                let new = number(self.all.len());
                self.texts.insert(text, new);
                new
            }
        }
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

/// Distinct texts in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Texts {
    numbers: HashMap<Box<str>, u32>,
    all: Vec<Box<str>>,
}

impl Texts {
    /// The number of a text.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(&known) = self.numbers.get(text) {
            return known;
        }
        self.all.push(text.into());
        let new = number(self.all.len());
        self.numbers.insert(text.into(), new);
        new
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

/// The number of the last of `len` things.
fn number(len: usize) -> u32 {
    u32::try_from(len - 1).expect("fewer than 2^32 distinct ids: more do not fit into memory")
}
