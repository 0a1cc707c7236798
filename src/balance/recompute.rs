//! Balances from the unified rows alone, and the gap to the stored ones.

use std::collections::BTreeMap;
use std::ops::Range;

use super::evidence;
use super::replay::{BelowZero, Replayed};
use super::{Balances, Cause, Compared, Explanation, Rare, SnapshotColumn, UserBalance};
use crate::config::{Config, StoredBalance};
use crate::domain::{Books, Class, Finding, Kind, Overflow, RepairKind, Severity, Status, UserNo, UserUsage};

/// Why balances could not be recomputed.
#[derive(Debug, thiserror::Error)]
pub enum BalanceError {
    /// A user has several stored balances.
    #[error(
        "{table}: {users} has more than one stored balance ({more} such users in all). A balance must be one \
         number: remove the extra rows, or set `several_rows = \"sum\"` in [balances] stored"
    )]
    SeveralRows {
        /// Table or file.
        table: String,
        /// Some of the users.
        users: String,
        /// How many users.
        more: usize,
    },
    /// A sum left its range.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// Stored balances by user: `None` where the stored value is unknown.
pub type StoredByUser = BTreeMap<UserNo, Option<i128>>;

/// One stored balance a user.
///
/// # Errors
/// [`BalanceError::SeveralRows`] unless the configuration sums them.
pub fn stored_by_user(
    rows: &[StoredBalance],
    books: &Books,
    sum_rows: bool,
    table: &str,
) -> Result<StoredByUser, BalanceError> {
    let mut stored: StoredByUser = BTreeMap::new();
    let mut repeated: BTreeMap<UserNo, ()> = BTreeMap::new();
    for row in rows {
        let user = books.roster.find(&row.user).expect("the roster has every user with a stored balance");
        let tokens = row.tokens.map(i128::from);
        match stored.get_mut(&user) {
            None => drop(stored.insert(user, tokens)),
            Some(sum) => {
                repeated.insert(user, ());
                *sum = (*sum).zip(tokens).map(|(a, b)| a.checked_add(b).ok_or(Overflow)).transpose()?;
            }
        }
    }
    if repeated.is_empty() || sum_rows {
        return Ok(stored);
    }
    let users: Vec<String> = repeated.keys().take(5).map(|user| books.roster.id(*user).to_string()).collect();
    Err(BalanceError::SeveralRows { table: table.to_owned(), users: users.join(", "), more: repeated.len() })
}

/// What the unified rows give and take, by user: grants, deductions (magnitude), in tokens.
///
/// # Errors
/// [`Overflow`].
pub fn moved(books: &Books) -> Result<Vec<(i128, i128)>, Overflow> {
    let mut moved = books.settled.moved.clone();
    moved.resize(books.roster.len(), (0, 0));
    for entry in books.unified.entries.iter().filter(|entry| entry.moves_a_balance()) {
        let (granted, deducted) = &mut moved[entry.user.0 as usize];
        let sum = match entry.kind {
            Kind::Grant => granted,
            Kind::Deduction => deducted,
        };
        *sum = sum.checked_add(i128::from(entry.tokens)).ok_or(Overflow)?;
    }
    Ok(moved)
}

/// What counts of a user's usage, in tokens.
pub(super) fn used(usage: &UserUsage, config: &Config) -> Result<i128, Overflow> {
    let failed = if config.balances.count_failed_usage { usage.failed } else { 0 };
    usage.used.checked_add(failed).ok_or(Overflow)
}

/// Recomputes all balances from what was [`moved`]. `stored` is `None` where none is configured or as-of
/// lies in the past; `snapshots` are those of [`super::snapshot_columns`].
///
/// # Errors
/// [`BalanceError::Overflow`].
pub fn recompute(
    books: &Books,
    config: &Config,
    findings: &[Finding],
    moved: Vec<(i128, i128)>,
    stored: Option<&StoredByUser>,
    snapshots: Vec<SnapshotColumn>,
) -> Result<Balances, BalanceError> {
    let users = books.roster.iter().zip(moved);
    let mut users: Vec<UserBalance> = users.map(|((user, _), moved)| empty(user, moved)).collect();
    for (balance, usage) in users.iter_mut().zip(&books.usage) {
        balance.used = used(usage, config)?;
        balance.recomputed = balance
            .granted
            .checked_sub(balance.deducted)
            .and_then(|sum| sum.checked_sub(balance.used))
            .ok_or(Overflow)?;
        balance.corrected = balance.recomputed;
    }
    for finding in findings.iter().filter(|finding| finding.repair.is_executable()) {
        let user = finding.user.as_ref().and_then(|id| books.roster.find(id));
        if let (Some(user), Some(effect)) = (user, finding.tokens_effect) {
            let corrected = &mut users[user.0 as usize].corrected;
            *corrected = corrected.checked_add(effect).ok_or(Overflow)?;
        }
    }
    if let Some(stored) = stored {
        for balance in &mut users {
            if let Some(Some(tokens)) = stored.get(&balance.user) {
                balance.stored = Some(*tokens);
                balance.gap = Some(tokens.checked_sub(balance.recomputed).ok_or(Overflow)?);
            }
        }
    }
    Ok(Balances { users, stored_known: stored.is_some(), compared: Compared::default(), snapshots })
}

