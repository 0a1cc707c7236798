//! Both sides after normalisation.

use super::{Entry, Population, RowId, Total, UserNo, Width};

/// Which of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The table that is to be retired.
    Legacy,
    /// The table that is to be the single source of truth.
    Unified,
}

impl Side {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Side::Legacy => "legacy",
            Side::Unified => "unified",
        }
    }
}

/// Position of a unified action in [`Books::actions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionNo(pub u16);

/// A unified action with its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action<'a> {
    /// Position in [`Books::actions`].
    pub no: ActionNo,
    /// Its label in the unified table.
    pub name: &'a str,
}

/// All users of both sides (and of the stored balances), ascending by id.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    ids: Vec<RowId>,
}

impl Roster {
    /// Takes ids that are ascending and without doubles.
    ///
    /// # Panics
    /// In debug builds when they are not.
    pub fn new(ids: Vec<RowId>) -> Roster {
        debug_assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        Roster { ids }
    }

    /// The user's id.
    pub fn id(&self, user: UserNo) -> &RowId {
        &self.ids[user.0 as usize]
    }

    /// The position of an id.
    pub fn find(&self, id: &RowId) -> Option<UserNo> {
        self.ids.binary_search(id).ok().map(|at| UserNo(u32::try_from(at).expect("fewer than 2^32 users")))
    }

    /// Number of users.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// No user at all.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Users in order.
    pub fn iter(&self) -> impl Iterator<Item = (UserNo, &RowId)> {
        self.ids.iter().enumerate().map(|(at, id)| (UserNo(at as u32), id))
    }
}

/// A row that could not be read: its place in the books, kept for the finding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejected {
    /// The id, where there is one.
    pub id: Option<RowId>,
    /// The user, where there is one.
    pub user: Option<RowId>,
    /// The label, where there is one.
    pub label: Option<Box<str>>,
    /// The raw amount, where it could be read.
    pub tokens: Option<i64>,
    /// The instant, where it could be read.
    pub at: Option<super::Instant>,
    /// `success` is neither `false` nor unreadable.
    pub succeeded: bool,
    /// Its references, as those of an [`Entry`].
    pub references: Box<[u32]>,
    /// Carries payment evidence.
    pub paid: bool,
    /// The legacy id that a unified row says it was copied from.
    pub link: Option<Box<RowId>>,
    /// Why, for people: `no created_at`, `amount "12.5" is not an integer`.
    pub reason: String,
    /// Where the row stands, for the log only: `legacy.csv line 17`. Never written into a report.
    pub place: String,
}

/// A row that is counted and listed but never paired: legacy usage, ignored and unmapped rows, and
/// unmapped unified rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bystander {
    /// The row's id.
    pub id: RowId,
    /// Its user.
    pub user: UserNo,
    /// Label: position in [`Ledger::labels`].
    pub label: u16,
    /// The amount as the source stores it.
    pub raw_tokens: i64,
    /// When.
    pub at: super::Instant,
    /// `Usage`, `Ignored`, `Unmapped`, `Failed` or `AfterAsOf`.
    pub class: super::PopulationClass,
    /// The balance column beside the row, where configured. Evidence, never truth.
    pub balance_after: Option<i64>,
}

/// One side of the books.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// Which.
    pub side: Side,
    /// Grants and deductions, ascending by id.
    pub entries: Vec<Entry>,
    /// Rows that are listed but never paired, ascending by id.
    pub bystanders: Vec<Bystander>,
    /// Rows that could not be read, ascending by id; first those without one.
    pub rejected: Vec<Rejected>,
    /// Labels as the source has them, ascending.
    pub labels: Vec<Box<str>>,
    /// Rows and raw tokens that were folded without being kept (unified usage), for conservation.
    pub folded: Total,
    /// The source's own count and raw token sum, taken independently of normalisation.
    pub control: Total,
    /// Rows by class, tokens as magnitudes; pending rows still stand under grants and deductions.
    pub population: Population,
    /// At least one entry's time names no zone of its own, so that `timezone` decides what it means.
    pub has_wall_times: bool,
    /// The sign × label × month matrix of the legacy side.
    pub signs: Vec<SignCell>,
    /// Values of the balance column that are there but are no number of tokens: unknown, and said.
    pub unreadable_balances: u64,
    /// Grants whose end is there and cannot be read, ascending: unknown, so not the default either.
    pub unreadable_ends: Vec<RowId>,
    /// What rows have that need not have it.
    pub any: Marks,
}

/// How the ids of a column are written, as far as whole numbers go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Some as `7.0`.
    pub with_point: bool,
    /// Some in any other way.
    pub otherwise: bool,
}

impl Written {
    /// Notes an id. Nearly always there is nothing to look at after the first one.
    pub fn note(&mut self, id: &super::RowId) {
        if self.otherwise {
            return;
        }
        let is_pointed = |text: &str| {
            let digits = text.strip_suffix(".0").unwrap_or_default();
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        match id {
            super::RowId::Text(text) if is_pointed(text) => self.with_point = true,
            _ => self.otherwise = true,
        }
    }

    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: Written) {
        self.with_point |= other.with_point;
        self.otherwise |= other.otherwise;
    }

