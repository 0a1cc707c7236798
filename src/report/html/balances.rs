//! The balances that the page shows: totals, and the users that stand out.

use crate::balance::{GapCause, UserBalance};

use super::super::figures::counted;
use super::super::model::Model;
use super::view::{change, number, per_mille, tokens};
use super::words;

/// So many users are shown; `balances.csv` always has all.
const SHOWN: usize = 100;

/// The section on balances.
pub struct BalanceView {
    pub users: String,
    pub statement: Vec<Statement>,
    pub causes: Vec<CauseBar>,
    pub unexplained: String,
    pub gap: String,
    pub has_stored: bool,
    pub rows: Vec<UserRow>,
    pub more: String,
}

/// A line of the statement that leads from grants to gap.
pub struct Statement {
    pub name: &'static str,
    pub tokens: String,
    pub is_sum: bool,
}

/// Tokens of all gaps by cause.
pub struct CauseBar {
    pub title: &'static str,
    pub tokens: String,
    pub bar: u32,
}

/// A user with a gap, or, without stored balances, one whose balance the repairs change.
pub struct UserRow {
    pub user: String,
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
        statement: statement(model),
        causes: causes(model),
        unexplained: model.balances.unexplained_tokens.map(change).unwrap_or_default(),
        gap: model.balances.gap_tokens.map(change).unwrap_or_default(),
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

fn statement(model: &Model<'_>) -> Vec<Statement> {
    let totals = &model.balances;
    let line = |name, tokens, is_sum| Statement { name, tokens, is_sum };
    let mut lines = vec![
        line("Granted in the unified table", tokens(totals.granted), false),
        line("Deducted", tokens(-totals.deducted), false),
        line("Used", tokens(-totals.used), false),
        line("Recomputed balances", tokens(totals.recomputed), true),
        line("Change by the repairs", change(totals.corrected - totals.recomputed), false),
        line("Balances after the repairs", tokens(totals.corrected), true),
    ];
    if let (Some(stored), Some(compared), Some(gap), Some(unexplained)) =
        (totals.stored, totals.recomputed_with_stored, totals.gap_tokens, totals.unexplained_tokens)
    {
        lines.push(line("Stored balances", tokens(stored), false));
        lines.push(line("Recomputed, of the users with a stored balance", tokens(-compared), false));
        lines.push(line("Gap: stored less recomputed", change(gap), true));
        lines.push(line("of it unexplained", change(unexplained), false));
    }
    lines
}

fn causes(model: &Model<'_>) -> Vec<CauseBar> {
    let known: Vec<(GapCause, i128)> =
        model.balances.causes.iter().copied().filter(|(_, tokens)| *tokens != 0).collect();
    let most = known.iter().map(|(_, tokens)| tokens.unsigned_abs()).max().unwrap_or(0);
    let bar = |(cause, tokens): (GapCause, i128)| CauseBar {
        title: words::gap_cause(cause),
        tokens: change(tokens),
        bar: per_mille(tokens.unsigned_abs(), most),
    };
    known.into_iter().map(bar).collect()
}

fn row(model: &Model<'_>, user: &UserBalance) -> UserRow {
    UserRow {
        user: model.roster.id(user.user).to_string(),
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
        .zip(user.causes)
        .filter(|(_, tokens)| user.gap.is_some() && *tokens != 0)
        .map(|(cause, tokens)| format!("{}: {}", words::gap_cause(*cause), change(tokens)))
        .collect();
    if let Some(unexplained) = user.unexplained.filter(|tokens| *tokens != 0) {
        parts.push(format!("unexplained: {}", change(unexplained)));
    }
    parts.join("; ")
}
