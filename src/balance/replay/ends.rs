//! What the rows say of the end of each unified grant: the row itself, or else the legacy row that
//! it stands for, since it is the legacy table that has the column more often.

use super::policy::End;
use crate::domain::{Books, Entry, Ledger, Pair, Side};
use crate::matching::Group;

/// By position in the unified entries; empty where no row says anything.
#[derive(Debug, Clone, Default)]
pub struct Ends(Vec<End>);

impl Ends {
    /// No ends, where no row of either side says one; `None`: some row does.
    pub fn that_no_row_says(books: &Books) -> Option<Ends> {
        let says = |entry: &Entry| entry.expires_at.is_some();
        let sides = [&books.legacy, &books.unified];
        // What settled rows say was heard when they were settled.
        let is_said = |side: &&Ledger| !side.unreadable_ends.is_empty() || side.entries.iter().any(says);
        (!sides.iter().any(is_said)).then(Ends::default)
    }

    /// Reads them from the books and what was matched.
    pub fn of(books: &Books, pairs: &[Pair], groups: &[Group]) -> Ends {
        if let Some(none) = Ends::that_no_row_says(books) {
            return none;
        }
        let unreadable = |side: Side| &books.side(side).unreadable_ends;
        let own = |side: Side, entry: &Entry| match entry.expires_at {
            Some(at) => End::At(at),
            None if unreadable(side).binary_search(&entry.id).is_ok() => End::Unreadable,
            None => End::NotSaid,
        };
        let mut ends: Vec<End> =
            books.unified.entries.iter().map(|entry| own(Side::Unified, entry)).collect();
        let mut inherit = |unified: u32, legacy: &[u32]| {
            let end = &mut ends[unified as usize];
            let mut theirs = legacy.iter().map(|&row| own(Side::Legacy, &books.legacy.entries[row as usize]));
            let first = theirs.next().unwrap_or(End::NotSaid);
            if *end == End::NotSaid && theirs.all(|other| other == first) {
                *end = first;
            }
        };
        for pair in pairs {
            // One that names another row says itself that this one's end is not its own.
            let (legacy, unified) = (pair.legacy as usize, pair.unified as usize);
            let link = books.unified.entries[unified].link.as_deref();
            if link.is_none_or(|link| *link == books.legacy.entries[legacy].id) {
                inherit(pair.unified, &[pair.legacy]);
            }
        }
        for group in groups {
            group.unified.iter().for_each(|&unified| inherit(unified, &group.legacy));
        }
        Ends(ends)
    }

    /// What the rows say of the end of a unified row.
    pub fn get(&self, row: u32) -> End {
        self.0.get(row as usize).copied().unwrap_or(End::NotSaid)
    }
}
