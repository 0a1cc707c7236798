//! Which row stays when an extra one is removed.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use crate::domain::{Books, Entry, RowId, Span, UserNo};

/// User, label and stored tokens: what an extra row and the kept one have in common.
type Key = (UserNo, u16, i64);

/// The rows that could be the kept ones: of the same user, action and amount as a row that leaves,
/// and not leaving themselves.
pub(super) struct Keepers<'a> {
    rows: HashMap<Key, Vec<&'a Entry>>,
    window: Span,
}

impl<'a> Keepers<'a> {
    /// `leaving`: positions of the unified entries that are to be removed.
    pub fn new(books: &'a Books, leaving: &HashSet<u32>, window: Span) -> Keepers<'a> {
        let entries = &books.unified.entries;
        let wanted: HashSet<Key> =
            leaving.iter().filter_map(|row| entries.get(*row as usize)).map(key).collect();
        // Most rows are of users of whom none leaves: a look at a list spares them the sets.
        let mut is_wanted = vec![false; books.roster.len()];
        wanted.iter().for_each(|(user, ..)| is_wanted[user.0 as usize] = true);
        let mut rows: HashMap<Key, Vec<&Entry>> = HashMap::new();
        for (position, entry) in (0u32..).zip(entries) {
            if is_wanted[entry.user.0 as usize]
                && entry.is_matchable()
                && !leaving.contains(&position)
                && wanted.contains(&key(entry))
            {
                rows.entry(key(entry)).or_default().push(entry);
            }
        }
        for candidates in rows.values_mut() {
            candidates.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        }
        Keepers { rows, window }
    }

    /// The kept row of an extra one: the one linked to the same legacy row, then one with the same
    /// reference, then the nearest in time, then the least id.
    pub fn of(&self, extra: &Entry, legacy: Option<&RowId>) -> Option<&'a Entry> {
        let candidates = self.rows.get(&key(extra))?;
        let from = candidates.partition_point(|row| row.at < extra.at.minus(self.window));
        candidates[from..]
            .iter()
            .take_while(|row| row.at <= extra.at.plus(self.window))
            .max_by_key(|row| {
                let link = row.link.as_deref();
                let linked = link.is_some() && (link == legacy || link == extra.link.as_deref());
                let referenced = row.references.iter().any(|it| extra.references.contains(it));
                (linked, referenced, Reverse(row.at.since(extra.at).abs()), Reverse(&row.id))
            })
            .copied()
    }
}

fn key(entry: &Entry) -> Key {
    (entry.user, entry.label, entry.raw_tokens())
}
