//! Draws one user's history: a table or a page for people, JSON and CSV for programs.

mod document;
mod statement;

use unicode_width::UnicodeWidthStr as _;

use crate::audit::{HistoryLine, LotLine, PolicyLine, Step, UserHistory};
use crate::balance::replay::MovementKind;
use crate::domain::{Outcome, PopulationClass, RowId, Side};

use crate::report::figures::{grouped, minute, moment, signed};
use crate::report::page::{Page, Paint, printable, shorten};

pub use document::{COLUMNS, LOT_COLUMNS, SCHEMA, csv, json, lots_csv};
pub use statement::html;

/// Columns that an id gets: in the table, and in the notes below a row.
const ID_COLUMNS: (usize, usize) = (9, 13);

/// Fewer columns than this are too few for a label: then the row's id moves into its notes.
const LABEL_COLUMNS: usize = 12;

/// Draws the table, `width` columns wide (between 60 and 80), with colours only if asked for.
pub fn human(history: &UserHistory, width: usize, color: bool) -> String {
    let mut page = Page::new(width, color);
    page.put(&format!("History of {}", printable(&history.user.to_string())), Paint::Strong);
    page.end();
    page.put(&format!("  as of {}, newest first", moment(history.as_of)), Paint::Faint);
    page.end();
    page.end();
    lines(&mut page, history);
    balances(&mut page, history);
    lots(&mut page, history);
    page.finish()
}

/// The cells of a row: time, label, legacy, unified, balance, id.
type Cells = [String; 6];

fn cells(step: &Step<'_>, follows_policies: bool) -> Cells {
    match step {
        Step::Row(line) => row_cells(line, follows_policies),
        Step::Policy(line) => policy_cells(line),
    }
}

fn policy_cells(line: &PolicyLine) -> Cells {
    let id = line.row.as_ref().map(|row| shorten(&printable(&row.to_string()), ID_COLUMNS.0));
    [
        minute(line.at),
        printable(&policy_words(line.kind, line.action.as_deref())),
        String::new(),
        signed(line.tokens),
        line.balance.map(grouped).unwrap_or_default(),
        id.unwrap_or_default(),
    ]
}

/// What a change without a row is called.
fn policy_words(kind: MovementKind, action: Option<&str>) -> String {
    let action = action.unwrap_or_default();
    match kind {
        MovementKind::Opening => "opening tokens".to_owned(),
        MovementKind::Expired(_) => format!("expired {action}"),
        MovementKind::RolledOver(_) => format!("beyond the cap of {action}"),
        MovementKind::Reset => "replaced by a grant".to_owned(),
        MovementKind::Clamped => "held at zero".to_owned(),
        MovementKind::WrittenOff => "written off".to_owned(),
        MovementKind::FailedUsage => "failed use".to_owned(),
        other => other.name().to_owned(),
    }
}

fn row_cells(line: &HistoryLine, follows_policies: bool) -> Cells {
    // What does not count stands in brackets.
    let amount = match (line.change, line.tokens) {
        (Some(change), _) => signed(change.into()),
        (None, Some(tokens)) => format!("({})", grouped(tokens.into())),
        (None, None) => "(?)".to_owned(),
    };
    let (legacy, unified) = match line.side {
        Side::Legacy => (amount, String::new()),
        Side::Unified => (String::new(), amount),
    };
    let balance = match line.side {
        Side::Legacy => String::new(),
        Side::Unified if follows_policies => line.balance_policy.map(grouped).unwrap_or_default(),
        Side::Unified => line.balance.map(grouped).unwrap_or_default(),
    };
    [
        line.at.map_or("no time".to_owned(), minute),
        printable(&line.label),
        legacy,
        unified,
        balance,
        shorten(&printable(&line.row.to_string()), ID_COLUMNS.0),
    ]
}

fn lines(page: &mut Page, history: &UserHistory) {
    let titles: Cells = ["at, UTC", "action", "legacy", "unified", "balance", "row"].map(str::to_owned);
    let steps = history.steps();
    let rows: Vec<Cells> = steps.iter().map(|step| cells(step, history.follows_policies())).collect();
    let mut widths = [0; 6];
    for row in rows.iter().chain([&titles]) {
        widths.iter_mut().zip(row).for_each(|(width, cell)| *width = (*width).max(cell.width()));
    }
    let others = |columns: &[usize]| columns.iter().map(|at| widths[*at] + 2).sum::<usize>();
    let with_id = page.width.saturating_sub(others(&[0, 2, 3, 4, 5]));
    let shows_id = with_id >= LABEL_COLUMNS.min(widths[1]);
    let room = if shows_id { with_id } else { page.width.saturating_sub(others(&[0, 2, 3, 4])) };
    widths[1] = widths[1].min(room);
    let put = |page: &mut Page, row: &Cells, paint| {
        let [at, label, legacy, unified, balance, id] = row;
        let [at_width, label_width, legacy_width, unified_width, balance_width, _] = widths;
        let label = shorten(label, label_width);
        let label_gap = " ".repeat(label_width - label.width());
        let text = format!(
            "{at:at_width$}  {label}{label_gap}  {legacy:>legacy_width$}  {unified:>unified_width$}  \
             {balance:>balance_width$}",
        );
        page.put(&text, paint);
        if shows_id {
            page.put("  ", Paint::Plain);
            page.put(id, if paint == Paint::Faint { paint } else { Paint::Plain });
        }
        page.end();
    };
    put(page, &titles, Paint::Faint);
    for (step, row) in steps.iter().zip(&rows) {
        let Step::Row(line) = step else {
            put(page, row, Paint::Plain);
            continue;
        };
        put(page, row, if line.finding.is_some() { Paint::Warn } else { Paint::Plain });
        let notes = notes(line, !shows_id);
        if !notes.is_empty() {
            page.paragraph("      ", &notes.join("; "), Paint::Faint);
        }
    }
    if history.lines.is_empty() {
        page.paragraph("", "no row in either table, only a stored balance", Paint::Plain);
    }
}

