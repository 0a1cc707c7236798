//! One user's history as a page for the customer: no script, no network, readable on paper.

use askama::Template;

use super::policy_words;
use crate::audit::{HistoryLine, LotLine, PolicyLine, Step, UserHistory};
use crate::domain::{Outcome, PopulationClass, Side};
use crate::report::error::ReportError;
use crate::report::figures::{grouped, minute, moment, signed};

const STYLE: &str = include_str!("statement.css");

#[derive(Template)]
#[template(path = "statement.html")]
struct Page {
    style: &'static str,
    user: String,
    as_of: String,
    figures: Vec<Figure>,
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
    if let (Some(gap), Some(unexplained)) = (history.balance.gap, history.balance.unexplained)
        && gap != 0
    {
        notes.push(format!(
            "The balance on record differs from the sum of the rows by {}; {} of it is unexplained.",
            signed(gap),
            grouped(unexplained)
        ));
    }
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
