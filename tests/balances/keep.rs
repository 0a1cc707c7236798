//! Stored balances kept row by row, lot by lot, in the plainest way.

/// How a product keeps its balances.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policies {
    /// Tokens at the first row.
    pub opening: i64,
    /// Failed use takes tokens.
    pub failed: bool,
    /// Never below zero.
    pub clamp: bool,
    /// A subscription replaces the balance.
    pub reset: bool,
    /// A trial ends after 56 days.
    pub expiry: bool,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Subscription,
    Trial,
    Pack,
    Use,
    FailedUse,
}

/// One row: seconds since the beginning, what, tokens.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub at: i64,
    pub what: What,
    pub tokens: i64,
}

impl What {
    pub fn is_use(self) -> bool {
        matches!(self, What::Use | What::FailedUse)
    }
}

const TRIAL_SECONDS: i64 = 56 * 86_400;

struct Lot {
    end: i64,
    at: i64,
    left: i64,
}

/// The balance at `end`.
pub fn keep(events: &[Event], policies: Policies, end: i64) -> i64 {
    let mut events = events.to_vec();
    events.sort_by_key(|event| (event.at, event.what.is_use()));
    let (mut lots, mut debt): (Vec<Lot>, i64) = (Vec::new(), 0);
    lots.push(Lot { end: i64::MAX, at: events[0].at, left: policies.opening });
    for event in &events {
        lots.retain(|lot| lot.end > event.at);
        if event.what.is_use() {
            if event.what == What::FailedUse && !policies.failed {
                continue;
            }
            let mut tokens = event.tokens;
            lots.sort_by_key(|lot| (lot.end, lot.at));
            for lot in &mut lots {
                let taken = lot.left.min(tokens);
                lot.left -= taken;
                tokens -= taken;
            }
            debt += if policies.clamp { 0 } else { tokens };
            continue;
        }
        if event.what == What::Subscription && policies.reset {
            lots.clear();
            debt = 0;
        }
        let paid = debt.min(event.tokens);
        debt -= paid;
        let ends = event.what == What::Trial && policies.expiry;
        let lot_end = if ends { event.at + TRIAL_SECONDS } else { i64::MAX };
        lots.push(Lot { end: lot_end, at: event.at, left: event.tokens - paid });
    }
    lots.iter().filter(|lot| lot.end > end).map(|lot| lot.left).sum::<i64>() - debt
}
