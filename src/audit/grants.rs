//! The owners' first question: grants per action type, on both sides.

use std::collections::BTreeMap;

use super::account::{AuditError, check_books};
use crate::config::Config;
use crate::domain::{
    ActionNo, Books, Entry, Instant, Kind, Ledger, Overflow, PopulationClass, RowId, Side, Total, UserNo,
};
use crate::normalise::Month;

/// By what grants are grouped beside the action type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantsBy {
    /// By nothing else.
    Action,
    /// By UTC month of `created_at`.
    Month,
    /// By user.
    User,
}

/// The part of an action type that a group stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// One UTC month, `2026-03`.
    Month(String),
    /// One user.
    User(RowId),
}

/// Number, sum, first and last of some grants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GrantSum {
    /// Grants and their tokens.
    pub total: Total,
    /// The earliest.
    pub first: Option<Instant>,
    /// The latest.
    pub last: Option<Instant>,
}

/// One group: the same grants on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantGroup {
    /// The unified action type.
    pub action: Box<str>,
    /// The part of it.
    pub part: Part,
    /// In the unified table.
    pub unified: GrantSum,
    /// In the legacy table, by the unified action that the label maps to.
    pub legacy: GrantSum,
}

/// Rows that are, or may be, grants, but do not count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotCounted {
    /// Which table.
    pub side: Side,
    /// Why: zero, failed, after as-of; unmapped and rejected rows may be grants or not.
    pub class: PopulationClass,
    /// Rows and magnitudes.
    pub total: Total,
}

/// Grants per action type.
#[derive(Debug, Clone)]
pub struct GrantTable {
    /// The instant of the question.
    pub as_of: Instant,
    /// How each action type is split.
    pub by: GrantsBy,
    /// By action in configured order, then month or user ascending. Without a split every
    /// configured action is there, with it only what has a grant on either side.
    pub groups: Vec<GrantGroup>,
    /// All groups of the unified table.
    pub unified: GrantSum,
    /// All groups of the legacy table.
    pub legacy: GrantSum,
    /// Actions for which no legacy row is expected, in configured order.
    pub unified_only: Vec<String>,
    /// What is left out, unified first; only where there is something.
    pub not_counted: Vec<NotCounted>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Whole,
    Month(Month),
    User(UserNo),
}

/// Sums the grants of both sides: successful rows of more than zero tokens, up to as-of.
///
/// # Errors
/// [`AuditError`] when not every row and token of the sources stands in the books.
pub fn grants(books: &Books, config: &Config, by: GrantsBy) -> Result<GrantTable, AuditError> {
    check_books(books)?;
    let mut groups: BTreeMap<(ActionNo, Key), [GrantSum; 2]> = BTreeMap::new();
    if by == GrantsBy::Action {
        let configured = u16::try_from(config.unified.grants.len()).expect("fewer than 65,536 actions");
        groups.extend((0..configured).map(|no| ((ActionNo(no), Key::Whole), Default::default())));
    }
    let mut all = [GrantSum::default(); 2];
    for (at, side) in [Side::Unified, Side::Legacy].into_iter().enumerate() {
        let counted = books.side(side).entries.iter().filter(|entry| entry.class == PopulationClass::Grants);
        for entry in counted {
            let key = match by {
                GrantsBy::Action => Key::Whole,
                GrantsBy::Month => Key::Month(Month::of(entry.at)),
                GrantsBy::User => Key::User(entry.user),
            };
            groups.entry((entry.action, key)).or_default()[at].add(entry)?;
            all[at].add(entry)?;
        }
    }
    let groups = groups.into_iter().map(|((action, key), [unified, legacy])| GrantGroup {
        action: books.action(action).into(),
        part: match key {
            Key::Whole => Part::Whole,
            Key::Month(month) => Part::Month(month.name()),
            Key::User(user) => Part::User(books.roster.id(user).clone()),
        },
        unified,
        legacy,
    });
    let not_counted = [&books.unified, &books.legacy].into_iter().flat_map(not_counted).collect();
    let [unified, legacy] = all;
    Ok(GrantTable {
        as_of: books.as_of,
        by,
        groups: groups.collect(),
        unified,
        legacy,
        unified_only: config.unified.unified_only.clone(),
        not_counted,
    })
}

impl GrantSum {
    fn add(&mut self, entry: &Entry) -> Result<(), Overflow> {
        self.total = self.total.plus(Total { rows: 1, tokens: i128::from(entry.tokens) })?;
        self.first = Some(self.first.map_or(entry.at, |first| first.min(entry.at)));
        self.last = Some(self.last.map_or(entry.at, |last| last.max(entry.at)));
        Ok(())
    }
}

impl GrantGroup {
    /// Unified less legacy: rows and tokens.
    pub fn difference(&self) -> (i128, i128) {
        difference(&self.unified, &self.legacy)
    }
}

impl GrantTable {
    /// Unified less legacy over all groups: rows and tokens.
    pub fn difference(&self) -> (i128, i128) {
        difference(&self.unified, &self.legacy)
    }
}

fn difference(unified: &GrantSum, legacy: &GrantSum) -> (i128, i128) {
    let rows = i128::from(unified.total.rows) - i128::from(legacy.total.rows);
    (rows, unified.total.tokens - legacy.total.tokens)
}

fn not_counted(ledger: &Ledger) -> Vec<NotCounted> {
    let of_grants = |class: PopulationClass| {
        let mut total = Total::default();
        let rows = ledger.entries.iter().filter(|row| row.kind == Kind::Grant && row.class == class);
        rows.for_each(|row| total.add_row(row.tokens));
        total
    };
    let kept = [PopulationClass::Zero, PopulationClass::Failed, PopulationClass::AfterAsOf];
    let unread = [PopulationClass::Unmapped, PopulationClass::Rejected];
    let totals = kept
        .map(|class| (class, of_grants(class)))
        .into_iter()
        .chain(unread.map(|class| (class, ledger.population.get(class))));
    totals
        .filter(|(_, total)| total.rows > 0)
        .map(|(class, total)| NotCounted { side: ledger.side, class, total })
        .collect()
}
