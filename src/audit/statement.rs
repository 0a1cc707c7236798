//! What the configured policies make of one user's rows: opening tokens, ends, resets, floors, and
//! what is left of each grant.

use std::collections::HashMap;

use super::HistoryError;
use super::history::HistoryLine;
use crate::balance::replay::{Lot, Movement, MovementKind, Replay, ReplayError, Setting};
use crate::domain::{Books, Instant, Outcome, PopulationClass, RowId, Side, UserNo};

/// A change of the balance that no row of the unified table makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLine {
    /// When.
    pub at: Instant,
    /// Why.
    pub kind: MovementKind,
    /// The action of the grant that ended or was cut.
    pub action: Option<Box<str>>,
    /// The grant's row.
    pub row: Option<RowId>,
    /// What it adds; below zero: takes.
    pub tokens: i128,
    /// The running balance after it; `None` in a pool.
    pub balance: Option<i128>,
    /// How many of the user's rows, oldest first, come before it.
    pub after: usize,
}

/// A grant, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotLine {
    /// Its row; `None`: opening tokens.
    pub row: Option<RowId>,
    /// Its action; `None`: opening tokens.
    pub action: Option<Box<str>>,
    /// Who was granted it, where a pool has several members.
    pub user: Option<RowId>,
    /// Tokens, and since and until when.
    pub lot: Lot,
}

/// One user's tokens under the configured policies.
#[derive(Debug, Clone)]
pub struct Statement {
    /// At whose row the tokens stand: the user, or the owner of the pool that the user is in.
    pub holder: RowId,
    /// The balance is shared with others.
    pub is_pooled: bool,
    /// The holder's balance at as-of.
    pub balance: i128,
    /// What is owed below zero.
    pub debt: i128,
    /// Changes without a row, oldest first.
    pub lines: Vec<PolicyLine>,
    /// The holder's grants, oldest first.
    pub lots: Vec<LotLine>,
}

/// Replays one user's tokens. `lines` are the user's rows, oldest first; the grants of an instant are brought
/// into the order in which they were replayed, and each row gets its running balance under the policies,
/// unless the balance is shared.
///
/// # Errors
/// [`HistoryError::Replay`]; [`HistoryError::NotTheBalance`] when rows and policies do not add up.
pub(super) fn state(
    books: &Books,
    replay: &Replay<'_>,
    setting: &Setting,
    counts_failed: bool,
    user: UserNo,
    lines: &mut [HistoryLine],
) -> Result<Statement, HistoryError> {
    let holder = setting.holding.holder(user, books.as_of);
    let mut movements: Vec<Movement> = Vec::new();
    let replayed = replay
        .timeline_of(holder, &[])
        .map_err(|error: ReplayError| HistoryError::Replay(error.to_string()))?
        .replay_with(&setting.policies, |movement| movements.push(*movement));
    let order = Order::of(books, &movements, user);
    lines.sort_by_key(|line| order.of_row(line));
    let moved = movements.iter().enumerate();
    let mut placed: Vec<(Place, PolicyLine)> = moved
        .filter_map(|(at, movement)| Some((of_movement(books, at, movement), policy_line(books, movement)?)))
        .collect();
    let failed = lines.iter().filter_map(|line| failed_line(line, setting, counts_failed));
    placed.extend(failed.map(|line| ((Some(line.at), rank(line.kind), 0), line)));
    placed.sort_by_key(|(place, _)| *place);
    let after = |place: Place| lines.partition_point(|line| order.of_row(line) <= place);
    let mut without_row: Vec<PolicyLine> =
        placed.into_iter().map(|(place, line)| PolicyLine { after: after(place), ..line }).collect();
    let is_pooled = setting.holding.has_pools() && shares(books, setting, user, holder, lines);
    if !is_pooled {
        let sum = run(lines, &mut without_row);
        if sum != replayed.balance {
            let (listed, balance) = (sum, replayed.balance);
            let user = books.roster.id(user).clone();
            return Err(HistoryError::NotTheBalance { user, listed, balance });
        }
    }
    let lots = replayed.lots.iter().map(|lot| lot_line(books, lot, user)).collect();
    Ok(Statement {
        holder: books.roster.id(holder).clone(),
        is_pooled,
        balance: replayed.balance,
        debt: replayed.debt,
        lines: without_row,
        lots,
    })
}

fn policy_line(books: &Books, movement: &Movement) -> Option<PolicyLine> {
    let action = match movement.kind {
        MovementKind::Expired(action) | MovementKind::RolledOver(action) => Some(books.action(action).into()),
        MovementKind::Opening | MovementKind::Reset | MovementKind::Clamped | MovementKind::WrittenOff => {
            None
        }
        // These are rows, or move nothing.
        MovementKind::Grant(_)
        | MovementKind::Deduction(_)
        | MovementKind::Usage
        | MovementKind::FailedUsage
        | MovementKind::DebtPaid => return None,
    };
    Some(PolicyLine {
        at: movement.at,
        kind: movement.kind,
        action,
        row: movement.row.map(|row| books.unified.entries[row as usize].id.clone()),
        tokens: movement.tokens,
        balance: None,
        after: 0,
    })
}

