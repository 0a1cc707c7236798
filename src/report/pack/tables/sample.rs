//! Rows to inspect, with room for what the auditor finds.

use std::collections::HashMap;

use crate::audit::period::Drawn;
use crate::domain::{Books, Entry, Pair, Side};
use crate::report::pack::model::Pack;
use crate::report::pack::table::{Cell, Column, Kind, Table};

/// The partner of a row: pairs by legacy row and by unified row.
struct Partners<'a> {
    legacy: HashMap<u32, &'a Pair>,
    unified: HashMap<u32, &'a Pair>,
}

/// Every drawn row beside its partner.
pub fn sample<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let pairs = &pack.model.audit.pairs;
    let partners = Partners {
        legacy: pairs.iter().map(|pair| (pair.legacy, pair)).collect(),
        unified: pairs.iter().map(|pair| (pair.unified, pair)).collect(),
    };
    let drawn = &pack.period.sample.drawn;
    let rows = drawn.iter().enumerate().map(|(at, drawn)| row(pack, &partners, at, drawn)).collect();
    let names = [
        ("no", Kind::Number),
        ("table", Kind::Text),
        ("method", Kind::Text),
        ("hits", Kind::Number),
        ("hit_token", Kind::Number),
        ("tokens", Kind::Number),
        ("created_at", Kind::Time),
        ("action_type", Kind::Text),
        ("row_id", Kind::Id),
        ("user_id", Kind::Id),
        ("partner_rule", Kind::Text),
        ("partner_tokens", Kind::Number),
        ("partner_created_at", Kind::Time),
        ("partner_action_type", Kind::Text),
        ("partner_row_id", Kind::Id),
        ("partner_user_id", Kind::Id),
        ("disposition", Kind::Text),
        ("finding_id", Kind::Text),
        ("tokens_per_evidence", Kind::Note),
        ("difference", Kind::Note),
        ("evidence_seen", Kind::Note),
        ("inspected_by_and_on", Kind::Note),
        ("remarks", Kind::Note),
    ];
    let columns = names.map(|(name, kind)| Column::new(name, kind)).to_vec();
    Table::of_rows("Sample", "sample.csv", columns, rows)
}

fn row<'a>(pack: &'a Pack<'a>, partners: &Partners<'_>, at: usize, drawn: &Drawn) -> Vec<Cell<'a>> {
    let books = pack.model.books;
    let entry = &books.side(drawn.side).entries[drawn.row as usize];
    let (pair, other_side) = match drawn.side {
        Side::Legacy => (partners.legacy.get(&drawn.row), Side::Unified),
        Side::Unified => (partners.unified.get(&drawn.row), Side::Legacy),
    };
    let partner = pair.map(|pair| {
        let row = if other_side == Side::Legacy { pair.legacy } else { pair.unified };
        &books.side(other_side).entries[row as usize]
    });
    let disposition = pack.disposition(drawn.side, &entry.id);
    let finding = disposition.and_then(|disposition| pack.finding_of(disposition));
    let mut cells = vec![
        Cell::count(at as u64 + 1),
        Cell::text(drawn.side.name()),
        Cell::text(drawn.method.name()),
        Cell::Number(drawn.hits),
        Cell::number(drawn.token),
    ];
    cells.extend(entry_cells(books, drawn.side, Some(entry)));
    cells.push(Cell::text(pair.map_or("", |pair| pair.rule.name())));
    cells.extend(entry_cells(books, other_side, partner));
    cells.push(Cell::text(disposition.map_or("", |disposition| disposition.outcome.name())));
    cells.push(Cell::text(finding.map_or("", |finding| finding.id.0.as_str())));
    cells.extend(std::iter::repeat_n(Cell::Empty, 5));
    cells
}

/// Tokens, time, label, id and user.
fn entry_cells<'a>(books: &'a Books, side: Side, entry: Option<&'a Entry>) -> [Cell<'a>; 5] {
    match entry {
        None => [Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty],
        Some(entry) => [
            Cell::Number(i128::from(entry.tokens)),
            Cell::Time(entry.at),
            Cell::text(&*books.side(side).labels[usize::from(entry.label)]),
            Cell::id(&entry.id),
            Cell::id(books.roster.id(entry.user)),
        ],
    }
}
