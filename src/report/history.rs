//! Draws one user's history: a table for people, JSON and CSV for programs.

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::audit::{HistoryLine, UserHistory};
use crate::domain::{Instant, Outcome, PopulationClass, RowId, Side};

use super::csv::is_formula;
use super::error::ReportError;
use super::figures::{grouped, minute, moment, signed};
use super::json::pretty;
use super::page::{Page, Paint, printable, shorten};

/// Name and version of the shape of the JSON.
pub const SCHEMA: &str = "reckon.history/1";

/// The columns of the CSV, in order.
pub const COLUMNS: [&str; 14] = [
    "created_at",
    "side",
    "row_id",
    "action",
    "action_unified",
    "tokens",
    "change",
    "balance",
    "disposition",
    "partner_ids",
    "rule",
    "class",
    "finding_id",
    "user_id",
];

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
    page.finish()
}

/// The cells of a row: time, label, legacy, unified, balance, id.
type Cells = [String; 6];

fn cells(line: &HistoryLine) -> Cells {
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
    let rows: Vec<Cells> = history.lines.iter().map(cells).collect();
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
    for (line, row) in history.lines.iter().zip(&rows) {
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
        .map(|(table, what, tokens)| (vec![table.to_owned(), what.to_owned(), grouped(tokens)], Paint::Plain))
        .collect();
    page.table(&[("", false), ("", false), ("tokens", true)], &rows);
    for (class, finding) in &history.findings {
        page.paragraph("  ", &format!("{} {}", class.name(), finding.0), Paint::Warn);
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    user_id: String,
    as_of: String,
    rows: Vec<Row<'a>>,
    legacy: Legacy,
    unified: Unified,
    stored: Option<i128>,
    gap: Option<i128>,
    unexplained: Option<i128>,
    findings: Vec<About<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    created_at: Option<String>,
    side: &'static str,
    row_id: String,
    action: &'a str,
    action_unified: Option<&'a str>,
    tokens: Option<i64>,
    change: Option<i64>,
    balance: Option<i128>,
    disposition: &'static str,
    partner_ids: Vec<String>,
    rule: Option<&'static str>,
    class: Option<&'static str>,
    finding_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Legacy {
    granted: i128,
    deducted: i128,
    balance: i128,
}

#[derive(Serialize)]
struct Unified {
    granted: i128,
    deducted: i128,
    used: i128,
    recomputed: i128,
    corrected: i128,
}

#[derive(Serialize)]
struct About<'a> {
    class: &'static str,
    finding_id: &'a str,
}

fn row(line: &HistoryLine) -> Row<'_> {
    let partner = line.partner.as_ref();
    Row {
        created_at: line.at.map(Instant::rfc3339),
        side: line.side.name(),
        row_id: line.row.to_string(),
        action: &line.label,
        action_unified: line.action.as_deref(),
        tokens: line.tokens,
        change: line.change,
        balance: line.balance,
        disposition: line.outcome.name(),
        partner_ids: partner.map_or(Vec::new(), |partner| partner.ids.iter().map(RowId::to_string).collect()),
        rule: partner.map(|partner| partner.rule.name()),
        class: line.finding.as_ref().map(|(class, _)| class.name()),
        finding_id: line.finding.as_ref().map(|(_, id)| id.0.as_str()),
    }
}

/// The bytes of the JSON: everything that the table shows, with whole ids and microseconds.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn json(history: &UserHistory) -> Result<Vec<u8>, ReportError> {
    let balance = &history.balance;
    let (granted, deducted) = history.legacy;
    let document = Document {
        schema: SCHEMA,
        user_id: history.user.to_string(),
        as_of: history.as_of.rfc3339(),
        rows: history.lines.iter().map(row).collect(),
        legacy: Legacy { granted, deducted, balance: granted - deducted },
        unified: Unified {
            granted: balance.granted,
            deducted: balance.deducted,
            used: balance.used,
            recomputed: balance.recomputed,
            corrected: balance.corrected,
        },
        stored: balance.stored,
        gap: balance.gap,
        unexplained: balance.unexplained,
        findings: history
            .findings
            .iter()
            .map(|(class, id)| About { class: class.name(), finding_id: &id.0 })
            .collect(),
    };
    pretty("history", &document)
}

/// The rows as CSV; unknown is empty.
pub fn csv(history: &UserHistory) -> Vec<u8> {
    let mut writer =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    let mut write = |cells: &[String]| writer.write_record(cells).expect("memory takes every record");
    write(&COLUMNS.map(str::to_owned));
    let user = guarded(&history.user.to_string());
    for line in &history.lines {
        let row = row(line);
        let number = |value: Option<i128>| value.map(|value| value.to_string()).unwrap_or_default();
        write(&[
            row.created_at.unwrap_or_default(),
            row.side.to_owned(),
            guarded(&row.row_id),
            guarded(row.action),
            guarded(row.action_unified.unwrap_or_default()),
            number(row.tokens.map(i128::from)),
            number(row.change.map(i128::from)),
            number(row.balance),
            row.disposition.to_owned(),
            guarded(&row.partner_ids.join(";")),
            row.rule.unwrap_or_default().to_owned(),
            row.class.unwrap_or_default().to_owned(),
            row.finding_id.unwrap_or_default().to_owned(),
            user.clone(),
        ]);
    }
    writer.into_inner().expect("memory takes every record")
}

/// A cell of text that a spreadsheet will not run.
fn guarded(text: &str) -> String {
    if is_formula(text) { format!("'{text}") } else { text.to_owned() }
}