/// A failed operation that counts by the policy of its time and not in the plain sum, or the other
/// way round.
fn failed_line(line: &HistoryLine, setting: &Setting, counts_failed: bool) -> Option<PolicyLine> {
    let is_failed = line.outcome == Outcome::Population(PopulationClass::Failed);
    let (at, tokens) = (line.at?, i128::from(line.tokens?).abs());
    let counts = setting.policies.at(at).count_failed_usage;
    if line.side != Side::Unified || !is_failed || line.action.is_some() || counts == counts_failed {
        return None;
    }
    let tokens = if counts { -tokens } else { tokens };
    let row = Some(line.row.clone());
    Some(PolicyLine {
        at,
        kind: MovementKind::FailedUsage,
        action: None,
        row,
        tokens,
        balance: None,
        after: 0,
    })
}

/// Where a row or a change stands: instant, [`rank`], and among grants and what they bring about the place in
/// the replay.
type Place = (Option<Instant>, u8, usize);

/// The rank of what is given, and of what is taken.
const GIVEN: u8 = 2;
const TAKEN: u8 = 3;

/// Where a change stands among those of one instant: what ends, then what is given and what that replaces,
/// then what is taken, then the floor.
fn rank(kind: MovementKind) -> u8 {
    match kind {
        MovementKind::Expired(_) => 0,
        MovementKind::Opening => 1,
        MovementKind::WrittenOff
        | MovementKind::Reset
        | MovementKind::RolledOver(_)
        | MovementKind::Grant(_) => GIVEN,
        MovementKind::Deduction(_) => TAKEN,
        MovementKind::Usage | MovementKind::FailedUsage => 4,
        MovementKind::Clamped | MovementKind::DebtPaid => 5,
    }
}

/// The place of what a replay shows as number `number`. A grant that ends where it begins ends behind itself.
fn of_movement(books: &Books, number: usize, movement: &Movement) -> Place {
    let granted_at = movement.row.map(|row| books.unified.entries[row as usize].at);
    let rank = match movement.kind {
        MovementKind::Expired(_) if granted_at == Some(movement.at) => GIVEN,
        kind => rank(kind),
    };
    (Some(movement.at), rank, if rank == GIVEN { number } else { 0 })
}

/// In which order a replay takes grants.
struct Order<'a> {
    /// The user's grants by row.
    of_grant: HashMap<&'a RowId, usize>,
    /// The first grant of an instant.
    first: HashMap<Instant, usize>,
}

impl<'a> Order<'a> {
    fn of(books: &'a Books, movements: &[Movement], user: UserNo) -> Order<'a> {
        let mut order = Order { of_grant: HashMap::new(), first: HashMap::new() };
        for (number, movement) in movements.iter().enumerate() {
            let (MovementKind::Grant(_), Some(row)) = (movement.kind, movement.row) else { continue };
            let entry = &books.unified.entries[row as usize];
            order.first.entry(movement.at).or_insert(number);
            if entry.user == user {
                order.of_grant.insert(&entry.id, number);
            }
        }
        order
    }

    /// What is no grant of the replay, as a row of the legacy table, comes before the first of its instant.
    fn of_row(&self, line: &HistoryLine) -> Place {
        let Some(at) = line.at else { return (None, 0, 0) };
        if line.change.is_none_or(|change| change <= 0) {
            return (Some(at), TAKEN, 0);
        }
        let own = self.of_grant.get(&line.row).filter(|_| line.side == Side::Unified);
        (Some(at), GIVEN, own.or_else(|| self.first.get(&at)).copied().unwrap_or_default())
    }
}

/// Somebody else's tokens stand at the same place, or some of the user's stand elsewhere.
fn shares(books: &Books, setting: &Setting, user: UserNo, holder: UserNo, lines: &[HistoryLine]) -> bool {
    let own_elsewhere =
        lines.iter().filter_map(|line| line.at).any(|at| setting.holding.holder(user, at) != user);
    let others_here = || {
        let entries = books.unified.entries.iter().filter(|entry| entry.user != user);
        entries.into_iter().any(|entry| setting.holding.holder(entry.user, entry.at) == user)
            || books.roster.iter().any(|(other, _)| other != user && setting.holding.ever_at(other, user))
    };
    holder != user || own_elsewhere || others_here()
}

/// The running balance of rows and policies together; gives back the last.
fn run(lines: &mut [HistoryLine], without_row: &mut [PolicyLine]) -> i128 {
    let mut sum = 0;
    let mut next = without_row.iter_mut().peekable();
    for (older, line) in lines.iter_mut().enumerate().filter(|(_, line)| line.side == Side::Unified) {
        let (Some(_), Some(change)) = (line.at, line.change) else { continue };
        while let Some(policy) = next.next_if(|policy| policy.after <= older) {
            sum += policy.tokens;
            policy.balance = Some(sum);
        }
        sum += i128::from(change);
        line.balance_policy = Some(sum);
    }
    for policy in next {
        sum += policy.tokens;
        policy.balance = Some(sum);
    }
    sum
}

fn lot_line(books: &Books, lot: &Lot, asked: UserNo) -> LotLine {
    let entry = lot.row.map(|row| &books.unified.entries[row as usize]);
    LotLine {
        row: entry.map(|entry| entry.id.clone()),
        action: lot.action.map(|action| books.action(action).into()),
        user: entry.filter(|entry| entry.user != asked).map(|entry| books.roster.id(entry.user).clone()),
        lot: *lot,
    }
}
