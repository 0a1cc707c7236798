//! The lots of one holder: what is left of each grant, and in which order it is burnt.
//!
//! Every change goes through here, so that for each lot `granted = used + expired + voided +
//! remaining`, each of them at least zero, at all times.

use std::collections::BTreeMap;

use super::movement::Lot;
use super::policy::{Policies, Policy};
use crate::config::ExpiryOrder;
use crate::domain::{ActionNo, Instant};

/// Where a lot stands in the order of burning.
type BurnKey = (u32, i64, i64, usize);

/// All lots of a holder.
#[derive(Debug, Default)]
pub(super) struct Lots {
    all: Vec<Lot>,
    /// Lots with something left, in the order of burning.
    burning: BTreeMap<BurnKey, usize>,
    /// The same lots apart by action, for actions that have a cap at some time; and what is left.
    of_action: BTreeMap<ActionNo, OfAction>,
    /// Lots with something left that end, by their end.
    ending: BTreeMap<(Instant, usize), BurnKey>,
    order: Option<(ExpiryOrder, Vec<u32>)>,
    /// What is left of paid lots, and of the others.
    paid: i128,
    free: i128,
}

/// The lots of one action with something left.
#[derive(Debug, Default)]
struct OfAction {
    burning: BTreeMap<BurnKey, usize>,
    left: i128,
}

/// Tokens taken from lots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) paid: i128,
    pub(super) free: i128,
}

impl Taken {
    fn add(&mut self, tokens: i128, paid: bool) {
        *if paid { &mut self.paid } else { &mut self.free } += tokens;
    }
}

/// What happens to the tokens that are taken from a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Used,
    Voided,
}

impl Lots {
    /// No lots yet, under these policies.
    pub(super) fn new(policies: &Policies) -> Lots {
        let mut lots = Lots::default();
        for policy in policies.all() {
            let capped = (0..).zip(&policy.rollover).filter(|(_, cap)| cap.is_some());
            lots.of_action.extend(capped.map(|(action, _)| (ActionNo(action), OfAction::default())));
        }
        lots.follow(&policies.all()[0]);
        lots
    }

    pub(super) fn balance(&self) -> i128 {
        self.paid + self.free
    }

    pub(super) fn paid(&self) -> i128 {
        self.paid
    }

    pub(super) fn into_all(self) -> Vec<Lot> {
        self.all
    }

    /// Brings the lots into the order that a policy asks for.
    pub(super) fn follow(&mut self, policy: &Policy) {
        let known = self.order.as_ref();
        if known.is_some_and(|(order, ranks)| *order == policy.order && *ranks == policy.ranks) {
            return;
        }
        self.order = Some((policy.order, policy.ranks.clone()));
        let left: Vec<usize> = std::mem::take(&mut self.burning).into_values().collect();
        self.ending.clear();
        self.of_action.values_mut().for_each(|own| *own = OfAction::default());
        left.into_iter().for_each(|lot| self.enlist(lot));
    }

    fn key(&self, at: usize) -> BurnKey {
        let lot = &self.all[at];
        let (order, ranks) = self.order.as_ref().expect("a policy is followed before a lot is given");
        let end = lot.ends_at.map_or(i64::MAX, |end| end.0);
        let granted = lot.granted_at.0;
        match order {
            // Opening tokens come before the first row, also of the same instant.
            ExpiryOrder::Fifo => (u32::from(lot.row.is_some()), granted, end, at),
            ExpiryOrder::EarliestExpiry => (0, end, granted, at),
            // Opening tokens have no action: they are burnt last.
            ExpiryOrder::Priority => {
                let rank = lot.action.map_or(u32::MAX, |action| ranks[usize::from(action.0)]);
                (rank, end, granted, at)
            }
        }
    }

    fn enlist(&mut self, at: usize) {
        let key = self.key(at);
        self.burning.insert(key, at);
        if let Some(own) = self.all[at].action.and_then(|action| self.of_action.get_mut(&action)) {
            own.burning.insert(key, at);
            own.left += self.all[at].remaining;
        }
        if let Some(end) = self.all[at].ends_at {
            self.ending.insert((end, at), key);
        }
    }

    /// A new lot. What of it pays debt is used at once.
    pub(super) fn give(&mut self, lot: Lot) {
        debug_assert!(lot.remaining >= 0 && lot.used + lot.remaining == lot.granted);
        let at = self.all.len();
        *if lot.paid { &mut self.paid } else { &mut self.free } += lot.remaining;
        let is_left = lot.remaining > 0;
        self.all.push(lot);
        if is_left {
            self.enlist(at);
        }
    }

    /// Takes up to `tokens` in the order of burning, from all lots or from those of one action that
    /// has a cap. Answers what was taken.
    pub(super) fn take(&mut self, tokens: i128, from: Option<ActionNo>, fate: Fate) -> Taken {
        let mut taken = Taken::default();
        let mut wanted = tokens;
        let mut touched = Vec::new();
        let burning = match from {
            None => &self.burning,
            Some(action) => &self.of_action[&action].burning,
        };
        for (&key, &at) in burning {
            if wanted == 0 {
                break;
            }
            let lot = &mut self.all[at];
            let part = wanted.min(lot.remaining);
            lot.remaining -= part;
            *if fate == Fate::Used { &mut lot.used } else { &mut lot.voided } += part;
            taken.add(part, lot.paid);
            wanted -= part;
            touched.push((key, at, part));
        }
        for (key, at, part) in touched {
            self.less_left(at, part);
            if self.all[at].remaining == 0 {
                self.strike(key, at);
            }
        }
        self.paid -= taken.paid;
        self.free -= taken.free;
        taken
    }

    /// What is left of the grants of an action that has a cap.
    pub(super) fn left_of(&self, action: ActionNo) -> i128 {
        self.of_action[&action].left
    }

    fn less_left(&mut self, at: usize, tokens: i128) {
        if let Some(own) = self.all[at].action.and_then(|action| self.of_action.get_mut(&action)) {
            own.left -= tokens;
        }
    }

    /// A lot with nothing left is burnt no more.
    fn strike(&mut self, key: BurnKey, at: usize) {
        self.burning.remove(&key);
        if let Some(own) = self.all[at].action.and_then(|action| self.of_action.get_mut(&action)) {
            own.burning.remove(&key);
        }
        if let Some(end) = self.all[at].ends_at {
            self.ending.remove(&(end, at));
        }
    }

    /// Ends the next lot whose end lies at or before `until`. Answers the lot and what was left.
    pub(super) fn expire_next(&mut self, until: Instant) -> Option<(Lot, i128)> {
        let (&(end, at), &key) = self.ending.first_key_value()?;
        if end > until {
            return None;
        }
        self.strike(key, at);
        self.less_left(at, self.all[at].remaining);
        let lot = &mut self.all[at];
        let left = std::mem::take(&mut lot.remaining);
        lot.expired += left;
        *if lot.paid { &mut self.paid } else { &mut self.free } -= left;
        Some((self.all[at], left))
    }
}
