//! Draws the grants per action type: a table for people, JSON for programs.

use serde::Serialize;

use crate::audit::{GrantGroup, GrantSum, GrantTable, GrantsBy, Part};
use crate::domain::Instant;

use super::error::ReportError;
use super::figures::{day, grouped, moment, signed};
use super::json::pretty;
use super::page::{Page, Paint, printable, shorten};

/// Name and version of the shape of the JSON.
pub const SCHEMA: &str = "reckon.grants/1";

/// Columns that an id gets in the table.
const ID_COLUMNS: usize = 13;

/// Draws the table, `width` columns wide (between 60 and 80), with colours only if asked for.
pub fn human(table: &GrantTable, width: usize, color: bool) -> String {
    let mut page = Page::new(width, color);
    let what = match table.by {
        GrantsBy::Action => "Grants per action type",
        GrantsBy::Month => "Grants per action type and month",
        GrantsBy::User => "Grants per action type and user",
    };
    page.put(what, Paint::Strong);
    page.put(&format!("  as of {}", moment(table.as_of)), Paint::Faint);
    page.end();
    page.end();
    let mut rows = Vec::new();
    let mut action = None;
    for group in &table.groups {
        let name = match &group.part {
            Part::Whole => printable(&group.action),
            part => {
                if action.replace(&group.action) != Some(&group.action) {
                    rows.push((vec![printable(&group.action)], Paint::Strong));
                }
                format!("  {}", part_name(part))
            }
        };
        sides(&mut rows, &name, [&group.unified, &group.legacy], group.difference());
    }
    sides(&mut rows, "all", [&table.unified, &table.legacy], table.difference());
    let title = match table.by {
        GrantsBy::Action => "action",
        GrantsBy::Month => "month, UTC",
        GrantsBy::User => "user",
    };
    page.table(
        &[
            (title, false),
            ("table", false),
            ("grants", true),
            ("tokens", true),
            ("first", false),
            ("last", false),
        ],
        &rows,
    );
    if !table.unified_only.is_empty() {
        page.end();
        let names = printable(&table.unified_only.join(", "));
        page.paragraph("  ", &format!("No legacy row is expected for {names} (unified_only)."), Paint::Faint);
    }
    not_counted(&mut page, table);
    page.finish()
}

fn part_name(part: &Part) -> String {
    match part {
        Part::Whole => String::new(),
        Part::Month(month) => month.clone(),
        Part::User(user) => shorten(&printable(&user.to_string()), ID_COLUMNS),
    }
}

/// The lines of a group: unified, legacy, and where they differ, by how much.
fn sides(rows: &mut Vec<(Vec<String>, Paint)>, name: &str, sums: [&GrantSum; 2], difference: (i128, i128)) {
    let date = |at: Option<Instant>| at.map_or("-".to_owned(), day);
    for (at, (side, sum)) in ["unified", "legacy"].into_iter().zip(sums).enumerate() {
        let cells = vec![
            if at == 0 { name.to_owned() } else { String::new() },
            side.to_owned(),
            grouped(sum.total.rows.into()),
            grouped(sum.total.tokens),
            date(sum.first),
            date(sum.last),
        ];
        rows.push((cells, Paint::Plain));
    }
    if difference != (0, 0) {
        let cells = vec![String::new(), "differs".to_owned(), signed(difference.0), signed(difference.1)];
        rows.push((cells, Paint::Warn));
    }
}

fn not_counted(page: &mut Page, table: &GrantTable) {
    if table.not_counted.is_empty() {
        return;
    }
    page.heading("Not counted", "rows that are or may be grants");
    let rows: Vec<_> = table
        .not_counted
        .iter()
        .map(|left| {
            let cells = vec![
                left.side.name().to_owned(),
                left.class.name().to_owned(),
                grouped(left.total.rows.into()),
                grouped(left.total.tokens),
            ];
            (cells, Paint::Plain)
        })
        .collect();
    page.table(&[("table", false), ("why", false), ("rows", true), ("tokens", true)], &rows);
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    as_of: String,
    by: Option<&'static str>,
    groups: Vec<Group<'a>>,
    all: Both,
    unified_only: &'a [String],
    not_counted: Vec<Left>,
}

#[derive(Serialize)]
struct Group<'a> {
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    month: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(flatten)]
    both: Both,
}

#[derive(Serialize)]
struct Both {
    unified: Sum,
    legacy: Sum,
    difference: Difference,
}

#[derive(Serialize)]
struct Sum {
    grants: u64,
    tokens: i128,
    first: Option<String>,
    last: Option<String>,
}

#[derive(Serialize)]
struct Difference {
    grants: i128,
    tokens: i128,
}

#[derive(Serialize)]
struct Left {
    side: &'static str,
    class: &'static str,
    rows: u64,
    tokens: i128,
}

/// The bytes of the JSON: everything that the table shows, with whole ids and microseconds.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn json(table: &GrantTable) -> Result<Vec<u8>, ReportError> {
    let document = Document {
        schema: SCHEMA,
        as_of: table.as_of.rfc3339(),
        by: match table.by {
            GrantsBy::Action => None,
            GrantsBy::Month => Some("month"),
            GrantsBy::User => Some("user"),
        },
        groups: table.groups.iter().map(group).collect(),
        all: both(&table.unified, &table.legacy, table.difference()),
        unified_only: &table.unified_only,
        not_counted: table
            .not_counted
            .iter()
            .map(|left| Left {
                side: left.side.name(),
                class: left.class.name(),
                rows: left.total.rows,
                tokens: left.total.tokens,
            })
            .collect(),
    };
    pretty("grants", &document)
}

fn group(group: &GrantGroup) -> Group<'_> {
    let (month, user_id) = match &group.part {
        Part::Whole => (None, None),
        Part::Month(month) => (Some(month.as_str()), None),
        Part::User(user) => (None, Some(user.to_string())),
    };
    let both = both(&group.unified, &group.legacy, group.difference());
    Group { action: &group.action, month, user_id, both }
}

fn both(unified: &GrantSum, legacy: &GrantSum, (grants, tokens): (i128, i128)) -> Both {
    let sum = |sum: &GrantSum| Sum {
        grants: sum.total.rows,
        tokens: sum.total.tokens,
        first: sum.first.map(Instant::rfc3339),
        last: sum.last.map(Instant::rfc3339),
    };
    Both { unified: sum(unified), legacy: sum(legacy), difference: Difference { grants, tokens } }
}
