//! Spent rows: their payment has had its grant.
//!
//! A row that is free below the rung `reference` while another row of its side says the same, carries the
//! same reference, and has been paired with a row that carries it too, is one payment booked again. It may
//! look like the grant of another payment, and would then stand for it: a replay in the place of a purchase
//! that never arrived is two errors, and the pair of both would say that there is none. So no rung from `exact`
//! on pairs such a row with one that has another payment.

use hashbrown::{HashMap, HashSet};

use super::board::Board;
use crate::cores;
use crate::domain::{ActionNo, Entry, Side};

/// A free row and a reference that it carries: user, reference, side, row.
pub(super) type Carrier = (u32, u32, Side, u32);

/// What spent rows say: side, action, amount and a reference.
type Mark = (Side, ActionNo, i64, u32);

/// The marks of spent rows by user, ascending.
#[derive(Debug, Default)]
pub(super) struct Spent {
    of_users: HashMap<u32, Vec<Mark>>,
}

impl Spent {
    /// There is one.
    pub(super) fn has_any(&self) -> bool {
        !self.of_users.is_empty()
    }

    /// A row of the user is spent.
    pub(super) fn has_user(&self, user: u32) -> bool {
        self.has_any() && self.of_users.contains_key(&user)
    }

    fn has(&self, user: u32, mark: &Mark) -> bool {
        self.of_users.get(&user).is_some_and(|marks| marks.binary_search(mark).is_ok())
    }
}

impl Board<'_> {
    /// Finds the spent rows, when only link and reference have paired. `carriers` ascend; those that are not
    /// free any more do not count.
    pub(super) fn find_spent(&mut self, mut carriers: Vec<Carrier>) {
        if self.pairs.is_empty() {
            return;
        }
        carriers.retain(|&(_, _, side, row)| self.is_free(side, row));
        if carriers.is_empty() {
            return;
        }
        let mut is_of_carrier = vec![false; self.books.roster.len()];
        carriers.iter().for_each(|(user, ..)| is_of_carrier[*user as usize] = true);
        // Most pairs are those of users without such a row.
        let found = cores::in_shares(&self.pairs, |_, pairs| {
            let rows = pairs.iter().flat_map(|pair| {
                [(Side::Legacy, pair.legacy, pair.unified), (Side::Unified, pair.unified, pair.legacy)]
            });
            let rows = rows.filter(|&(side, row, _)| is_of_carrier[self.key_at(side, row).user as usize]);
            rows.flat_map(|(side, row, partner)| self.spent_by(&carriers, side, row, partner))
                .collect::<Vec<(u32, Mark)>>()
        });
        for (user, mark) in found.into_iter().flatten() {
            self.spent.of_users.entry(user).or_default().push(mark);
        }
        for marks in self.spent.of_users.values_mut() {
            marks.sort_unstable();
            marks.dedup();
        }
    }

    /// What a row and its partner both carry, as marks of the free rows that say the same.
    fn spent_by(&self, carriers: &[Carrier], side: Side, row: u32, partner: u32) -> Vec<(u32, Mark)> {
        let other_side = if side == Side::Legacy { Side::Unified } else { Side::Legacy };
        let (own, other) = (self.entry(side, row), self.entry(other_side, partner));
        let key = self.key_at(side, row);
        let is_carried = |reference: &u32| {
            let from = carriers.partition_point(|it| (it.0, it.1, it.2) < (key.user, *reference, side));
            let carriers = carriers[from..].iter();
            let mut same = carriers.take_while(|it| (it.0, it.1, it.2) == (key.user, *reference, side));
            same.any(|&(.., free)| {
                let free = self.key_at(side, free);
                (free.action, free.tokens) == (key.action, key.tokens)
            })
        };
        let shared = own.references.iter().filter(|it| other.references.binary_search(it).is_ok());
        let marks = shared.filter(|reference| is_carried(reference));
        marks.map(|&reference| (key.user, (side, key.action, key.tokens, reference))).collect()
    }

    /// A free row of this side that looks like this is spent.
    pub(super) fn is_spent(&self, side: Side, entry: &Entry) -> bool {
        if !self.spent.has_user(entry.user.0) {
            return false;
        }
        let mut references = entry.references.iter();
        let action = self.action(entry);
        references.any(|&it| self.spent.has(entry.user.0, &(side, action, entry.tokens, it)))
    }

    /// No rung from `exact` on may pair the two: one of them is spent, and the other has another payment.
    pub(super) fn is_barred(&self, legacy: &Entry, unified: &Entry) -> bool {
        self.spent.has_any()
            && (self.is_spent(Side::Legacy, legacy) || self.is_spent(Side::Unified, unified))
            && self.have_other_payments(legacy, unified)
    }

    /// Of two lists of rows the spent ones that may not be paired with every row of the other list. Ways to
    /// pair that look at user, action, amount and time alone have to do without them.
    pub(super) fn barred_among(&self, legacy: &[u32], unified: &[u32]) -> HashSet<(Side, u32)> {
        let mut barred = HashSet::new();
        if !self.spent.has_any() {
            return barred;
        }
        let (legacy, unified) = ((Side::Legacy, legacy), (Side::Unified, unified));
        for ((side, rows), (other_side, others)) in [(legacy, unified), (unified, legacy)] {
            let is_spent = |row: &&u32| self.is_spent(side, self.entry(side, **row));
            let mut spent = rows.iter().filter(is_spent).peekable();
            if spent.peek().is_none() {
                continue;
            }
            // One row for each set of payments: many may have the same.
            let mut seen: HashSet<Vec<u32>> = HashSet::new();
            let others = others.iter().map(|&row| self.entry(other_side, row));
            let others: Vec<&Entry> =
                others.filter(|entry| seen.insert(entry.named_payments().collect())).collect();
            barred.extend(spent.filter_map(|&row| {
                let entry = self.entry(side, row);
                others.iter().any(|other| self.have_other_payments(entry, other)).then_some((side, row))
            }));
        }
        barred
    }
}