    /// There are ids, and all are written as `7.0`.
    pub fn is_all_pointed(self) -> bool {
        self.with_point && !self.otherwise
    }
}

/// What was seen in the rows of a side: columns that only some rows need have, how ids are written, and
/// signs that no grant should have. Where nothing else is said, in its grants and deductions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Where a row names its legacy row.
    pub link: bool,
    /// Where a row says that it was migrated.
    pub migrated: bool,
    /// What a payment is known by.
    pub reference: bool,
    /// What shows that a row was paid for.
    pub payment: bool,
    /// When a grant ends.
    pub end: bool,
    /// A balance beside a row, of whatever kind.
    pub balance: bool,
    /// Whether a row succeeded, use or not.
    pub success: bool,
    /// Ids of the rows.
    pub ids: Written,
    /// Ids that links name.
    pub links: Written,
    /// Ids of the users, those with nothing but use too.
    pub users: Written,
    /// Grants that are stored as negative amounts.
    pub negative: u64,
    /// Of all rows: do points part the thousands of amounts?
    pub points: super::Points,
    /// Of all rows that were not folded: are the texts of a column filled up with blanks?
    pub widths: Widths,
}

/// How wide the texts of the columns are by which rows are told apart and found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Widths {
    /// Ids.
    pub id: Width,
    /// Users.
    pub user: Width,
    /// Labels, where one column holds them.
    pub label: Width,
    /// Links.
    pub link: Width,
}

impl Widths {
    /// What is known of both together.
    pub fn with(self, other: Widths) -> Widths {
        Widths {
            id: self.id.with(other.id),
            user: self.user.with(other.user),
            label: self.label.with(other.label),
            link: self.link.with(other.link),
        }
    }
}

impl Marks {
    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: Marks) {
        self.link |= other.link;
        self.migrated |= other.migrated;
        self.reference |= other.reference;
        self.payment |= other.payment;
        self.end |= other.end;
        self.balance |= other.balance;
        self.success |= other.success;
        self.ids.merge(other.ids);
        self.links.merge(other.links);
        self.users.merge(other.users);
        self.negative += other.negative;
        self.points.merge(other.points);
        self.widths = self.widths.with(other.widths);
    }
}

/// What is known of a row of which only the id is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was read.
    Read,
    /// It is there, but could not be read.
    Rejected,
}

impl Ledger {
    /// What is known of the row of this id; `None`: there is none, as far as ids could be read.
    pub fn standing(&self, id: &RowId) -> Option<Standing> {
        if self.entries.binary_search_by(|row| row.id.cmp(id)).is_ok()
            || self.bystanders.binary_search_by(|row| row.id.cmp(id)).is_ok()
        {
            return Some(Standing::Read);
        }
        let rejected = self.rejected.binary_search_by(|row| row.id.as_ref().cmp(&Some(id)));
        rejected.is_ok().then_some(Standing::Rejected)
    }
}

/// One cell of the sign matrix: how the rows of a label were stored in a month.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SignCell {
    /// Label as the source has it.
    pub label: Box<str>,
    /// UTC month, `2026-03`.
    pub month: String,
    /// Rows stored above zero.
    pub positive: u64,
    /// Rows stored below zero.
    pub negative: u64,
    /// Rows stored as zero.
    pub zero: u64,
}

/// Tokens used up by one user, as-of, in magnitudes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserUsage {
    /// Successful usage.
    pub used: i128,
    /// Usage with `success = false`, whatever the policy.
    pub failed: i128,
    /// The first use, failed or not.
    pub first_at: Option<super::Instant>,
}

/// Unified usage of one label on one UTC day, up to as-of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayUsage {
    /// Days since 1970-01-01.
    pub day: i32,
    /// Label: position in [`Ledger::labels`] of the unified side.
    pub label: u16,
    /// `success` is not `false`.
    pub succeeded: bool,
    /// Rows.
    pub rows: u64,
    /// Magnitude in tokens.
    pub tokens: i128,
}

/// Both ledgers in canonical form: nothing in here depends on the order in which rows came.
#[derive(Debug, Clone)]
pub struct Books {
    /// All users.
    pub roster: Roster,
    /// Unified actions: grants and deductions, in configured order.
    pub actions: Vec<Box<str>>,
    /// Distinct references, ascending.
    pub references: Vec<Box<str>>,
    /// The legacy side.
    pub legacy: Ledger,
    /// The unified side.
    pub unified: Ledger,
    /// Usage per user, by [`UserNo`].
    pub usage: Vec<UserUsage>,
    /// Usage per day, label and success, ascending; adds up to [`Books::usage`].
    pub usage_by_day: Vec<DayUsage>,
    /// The instant of the reconciliation.
    pub as_of: super::Instant,
    /// What is known of the rows that were settled before and are not among the entries.
    pub settled: super::Settled,
}

impl Books {
    /// The name of an action.
    pub fn action(&self, no: ActionNo) -> &str {
        &self.actions[usize::from(no.0)]
    }

    /// The ledger of a side.
    pub fn side(&self, side: Side) -> &Ledger {
        match side {
            Side::Legacy => &self.legacy,
            Side::Unified => &self.unified,
        }
    }
}
