//! The owners' second question: everything that moved one user's tokens, in both tables.

use std::cmp::Reverse;

use super::Audit;
use super::ids::NoIds;
use super::statement::{self, PolicyLine, Statement};
use crate::balance::replay::{Replay, Setting};
use crate::balance::{Balances, UserBalance};
use crate::config::Config;
use crate::domain::{
    Books, Class, Disposition, Entry, Finding, FindingId, Instant, Kind, Outcome, Overflow, PopulationClass,
    RowId, Rule, Side, UserNo,
};
use crate::normalise::UsageLog;

/// How many ids are offered in place of an unknown one.
const NEAREST_SHOWN: usize = 3;

/// Why there is no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// No row and no stored balance is this user's.
    #[error("no row and no stored balance belongs to user {user}: {hint}")]
    UnknownUser {
        /// As asked for.
        user: RowId,
        /// The nearest ids, and how ids are written here.
        hint: String,
    },
    /// The rows listed do not add up to the balance.
    #[error(
        "the history of user {user} adds up to {listed} tokens, but its balance is {balance}. This is an error \
         in reckon, so nothing is shown; please report it"
    )]
    NotTheBalance {
        /// The user.
        user: RowId,
        /// Sum of the changes.
        listed: i128,
        /// The recomputed balance.
        balance: i128,
    },
    /// The use could not be read again.
    #[error("the balance could not be replayed: {0}")]
    Replay(String),
    /// A sum left its range.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// The row of the other table that a row belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Its ids: one, or those of all parts of a split grant.
    pub ids: Vec<RowId>,
    /// The rung that tied them together.
    pub rule: Rule,
}

/// One row of either table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// Which table.
    pub side: Side,
    /// The row; a pseudo id `no-id:…` where it has none.
    pub row: RowId,
    /// When; `None` where it cannot be read.
    pub at: Option<Instant>,
    /// Its label.
    pub label: Box<str>,
    /// The unified action that the label stands for, where it is a grant or deduction.
    pub action: Option<Box<str>>,
    /// The amount as stored; `None` where it cannot be read.
    pub tokens: Option<i64>,
    /// What it adds to the running balance of its own table; `None`: it does not count.
    pub change: Option<i64>,
    /// The running balance of its own table after it; `None`: it does not count.
    pub balance: Option<i128>,
    /// The running balance under the configured policies after it; `None`: it does not count, or
    /// the balance is shared in a pool.
    pub balance_policy: Option<i128>,
    /// What became of it.
    pub outcome: Outcome,
    /// Its partner in the other table.
    pub partner: Option<Partner>,
    /// The finding it stands in.
    pub finding: Option<(Class, FindingId)>,
}

/// One user's whole history, newest row first.
///
/// The unified running balance is that of `balances.csv`: grants less deductions less usage. The
/// legacy one counts grants less deductions: usage labels of that table were never its truth.
#[derive(Debug, Clone)]
pub struct UserHistory {
    /// The user.
    pub user: RowId,
    /// The instant of the question.
    pub as_of: Instant,
    /// Newest first; rows without a time last.
    pub lines: Vec<HistoryLine>,
    /// Tokens of the legacy grants, and of the legacy deductions.
    pub legacy: (i128, i128),
    /// The balance that the unified rows give, and the stored one.
    pub balance: UserBalance,
    /// Findings about the user that are about no row.
    pub findings: Vec<(Class, FindingId)>,
    /// What the configured policies make of it.
    pub statement: Statement,
}

/// A row, or a change that the policies make without one.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// A row of either table.
    Row(&'a HistoryLine),
    /// A change without a row.
    Policy(&'a PolicyLine),
}

impl UserHistory {
    /// Rows and changes without a row, newest first.
    pub fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = Vec::with_capacity(self.lines.len() + self.statement.lines.len());
        let mut policies = self.statement.lines.iter().rev().peekable();
        for (at, line) in self.lines.iter().enumerate() {
            let older = self.lines.len() - at;
            while let Some(policy) = policies.next_if(|policy| policy.after >= older) {
                steps.push(Step::Policy(policy));
            }
            steps.push(Step::Row(line));
        }
        steps.extend(policies.map(Step::Policy));
        steps
    }

    /// The running balance is that under the configured policies, which differs from the plain sum.
    pub fn follows_policies(&self) -> bool {
        !self.statement.is_pooled && !self.statement.lines.is_empty()
    }
}

