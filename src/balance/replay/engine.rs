//! One holder's balance, event by event, under dated policies.

use super::lots::{Fate, Lots, Taken};
use super::movement::{HolderReplay, KINDS, Lot, Movement, MovementKind};
use super::policy::{Policies, Policy};
use super::timeline::{Event, RowEvent, Stretch, Timeline, Use, What};
use crate::config::Floor;
use crate::domain::Instant;

/// Where a balance was below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dip {
    /// The first time.
    pub first: FirstBelow,
    /// The lowest balance, and when it first was reached.
    pub lowest: (Instant, i128),
}

/// When a balance first was below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstBelow {
    /// At this instant, at this balance after all its rows.
    At(Instant, i128),
    /// At some row of use between two instants, both included.
    Within {
        /// First instant of the stretch.
        from: Instant,
        /// Last instant of the stretch.
        until: Instant,
        /// The balance before the stretch.
        before: i128,
        /// Rows in the stretch.
        rows: u32,
    },
}

impl Timeline {
    /// The balance under `policies`.
    pub fn replay(&self, policies: &Policies) -> HolderReplay {
        self.replay_with(policies, |_| {})
    }

    /// The balance under `policies`; `see` is shown every movement in order of time. The movements
    /// add up to the balance.
    pub fn replay_with(&self, policies: &Policies, see: impl FnMut(&Movement)) -> HolderReplay {
        let mut run = Run::new(policies, see);
        for event in &self.events {
            run.take(event);
        }
        run.arrive(self.as_of);
        run.expire(self.as_of);
        HolderReplay {
            holder: self.holder,
            balance: run.balance(),
            paid_balance: run.lots.paid(),
            debt: run.debt,
            totals: run.totals,
            at_marks: run.at_marks,
            dip: run.dip,
            lots: run.lots.into_all(),
        }
    }
}

/// A replay under way.
struct Run<'p, S> {
    policies: &'p Policies,
    /// Position of the policy in force.
    now: usize,
    lots: Lots,
    debt: i128,
    totals: [i128; KINDS],
    at_marks: Vec<i128>,
    dip: Option<Dip>,
    see: S,
}

impl<'p, S: FnMut(&Movement)> Run<'p, S> {
    fn new(policies: &'p Policies, see: S) -> Run<'p, S> {
        let lots = Lots::new(policies);
        let (totals, at_marks) = ([0; KINDS], Vec::new());
        Run { policies, now: 0, lots, debt: 0, totals, at_marks, dip: None, see }
    }

    fn policy(&self) -> &'p Policy {
        &self.policies.all()[self.now]
    }

    fn balance(&self) -> i128 {
        self.lots.balance() - self.debt
    }

    fn take(&mut self, event: &Event) {
        if matches!(event.what, What::Mark) {
            // Before anything of this instant: a lot that ends here still stands.
            let before = Instant(event.at.0.saturating_sub(1));
            self.arrive(before);
            self.expire(before);
            self.at_marks.push(self.balance());
            return;
        }
        self.arrive(event.at);
        self.expire(event.at);
        match event.what {
            What::Mark => {}
            What::Joined => self.join(event.at),
            What::Grant(row) => self.grant(event.at, row),
            What::Deduction(row) => {
                let kind = MovementKind::Deduction(row.action);
                self.charge(event.at, kind, i128::from(row.tokens), Some(row.row));
                self.watch(event.at, event.at, 1, i128::from(row.tokens));
            }
            What::Use(stretch) => self.use_up(stretch),
        }
    }

    /// Enters the policies that begin up to an instant. Lots that end before a change end before it.
    fn arrive(&mut self, at: Instant) {
        while let Some(next) = self.policies.all().get(self.now + 1).filter(|next| next.from <= at) {
            self.expire(next.from);
            self.now += 1;
            self.lots.follow(next);
            if next.floor == Floor::Clamp && self.debt > 0 {
                let debt = std::mem::take(&mut self.debt);
                self.moved(next.from, MovementKind::Clamped, debt, false, None);
            }
        }
    }

    fn expire(&mut self, until: Instant) {
        while let Some((lot, left)) = self.lots.expire_next(until) {
            let (Some(end), Some(action)) = (lot.ends_at, lot.action) else { continue };
            self.moved(end, MovementKind::Expired(action), -left, lot.paid, lot.row);
        }
    }

    fn moved(&mut self, at: Instant, kind: MovementKind, tokens: i128, paid: bool, row: Option<u32>) {
        if tokens == 0 {
            return;
        }
        self.totals[kind.position()] += tokens;
        (self.see)(&Movement { at, kind, tokens, paid, row });
    }

    fn moved_both(&mut self, at: Instant, kind: MovementKind, taken: Taken, row: Option<u32>) {
        self.moved(at, kind, -taken.paid, true, row);
        self.moved(at, kind, -taken.free, false, row);
    }

