//! The exceptions, and what they and the gaps come from.

use crate::balance::GapCause;
use crate::domain::{Finding, RepairKind, Status};
use crate::report::csv::FINDING_COLUMNS;
use crate::report::pack::model::Pack;
use crate::report::pack::table::{Cell, Column, Kind, Table};

/// Every finding, whether it touches the period or not.
pub fn exceptions<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let kind = |name: &str| match name {
        "user_id" | "legacy_ids" | "unified_ids" => Kind::Id,
        "tokens_legacy" | "tokens_unified" | "tokens_effect" => Kind::Number,
        "created_at_legacy" | "created_at_unified" => Kind::Time,
        "lag_seconds" => Kind::Seconds,
        "evidence" => Kind::LongText,
        _ => Kind::Text,
    };
    let mut columns: Vec<Column> = FINDING_COLUMNS
        .iter()
        .map(|name| match *name {
            "tokens_effect" => Column::summed("tokens_effect"),
            name => Column::new(name, kind(name)),
        })
        .collect();
    columns.push(Column::new("in_period", Kind::Text));
    columns.push(Column::new("disposition", Kind::LongText));
    columns.push(Column::new("waiver", Kind::Text));
    Table {
        title: "Exceptions",
        file: "exceptions.csv",
        columns,
        len: pack.model.findings.len(),
        row: Box::new(move |at, cells| {
            let finding = &pack.model.findings[at];
            finding_cells(finding, cells);
            cells.push(Cell::text(if pack.in_period[at] { "yes" } else { "no" }));
            cells.push(Cell::text(disposition(finding)));
            cells.push(Cell::text(waiver(pack, finding)));
        }),
        strong: Box::new(|_| false),
    }
}

/// In the order of [`FINDING_COLUMNS`].
fn finding_cells<'a>(finding: &'a Finding, cells: &mut Vec<Cell<'a>>) {
    cells.push(Cell::text(finding.id.0.as_str()));
    cells.push(Cell::text(finding.class.name()));
    cells.push(Cell::text(finding.severity.name()));
    cells.push(Cell::ids(finding.user.as_slice()));
    cells.push(Cell::ids(&finding.legacy_ids));
    cells.push(Cell::ids(&finding.unified_ids));
    for action in [&finding.action_legacy, &finding.action_expected, &finding.action_unified] {
        cells.push(Cell::text(action.as_deref().unwrap_or("")));
    }
    for tokens in [finding.tokens_legacy, finding.tokens_unified, finding.tokens_effect] {
        cells.push(Cell::number(tokens));
    }
    cells.push(Cell::time(finding.created_at_legacy));
    cells.push(Cell::time(finding.created_at_unified));
    cells.push(finding.lag.map_or(Cell::Empty, Cell::Seconds));
    cells.push(Cell::text(finding.rule.name()));
    cells.push(Cell::text(finding.verdict.name()));
    cells.push(Cell::text(finding.confidence.name()));
    cells.push(Cell::text(&*finding.cause));
    cells.push(Cell::text(finding.evidence.as_str()));
    cells.push(Cell::text(finding.repair.name()));
    cells.push(Cell::text(finding.status.name()));
}

/// Who accepted a finding, until when and why.
fn waiver(pack: &Pack<'_>, finding: &Finding) -> String {
    match pack.model.accepted.of_finding(finding) {
        Some(waiver) => format!("waived by {} until {}: {}", waiver.owner, waiver.until, waiver.reason),
        None => "none".to_owned(),
    }
}

/// What becomes of a finding, for people.
fn disposition(finding: &Finding) -> &'static str {
    match (finding.status, finding.repair) {
        (Status::Waived, _) => "accepted by a waiver",
        (_, RepairKind::Backfill) => "missing row: backfill.sql inserts it",
        (_, RepairKind::Update) => "wrong row: repair.sql corrects it",
        (_, RepairKind::Dedupe) => "extra row: dedupe.sql removes it",
        (_, RepairKind::Review) => "a person has to decide",
        (_, RepairKind::None) => "for the record, nothing to do",
    }
}

/// What findings and gaps come from, with their weight.
pub fn causes<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let mut rows = Vec::new();
    for total in &pack.model.causes {
        rows.push(vec![
            Cell::text("findings"),
            Cell::text(total.cause.clone()),
            Cell::text(total.class.name()),
            Cell::count(total.rows),
            Cell::Number(total.tokens),
            Cell::time(total.first_at),
            Cell::time(total.last_at),
            Cell::text(total.detail.clone()),
        ]);
    }
    if pack.model.balances.stored.is_some() {
        let gaps = GapCause::ALL.iter().enumerate().map(|(at, cause)| (cause.column(), at));
        for (column, at) in gaps {
            let hit = || {
                let users = pack.model.users.iter();
                users.filter(move |user| user.gap.is_some_and(|gap| gap != 0) && user.causes[at] != 0)
            };
            let tokens: i128 = hit().map(|user| user.causes[at]).sum();
            if hit().next().is_some() {
                rows.push(gap_row(column.trim_start_matches("cause_"), hit().count() as u64, tokens));
            }
        }
        let open = || pack.model.users.iter().filter_map(|user| user.unexplained).filter(|rest| *rest != 0);
        if open().next().is_some() {
            rows.push(gap_row("unexplained", open().count() as u64, open().sum()));
        }
    }
    let columns = vec![
        Column::new("of", Kind::Text),
        Column::new("cause", Kind::Text),
        Column::new("class", Kind::Text),
        Column::new("count", Kind::Number),
        Column::new("tokens", Kind::Number),
        Column::new("first_at", Kind::Time),
        Column::new("last_at", Kind::Time),
        Column::new("detail", Kind::LongText),
    ];
    Table::of_rows("Causes", "causes.csv", columns, rows)
}

fn gap_row<'a>(cause: &str, users: u64, tokens: i128) -> Vec<Cell<'a>> {
    let detail = match cause {
        "unexplained" => "tokens of gaps that nothing in the data gives".to_owned(),
        _ => "balances whose gap this is, or is part of".to_owned(),
    };
    vec![
        Cell::text("gaps"),
        Cell::text(cause.to_owned()),
        Cell::text("stored_balance"),
        Cell::count(users),
        Cell::Number(tokens),
        Cell::Empty,
        Cell::Empty,
        Cell::text(detail),
    ]
}
