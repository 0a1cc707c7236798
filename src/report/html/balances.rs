//! The balances that the page shows: totals, and the users that stand out.

use crate::balance::{GapCause, UserBalance};

use super::super::figures::counted;
use super::super::gap_causes::GapCauseTotals;
use super::super::model::Model;
use super::escape::address;
use super::view::{change, number, per_mille, tokens};
use super::words;

/// So many users are shown; `balances.csv` always has all.
const SHOWN: usize = 25;

/// The section on balances.
pub struct BalanceView {
    pub users: String,
    pub causes: Vec<CauseBar>,
    pub unexplained: String,
    pub unexplained_users: String,
    pub gap: String,
    pub gap_users: String,
    pub explained: String,
    pub has_stored: bool,
    pub rows: Vec<UserRow>,
    pub more: String,
}

/// Tokens of all gaps by cause.
pub struct CauseBar {
    pub title: &'static str,
    /// What is taken to be behind it, and whether something else would do as well.
    pub detail: String,
    pub users: String,
    pub tokens: String,
    pub bar: u32,
}

/// A user with a gap, or, without stored balances, one whose balance the repairs change.
pub struct UserRow {
    pub user: String,
    pub user_address: String,
    pub granted: String,
    pub deducted: String,
    pub used: String,
    pub recomputed: String,
    pub corrected: String,
    pub stored: String,
    pub gap: String,
    pub explanation: String,
    pub unexplained: bool,
}

/// Builds the section.
pub fn view(model: &Model<'_>) -> BalanceView {
    let stands_out = if model.balances.stored.is_some() { gap } else { repaired };
    let mut chosen: Vec<&UserBalance> = model.users.iter().filter(|user| stands_out(user) != 0).collect();
    let all = chosen.len();
    chosen.sort_by_key(|user| (std::cmp::Reverse(stands_out(user).unsigned_abs()), user.user));
    chosen.truncate(SHOWN);
    BalanceView {
        users: counted(model.balances.users, "user", "users"),
        causes: causes(model),
        unexplained: model.balances.unexplained_tokens.map(change).unwrap_or_default(),
        unexplained_users: count(model, |user| user.unexplained.is_some_and(|tokens| tokens != 0)),
        gap: model.balances.gap_tokens.map(change).unwrap_or_default(),
        gap_users: count(model, |user| gap(user) != 0),
        explained: explained(model),
        has_stored: model.balances.stored.is_some(),
        more: if all > SHOWN { number(all as u64) } else { String::new() },
        rows: chosen.into_iter().map(|user| row(model, user)).collect(),
    }
}

fn gap(user: &UserBalance) -> i128 {
    user.gap.unwrap_or(0)
}

fn repaired(user: &UserBalance) -> i128 {
    user.corrected.saturating_sub(user.recomputed)
}

fn count(model: &Model<'_>, is_counted: impl Fn(&UserBalance) -> bool) -> String {
    number(model.users.iter().filter(|user| is_counted(user)).count() as u64)
}

/// Causes of gaps with what is behind each, in the order of the model: those of most users first.
fn causes(model: &Model<'_>) -> Vec<CauseBar> {
    let causes = &model.balances.gap_causes;
    let most = causes.iter().map(|cause| cause.tokens.unsigned_abs()).max().unwrap_or(0);
    let bar = |cause: &GapCauseTotals| CauseBar {
        title: words::gap_cause(cause.cause),
        detail: match cause.users_several {
            0 => cause.detail.clone(),
            several => format!(
                "{}; of {} other causes would do as well",
                cause.detail,
                counted(several, "user", "users")
            ),
        },
        users: number(cause.users),
        tokens: change(cause.tokens),
        bar: per_mille(cause.tokens.unsigned_abs(), most),
    };
    causes.iter().map(bar).collect()
}

/// How the gaps are explained, in a sentence.
fn explained(model: &Model<'_>) -> String {
    let Some(totals) = model.balances.explanations else { return String::new() };
    let parts = [
        (totals.unique, "by one set of causes"),
        (totals.several, "by several sets, none preferred"),
        (totals.partial, "in part"),
        (totals.unexplained, "not at all"),
    ];
    let said = parts.iter().filter(|(users, _)| *users > 0);
    let said: Vec<String> = said.map(|(users, how)| format!("{} {how}", number(*users))).collect();
    if said.is_empty() { String::new() } else { format!("Gaps explained: {}.", said.join(", ")) }
}

fn row(model: &Model<'_>, user: &UserBalance) -> UserRow {
    let id = model.roster.id(user.user).to_string();
    UserRow {
        user_address: address(&id),
        user: id,
        granted: tokens(user.granted),
        deducted: tokens(user.deducted),
        used: tokens(user.used),
        recomputed: tokens(user.recomputed),
        corrected: tokens(user.corrected),
        stored: user.stored.map(tokens).unwrap_or_default(),
        gap: user.gap.map(change).unwrap_or_default(),
        explanation: explanation(user),
        unexplained: user.unexplained.is_some_and(|tokens| tokens != 0),
    }
}

/// The causes of one user's gap in words.
fn explanation(user: &UserBalance) -> String {
    let mut parts: Vec<String> = GapCause::ALL
        .iter()
        .zip(user.causes.iter().copied())
        .filter(|(_, tokens)| user.gap.is_some() && *tokens != 0)
        .map(|(cause, tokens)| format!("{}: {}", words::gap_cause(*cause), change(tokens)))
        .collect();
    if let Some(unexplained) = user.unexplained.filter(|tokens| *tokens != 0) {
        parts.push(format!("unexplained: {}", change(unexplained)));
    }
    parts.join("; ")
}
