//! Rows dealt out by the first letters of their ids, so that a side is put into order a part at a time.
//!
//! A part is small enough for the processor's cache, and its rows leave the folders as they enter the
//! books: a side is never in memory twice.

use super::order::{ascending_ids, in_order};
use crate::domain::{Entry, RowId};

/// One for each hexadecimal digit.
const PARTS: usize = 16;

/// Rows of the first pieces and of the later ones. A list that grows by pieces never moves what it has;
/// large ones are given back to the system as soon as they are empty, which an allocator does not do with
/// small ones of several parts that share a page.
const PIECE_ROWS: std::ops::RangeInclusive<usize> = 1 << 6..=1 << 14;

/// Rows of a folder, by parts.
#[derive(Debug)]
pub(super) struct Dealt<T> {
    parts: [Vec<Vec<T>>; PARTS],
}

impl<T> Default for Dealt<T> {
    fn default() -> Dealt<T> {
        Dealt { parts: std::array::from_fn(|_| Vec::new()) }
    }
}

impl<T> Dealt<T> {
    /// Adds a row.
    pub(super) fn push(&mut self, row: T, id: impl Fn(&T) -> &RowId) {
        let pieces = &mut self.parts[part(id(&row))];
        match pieces.last_mut().filter(|piece| piece.len() < piece.capacity()) {
            Some(piece) => piece.push(row),
            None => {
                let rows = pieces.last().map_or(*PIECE_ROWS.start(), |piece| 2 * piece.len());
                let mut piece = Vec::with_capacity(rows.min(*PIECE_ROWS.end()));
                piece.push(row);
                pieces.push(piece);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.parts.iter().flatten().map(Vec::len).sum()
    }

    /// All rows, in no particular order.
    pub(super) fn into_all(self) -> impl Iterator<Item = T> {
        self.parts.into_iter().flatten().flatten()
    }
}

/// Entries that come in any order and leave in that of their ids, without being in memory twice.
#[derive(Debug, Default)]
pub struct Entries(Dealt<Entry>);

impl Entries {
    /// Adds entries.
    pub fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
        entries.into_iter().for_each(|entry| self.0.push(entry, |entry| &entry.id));
    }

    /// All of them, ascending by id.
    pub fn into_sorted(self) -> Vec<Entry> {
        by_id(vec![self.0], |_, entry| entry, |entry| &entry.id)
    }
}

/// The rows of all folders, ascending by id. `finish` makes a row of the books of one of a folder, which
/// it knows by its number. Rows are large, so short keys are sorted; a row is moved
/// twice, at random within its part only.
pub(super) fn by_id<T, U>(
    mut folders: Vec<Dealt<T>>,
    finish: impl Fn(usize, T) -> U,
    id: impl Fn(&U) -> &RowId,
) -> Vec<U> {
    let mut all = Vec::with_capacity(folders.iter().map(Dealt::len).sum());
    for part in 0..PARTS {
        let mut rows =
            Vec::with_capacity(folders.iter().flat_map(|folder| &folder.parts[part]).map(Vec::len).sum());
        for (number, folder) in folders.iter_mut().enumerate() {
            let pieces = std::mem::take(&mut folder.parts[part]);
            rows.extend(pieces.into_iter().flatten().map(|row| finish(number, row)));
        }
        let order = ascending_ids(rows.len(), |at| id(&rows[at]));
        all.extend(in_order(rows, &order));
    }
    all
}

/// The part of an id: by its first letter, so that all ids of a part stand before those of the next.
fn part(id: &RowId) -> usize {
    let first = match id {
        RowId::Uuid(bytes) => return usize::from(bytes[0] >> 4),
        RowId::Text(text) => text.as_bytes().first().copied().unwrap_or(0),
    };
    match first {
        ..b'0' => 0,
        b'0'..=b'9' => usize::from(first - b'0'),
        b':'..b'a' => 9,
        b'a'.. => 10 + usize::from(first - b'a').min(5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_ids_come_out_in_their_order_whatever_folder_had_them() {
        let uuid = |first: char| format!("{first}0000000-0000-4000-8000-000000000001");
        let mut texts: Vec<String> = "09afAZaz!:~/`{é".chars().map(String::from).collect();
        texts.extend("0189abef".chars().map(uuid));
        texts.extend((0..5 * PIECE_ROWS.start()).map(|number| number.to_string() + "-"));
        texts.extend([String::new(), "f0".to_owned(), "9a".to_owned(), "zz".to_owned()]);
        for folders in [1, 2, 7] {
            let mut dealt: Vec<Dealt<(RowId, usize)>> = (0..folders).map(|_| Dealt::default()).collect();
            for (at, text) in texts.iter().enumerate() {
                let id = RowId::parse(text);
                dealt[at * 31 % folders].push((id, at * 31 % folders), |(id, _)| id);
            }
            let finish = |folder, (id, pushed_to): (RowId, usize)| {
                assert_eq!(folder, pushed_to);
                id
            };
            let ids: Vec<String> = by_id(dealt, finish, |id| id).iter().map(RowId::to_string).collect();
            let mut expected = texts.clone();
            expected.sort();
            assert_eq!(ids, expected);
        }
    }
}