/// The gaps of a range of users, all of whose rows are in the books; `None` without a stored balance.
///
/// # Errors
/// [`BalanceError::Overflow`].
pub fn gaps(
    books: &Books,
    config: &Config,
    stored: &StoredByUser,
    users: Range<u32>,
) -> Result<Vec<Option<i128>>, BalanceError> {
    let first = users.start as usize;
    let mut recomputed = vec![0i128; users.len()];
    for entry in books.unified.entries.iter().filter(|entry| entry.moves_a_balance()) {
        let sum = &mut recomputed[entry.user.0 as usize - first];
        *sum = sum.checked_add(i128::from(entry.signed_tokens())).ok_or(Overflow)?;
    }
    let gap = |(user, granted): (u32, i128)| -> Result<Option<i128>, BalanceError> {
        let Some(Some(tokens)) = stored.get(&UserNo(user)) else { return Ok(None) };
        let used = used(&books.usage[user as usize], config)?;
        let recomputed = granted.checked_sub(used).ok_or(Overflow)?;
        Ok(Some(tokens.checked_sub(recomputed).ok_or(Overflow)?))
    };
    users.zip(recomputed).map(gap).collect()
}

/// Takes the repairs of waived findings out of the corrected balances: no SQL makes them.
///
/// # Errors
/// [`BalanceError::Overflow`].
pub fn leave_out_waived(
    balances: &mut Balances,
    books: &Books,
    findings: &[Finding],
) -> Result<(), BalanceError> {
    let waived = findings.iter().filter(|finding| finding.status == Status::Waived);
    for finding in waived.filter(|finding| finding.repair.is_executable()) {
        let user = finding.user.as_ref().and_then(|id| books.roster.find(id));
        if let (Some(user), Some(effect)) = (user, finding.tokens_effect) {
            let corrected = &mut balances.users[user.0 as usize].corrected;
            *corrected = corrected.checked_sub(effect).ok_or(Overflow)?;
        }
    }
    Ok(())
}

fn empty(user: UserNo, (granted, deducted): (i128, i128)) -> UserBalance {
    UserBalance {
        user,
        granted,
        deducted,
        used: 0,
        recomputed: 0,
        corrected: 0,
        stored: None,
        gap: None,
        causes: Rare::default(),
        unexplained: None,
        explanation: None,
        explained_by: Rare::default(),
    }
}

/// One finding a user whose gap is not explained to the token by configured policies and findings,
/// and one a holder whose balance was below zero at some time.
pub fn findings(books: &Books, balances: &Balances, replayed: &Replayed) -> Vec<Finding> {
    let gaps = balances.users.iter().filter(|balance| is_finding(balance));
    let gaps: Vec<&UserBalance> = gaps.collect();
    let mut found: Vec<Finding> = Vec::with_capacity(gaps.len() + replayed.below_zero.len());
    for balance in gaps {
        let mut finding = gap_finding(books, balance);
        finding.evidence += &evidence::chain_breaks(&balances.snapshots, balance);
        found.push(finding);
    }
    for below_zero in &replayed.below_zero {
        let mut finding = negative_finding(books, replayed, below_zero);
        let balance = &balances.users[below_zero.holder.0 as usize];
        finding.evidence += &evidence::chain_breaks(&balances.snapshots, balance);
        found.push(finding);
    }
    found
}

/// The gap is one that configured policies and findings do not explain to the token: something is left
/// unexplained, or no smallest set of causes is made of them alone.
fn is_finding(balance: &UserBalance) -> bool {
    if balance.gap.is_some_and(|gap| gap != 0) && balance.unexplained != Some(0) {
        return true;
    }
    match balance.explanation {
        None | Some(Explanation::NoneNeeded) => false,
        Some(Explanation::Partial | Explanation::Unexplained) => true,
        Some(Explanation::Unique | Explanation::Several) => {
            let found = &*balance.explained_by;
            let is_known = |set: &Vec<Cause>| set.iter().all(|cause| cause.why.is_known());
            !is_known(&found.shown) && !found.others.iter().any(is_known)
        }
    }
}

fn gap_finding(books: &Books, balance: &UserBalance) -> Finding {
    let number = |tokens: Option<i128>| tokens.map(|tokens| tokens.to_string()).unwrap_or_default();
    let found = &balance.explained_by;
    let mut evidence = format!(
        "stored={}; recomputed={}; gap={}; unexplained={}; explanation={}",
        number(balance.stored),
        balance.recomputed,
        number(balance.gap),
        number(balance.unexplained),
        balance.explanation.map_or("", Explanation::name),
    );
    if !found.shown.is_empty() {
        evidence += &format!("; causes={}", found.shown_words(books));
    }
    if found.more > 0 {
        evidence += &format!("; alternatives={}", found.other_words(books));
    }
    let mut finding = about_user(books, balance.user, Class::BalanceGap, Severity::Error);
    // What explains a part is not why the rest is there.
    if balance.unexplained == Some(0) {
        let names: Vec<&str> = found.shown.iter().map(|cause| cause.cause.name()).collect();
        finding.cause = names.join("+").into();
    }
    finding.evidence = evidence;
    finding
}

fn negative_finding(books: &Books, replayed: &Replayed, below_zero: &BelowZero) -> Finding {
    let mut finding = about_user(books, below_zero.holder, Class::NegativeBalance, Severity::Warning);
    let ((first_at, first), (lowest_at, lowest)) = (below_zero.first, below_zero.lowest);
    finding.created_at_unified = Some(first_at);
    finding.evidence = format!(
        "first_at={}; first_balance={first}; lowest_at={}; lowest_balance={lowest}; balance_at_as_of={}; \
         opening={}",
        first_at.rfc3339(),
        lowest_at.rfc3339(),
        below_zero.balance,
        replayed.effects[below_zero.holder.0 as usize].opening,
    );
    finding
}

fn about_user(books: &Books, user: UserNo, class: Class, severity: Severity) -> Finding {
    let mut finding = Finding::new(class, severity, RepairKind::Review);
    finding.user = Some(books.roster.id(user).clone());
    finding
}
