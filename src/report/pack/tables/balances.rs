//! Every holder's balance: opening, movements, closing, and how the stored one compares.

use crate::audit::period::HOLDER_COLUMNS;
use crate::balance::GapCause;
use crate::report::pack::model::Pack;
use crate::report::pack::table::{Cell, Column, Kind, Table};

/// File of the balances.
pub const FILE: &str = "balances.csv";

/// A row a holder, ascending by id.
pub fn balances<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let mut columns = vec![Column::new("user_id", Kind::Id), Column::summed("opening")];
    columns.extend(HOLDER_COLUMNS.iter().map(|(name, _, _)| Column::summed(name)));
    columns
        .extend(["closing", "closing_paid", "recomputed", "corrected", "stored", "gap"].map(Column::summed));
    columns.extend(GapCause::ALL.iter().map(|cause| Column::summed(cause.column())));
    columns.push(Column::summed("unexplained"));
    columns.push(Column::new("explanation", Kind::Text));
    Table {
        title: "Balances",
        file: FILE,
        columns,
        len: pack.period.holders.len(),
        row: Box::new(move |at, cells| row(pack, at, cells)),
        strong: Box::new(|_| false),
    }
}

fn row<'a>(pack: &'a Pack<'a>, at: usize, cells: &mut Vec<Cell<'a>>) {
    let holder = &pack.period.holders[at];
    cells.push(Cell::id(&holder.id));
    cells.push(Cell::Number(holder.opening));
    cells.extend(holder.moves.iter().map(|tokens| Cell::Number(*tokens)));
    cells.push(Cell::Number(holder.closing));
    cells.push(Cell::Number(holder.closing_paid));
    let balance = pack.balance_of[at].map(|at| &pack.model.users[at as usize]);
    let gap = balance.and_then(|balance| balance.gap);
    cells.push(Cell::number(balance.map(|balance| balance.recomputed)));
    cells.push(Cell::number(balance.map(|balance| balance.corrected)));
    cells.push(Cell::number(balance.and_then(|balance| balance.stored)));
    cells.push(Cell::number(gap));
    for at in 0..GapCause::ALL.len() {
        cells.push(Cell::number(balance.filter(|_| gap.is_some()).map(|balance| balance.causes[at])));
    }
    cells.push(Cell::number(balance.and_then(|balance| balance.unexplained)));
    let explanation = balance.and_then(|balance| balance.explanation);
    cells.push(Cell::text(explanation.map_or("", |explanation| explanation.name())));
}
