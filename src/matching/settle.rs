//! Users whose rows pair off among themselves, with nothing to say: found on a part of the books, so that
//! their rows need not be in memory when the others are matched.
//!
//! The rungs of [`SETTLING`] pair rows of one user alone, but for a link. So what they make of the rows of
//! a part is what they would make of them in the whole books, as long as no row of another user reaches
//! into it. Others can reach a user in three ways, and all three are looked at: a reference that rows of
//! several users have, a link that names one of the user's legacy rows, and, for a unified row that needs no
//! partner, a legacy row of the same action, amount and instant, which the rung `user` might pair with it. A
//! user whom nobody reaches is settled when every row has a partner that differs in nothing, or needs none.
//! No later rung and no later stage looks at a row of such a user, but to count it or add it up, and those
//! counts and sums are kept.
//!
//! Any doubt makes a user open: then its rows are matched with those of all other open users, as always.

use std::collections::HashSet;
use std::ops::Range;

use hashbrown::HashMap;

use super::board::{Board, Row};
use super::classify::{lag_micros, left_over_unified};
use super::unclear::Unclear;
use super::{calibrate, ladder};
use crate::config::Config;
use crate::domain::{
    ActionNo, Books, Entry, Instant, Kind, Outcome, Pair, PopulationClass, RowId, Rule, SETTLING, Settled,
    SettledLabel, Side, UserNo,
};

/// What the rung `user` knows of a row: action, amount, instant.
pub type Likeness = (ActionNo, i64, Instant);

/// The users of a part of the books, settled or open.
pub struct Tried<'a> {
    board: Board<'a>,
    users: Range<u32>,
    is_open: Vec<bool>,
}

