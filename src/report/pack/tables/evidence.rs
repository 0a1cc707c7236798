//! What lies below the tables: the rows, the usage by day, and what changed in sealed periods. The
//! next period is compared with these files, so they hold everything up to the end of this one. They
//! have no sheet: a spreadsheet is no place for all rows of a ledger.
//!
//! Text from outside stands in the last columns, so that `awk -F,` counts the others rightly.

use crate::domain::{Kind as EntryKind, Side};
use crate::report::pack::model::Pack;
use crate::report::pack::table::{Cell, Column, Kind, Table};

/// `rows.csv`, `usage.csv`, `adjustments.csv`.
pub fn evidence<'a>(pack: &'a Pack<'a>) -> Vec<Table<'a>> {
    vec![rows(pack), usage(pack), adjustments(pack)]
}

/// Every grant and deduction that counts, of both tables, in order of time and id.
fn rows<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let mut order: Vec<(Side, u32)> = Vec::new();
    for ledger in [&pack.model.books.legacy, &pack.model.books.unified] {
        let entries = &ledger.entries;
        let mut rows: Vec<u32> =
            (0..entries.len() as u32).filter(|&row| entries[row as usize].moves_a_balance()).collect();
        rows.sort_by_key(|&row| entries[row as usize].at);
        order.extend(rows.into_iter().map(|row| (ledger.side, row)));
    }
    let names = [
        ("table", Kind::Text),
        ("kind", Kind::Text),
        ("in_period", Kind::Text),
        ("paid", Kind::Text),
        ("tokens", Kind::Number),
        ("effect", Kind::Number),
        ("created_at", Kind::Time),
        ("disposition", Kind::Text),
        ("finding_id", Kind::Text),
        ("action_type", Kind::Text),
        ("row_id", Kind::Id),
        ("user_id", Kind::Id),
    ];
    Table {
        title: "Rows",
        file: "rows.csv",
        columns: names.map(|(name, kind)| Column::new(name, kind)).to_vec(),
        len: order.len(),
        row: Box::new(move |at, cells| row_cells(pack, order[at], cells)),
        strong: Box::new(|_| false),
    }
}

fn row_cells<'a>(pack: &'a Pack<'a>, (side, row): (Side, u32), cells: &mut Vec<Cell<'a>>) {
    let books = pack.model.books;
    let entry = &books.side(side).entries[row as usize];
    let disposition = pack.disposition(side, &entry.id);
    let finding = disposition.and_then(|disposition| pack.finding_of(disposition));
    let is_grant = entry.kind == EntryKind::Grant;
    let paid = pack.period.paid[side as usize].contains(&row);
    cells.push(Cell::text(side.name()));
    cells.push(Cell::text(if is_grant { "grant" } else { "deduction" }));
    cells.push(Cell::text(if pack.period.period.contains(entry.at) { "yes" } else { "no" }));
    cells.push(Cell::text(match (is_grant, paid) {
        (false, _) => "",
        (true, true) => "paid",
        (true, false) => "free",
    }));
    cells.push(Cell::Number(i128::from(entry.tokens)));
    cells.push(Cell::Number(i128::from(entry.signed_tokens())));
    cells.push(Cell::Time(entry.at));
    cells.push(Cell::text(disposition.map_or("", |disposition| disposition.outcome.name())));
    cells.push(Cell::text(finding.map_or("", |finding| finding.id.0.as_str())));
    cells.push(Cell::text(books.action(entry.action)));
    cells.push(Cell::id(&entry.id));
    cells.push(Cell::id(books.roster.id(entry.user)));
}

/// Usage of the unified table by UTC day and label, failed and not.
fn usage<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let rows = pack.period.usage.iter().map(|((day, label, failed), total)| {
        vec![
            Cell::text(day.as_str()),
            Cell::text(if *failed { "yes" } else { "no" }),
            Cell::count(total.rows),
            Cell::Number(total.tokens),
            Cell::text(label.as_str()),
        ]
    });
    let columns = vec![
        Column::new("day", Kind::Text),
        Column::new("failed", Kind::Text),
        Column::new("rows", Kind::Number),
        Column::new("tokens", Kind::Number),
        Column::new("action_type", Kind::Text),
    ];
    Table::of_rows("Usage", "usage.csv", columns, rows.collect())
}

/// What changed in sealed periods since they were sealed.
fn adjustments<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let list = pack.period.adjusted.iter().flat_map(|adjusted| &adjusted.list);
    let rows = list.map(|change| {
        vec![
            Cell::text(change.change.name()),
            Cell::text(change.side.map_or("", Side::name)),
            Cell::text(change.line.paid_name()),
            Cell::Number(change.before),
            Cell::Number(change.after),
            Cell::Number(change.effect()),
            Cell::text(change.at.as_str()),
            Cell::text(&*change.line.action),
            change.row.as_ref().map_or(Cell::Empty, Cell::id),
            change.user.as_ref().map_or(Cell::Empty, Cell::id),
        ]
    });
    let columns = vec![
        Column::new("change", Kind::Text),
        Column::new("table", Kind::Text),
        Column::new("paid", Kind::Text),
        Column::new("before", Kind::Number),
        Column::new("after", Kind::Number),
        Column::new("effect", Kind::Number),
        Column::new("at", Kind::Text),
        Column::new("action_type", Kind::Text),
        Column::new("row_id", Kind::Id),
        Column::new("user_id", Kind::Id),
    ];
    Table::of_rows("Adjustments", "adjustments.csv", columns, rows.collect())
}
