//! Sums the use of each holder between its other events, in one look at the log, whatever the order
//! of its rows.

use std::io;

use rustc_hash::FxHashMap;

use super::timeline::{Stretch, Use};
use crate::domain::{Instant, UserNo};
use crate::normalise::UsageEvent;

/// Tokens of rows between two bounds. Kept small: there is one for every grant.
#[derive(Debug, Clone, Copy)]
struct Sum {
    first: Instant,
    last: Instant,
    low: u64,
    high: u32,
    rows: u32,
}

impl Sum {
    const NONE: Sum = Sum { first: Instant(i64::MAX), last: Instant::MIN, low: 0, high: 0, rows: 0 };

    fn add(&mut self, at: Instant, tokens: i64) {
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        let (low, carried) = self.low.overflowing_add(tokens.unsigned_abs());
        self.low = low;
        self.high += u32::from(carried);
        self.rows = self.rows.saturating_add(1);
    }

    fn stretch(self) -> Option<Stretch> {
        let tokens = i128::from(self.high) << 64 | i128::from(self.low);
        let Sum { first, last, rows, .. } = self;
        (rows > 0).then_some(Stretch { first, last, rows, tokens })
    }
}

/// The stretches of the holders of a range, cut at each holder's bounds.
#[derive(Debug)]
pub(super) struct Stretches {
    first_holder: u32,
    /// By holder of the range: where its bounds begin; one more for the end.
    begins: Vec<usize>,
    bounds: Vec<Instant>,
    /// One more than bounds for each holder.
    sums: Vec<Sum>,
    failed: FxHashMap<usize, Sum>,
}

impl Stretches {
    /// For holders from `first_holder` on; the bounds of each are added in order.
    pub(super) fn new(first_holder: UserNo) -> Stretches {
        Stretches {
            first_holder: first_holder.0,
            begins: vec![0],
            bounds: Vec::new(),
            sums: Vec::new(),
            failed: FxHashMap::default(),
        }
    }

    /// The next holder's bounds, ascending.
    pub(super) fn add_holder(&mut self, bounds: &[Instant]) {
        debug_assert!(bounds.is_sorted());
        self.bounds.extend_from_slice(bounds);
        self.begins.push(self.bounds.len());
    }

    /// Stretches so far.
    pub(super) fn len(&self) -> usize {
        self.bounds.len() + self.begins.len() - 1
    }

    /// Looks at the whole log once.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn fill(
        &mut self,
        log: impl FnOnce(&mut dyn FnMut(&[UsageEvent])) -> io::Result<()>,
        holder_of: impl Fn(UserNo, Instant) -> UserNo,
    ) -> io::Result<()> {
        self.sums = vec![Sum::NONE; self.len()];
        let holders = self.begins.len() - 1;
        log(&mut |events| {
            // A use of no tokens moves nothing.
            for event in events.iter().filter(|event| event.tokens != 0) {
                let holder = holder_of(event.user, event.at).0.wrapping_sub(self.first_holder) as usize;
                if holder >= holders {
                    continue;
                }
                let (begin, end) = (self.begins[holder], self.begins[holder + 1]);
                let before = self.bounds[begin..end].partition_point(|bound| *bound <= event.at);
                let stretch = begin + holder + before;
                match event.failed {
                    false => self.sums[stretch].add(event.at, event.tokens),
                    true => self.failed.entry(stretch).or_insert(Sum::NONE).add(event.at, event.tokens),
                }
            }
        })
    }

    /// The use of a holder in order of time: in each stretch that has any.
    pub(super) fn of(&self, holder: UserNo) -> impl Iterator<Item = Use> + '_ {
        let at = (holder.0 - self.first_holder) as usize;
        let (begin, end) = (self.begins[at] + at, self.begins[at + 1] + at);
        (begin..=end).filter_map(|stretch| {
            let succeeded = self.sums[stretch].stretch();
            let failed = self.failed.get(&stretch).and_then(|sum| sum.stretch());
            (succeeded.is_some() || failed.is_some()).then_some(Use { succeeded, failed })
        })
    }
}