/// What stands below a row: its partner, its finding, why it does not count.
fn notes(line: &HistoryLine, with_id: bool) -> Vec<String> {
    let short = |id: &RowId| shorten(&printable(&id.to_string()), ID_COLUMNS.1);
    let mut notes = Vec::new();
    if with_id {
        notes.push(format!("row {}", short(&line.row)));
    }
    if let Some(partner) = &line.partner {
        let ids: Vec<String> = partner.ids.iter().map(short).collect();
        notes.push(format!("= {} by {}", ids.join(", "), partner.rule.name()));
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
    notes
}

fn balances(page: &mut Page, history: &UserHistory) {
    let balance = &history.balance;
    let (granted, deducted) = history.legacy;
    page.heading("Balance", "in tokens");
    let mut rows = vec![
        ("legacy table", "granted", granted),
        ("", "deducted", -deducted),
        ("", "granted less deducted", granted - deducted),
        ("unified table", "granted", balance.granted),
        ("", "deducted", -balance.deducted),
        ("", "used", -balance.used),
        ("", "recomputed", balance.recomputed),
        ("", "after all repairs", balance.corrected),
    ];
    if let (Some(stored), Some(gap), Some(unexplained)) = (balance.stored, balance.gap, balance.unexplained) {
        rows.push(("stored", "balance", stored));
        rows.push(("", "gap, stored - recomputed", gap));
        rows.push(("", "of it unexplained", unexplained));
    }
    let rows: Vec<_> = rows
        .into_iter()
        .chain(policy_rows(history))
        .map(|(table, what, tokens)| (vec![table.to_owned(), what.to_owned(), grouped(tokens)], Paint::Plain))
        .collect();
    page.table(&[("", false), ("", false), ("tokens", true)], &rows);
    for (class, finding) in &history.findings {
        page.paragraph("  ", &format!("{} {}", class.name(), finding.0), Paint::Warn);
    }
}

/// What the policies add to the recomputed balance, and what they come to.
fn policy_rows(history: &UserHistory) -> Vec<(&'static str, &'static str, i128)> {
    let statement = &history.statement;
    if !history.follows_policies() {
        return Vec::new();
    }
    let mut sums: Vec<(&'static str, i128)> = Vec::new();
    for line in &statement.lines {
        match sums.iter_mut().find(|(kind, _)| *kind == line.kind.name()) {
            Some((_, sum)) => *sum += line.tokens,
            None => sums.push((line.kind.name(), line.tokens)),
        }
    }
    let mut rows: Vec<_> = sums.into_iter().map(|(kind, tokens)| ("", kind, tokens)).collect();
    if let Some(first) = rows.first_mut() {
        first.0 = "policies";
    }
    rows.push(("", "recomputed with policies", statement.balance));
    rows
}

/// The grants with something left, and how many are used up.
fn lots(page: &mut Page, history: &UserHistory) {
    let statement = &history.statement;
    let left: Vec<&LotLine> = statement.lots.iter().filter(|line| line.lot.remaining > 0).collect();
    let note = match statement.is_pooled {
        true => format!("of the pool, whose balance of {} stands at its owner", grouped(statement.balance)),
        false => format!("{} of {} grants", left.len(), statement.lots.len()),
    };
    page.heading("Left of each grant", &note);
    let rows: Vec<_> = left
        .iter()
        .map(|line| {
            let action = line.action.as_deref().unwrap_or("opening tokens");
            let cells = vec![
                minute(line.lot.granted_at),
                shorten(&printable(action), 20),
                grouped(line.lot.granted),
                grouped(line.lot.remaining),
                line.lot.ends_at.map_or("does not end".to_owned(), minute),
            ];
            (cells, Paint::Plain)
        })
        .collect();
    let columns =
        [("granted, UTC", false), ("action", false), ("granted", true), ("left", true), ("until", false)];
    page.table(&columns, &rows);
    if statement.debt > 0 {
        page.paragraph("  ", &format!("{} tokens are owed", grouped(statement.debt)), Paint::Warn);
    }
}
