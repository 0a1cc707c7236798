//! The state of the ladder: which rows are free, which are taken.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use hashbrown::HashMap;

use super::spent::Spent;
use super::stamps;
use crate::config::Config;
use crate::cores::at_once;
use crate::domain::{
    Action, ActionNo, Books, Differences, Entry, Instant, Kind, Pair, Rule, Side, Span, Verdict,
};

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// Takes no part: zero, failed.
    Apart,
    /// In the pair of this number.
    Paired(u32),
    /// In the group of this number.
    Grouped(u32),
    /// Left over; says whether another optimum would have left another row over.
    Free(Verdict),
}

/// One row on one side, 2 to 6 on the other, of equal sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Legacy rows, ascending.
    pub legacy: Vec<u32>,
    /// Unified rows, ascending.
    pub unified: Vec<u32>,
    /// Could the rows have been grouped otherwise?
    pub verdict: Verdict,
}

/// The books with the pairs found so far.
pub(super) struct Board<'a> {
    pub(super) books: &'a Books,
    pub(super) config: &'a Config,
    /// The action that payment evidence calls for.
    pub(super) purchase: Option<ActionNo>,
    pub(super) tolerance: Span,
    pub(super) window: Span,
    pub(super) pairs: Vec<Pair>,
    pub(super) groups: Vec<Group>,
    pub(super) legacy: Vec<Row>,
    pub(super) unified: Vec<Row>,
    pub(super) bounded: Vec<String>,
    /// By user: the highest rung on which another optimum would have left another row over.
    pub(super) shaken: HashMap<u32, Rule>,
    /// Rows whose payment has had its grant; none before the rung `reference` is done.
    pub(super) spent: Spent,
    /// Instants of free unified rows that they share with so many others that they may be stamped copies.
    pub(super) crowded: HashSet<Instant>,
    /// Free rows of both sides by key, as the last rung that asked for them found them.
    left_by_key: Mutex<Option<[FreeByKey; 2]>>,
    /// See [`Board::is_stamped`].
    stamps: OnceLock<HashSet<Instant>>,
    /// The key of each row, by position: most passes over all rows need nothing else of them.
    keys: [Vec<Key>; 2],
}

/// Rows of equal key are alike for the rungs below link and reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) user: u32,
    pub(super) action: ActionNo,
    pub(super) tokens: i64,
    pub(super) at: Instant,
}

