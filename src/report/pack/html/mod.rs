//! `audit.html`: the pack on one page, without a script and without a network.

mod charts;

use askama::Template;

use super::model::Pack;
use super::print::movements;
use super::table::{Cell, Kind, Table};
use super::tables::sheets;
use crate::report::error::ReportError;
use crate::report::figures::{counted, grouped, moment, signed, size};
use crate::report::place::WrittenFile;

/// Rows of a long table that the page shows; the CSV file has them all.
const SHOWN_MAX: usize = 200;

/// Rows of a wide table that the page shows on paper.
const PAPER_MAX: usize = 40;

/// Columns that paper is too narrow for.
const SCREEN_ONLY: [&str; 24] = [
    "legacy_ids",
    "action_legacy",
    "action_expected",
    "created_at_unified",
    "lag_seconds",
    "rule",
    "verdict",
    "confidence",
    "evidence",
    "status",
    "waiver",
    "corrected",
    "recomputed",
    "hit_token",
    "hits",
    "partner_user_id",
    "partner_created_at",
    "partner_action_type",
    "disposition",
    "tokens_per_evidence",
    "difference_rows",
    "evidence_seen",
    "inspected_by_and_on",
    "remarks",
];

#[derive(Template)]
#[template(path = "audit.html")]
struct Page<'a> {
    verdict: &'static str,
    tone: &'static str,
    first: String,
    last: String,
    as_of: String,
    sentence: String,
    chain: String,
    warnings: &'a [String],
    figures: Vec<Figure>,
    waterfall: charts::Waterfall,
    months: charts::Months,
    usage: Vec<charts::Bar>,
    granted: Vec<charts::Bar>,
    parts: Vec<Part>,
    files: &'a [WrittenFile],
    version: &'static str,
}

/// A figure at the top.
struct Figure {
    caption: &'static str,
    value: String,
    note: String,
}

/// One table of the pack.
struct Part {
    id: &'static str,
    title: &'static str,
    lead: &'static str,
    file: &'static str,
    columns: Vec<Head>,
    rows: Vec<Drawn>,
    /// Long words rather than figures: on a narrow screen its rows are blocks.
    is_of_words: bool,
    rest: String,
    paper: String,
}

/// The head of a column.
struct Head {
    name: &'static str,
    class: &'static str,
}

/// A row as it is drawn.
struct Drawn {
    class: &'static str,
    cells: Vec<Drawing>,
}

/// A cell as it is drawn.
struct Drawing {
    name: &'static str,
    text: String,
    class: &'static str,
}

impl Figure {
    /// How long the value is: a number is set smaller before it is broken.
    fn size(&self) -> &'static str {
        size(&self.value)
    }
}

/// Draws the page. `files` are the tables whose digests it names.
///
/// # Errors
/// When the page cannot be drawn.
pub(super) fn render(pack: &Pack<'_>, files: &[WrittenFile]) -> Result<String, ReportError> {
    let model = &pack.model;
    let period = &pack.period.period;
    let (verdict, tone) = if model.blocking == 0 { ("Clean", "good") } else { ("Discrepancies", "bad") };
    let page = Page {
        verdict,
        tone,
        first: period.first().to_string(),
        last: period.last().to_string(),
        as_of: moment(period.as_of()),
        sentence: pack.sentence(),
        chain: match &pack.period.previous {
            Some(previous) => format!(
                "Follows the sealed pack {}: its closing balances are the opening ones here.",
                previous.name
            ),
            None => "Follows no sealed pack: the opening balances are computed from the rows.".to_owned(),
        },
        warnings: &model.warnings,
        figures: figures(pack),
        waterfall: charts::waterfall(pack.period.roll.whole.opening, &movements(pack)),
        months: charts::months(&pack.period.roll),
        usage: charts::usage(&pack.period.roll),
        granted: charts::granted(&pack.period.granted),
        parts: sheets(pack).iter().map(part).collect(),
        files,
        version: model.version,
    };
    Ok(page.render()?)
}

fn figures(pack: &Pack<'_>) -> Vec<Figure> {
    let roll = &pack.period.roll;
    let totals = &pack.model.balances;
    let unknown = || "not known".to_owned();
    vec![
        Figure {
            caption: "Opening balance",
            value: grouped(roll.whole.opening),
            note: "tokens, all holders".to_owned(),
        },
        Figure {
            caption: "Moved",
            value: signed(roll.whole.tokens),
            note: format!("in {}", counted(roll.whole.rows, "row", "rows")),
        },
        Figure {
            caption: "Closing balance",
            value: grouped(roll.whole.closing),
            note: format!("of it {} left of paid grants", grouped(pack.period.paid_roll.closing)),
        },
        Figure {
            caption: "Findings in the period",
            value: grouped(i128::from(pack.exceptions_in_period())),
            note: format!("of {} in all", grouped(pack.model.findings.len() as i128)),
        },
        Figure {
            caption: "Unexplained",
            value: totals.unexplained_tokens.map_or_else(unknown, grouped),
            note: "tokens of stored balances".to_owned(),
        },
    ]
}

