//! A table as CSV: every row, plain values, no sums below.

use super::table::{Cell, Table};
use crate::report::csv::Rows;
use crate::report::place::{PlaceError, StagedFile, WrittenFile};

/// Writes a table.
///
/// # Errors
/// When the file cannot be written.
pub fn write(table: &Table<'_>, file: StagedFile) -> Result<WrittenFile, PlaceError> {
    let mut rows = Rows::new(file);
    table.columns.iter().for_each(|column| rows.text(column.name));
    rows.end()?;
    let mut cells = Vec::new();
    for at in 0..table.len {
        cells.clear();
        (table.row)(at, &mut cells);
        debug_assert_eq!(cells.len(), table.columns.len(), "{} row {at}", table.title);
        for cell in &cells {
            match cell {
                Cell::Empty => rows.plain(""),
                Cell::Text(text) => rows.text(text),
                Cell::Time(at) => rows.plain(&at.rfc3339()),
                Cell::Seconds(span) => rows.plain(&span.seconds()),
                number => rows.number(number.value()),
            }
        }
        rows.end()?;
    }
    rows.finish()
}