    fn join(&mut self, at: Instant) {
        let tokens = i128::from(self.policy().opening_tokens);
        if tokens == 0 {
            return;
        }
        self.moved(at, MovementKind::Opening, tokens, false, None);
        let lot = Lot {
            row: None,
            action: None,
            paid: false,
            granted_at: at,
            ends_at: None,
            granted: tokens,
            used: 0,
            expired: 0,
            voided: 0,
            remaining: tokens,
        };
        self.give(lot);
    }

    /// Debt is paid first.
    fn give(&mut self, mut lot: Lot) {
        let paying = self.debt.min(lot.remaining);
        if paying > 0 {
            self.debt -= paying;
            lot.remaining -= paying;
            lot.used += paying;
            if lot.paid {
                self.moved(lot.granted_at, MovementKind::DebtPaid, -paying, true, lot.row);
                self.moved(lot.granted_at, MovementKind::DebtPaid, paying, false, lot.row);
            }
        }
        self.lots.give(lot);
    }

    fn grant(&mut self, at: Instant, row: RowEvent) {
        let policy = self.policy();
        let action = usize::from(row.action.0);
        if policy.floor == Floor::WriteOff && self.debt > 0 {
            let debt = std::mem::take(&mut self.debt);
            self.moved(at, MovementKind::WrittenOff, debt, false, None);
        }
        if policy.resets[action] {
            let debt = std::mem::take(&mut self.debt);
            self.moved(at, MovementKind::Reset, debt, false, None);
            let all = self.lots.take(self.lots.balance(), None, Fate::Voided);
            self.moved_both(at, MovementKind::Reset, all, None);
        } else if let Some(cap) = policy.rollover[action] {
            let beyond = self.lots.left_of(row.action) - i128::from(cap);
            if beyond > 0 {
                let cut = self.lots.take(beyond, Some(row.action), Fate::Voided);
                self.moved_both(at, MovementKind::RolledOver(row.action), cut, None);
            }
        }
        let tokens = i128::from(row.tokens);
        if tokens == 0 {
            return;
        }
        self.moved(at, MovementKind::Grant(row.action), tokens, row.paid, Some(row.row));
        let ends_at = policy.end_of(row.action, at, row.end);
        let lot = Lot {
            row: Some(row.row),
            action: Some(row.action),
            paid: row.paid,
            granted_at: at,
            ends_at,
            granted: tokens,
            used: 0,
            expired: 0,
            voided: 0,
            remaining: tokens,
        };
        if ends_at.is_some_and(|end| end <= at) {
            // One that ends where it begins can never be used, not even for what is owed.
            self.lots.give(lot);
            self.expire(at);
        } else {
            self.give(lot);
        }
    }

    fn use_up(&mut self, stretch: Use) {
        let counted = stretch.counted(self.policy().count_failed_usage);
        let Some(Stretch { first, last, rows, tokens }) = counted else { return };
        if let Some(succeeded) = stretch.succeeded {
            self.charge(last, MovementKind::Usage, succeeded.tokens, None);
        }
        if let Some(failed) = stretch.failed.filter(|_| self.policy().count_failed_usage) {
            self.charge(last, MovementKind::FailedUsage, failed.tokens, None);
        }
        self.watch(first, last, rows, tokens);
    }

    /// Takes tokens: from lots, then from below zero.
    fn charge(&mut self, at: Instant, kind: MovementKind, tokens: i128, row: Option<u32>) {
        let mut taken = self.lots.take(tokens, None, Fate::Used);
        let beyond = tokens - taken.paid - taken.free;
        taken.free += beyond;
        self.moved_both(at, kind, taken, row);
        if beyond == 0 {
            return;
        }
        if self.policy().floor == Floor::Clamp {
            self.moved(at, MovementKind::Clamped, beyond, false, None);
        } else {
            self.debt += beyond;
        }
    }

    /// Notes a balance below zero after `tokens` were taken between two instants.
    fn watch(&mut self, first: Instant, last: Instant, rows: u32, tokens: i128) {
        let balance = self.balance();
        if balance >= 0 {
            return;
        }
        let before = balance + tokens;
        let below = match rows {
            1 => FirstBelow::At(last, balance),
            _ => FirstBelow::Within { from: first, until: last, before, rows },
        };
        match &mut self.dip {
            None => self.dip = Some(Dip { first: below, lowest: (last, balance) }),
            Some(dip) => {
                // More rows at the very instant: the balance counts after all of them.
                if matches!(dip.first, FirstBelow::At(at, _) if at == first) {
                    dip.first = below;
                }
                if balance < dip.lowest.1 {
                    dip.lowest = (last, balance);
                }
            }
        }
    }
}