impl<'a> Tried<'a> {
    /// Tries the users of a range; the books hold all of their entries and no others. `is_shared` says by
    /// reference whether rows of several users have it.
    pub fn of(books: &'a Books, config: &'a Config, users: Range<u32>, is_shared: &[bool]) -> Tried<'a> {
        let mut board = Board::new(books, config);
        ladder::climb_settling(&mut board);
        // What had no exact answer is told with the name of its user, in the order of all.
        let is_open = vec![!board.bounded.is_empty(); users.len()];
        let mut tried = Tried { board, users, is_open };
        for side in [Side::Legacy, Side::Unified] {
            for (row, entry) in books.side(side).entries.iter().enumerate() {
                if !tried.is_quiet(side, row, entry, is_shared) {
                    tried.open(entry.user);
                }
            }
        }
        for at in 0..tried.board.pairs.len() {
            let pair = tried.board.pairs[at];
            let (legacy, unified) = tried.entries(&pair);
            let is_contradicted =
                pair.rule != Rule::Reference && tried.board.contrary(legacy, unified).is_some();
            // What tolerances would give does not look at payments row by row.
            let is_spent = tried.board.spent.has_user(legacy.user.0);
            if pair.differs.count() > 0 || legacy.user != unified.user || is_contradicted || is_spent {
                tried.open(legacy.user);
                tried.open(unified.user);
            }
        }
        // A row that repeats another, or that should have had a partner.
        for finding in left_over_unified(&tried.board, &Unclear::of(&tried.board, Side::Legacy)).0 {
            for &row in &finding.unified_rows {
                tried.open(tried.board.entry(Side::Unified, row).user);
            }
        }
        tried
    }

    fn is_quiet(&self, side: Side, row: usize, entry: &Entry, is_shared: &[bool]) -> bool {
        let is_plain = matches!(entry.class, PopulationClass::Grants | PopulationClass::Deductions);
        let is_shared = entry.references.iter().any(|&reference| is_shared[reference as usize]);
        match self.board.rows(side)[row] {
            // A link of one that does not count keeps another row from being inserted.
            Row::Apart => {
                matches!(entry.class, PopulationClass::Zero | PopulationClass::Failed) && entry.link.is_none()
            }
            // A link that pairs nothing here names a row of somebody else, or none.
            Row::Paired(pair) => {
                let is_linked = self.board.pairs[pair as usize].rule == Rule::Link;
                is_plain && !is_shared && (entry.link.is_none() || is_linked)
            }
            Row::Free(_) if side == Side::Unified => {
                is_plain && !is_shared && !entry.is_marked() && !self.board.is_young(entry)
            }
            Row::Free(_) | Row::Grouped(_) => false,
        }
    }

    fn entries(&self, pair: &Pair) -> (&'a Entry, &'a Entry) {
        (self.board.entry(Side::Legacy, pair.legacy), self.board.entry(Side::Unified, pair.unified))
    }

    /// The user is not settled.
    pub fn open(&mut self, user: UserNo) {
        self.is_open[(user.0 - self.users.start) as usize] = true;
    }

    /// The user is not settled.
    pub fn is_open(&self, user: UserNo) -> bool {
        self.is_open[(user.0 - self.users.start) as usize]
    }

    /// The legacy ids that unified rows of open users name and that no open user of the range has.
    pub fn links(&self) -> impl Iterator<Item = &'a RowId> {
        let legacy = &self.board.books.legacy.entries;
        let is_of_open = |link: &RowId| {
            let found = legacy.binary_search_by(|entry| entry.id.cmp(link));
            found.is_ok_and(|at| self.is_open(legacy[at].user))
        };
        let open = self.board.books.unified.entries.iter().filter(|entry| self.is_open(entry.user));
        open.filter_map(|entry| entry.link.as_deref()).filter(move |link| !is_of_open(link))
    }

    /// Opens the users of legacy rows that are named.
    pub fn open_named(&mut self, named: &HashSet<RowId>) {
        for entry in &self.board.books.legacy.entries {
            if named.contains(&entry.id) {
                self.open(entry.user);
            }
        }
    }

    /// Legacy rows of open users, which the rung `user` might pair.
    pub fn wanting(&self) -> impl Iterator<Item = Likeness> {
        let open = self.board.books.legacy.entries.iter().filter(|entry| self.is_open(entry.user));
        open.map(|entry| self.likeness(entry))
    }

    /// Unified rows of settled users that have no partner.
    pub fn alone(&self) -> impl Iterator<Item = &'a Entry> {
        let rows = self.board.unified.iter().zip(&self.board.books.unified.entries);
        let alone = rows.filter(|(row, entry)| matches!(row, Row::Free(_)) && !self.is_open(entry.user));
        alone.map(|(_, entry)| entry)
    }

    /// Opens the users of rows without a partner that might be paired with one of those.
    pub fn open_wanted(&mut self, wanting: &HashSet<Likeness>) {
        let alone = self.alone().filter(|entry| wanting.contains(&self.likeness(entry)));
        let users: Vec<UserNo> = alone.map(|entry| entry.user).collect();
        users.into_iter().for_each(|user| self.open(user));
    }

    fn likeness(&self, entry: &Entry) -> Likeness {
        (self.board.action(entry), entry.tokens, entry.at)
    }

    /// All pairs, settled or not, in the order of their numbers.
    pub fn all_pairs(&self) -> &[Pair] {
        &self.board.pairs
    }

    /// The rows of settled users on one side, ascending by id, with what became of them and the number of
    /// their pair.
    pub fn settled(&self, side: Side) -> impl Iterator<Item = (&'a Entry, Outcome, Option<u32>)> {
        let rows = self.board.rows(side).iter().zip(&self.board.books.side(side).entries);
        rows.filter(|(_, entry)| !self.is_open(entry.user)).map(|(row, entry)| match row {
            Row::Paired(pair) => (entry, Outcome::Paired, Some(*pair)),
            Row::Apart => (entry, Outcome::Population(entry.class), None),
            Row::Free(_) | Row::Grouped(_) => (entry, Outcome::UnifiedOnly, None),
        })
    }

    /// Adds the rows of the settled users to the sums.
    pub fn add_to(&self, settled: &mut Settled) {
        // Looked up for every row: in maps that are quick, whose sums are added to those of the books.
        let mut quarters: [HashMap<i64, u64>; 2] = Default::default();
        for side in [Side::Legacy, Side::Unified] {
            let mut amounts: HashMap<(ActionNo, i64), usize> = HashMap::new();
            for (entry, outcome, pair) in self.settled(side) {
                self.add_entry(side, entry, outcome, settled);
                *amounts.entry((entry.action, entry.tokens)).or_default() += 1;
                if let Some(pair) = pair.filter(|_| side == Side::Legacy) {
                    self.add_pair(&self.board.pairs[pair as usize], &mut quarters, settled);
                }
            }
            let sums = &mut settled.sides[side as usize];
            amounts.into_iter().for_each(|(key, rows)| *sums.amounts.entry(key).or_default() += rows);
        }
        for (sums, quarters) in settled.sides.iter_mut().zip(quarters) {
            quarters
                .into_iter()
                .for_each(|(quarter, rows)| *sums.quarters.entry(quarter).or_default() += rows);
        }
        calibrate::add_near(&self.board, |user| !self.is_open(UserNo(user)), settled);
    }

    fn add_entry(&self, side: Side, entry: &Entry, outcome: Outcome, settled: &mut Settled) {
        let sums = &mut settled.sides[side as usize];
        sums.add(outcome, entry.raw_tokens());
        sums.actions.extend([entry.action, self.board.action(entry)]);
        match entry.id {
            RowId::Uuid(_) => sums.has_uuids = true,
            RowId::Text(_) => sums.has_texts = true,
        }
        if side == Side::Unified && matches!(outcome, Outcome::Paired | Outcome::UnifiedOnly) {
            let (granted, deducted) = &mut settled.moved[entry.user.0 as usize];
            let sum = if entry.kind == Kind::Grant { granted } else { deducted };
            // At most 2^32 rows of 63 bits.
            *sum += i128::from(entry.tokens);
        }
    }

    fn add_pair(&self, pair: &Pair, quarters: &mut [HashMap<i64, u64>; 2], settled: &mut Settled) {
        let (legacy, unified) = self.entries(pair);
        let at = SETTLING.iter().position(|rule| *rule == pair.rule).expect("a rung that was climbed");
        let rung = &mut settled.rungs[at];
        rung.total.add_row(legacy.tokens);
        rung.lags.extend(Some(lag_micros(&self.board, pair)).filter(|lag| *lag != 0));
        for (side, entry) in [(Side::Legacy, legacy), (Side::Unified, unified)] {
            *quarters[side as usize].entry(calibrate::quarter(entry.at)).or_default() += 1;
        }
        let one = SettledLabel { kind: legacy.kind, rows: 1, first: legacy.at, last: legacy.at };
        settled.labels.entry(legacy.label).and_modify(|label| label.merge(one)).or_insert(one);
    }
}
