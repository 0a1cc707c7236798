//! What changed in sealed periods since they were sealed: rows that arrived late, changed, moved or
//! vanished. The sealed figures stay; the difference is booked in the present period.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Line, Movement, Moves, Period};
use crate::domain::{Books, Entry, Instant, Kind, Overflow, RowId, Side, Total};

/// The pack of the period before, as it was sealed.
#[derive(Debug, Clone, Default)]
pub struct Sealed {
    /// Name of its folder.
    pub name: String,
    /// SHA-256 of its manifest, lower-case hexadecimal.
    pub manifest_digest: String,
    /// What each line had come to.
    pub lines: BTreeMap<Line, i128>,
    /// Closing balance of every holder.
    pub users: BTreeMap<RowId, i128>,
    /// What of these was left of paid grants.
    pub paid: i128,
    /// Grants and deductions that counted, of both tables.
    pub rows: HashMap<(Side, RowId), SealedRow>,
    /// Usage by UTC day, label and whether it had failed.
    pub usage: BTreeMap<(String, String, bool), Total>,
}

/// A row as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// User.
    pub user: RowId,
    /// Unified action type.
    pub action: Box<str>,
    /// Payment evidence, of a grant.
    pub paid: Option<bool>,
    /// Signed tokens: what the row adds to a balance.
    pub tokens: i128,
    /// When.
    pub at: Instant,
}

/// Usage by day and label, from both books and sealed packs.
pub type SealedUsage = BTreeMap<(String, String, bool), Total>;

/// What happened to a row since its period was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It arrived late.
    New,
    /// Its amount or time was changed.
    Changed,
    /// It stands under another user, action type or payment now: as it was.
    ChangedFrom,
    /// The same: as it is.
    ChangedTo,
    /// It is dated later than the sealed period now.
    Moved,
    /// It is gone, or does not count any more.
    Deleted,
    /// Usage of a day and label sums up to something else.
    Usage,
    /// What a policy (expiry, reset, floor, opening tokens) took or gave sums up to something else.
    Policy,
}

