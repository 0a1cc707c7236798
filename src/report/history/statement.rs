//! One user's history as a page for the customer: no script, no network, readable on paper.

use askama::Template;

use super::policy_words;
use crate::audit::{HistoryLine, LotLine, PolicyLine, Step, UserHistory};
use crate::balance::GapCause;
use crate::balance::replay::MovementKind;
use crate::domain::{Outcome, PopulationClass, Side};
use crate::report::error::ReportError;
use crate::report::figures::{grouped, minute, moment, signed, size};
use crate::report::html::gap_cause;

const STYLE: &str = include_str!("statement.css");

#[derive(Template)]
#[template(path = "statement.html")]
struct Page {
    style: &'static str,
    user: String,
    as_of: String,
    figures: Vec<Figure>,
    sums: Vec<Sum>,
    notes: Vec<String>,
    rows: Vec<Row>,
    lots: Vec<Lot>,
    has_ends: bool,
    version: &'static str,
}

/// A figure at the top.
struct Figure {
    caption: &'static str,
    tokens: String,
    note: &'static str,
}

impl Figure {
    /// How long the value is, as classes.
    fn size(&self) -> &'static str {
        size(&self.tokens)
    }
}

/// A line of how the balance comes about: what is added, or what it comes to.
struct Sum {
    what: String,
    tokens: String,
    is_sum: bool,
}

/// A line of the history.
struct Row {
    at: String,
    label: String,
    legacy: String,
    unified: String,
    balance: String,
    id: String,
    notes: Vec<String>,
    tone: &'static str,
}

/// A grant, and what is left of it.
struct Lot {
    at: String,
    label: String,
    granted: String,
    used: String,
    lost: String,
    left: String,
    until: String,
    id: String,
    /// Hundredths of what was granted, for the bar: used, lost, left.
    parts: [u8; 3],
}

/// The page.
///
/// # Errors
/// When the page cannot be drawn.
pub fn html(history: &UserHistory) -> Result<String, ReportError> {
    let follows = history.follows_policies();
    let lots = &history.statement.lots;
    let page = Page {
        style: STYLE,
        user: history.user.to_string(),
        as_of: moment(history.as_of),
        figures: figures(history),
        sums: sums(history),
        notes: notes(history),
        rows: history.steps().iter().map(|step| row(step, follows)).collect(),
        has_ends: lots.iter().any(|line| line.lot.ends_at.is_some()),
        lots: lots.iter().rev().map(lot).collect(),
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render().map_err(|cause| ReportError::Html(std::io::Error::other(cause)))
}

fn figures(history: &UserHistory) -> Vec<Figure> {
    let balance = &history.balance;
    let figure = |caption, tokens, note| Figure { caption, tokens: grouped(tokens), note };
    let mut figures = vec![
        figure("Balance", history.statement.balance, "by the rows and the rules of the product"),
        figure("Granted", balance.granted, "all grants"),
        figure("Used", balance.used, "all use that counts"),
    ];
    if balance.deducted != 0 {
        figures.push(figure("Deducted", balance.deducted, "taken back"));
    }
    let by_policies = history.statement.balance - balance.recomputed;
    if by_policies != 0 && !history.statement.is_pooled {
        let tokens = signed(by_policies);
        figures.push(Figure { caption: "By rules", tokens, note: "opening tokens, ends, resets, floor" });
    }
    if let Some(stored) = balance.stored {
        figures.push(figure("On record", stored, "the balance that the product shows"));
    }
    figures
}

/// How the balance comes about, line by line: the rows, what the rules of the product moved, and by how much
/// the balance on record is another. In a pool the rows alone are this user's.
fn sums(history: &UserHistory) -> Vec<Sum> {
    let balance = &history.balance;
    let added =
        |what: &str, tokens: i128| Sum { what: what.to_owned(), tokens: signed(tokens), is_sum: false };
    let sum = |what: &str, tokens: i128| Sum { what: what.to_owned(), tokens: grouped(tokens), is_sum: true };
    let mut sums = vec![added("Granted", balance.granted)];
    if balance.deducted != 0 {
        sums.push(added("Deducted", -balance.deducted));
    }
    sums.push(added("Used", -balance.used));
    sums.push(sum("Sum of the rows", balance.recomputed));
    if history.follows_policies() {
        let moved = policy_sums(history);
        sums.extend(moved.into_iter().map(|(kind, tokens)| added(policy_title(kind), tokens)));
        sums.push(sum("Balance", history.statement.balance));
    }
    if let Some(stored) = balance.stored {
        sums.push(added("Difference of the balance on record", stored - counted_balance(history)));
        sums.push(sum("On record", stored));
    }
    sums
}

/// The balance that the one on record is held against: in a pool the sum of this user's own rows.
fn counted_balance(history: &UserHistory) -> i128 {
    if history.statement.is_pooled { history.balance.recomputed } else { history.statement.balance }
}

/// What the policies moved, by kind, oldest kind first.
fn policy_sums(history: &UserHistory) -> Vec<(MovementKind, i128)> {
    let mut sums: Vec<(MovementKind, i128)> = Vec::new();
    for line in &history.statement.lines {
        match sums.iter_mut().find(|(kind, _)| policy_title(*kind) == policy_title(line.kind)) {
            Some((_, sum)) => *sum += line.tokens,
            None => sums.push((line.kind, line.tokens)),
        }
    }
    sums
}

/// What the changes of a kind are called together.
fn policy_title(kind: MovementKind) -> &'static str {
    match kind {
        MovementKind::Opening => "Opening tokens",
        MovementKind::Expired(_) => "Ended unused",
        MovementKind::RolledOver(_) => "Beyond a cap",
        MovementKind::Reset => "Replaced by grants",
        MovementKind::Clamped => "Held at zero",
        MovementKind::WrittenOff => "Written off",
        MovementKind::FailedUsage => "Failed use",
        other => other.name(),
    }
}

