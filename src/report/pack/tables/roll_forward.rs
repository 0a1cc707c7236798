//! The roll-forward, and the grants by action type.

use crate::audit::period::{Block, GrantedSide, RollLine};
use crate::report::pack::model::Pack;
use crate::report::pack::table::{Cell, Column, Kind, Table};

/// Numbers beyond this are text in a spreadsheet, and formulas over them are left out.
const EXACT_MAX: u128 = 999_999_999_999_999;

/// File of the roll-forward.
pub const FILE: &str = "roll_forward.csv";

/// Row of the total of the whole period, from 0.
pub fn last_row(pack: &Pack<'_>) -> usize {
    let blocks = pack.period.roll.months.len() + 1;
    blocks * (pack.period.roll.whole.lines.len() + 1) - 1
}

/// Opening, movement and closing by month, movement and action type; then of the whole period. Each
/// block ends in its total: the balance.
pub fn roll_forward<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let roll = &pack.period.roll;
    let blocks: Vec<&Block> = roll.months.iter().chain([&roll.whole]).collect();
    let exact = blocks.iter().all(|block| is_exact(block));
    let block_len = roll.whole.lines.len() + 1;
    Table {
        title: "Roll-forward",
        file: FILE,
        columns: vec![
            Column::new("month", Kind::Text),
            Column::new("movement", Kind::Text),
            Column::new("action_type", Kind::LongText),
            Column::new("paid", Kind::Text),
            Column::new("rows", Kind::Number),
            Column::new("opening", Kind::Number),
            Column::new("tokens", Kind::Number),
            Column::new("closing", Kind::Number),
        ],
        len: blocks.len() * block_len,
        row: Box::new(move |at, cells| {
            let block = blocks[at / block_len];
            cells.push(Cell::text(block.name.as_str()));
            match block.lines.get(at % block_len) {
                Some(line) => line_cells(line, exact, cells),
                None => total_cells(block, at, exact, cells),
            }
        }),
        strong: Box::new(move |at| at % block_len == block_len - 1),
    }
}

fn is_exact(block: &Block) -> bool {
    let lines = block.lines.iter().flat_map(|line| [line.opening, line.tokens, line.closing]);
    lines.chain([block.opening, block.tokens, block.closing]).all(|value| value.unsigned_abs() <= EXACT_MAX)
}

fn line_cells<'a>(line: &'a RollLine, exact: bool, cells: &mut Vec<Cell<'a>>) {
    cells.push(Cell::text(line.line.movement.name()));
    cells.push(Cell::text(&*line.line.action));
    cells.push(Cell::text(line.line.paid_name()));
    cells.push(Cell::count(line.rows));
    cells.push(Cell::Number(line.opening));
    cells.push(Cell::Number(line.tokens));
    cells.push(plus(line.closing, exact));
}

/// Opening and movement of the same row.
fn plus<'a>(value: i128, exact: bool) -> Cell<'a> {
    if exact { Cell::Plus { left: 5, right: 6, value } } else { Cell::Number(value) }
}

fn total_cells<'a>(block: &'a Block, at: usize, exact: bool, cells: &mut Vec<Cell<'a>>) {
    let sum = |value| match exact && !block.lines.is_empty() {
        true => Cell::SumOf { first: at - block.lines.len(), last: at - 1, value },
        false => Cell::Number(value),
    };
    cells.push(Cell::text("total"));
    cells.push(Cell::text(""));
    cells.push(Cell::text(""));
    cells.push(sum(i128::from(block.rows)));
    cells.push(sum(block.opening));
    cells.push(sum(block.tokens));
    cells.push(plus(block.closing, exact));
}

/// Grants of the period by action type, paid and free apart, in both tables.
pub fn grants<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let granted = &pack.period.granted;
    Table {
        title: "Grants by action",
        file: "grants_by_action.csv",
        columns: vec![
            Column::new("action_type", Kind::LongText),
            Column::new("paid", Kind::Text),
            Column::summed("unified_rows"),
            Column::summed("unified_tokens"),
            Column::new("unified_first", Kind::Time),
            Column::new("unified_last", Kind::Time),
            Column::summed("legacy_rows"),
            Column::summed("legacy_tokens"),
            Column::new("legacy_first", Kind::Time),
            Column::new("legacy_last", Kind::Time),
            Column::summed("difference_rows"),
            Column::summed("difference_tokens"),
        ],
        len: granted.len(),
        row: Box::new(move |at, cells| {
            let group = &granted[at];
            cells.push(Cell::text(&*group.action));
            cells.push(Cell::text(if group.paid { "paid" } else { "free" }));
            side_cells(&group.unified, cells);
            side_cells(&group.legacy, cells);
            let [unified, legacy] = [&group.unified, &group.legacy].map(|side| side.total);
            cells.push(Cell::Number(i128::from(unified.rows) - i128::from(legacy.rows)));
            cells.push(Cell::Number(unified.tokens - legacy.tokens));
        }),
        strong: Box::new(|_| false),
    }
}

fn side_cells(side: &GrantedSide, cells: &mut Vec<Cell<'_>>) {
    cells.push(Cell::count(side.total.rows));
    cells.push(Cell::Number(side.total.tokens));
    cells.push(Cell::time(side.first));
    cells.push(Cell::time(side.last));
}
