//! "Which rows count": one population class a row, and the facts that the rungs compare.

use std::collections::{BTreeMap, BTreeSet};

use crate::laws::ledger::{DEDUCTIONS, GRANTS, LEGACY_ACTIONS, Ledgers, PURCHASE, Row, Rules};

/// A row that can be paired.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: String,
    pub user: String,
    /// The unified action: for a legacy row the one that its label maps to.
    pub action: String,
    /// The action that payment evidence makes of it.
    pub effective: String,
    /// Adds to a balance; otherwise takes.
    pub grant: bool,
    pub tokens: i64,
    pub at: i64,
    pub refs: BTreeSet<String>,
    pub paid: bool,
    pub link: Option<String>,
    pub migrated: bool,
    /// Legacy: stored with the rarer sign of its label and month.
    pub minority: bool,
    /// Stored with a negative amount.
    pub negative: bool,
}

/// Everything that matters about a row but its id: rows that agree in it are interchangeable.
pub type Signature = (String, String, String, i64, i64, BTreeSet<String>, Option<String>, [bool; 4]);

impl Entry {
    /// What the row adds to a balance.
    pub fn signed(&self) -> i64 {
        if self.grant { self.tokens } else { -self.tokens }
    }

    /// See [`Signature`].
    pub fn signature(&self) -> Signature {
        (
            self.user.clone(),
            self.action.clone(),
            self.effective.clone(),
            self.tokens,
            self.at,
            self.refs.clone(),
            self.link.clone(),
            [self.migrated, self.paid, self.minority, self.negative],
        )
    }

    /// Both carry one reference.
    pub fn shares_reference(&self, other: &Entry) -> bool {
        !self.refs.is_disjoint(&other.refs)
    }

    /// Both have a payment of one kind (`pi_1`: letters before `_`), and none in common.
    pub fn has_other_payment(&self, other: &Entry) -> bool {
        let kinds = |row: &Entry| -> BTreeSet<String> {
            row.refs.iter().filter_map(|text| Some(text.split_once('_')?.0.to_owned())).collect()
        };
        !self.shares_reference(other) && !kinds(self).is_disjoint(&kinds(other))
    }
}