/// The number of a user.
///
/// # Errors
/// [`HistoryError::UnknownUser`] with the nearest ids.
pub fn find_user(books: &Books, user: &RowId) -> Result<UserNo, HistoryError> {
    books
        .roster
        .find(user)
        .ok_or_else(|| HistoryError::UnknownUser { user: user.clone(), hint: hint(books, user) })
}

fn hint(books: &Books, user: &RowId) -> String {
    let asked = user.to_string();
    let mut nearest: Vec<(bool, usize, &RowId)> = books
        .roster
        .iter()
        .map(|(_, id)| id.with_text(|text| (!text.contains(&asked), strsim::levenshtein(text, &asked), id)))
        .collect();
    let shown = NEAREST_SHOWN.min(nearest.len());
    if shown == 0 {
        return "neither table has a row with a user".to_owned();
    }
    nearest.select_nth_unstable(shown - 1);
    nearest.truncate(shown);
    nearest.sort_unstable();
    let ids: Vec<String> = nearest.iter().map(|(_, _, id)| id.to_string()).collect();
    let all_uuids = books.roster.iter().all(|(_, id)| matches!(id, RowId::Uuid(_)));
    let written = if all_uuids { "whole UUIDs with hyphens" } else { "written as in the tables, in full" };
    format!("ids of users are {written}, the nearest of {} are {}", books.roster.len(), ids.join(", "))
}

/// The history of a user whose usage rows were kept.
///
/// # Errors
/// [`HistoryError::NotTheBalance`] when the rows do not add up to the user's balance.
pub fn history(
    books: &Books,
    config: &Config,
    audit: &Audit,
    balances: &Balances,
    setting: &Setting,
    log: &UsageLog,
    user: UserNo,
) -> Result<UserHistory, HistoryError> {
    let rows = Rows { books, audit, user, count_failed_usage: config.balances.count_failed_usage };
    let mut lines = Vec::new();
    for side in [Side::Legacy, Side::Unified] {
        rows.entries(side, &mut lines);
        rows.bystanders(side, &mut lines);
        rows.rejected(side, &mut lines);
    }
    // Oldest first, and at one instant what adds before what takes.
    lines.sort_by(|a, b| order(a).cmp(&order(b)));
    let replay = Replay::new(books, log, setting);
    let counts_failed = config.balances.count_failed_usage;
    let statement = statement::state(books, &replay, setting, counts_failed, user, &mut lines)?;
    let mut running = [0i128; 2];
    for line in &mut lines {
        let Some(change) = line.change else { continue };
        let sum = &mut running[line.side as usize];
        *sum = sum.checked_add(i128::from(change)).ok_or(Overflow)?;
        line.balance = Some(*sum);
    }
    lines.reverse();

    let id = books.roster.id(user);
    let balance = balances.users[user.0 as usize].clone();
    let listed = running[Side::Unified as usize];
    if listed != balance.recomputed {
        let balance = balance.recomputed;
        return Err(HistoryError::NotTheBalance { user: id.clone(), listed, balance });
    }
    let about_user = |finding: &&Finding| {
        finding.user.as_ref() == Some(id)
            && matches!(finding.class, Class::BalanceGap | Class::NegativeBalance)
    };
    Ok(UserHistory {
        user: id.clone(),
        as_of: books.as_of,
        legacy: rows.legacy_sums()?,
        lines,
        balance,
        statement,
        findings: audit.findings.iter().filter(about_user).map(named).collect(),
    })
}

/// Rows without a time come first here, so that they are last in the end.
fn order(line: &HistoryLine) -> impl Ord + '_ {
    (line.at, Reverse(line.change.map(i64::signum)), line.side, &line.row)
}

fn named(finding: &Finding) -> (Class, FindingId) {
    (finding.class, finding.id.clone())
}

/// The rows of one user.
struct Rows<'a> {
    books: &'a Books,
    audit: &'a Audit,
    user: UserNo,
    count_failed_usage: bool,
}