/// The anchor of a table, and what it is.
fn words(table: &Table<'_>) -> (&'static str, &'static str) {
    match table.title {
        "Summary" => (
            "summary",
            "The result, the period in one column, and whether everything ties out: every difference must be 0.",
        ),
        "Roll-forward" => (
            "roll-forward",
            "Opening, movement and closing of each line, by month, then of the whole period. Above zero adds to a balance.",
        ),
        "Grants by action" => (
            "grants",
            "Grants of the period in both tables; paid means payment evidence, or the action type of purchases.",
        ),
        "Exceptions" => ("exceptions", "Every finding that stands at the end of the period."),
        "Balances" => {
            ("balances", "Every holder: opening, what moved, closing, and how the stored balance compares.")
        }
        "Causes" => ("causes", "What findings and gaps come from."),
        "Sample" => {
            ("sample", "Rows to inspect, drawn from both tables; the last columns are for the auditor.")
        }
        _ => ("provenance", "What was read and asked, and how to make the figures again."),
    }
}

fn part(table: &Table<'_>) -> Part {
    let (id, lead) = words(table);
    let shown = table.len.min(SHOWN_MAX);
    let mut all: Vec<Vec<(String, bool)>> = Vec::with_capacity(shown);
    let mut cells = Vec::new();
    for at in 0..shown {
        cells.clear();
        (table.row)(at, &mut cells);
        all.push(cells.iter().zip(&table.columns).map(|(cell, column)| text(cell, column.kind)).collect());
    }
    // A column without a figure in any row is of no use on a page.
    let is_wide = table.columns.len() > 12;
    let kept: Vec<usize> = (0..table.columns.len())
        .filter(|&at| !is_wide || all.iter().any(|row| !matches!(row[at].0.as_str(), "" | "0")))
        .collect();
    let columns = kept.iter().map(|&at| {
        let column = &table.columns[at];
        Head {
            name: column.name,
            class: class(column.name, matches!(column.kind, Kind::Number | Kind::Seconds)),
        }
    });
    let drawing = |cells: &[(String, bool)], at: usize| Drawing {
        name: table.columns[at].name,
        text: cells[at].0.clone(),
        class: match (class(table.columns[at].name, cells[at].1), table.columns[at].kind) {
            ("", Kind::LongText) => "w",
            (class, _) => class,
        },
    };
    let rows = all.iter().enumerate().map(|(row, cells)| Drawn {
        class: match ((table.strong)(row), is_wide && row >= PAPER_MAX) {
            (true, _) => "strong",
            (false, true) => "late",
            (false, false) => "",
        },
        cells: kept.iter().map(|&at| drawing(cells, at)).collect(),
    });
    let (columns, rows) = (columns.collect(), rows.collect());
    let rest = left_out(table, shown, kept.len() < table.columns.len());
    let paper = match is_wide {
        true => format!(
            "On paper: the first {} rows and the columns that fit; {} has all {}.",
            shown.min(PAPER_MAX),
            table.file,
            grouped(table.len as i128)
        ),
        false => String::new(),
    };
    let is_of_words = matches!(id, "summary" | "causes" | "provenance");
    Part { id, title: table.title, lead, file: table.file, columns, rows, is_of_words, rest, paper }
}

/// What a cell is: a number, and too much for paper.
fn class(column: &str, is_number: bool) -> &'static str {
    let screen_only = column.starts_with("cause_") || SCREEN_ONLY.contains(&column);
    match (screen_only, is_number) {
        (true, true) => "n s",
        (true, false) => "s",
        (false, true) => "n",
        (false, false) => "",
    }
}

/// What the page does not show of a table, and where it is.
fn left_out(table: &Table<'_>, shown: usize, without_columns: bool) -> String {
    let total = grouped(table.len as i128);
    match (table.len > shown, without_columns) {
        (false, false) => String::new(),
        (true, false) => format!("The first {shown} of {total} rows; {} has them all.", table.file),
        (false, true) => format!("Columns without a figure are left out; {} has them all.", table.file),
        (true, true) => format!(
            "The first {shown} of {total} rows, without columns that have no figure in them; {} has everything.",
            table.file
        ),
    }
}

fn text(cell: &Cell<'_>, kind: Kind) -> (String, bool) {
    match cell {
        Cell::Empty => (String::new(), matches!(kind, Kind::Number | Kind::Seconds)),
        Cell::Text(text) => (text.to_string(), false),
        Cell::Time(at) => (at.rfc3339(), false),
        Cell::Seconds(span) => (span.seconds().replace('-', "\u{2212}"), true),
        number => (grouped(number.value().unwrap_or(0)).replace('-', "\u{2212}"), true),
    }
}