/// Both sides: entries that can be paired, and the class of every other row.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub legacy: Vec<Entry>,
    pub unified: Vec<Entry>,
    /// `(side, id)` → population class of rows that cannot be paired.
    pub others: BTreeMap<(&'static str, String), &'static str>,
    /// Rows later than as-of that cannot be read: what is said of them is a warning.
    pub late: BTreeSet<(&'static str, String)>,
    /// Unified rows that cannot be read or whose label has no meaning, but for use.
    pub unclear: Vec<Unclear>,
    /// The same of the legacy side, but for use and what is left out.
    pub unclear_legacy: Vec<Unclear>,
    /// Pending rows still stand under grants and deductions: the ladder comes first.
    pub population: Population,
}

/// What is known of a row that may be any grant.
#[derive(Debug, Clone)]
pub struct Unclear {
    pub user: Option<String>,
    pub action: Option<&'static str>,
    pub tokens: Option<i64>,
    pub at: Option<i64>,
}

impl Unclear {
    /// The same, where the row's time has to lie so near, if it is known or has to be.
    pub fn may_be_near(&self, row: &Entry, within: i64, known: bool) -> bool {
        let near = self.at.map_or(!known, |at| (at - row.at).abs() <= within);
        near && self.may_be(row, within)
    }

    /// All that is known agrees. Without a user the time has to, if it is known.
    pub fn may_be(&self, row: &Entry, window: i64) -> bool {
        let action = self.action.is_none_or(|action| action == row.action || action == row.effective);
        let tokens = self.tokens.is_none_or(|tokens| tokens == row.tokens);
        let user = match &self.user {
            Some(user) => *user == row.user,
            None => self.at.is_none_or(|at| (at - row.at).abs() <= window),
        };
        user && action && tokens
    }
}

/// `(side, class)` → rows and tokens, as magnitudes; an unreadable amount brings none.
pub type Population = BTreeMap<(&'static str, &'static str), (u64, i64)>;

/// What a label means.
enum Meaning {
    Action(&'static str),
    Usage,
    Ignored,
    Unmapped,
}

fn legacy_meaning(label: &str) -> Meaning {
    match LEGACY_ACTIONS.iter().find(|(known, _)| *known == label) {
        Some((_, "usage")) => Meaning::Usage,
        Some((_, "ignore")) => Meaning::Ignored,
        Some((_, action)) => Meaning::Action(action),
        None => Meaning::Unmapped,
    }
}

/// No `usage` list is configured in these ledgers: a label is usage unless it looks like a grant.
fn unified_meaning(label: &str) -> Meaning {
    if let Some(action) = GRANTS.iter().chain(&DEDUCTIONS).find(|known| **known == label) {
        return Meaning::Action(action);
    }
    let looks_like_a_grant =
        ["grant", "purchase", "bonus", "credit", "refund"].iter().any(|end| label.ends_with(end));
    if looks_like_a_grant { Meaning::Unmapped } else { Meaning::Usage }
}

/// Gives each row its class.
pub fn read(ledgers: &Ledgers) -> Books {
    let mut books = Books::default();
    for (side, rows) in [("legacy", &ledgers.legacy), ("unified", &ledgers.unified)] {
        for row in rows {
            let (class, entry) = class_of(side, row, &ledgers.rules);
            let total = books.population.entry((side, class)).or_default();
            *total = (total.0 + 1, total.1 + row.amount.unwrap_or(0).abs());
            if row.at.is_some_and(|at| at > ledgers.rules.as_of) {
                books.late.insert((side, row.id.clone()));
            }
            // Unified usage is folded: it has no disposition.
            let folded = side == "unified" && is_usage(row);
            if side == "unified" && !is_usage(row) && ["unmapped", "rejected"].contains(&class) {
                let action = match unified_meaning(&row.label) {
                    Meaning::Action(action) => Some(action),
                    _ => None,
                };
                books.unclear.push(Unclear {
                    user: Some(row.user.clone()).filter(|user| !user.is_empty()),
                    action,
                    tokens: row.amount.map(i64::abs),
                    at: row.at,
                });
            }
            let meaning = legacy_meaning(&row.label);
            if side == "legacy"
                && ["unmapped", "rejected"].contains(&class)
                && !matches!(meaning, Meaning::Usage | Meaning::Ignored)
            {
                books.unclear_legacy.push(Unclear {
                    user: Some(row.user.clone()).filter(|user| !user.is_empty()),
                    action: if let Meaning::Action(action) = meaning { Some(action) } else { None },
                    tokens: row.amount.map(i64::abs),
                    at: row.at,
                });
            }
            match entry {
                Some(entry) if side == "legacy" => books.legacy.push(entry),
                Some(entry) => books.unified.push(entry),
                None if folded && class != "rejected" => {}
                None => drop(books.others.insert((side, row.id.clone()), class)),
            }
        }
    }
    mark_minority_signs(&mut books, &ledgers.legacy);
    books
}

fn is_usage(row: &Row) -> bool {
    matches!(unified_meaning(&row.label), Meaning::Usage)
}

/// The class of a row, and the entry where it can be paired: rows after as-of can, too.
fn class_of(side: &str, row: &Row, rules: &Rules) -> (&'static str, Option<Entry>) {
    let (Some(amount), Some(at), false) = (row.amount, row.at, row.user.is_empty()) else {
        return ("rejected", None);
    };
    let class = |class| if at > rules.as_of { "after_as_of" } else { class };
    let meaning = if side == "legacy" { legacy_meaning(&row.label) } else { unified_meaning(&row.label) };
    let action = match meaning {
        Meaning::Usage => return (class(if row.failed { "failed" } else { "usage" }), None),
        Meaning::Unmapped => return (class("unmapped"), None),
        Meaning::Ignored => return (class("ignored"), None),
        Meaning::Action(action) => action,
    };
    if row.failed || amount == 0 {
        return (class(if row.failed { "failed" } else { "zero" }), None);
    }
    let grant = GRANTS.contains(&action);
    let paid = if rules.reference_is_payment { !row.refs.is_empty() } else { row.payment };
    let entry = Entry {
        id: row.id.clone(),
        user: row.user.clone(),
        action: action.into(),
        effective: if paid && grant { PURCHASE.into() } else { action.into() },
        grant,
        tokens: amount.abs(),
        at,
        refs: row.refs.clone(),
        paid: paid && grant,
        link: row.link.clone(),
        migrated: row.migrated,
        minority: false,
        negative: amount < 0,
    };
    (class(if grant { "grants" } else { "deductions" }), Some(entry))
}

/// "A legacy row with the minority sign of its label and month." In a tie both are: nobody knows.
fn mark_minority_signs(books: &mut Books, rows: &[Row]) {
    let cell = |row: &Row| (row.label.clone(), row.at.map(super::super::files::month));
    let ids: BTreeSet<&str> = books.legacy.iter().map(|entry| entry.id.as_str()).collect();
    let counted: Vec<&Row> = rows.iter().filter(|row| ids.contains(row.id.as_str())).collect();
    let mut balance: BTreeMap<_, i64> = BTreeMap::new();
    for row in &counted {
        *balance.entry(cell(row)).or_default() += row.amount.unwrap_or(0).signum();
    }
    let minority: BTreeSet<&str> = counted
        .iter()
        .filter(|row| row.amount.unwrap_or(0) != 0)
        .filter(|row| row.amount.unwrap_or(0).signum() * balance[&cell(row)].signum() <= 0)
        .map(|row| row.id.as_str())
        .collect();
    for entry in &mut books.legacy {
        entry.minority = minority.contains(entry.id.as_str());
    }
}
