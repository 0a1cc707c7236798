//! What is known of users whose rows pair off among themselves, once their rows have left the memory.
//!
//! A run that may not hold all rows settles users a part at a time (`matching::settle`). Most of them have
//! nothing to say: every row of theirs has its partner, of the same user, action, amount and time, or needs
//! none. Of such rows everything that later stages ask is a sum, and those sums stand here. Empty where all rows are in
//! the books.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{ActionNo, Instant, Kind, Outcome, Overflow, RowId, Rule, Side, Span, Total, UserNo};

/// The rungs whose pairs can be settled, in order: none of them crosses users but by a link, which is
/// looked at.
pub const SETTLING: [Rule; 4] = [Rule::Link, Rule::Reference, Rule::Exact, Rule::Near];

/// Settled rows of both sides.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    /// By user, all of them or none: the user's rows are settled, and not in the books.
    pub users: Vec<bool>,
    /// Tokens granted and deducted in the unified table, by user, as many as [`Settled::users`].
    pub moved: Vec<(i128, i128)>,
    /// Settled rows of each side, by [`Side`].
    pub sides: [SettledSide; 2],
    /// Pairs by rung, in the order of [`SETTLING`].
    pub rungs: [SettledRung; 4],
    /// Legacy rows by label.
    pub labels: BTreeMap<u16, SettledLabel>,
    /// Pairs of the rung `near`.
    pub near: u64,
    /// How many of them would be left under tolerances below the configured one.
    pub nearer: BTreeMap<Span, u64>,
    /// Unified rows at those instants at which a row that is not settled stands.
    pub at_instants: HashMap<Instant, usize>,
    /// Ids of unified rows, of those that were asked for.
    pub known_ids: HashSet<RowId>,
}

/// Settled rows of one side.
#[derive(Debug, Clone, Default)]
pub struct SettledSide {
    /// Rows and tokens as the source stores them, by what became of them.
    pub outcomes: Vec<(Outcome, Total)>,
    /// Rows by action and magnitude.
    pub amounts: HashMap<(ActionNo, i64), usize>,
    /// Actions that rows have or, by the payment that they show, should have.
    pub actions: BTreeSet<ActionNo>,
    /// Paired rows by the start of the quarter of an hour in which they lie.
    pub quarters: HashMap<i64, u64>,
    /// A row has a UUID.
    pub has_uuids: bool,
    /// A row has an id that is none.
    pub has_texts: bool,
}

/// Settled pairs of one rung.
#[derive(Debug, Clone, Default)]
pub struct SettledRung {
    /// Pairs, and tokens of their legacy rows: magnitudes.
    pub total: Total,
    /// Their lags in microseconds, where not 0.
    pub lags: Vec<i64>,
}

/// Paired settled legacy rows of one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettledLabel {
    /// Grants or deductions.
    pub kind: Kind,
    /// Rows.
    pub rows: u64,
    /// The earliest.
    pub first: Instant,
    /// The latest.
    pub last: Instant,
}

impl Settled {
    /// The user's rows are settled.
    pub fn has(&self, user: UserNo) -> bool {
        self.users.get(user.0 as usize).copied().unwrap_or(false)
    }

    /// Settled rows of a side.
    pub fn side(&self, side: Side) -> &SettledSide {
        &self.sides[side as usize]
    }

    /// Pairs of a rung; of one that is never settled there are none.
    pub fn rung(&self, rule: Rule) -> Option<&SettledRung> {
        SETTLING.iter().position(|settling| *settling == rule).map(|at| &self.rungs[at])
    }

    /// Rows of both sides by action and magnitude.
    pub fn amounts(&self) -> impl Iterator<Item = (&(ActionNo, i64), &usize)> {
        self.sides.iter().flat_map(|side| &side.amounts)
    }
}

impl SettledSide {
    /// Adds a row with its tokens as the source stores them.
    ///
    /// # Panics
    /// On overflow: see [`super::Overflow`].
    pub fn add(&mut self, outcome: Outcome, raw_tokens: i64) {
        let one = Total { rows: 1, tokens: i128::from(raw_tokens) };
        match self.outcomes.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, total)) => *total = total.plus(one).expect("token total"),
            None => self.outcomes.push((outcome, one)),
        }
    }

    /// All rows.
    ///
    /// # Errors
    /// When the tokens leave their range.
    pub fn total(&self) -> Result<Total, Overflow> {
        self.outcomes.iter().try_fold(Total::default(), |sum, (_, total)| sum.plus(*total))
    }
}

impl SettledLabel {
    /// Adds rows of the same label.
    pub fn merge(&mut self, other: SettledLabel) {
        self.rows += other.rows;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}