/// Why the balance on record is another than the one above, with parts that come to what is said.
fn off_record(history: &UserHistory) -> Option<String> {
    let balance = &history.balance;
    let (stored, gap, unexplained) = (balance.stored?, balance.gap?, balance.unexplained?);
    let off = stored - counted_balance(history);
    if off == 0 {
        return None;
    }
    let side = if off > 0 { "more" } else { "less" };
    let base = if history.statement.is_pooled { "the sum of this user's own rows" } else { "the one above" };
    let said = format!("The balance on record is {} {side} than {base}", grouped(off.abs()));
    let causes = GapCause::ALL.iter().zip(balance.causes.iter()).filter(|(_, tokens)| **tokens != 0);
    let parts = causes.map(|(cause, tokens)| format!("{} {}", gap_cause(*cause), signed(*tokens)));
    let unknown = (unexplained != 0).then(|| format!("unexplained {}", signed(unexplained)));
    let parts = parts.chain(unknown).collect::<Vec<_>>().join(", ");
    let rules = gap - off;
    Some(match (rules, parts.is_empty()) {
        (0, _) => format!("{said}: {parts}."),
        (_, true) => format!(
            "{said}: it is the sum of the rows, without the {} that the rules of the product moved.",
            signed(rules)
        ),
        (_, false) => format!(
            "{said}: it differs from the sum of the rows by {} ({parts}), the one above by the {} that the rules of \
             the product moved.",
            signed(gap),
            signed(rules)
        ),
    })
}

/// What a reader must know about the figures.
fn notes(history: &UserHistory) -> Vec<String> {
    let mut notes = Vec::new();
    let statement = &history.statement;
    if statement.is_pooled {
        notes.push(format!(
            "These tokens are shared in a pool. Its balance of {} stands with {}; beside each row is the sum of \
             this user's own rows.",
            grouped(statement.balance),
            statement.holder
        ));
    }
    if statement.debt > 0 {
        notes.push(format!("{} tokens are owed.", grouped(statement.debt)));
    }
    notes.extend(off_record(history));
    notes.extend(
        history.findings.iter().map(|(class, id)| format!("Under review: {} {}.", class.name(), id.0)),
    );
    notes
}

fn row(step: &Step<'_>, follows_policies: bool) -> Row {
    match step {
        Step::Row(line) => row_of_table(line, follows_policies),
        Step::Policy(line) => row_of_policy(line),
    }
}

fn row_of_policy(line: &PolicyLine) -> Row {
    Row {
        at: minute(line.at),
        label: policy_words(line.kind, line.action.as_deref()),
        legacy: String::new(),
        unified: signed(line.tokens),
        balance: line.balance.map(grouped).unwrap_or_default(),
        id: line.row.as_ref().map(ToString::to_string).unwrap_or_default(),
        notes: Vec::new(),
        tone: "rule",
    }
}

fn row_of_table(line: &HistoryLine, follows_policies: bool) -> Row {
    let amount = match (line.change, line.tokens) {
        (Some(change), _) => signed(change.into()),
        (None, Some(tokens)) => format!("({})", grouped(tokens.into())),
        (None, None) => "unknown".to_owned(),
    };
    let (legacy, unified) = match line.side {
        Side::Legacy => (amount, String::new()),
        Side::Unified => (String::new(), amount),
    };
    let balance = if follows_policies { line.balance_policy } else { line.balance };
    let balance = balance.filter(|_| line.side == Side::Unified);
    let mut notes = Vec::new();
    if let Some(partner) = &line.partner {
        let ids: Vec<String> = partner.ids.iter().map(ToString::to_string).collect();
        notes.push(format!("same grant as {}, by {}", ids.join(", "), partner.rule.name()));
    }
    if let Some((class, finding)) = &line.finding {
        notes.push(format!("{} {}", class.name(), finding.0));
    }
    match line.outcome {
        Outcome::Population(PopulationClass::Pending) => notes.push("pending".to_owned()),
        Outcome::Population(class) if line.change.is_none() => {
            notes.push(format!("not counted: {}", class.name()));
        }
        _ => {}
    }
    Row {
        at: line.at.map_or("no time".to_owned(), minute),
        label: line.label.to_string(),
        legacy,
        unified,
        balance: balance.map(grouped).unwrap_or_default(),
        id: line.row.to_string(),
        notes,
        tone: if line.finding.is_some() { "finding" } else { "" },
    }
}

fn lot(line: &LotLine) -> Lot {
    let lot = &line.lot;
    let lost = lot.expired + lot.voided;
    let share = |tokens: i128| match lot.granted {
        0 => 0,
        granted => u8::try_from(tokens.saturating_mul(100) / granted).unwrap_or(100),
    };
    Lot {
        at: minute(lot.granted_at),
        label: line.action.as_deref().unwrap_or("opening tokens").to_owned(),
        granted: grouped(lot.granted),
        used: grouped(lot.used),
        lost: grouped(lost),
        left: grouped(lot.remaining),
        until: lot.ends_at.map_or("does not end".to_owned(), minute),
        id: line.row.as_ref().map(ToString::to_string).unwrap_or_default(),
        parts: [share(lot.used), share(lost), share(lot.remaining)],
    }
}