impl Change {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Change::New => "new",
            Change::Changed => "changed",
            Change::ChangedFrom => "changed_from",
            Change::ChangedTo => "changed_to",
            Change::Moved => "moved",
            Change::Deleted => "deleted",
            Change::Usage => "usage",
            Change::Policy => "policy",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Adjustment {
    /// Which table; `None` for a policy.
    pub side: Option<Side>,
    /// What happened.
    pub change: Change,
    /// The day of usage, the time of a row.
    pub at: String,
    /// The row.
    pub row: Option<RowId>,
    /// Its user.
    pub user: Option<RowId>,
    /// The line on which it is booked.
    pub line: Line,
    /// Signed tokens as sealed.
    pub before: i128,
    /// Signed tokens as they are.
    pub after: i128,
}

impl Adjustment {
    /// What it adds to the balances: rows of the legacy table add nothing.
    pub fn effect(&self) -> i128 {
        if self.side == Some(Side::Legacy) { 0 } else { self.after - self.before }
    }
}

/// The sealed figures, and what has to be booked because of what happened to them since.
#[derive(Debug, Clone, Default)]
pub struct Adjusted {
    /// What each line had come to when the period before was sealed.
    pub opening: BTreeMap<Line, i128>,
    /// What is to be booked, by line.
    pub lines: BTreeMap<Line, Total>,
    /// Each change, in order.
    pub list: Vec<Adjustment>,
}

/// Compares what is dated before the period with what was sealed. `usage` is what takes tokens before
/// the period: as it is, and as it was sealed.
///
/// # Errors
/// [`Overflow`].
pub fn adjust(
    books: &Books,
    period: &Period,
    paid: &[HashSet<u32>; 2],
    moves: &Moves,
    usage: &[SealedUsage; 2],
    sealed: &Sealed,
) -> Result<Adjusted, Overflow> {
    let mut list = rows(books, period, paid, sealed);
    list.extend(changed_usage(usage));
    // By line, whatever the list shows: the sealed figure and the adjustment make today's figure.
    let mut lines: BTreeMap<Line, Total> = BTreeMap::new();
    let mut book = |line: Line, tokens: i128| -> Result<(), Overflow> {
        let total = lines.entry(line).or_default();
        *total = total.plus(Total { rows: 0, tokens })?;
        Ok(())
    };
    for (line, tokens) in moves.before() {
        book(line.adjustment(), tokens)?;
    }
    for (line, &tokens) in &sealed.lines {
        book(line.adjustment(), tokens.checked_neg().ok_or(Overflow)?)?;
    }
    for (line, total) in &mut lines {
        let listed = list.iter().filter(|change| change.line == *line && change.side != Some(Side::Legacy));
        total.rows = listed.clone().count() as u64;
        let rest = total.tokens - listed.map(Adjustment::effect).sum::<i128>();
        if rest != 0 {
            list.push(policy(line, rest));
            total.rows += 1;
        }
    }
    lines.retain(|_, total| total.rows > 0 || total.tokens != 0);
    list.sort();
    Ok(Adjusted { opening: sealed.lines.clone(), lines, list })
}

fn policy(line: &Line, rest: i128) -> Adjustment {
    Adjustment {
        side: None,
        change: Change::Policy,
        at: String::new(),
        row: None,
        user: None,
        line: line.clone(),
        before: 0,
        after: rest,
    }
}

/// Payment is a question of grants: by the row's position among the paid ones.
pub(super) fn paid_of(entry: &Entry, row: usize, paid: &HashSet<u32>) -> Option<bool> {
    (entry.kind == Kind::Grant).then(|| paid.contains(&(row as u32)))
}

fn rows(books: &Books, period: &Period, paid: &[HashSet<u32>; 2], sealed: &Sealed) -> Vec<Adjustment> {
    let mut list = Vec::new();
    let mut seen = 0_usize;
    for (ledger, paid) in [&books.legacy, &books.unified].into_iter().zip(paid) {
        for (at, entry) in ledger.entries.iter().enumerate().filter(|(_, entry)| entry.moves_a_balance()) {
            let old = sealed.rows.get(&(ledger.side, entry.id.clone()));
            seen += usize::from(old.is_some());
            let now = SealedRow {
                user: books.roster.id(entry.user).clone(),
                action: books.action(entry.action).into(),
                paid: paid_of(entry, at, paid),
                tokens: i128::from(entry.signed_tokens()),
                at: entry.at,
            };
            let late = entry.at >= period.start();
            let mut note = |change, row: &SealedRow, before, after| {
                list.push(change_of(ledger.side, change, &entry.id, row, before, after));
            };
            match old {
                None if late => {}
                None => note(Change::New, &now, 0, now.tokens),
                Some(old) if late => note(Change::Moved, old, old.tokens, 0),
                Some(old) if *old == now => {}
                Some(old) if (&old.user, &old.action, old.paid) == (&now.user, &now.action, now.paid) => {
                    note(Change::Changed, &now, old.tokens, now.tokens);
                }
                Some(old) => {
                    note(Change::ChangedFrom, old, old.tokens, 0);
                    note(Change::ChangedTo, &now, 0, now.tokens);
                }
            }
        }
    }
    if seen < sealed.rows.len() {
        list.extend(vanished(books, sealed));
    }
    list
}

fn vanished<'a>(books: &'a Books, sealed: &'a Sealed) -> impl Iterator<Item = Adjustment> + 'a {
    sealed.rows.iter().filter_map(|((side, id), old)| {
        let entries = &books.side(*side).entries;
        let found = entries.binary_search_by(|entry| entry.id.cmp(id)).ok();
        let gone = found.is_none_or(|at| !entries[at].moves_a_balance());
        gone.then(|| change_of(*side, Change::Deleted, id, old, old.tokens, 0))
    })
}

fn change_of(
    side: Side,
    change: Change,
    id: &RowId,
    row: &SealedRow,
    before: i128,
    after: i128,
) -> Adjustment {
    Adjustment {
        side: Some(side),
        change,
        at: row.at.rfc3339(),
        row: Some(id.clone()),
        user: Some(row.user.clone()),
        line: Line::new(Movement::Adjustment, &row.action, row.paid),
        before,
        after,
    }
}

/// Usage as it is and as it was sealed.
fn changed_usage([now, sealed]: &[SealedUsage; 2]) -> Vec<Adjustment> {
    let keys: BTreeSet<_> = now.keys().chain(sealed.keys()).collect();
    let tokens = |of: &SealedUsage, key| of.get(key).map_or(0, |total| -total.tokens);
    keys.into_iter()
        .map(|key| (key, tokens(sealed, key), tokens(now, key)))
        .filter(|(_, before, after)| before != after)
        .map(|((day, label, _), before, after)| Adjustment {
            side: Some(Side::Unified),
            change: Change::Usage,
            at: day.clone(),
            row: None,
            user: None,
            line: Line::new(Movement::Adjustment, label, None),
            before,
            after,
        })
        .collect()
}