impl<'a> Board<'a> {
    pub(super) fn new(books: &'a Books, config: &'a Config) -> Board<'a> {
        let purchase = books
            .actions
            .iter()
            .position(|label| &**label == PURCHASE)
            .filter(|at| *at < config.unified.grants.len());
        let start = |entries: &[Entry]| {
            entries
                .iter()
                .map(|entry| if entry.is_matchable() { Row::Free(Verdict::Forced) } else { Row::Apart })
                .collect()
        };
        let purchase = purchase.map(|at| ActionNo(at as u16));
        let of_side = |entries: &[Entry]| -> (Vec<Row>, Vec<Key>) {
            (start(entries), entries.iter().map(|entry| key_of(entry, purchase)).collect())
        };
        let (legacy, unified) =
            at_once(|| of_side(&books.legacy.entries), || of_side(&books.unified.entries));
        Board {
            books,
            config,
            purchase,
            tolerance: config.matching.tolerance,
            window: config.matching.window,
            pairs: Vec::with_capacity(legacy.0.len().min(unified.0.len())),
            groups: Vec::new(),
            legacy: legacy.0,
            unified: unified.0,
            bounded: Vec::new(),
            shaken: HashMap::new(),
            spent: Spent::default(),
            crowded: HashSet::new(),
            left_by_key: Mutex::new(None),
            stamps: OnceLock::new(),
            keys: [legacy.1, unified.1],
        }
    }

    /// The key of a row.
    pub(super) fn key_at(&self, side: Side, row: u32) -> Key {
        self.keys[side as usize][row as usize]
    }

    /// The unified row of a pair has the instant of a copying, not one of its own. To be asked once all
    /// pairs are there.
    pub(super) fn is_stamped(&self, rule: Rule, unified: u32) -> bool {
        rule == Rule::Stamped
            || self.stamps.get_or_init(|| stamps::of(self)).contains(&self.at(Side::Unified, unified))
    }

    /// When a row happened.
    pub(super) fn at(&self, side: Side, row: u32) -> Instant {
        self.key_at(side, row).at
    }

    pub(super) fn entry(&self, side: Side, row: u32) -> &'a Entry {
        &self.books.side(side).entries[row as usize]
    }

    pub(super) fn rows(&self, side: Side) -> &[Row] {
        match side {
            Side::Legacy => &self.legacy,
            Side::Unified => &self.unified,
        }
    }

    pub(super) fn is_free(&self, side: Side, row: u32) -> bool {
        matches!(self.rows(side)[row as usize], Row::Free(_))
    }

    /// Free rows of a side, ascending by id.
    pub(super) fn free(&self, side: Side) -> Vec<u32> {
        let rows = self.rows(side);
        (0..rows.len() as u32).filter(|&row| matches!(rows[row as usize], Row::Free(_))).collect()
    }

    /// Free rows of a side, ascending by key, then id.
    pub(super) fn free_by_key(&self, side: Side) -> FreeByKey {
        let mut rows: Vec<(Key, u32)> =
            self.free(side).into_iter().map(|row| (self.key_at(side, row), row)).collect();
        rows.sort_unstable();
        rows
    }

    /// The same of both sides: taken from the lists that an earlier rung left, as far as their rows are
    /// still free, or sorted.
    pub(super) fn both_by_key(&self) -> [FreeByKey; 2] {
        let left = self.left_by_key.lock().unwrap_or_else(PoisonError::into_inner).take();
        let list = |side: Side, left: Option<FreeByKey>| match left {
            None => self.free_by_key(side),
            Some(mut rows) => {
                rows.retain(|(_, row)| self.is_free(side, *row));
                debug_assert!(rows == self.free_by_key(side), "no row comes back to the free ones");
                rows
            }
        };
        let (legacy, unified) = left.map_or((None, None), |[legacy, unified]| (Some(legacy), Some(unified)));
        let (legacy, unified) = at_once(|| list(Side::Legacy, legacy), || list(Side::Unified, unified));
        [legacy, unified]
    }

    /// Leaves the lists of [`Board::both_by_key`] to the next rung, which need not sort them again: rows
    /// are taken off the free ones, and never come back.
    pub(super) fn leave_by_key(&self, lists: [FreeByKey; 2]) {
        *self.left_by_key.lock().unwrap_or_else(PoisonError::into_inner) = Some(lists);
    }

    /// No rung will ask for the lists any more.
    pub(super) fn end_by_key(&self) {
        *self.left_by_key.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The action that counts for matching: the row's own, or the purchase that payment evidence
    /// calls for.
    pub(super) fn action(&self, entry: &Entry) -> ActionNo {
        action_of(entry, self.purchase)
    }

    pub(super) fn key(&self, entry: &Entry) -> Key {
        key_of(entry, self.purchase)
    }

    /// The action that the unified row of a pair should have. A payment on the legacy row makes it a
    /// purchase; so does one on the unified row alone, whatever else its label says, if a grant is what it
    /// should be. Where the label says it already, the two have to be one grant surely: by link or reference,
    /// or of equal amount within tolerance. Otherwise a purchase would pass for the missing subscription beside it.
    pub(super) fn expected_of_pair(&self, legacy: &Entry, unified: &Entry, rule: Rule) -> ActionNo {
        let Some(purchase) = self.purchase else { return legacy.action };
        let close = legacy.tokens == unified.tokens && lag(legacy, unified).abs() <= self.tolerance;
        let is_tied = matches!(rule, Rule::Link | Rule::Reference) || close;
        let is_told = is_tied || unified.action != purchase;
        let is_paid = legacy.paid || (unified.paid && is_told);
        if is_paid && legacy.kind == Kind::Grant { purchase } else { legacy.action }
    }

    /// The unified row of a pair should be a purchase because one of the two shows a payment.
    pub(super) fn is_paid_pair(&self, legacy: &Entry, unified: &Entry, rule: Rule) -> bool {
        let grants = legacy.kind == Kind::Grant && unified.kind == Kind::Grant;
        let shown = grants && (legacy.paid || unified.paid);
        shown && Some(self.expected_of_pair(legacy, unified, rule)) == self.purchase
    }

    /// In what a pair differs. The action is compared as it stands in the unified table.
    pub(super) fn differences(&self, legacy: &Entry, unified: &Entry, rule: Rule) -> Differences {
        Differences {
            user: legacy.user != unified.user,
            action: self.expected_of_pair(legacy, unified, rule) != unified.action,
            amount: legacy.tokens != unified.tokens,
            time: lag(legacy, unified).abs() > self.tolerance,
        }
    }

    /// In what two rows differ for rung `mismatch`, where the actions compared are those that each row
    /// should have: a label that a payment shows to be wrong is mended in itself, and parts no rows.
    pub(super) fn distance(&self, legacy: &Entry, unified: &Entry) -> Differences {
        let differs = self.differences(legacy, unified, Rule::Mismatch);
        Differences { action: self.action(legacy) != self.action(unified), ..differs }
    }

    /// The partner of an earlier row may lie after as-of, but only up to the window.
    pub(super) fn is_too_late(&self, legacy: &Entry, unified: &Entry) -> bool {
        let late = |entry: &Entry| entry.at > self.books.as_of;
        (late(legacy) != late(unified)) && lag(legacy, unified).abs() > self.window
    }

    /// The row's label is one that needs no legacy row.
    pub(super) fn stands_alone(&self, unified: &Entry) -> bool {
        let label = self.books.action(unified.action);
        self.config.unified.unified_only.iter().any(|only| only == label)
    }

    /// Takes two rows off the free ones.
    pub(super) fn pair(&mut self, legacy: u32, unified: u32, rule: Rule, verdict: Verdict) {
        let (l, u) = (self.entry(Side::Legacy, legacy), self.entry(Side::Unified, unified));
        self.take(Pair { legacy, unified, rule, differs: self.differences(l, u, rule), verdict });
    }

    /// The same of a pair of which is known in what the two differ. A row that is in doubt makes it so.
    pub(super) fn take(&mut self, mut pair: Pair) {
        let (legacy, unified) = (pair.legacy as usize, pair.unified as usize);
        debug_assert!(self.is_free(Side::Legacy, pair.legacy) && self.is_free(Side::Unified, pair.unified));
        let known = |row: Row| if let Row::Free(verdict) = row { verdict } else { Verdict::Forced };
        let before = known(self.legacy[legacy]).max(known(self.unified[unified]));
        pair.verdict = pair.verdict.max(before);
        let number = self.pairs.len() as u32;
        self.pairs.push(pair);
        self.legacy[legacy] = Row::Paired(number);
        self.unified[unified] = Row::Paired(number);
    }

    /// Takes a group of rows off the free ones. A row that is in doubt makes the group so.
    pub(super) fn group(&mut self, legacy: Vec<u32>, unified: Vec<u32>, verdict: Verdict) {
        let doubts = |rows: &[u32], states: &[Row]| {
            let doubt = |row: &u32| {
                if let Row::Free(verdict) = states[*row as usize] { verdict } else { Verdict::Forced }
            };
            rows.iter().map(doubt).max().unwrap_or(Verdict::Forced)
        };
        let verdict = verdict.max(doubts(&legacy, &self.legacy)).max(doubts(&unified, &self.unified));
        let number = self.groups.len() as u32;
        legacy.iter().for_each(|&row| self.legacy[row as usize] = Row::Grouped(number));
        unified.iter().for_each(|&row| self.unified[row as usize] = Row::Grouped(number));
        self.groups.push(Group { legacy, unified, verdict });
    }

    /// Notes that a free row might as well have been paired in another's place on this rung. A row that is
    /// contested once stays so.
    pub(super) fn doubt(&mut self, rule: Rule, side: Side, row: u32, verdict: Verdict) {
        let user = self.key_at(side, row).user;
        // Rows of one exact key are one row to the rungs below, whichever of them is left, unless payments
        // count there.
        let is_open = rule != Rule::Exact || self.spent.has_user(user);
        if verdict == Verdict::Contested && is_open {
            let least = self.shaken.entry(user).or_insert(rule);
            *least = rule.min(*least);
        }
        self.doubt_free(side, row, verdict);
    }

    /// Makes contested what became of a row.
    pub(super) fn shake(&mut self, side: Side, row: u32) {
        match self.rows(side)[row as usize] {
            Row::Paired(pair) => self.pairs[pair as usize].verdict = Verdict::Contested,
            Row::Grouped(group) => self.groups[group as usize].verdict = Verdict::Contested,
            Row::Apart | Row::Free(_) => self.doubt_free(side, row, Verdict::Contested),
        }
    }

    fn doubt_free(&mut self, side: Side, row: u32, verdict: Verdict) {
        let rows = match side {
            Side::Legacy => &mut self.legacy,
            Side::Unified => &mut self.unified,
        };
        if let Row::Free(known) = rows[row as usize] {
            rows[row as usize] = Row::Free(known.max(verdict));
        }
    }
}

/// Free rows, ascending by key, then id.
pub(super) type FreeByKey = Vec<(Key, u32)>;

fn action_of(entry: &Entry, purchase: Option<ActionNo>) -> ActionNo {
    entry.expected_action(purchase.map(|no| Action { no, name: PURCHASE }))
}

fn key_of(entry: &Entry, purchase: Option<ActionNo>) -> Key {
    Key { user: entry.user.0, action: action_of(entry, purchase), tokens: entry.tokens, at: entry.at }
}

/// The action type of a paid token pack.
pub const PURCHASE: &str = "token_pack_purchase";

/// Unified time − legacy time.
pub(super) fn lag(legacy: &Entry, unified: &Entry) -> Span {
    unified.at.since(legacy.at)
}