impl Rows<'_> {
    fn entries(&self, side: Side, lines: &mut Vec<HistoryLine>) {
        let ledger = self.books.side(side);
        for entry in ledger.entries.iter().filter(|entry| entry.user == self.user) {
            let line = HistoryLine {
                side,
                row: entry.id.clone(),
                at: Some(entry.at),
                label: ledger.labels[usize::from(entry.label)].clone(),
                action: Some(self.books.action(entry.action).into()),
                tokens: Some(entry.raw_tokens()),
                change: counts(entry).then(|| entry.signed_tokens()),
                balance: None,
                balance_policy: None,
                outcome: Outcome::Population(entry.class),
                partner: None,
                finding: None,
            };
            lines.push(self.with_outcome(line));
        }
    }

    fn bystanders(&self, side: Side, lines: &mut Vec<HistoryLine>) {
        let ledger = self.books.side(side);
        for row in ledger.bystanders.iter().filter(|row| row.user == self.user) {
            let is_used = match row.class {
                PopulationClass::Usage => true,
                PopulationClass::Failed => self.count_failed_usage,
                _ => false,
            };
            let line = HistoryLine {
                side,
                row: row.id.clone(),
                at: Some(row.at),
                label: ledger.labels[usize::from(row.label)].clone(),
                action: None,
                tokens: Some(row.raw_tokens),
                change: (side == Side::Unified && is_used).then(|| -row.raw_tokens.abs()),
                balance: None,
                balance_policy: None,
                outcome: Outcome::Population(row.class),
                partner: None,
                finding: None,
            };
            lines.push(self.with_outcome(line));
        }
    }

    fn rejected(&self, side: Side, lines: &mut Vec<HistoryLine>) {
        let id = self.books.roster.id(self.user);
        let mut no_ids = None;
        for (at, row) in self.books.side(side).rejected.iter().enumerate() {
            if row.user.as_ref() != Some(id) {
                continue;
            }
            let pseudo = || no_ids.get_or_insert_with(|| NoIds::of(self.books)).of_row(side, at);
            let line = HistoryLine {
                side,
                row: row.id.clone().unwrap_or_else(pseudo),
                at: row.at,
                label: row.label.clone().unwrap_or_default(),
                action: None,
                tokens: row.tokens,
                change: None,
                balance: None,
                balance_policy: None,
                outcome: Outcome::Finding(Class::RejectedRow),
                partner: None,
                finding: None,
            };
            lines.push(self.with_outcome(line));
        }
    }

    /// The line with what the audit says of its row.
    fn with_outcome(&self, mut line: HistoryLine) -> HistoryLine {
        let Some(disposition) = self.disposition(line.side, &line.row) else { return line };
        line.outcome = disposition.outcome;
        let finding = disposition.finding.map(|at| &self.audit.findings[at as usize]);
        line.finding = finding.map(named);
        line.partner = match (disposition.pair, finding) {
            (Some(pair), _) => {
                let pair = &self.audit.pairs[pair as usize];
                let id = match line.side {
                    Side::Legacy => &self.books.unified.entries[pair.unified as usize].id,
                    Side::Unified => &self.books.legacy.entries[pair.legacy as usize].id,
                };
                Some(Partner { ids: vec![id.clone()], rule: pair.rule })
            }
            (None, Some(finding)) if finding.class == Class::SplitGrant => {
                let ids = match line.side {
                    Side::Legacy => &finding.unified_ids,
                    Side::Unified => &finding.legacy_ids,
                };
                Some(Partner { ids: ids.to_vec(), rule: finding.rule })
            }
            _ => None,
        };
        line
    }

    fn disposition(&self, side: Side, row: &RowId) -> Option<&Disposition> {
        self.audit.dispositions.find(self.books, side, row)
    }

    /// Legacy grants and legacy deductions, in tokens.
    fn legacy_sums(&self) -> Result<(i128, i128), Overflow> {
        let (mut granted, mut deducted) = (0i128, 0i128);
        let own = self.books.legacy.entries.iter().filter(|entry| entry.user == self.user && counts(entry));
        for entry in own {
            let sum = if entry.kind == Kind::Grant { &mut granted } else { &mut deducted };
            *sum = sum.checked_add(i128::from(entry.tokens)).ok_or(Overflow)?;
        }
        Ok((granted, deducted))
    }
}

/// Does a grant or deduction move the balance of its table?
fn counts(entry: &Entry) -> bool {
    matches!(entry.class, PopulationClass::Grants | PopulationClass::Deductions)
}
