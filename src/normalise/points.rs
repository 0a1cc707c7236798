//! A warning where the points of a column of amounts may part thousands.

use super::columns::IntegerColumn;
use super::folder::Folder;
use crate::config::Config;
use crate::domain::{Books, Side};

/// Shorter texts have no point with a digit before it and a digit behind.
const SHORTEST: usize = 3;

impl Folder {
    /// Notes how amounts in text are written, until one shows it.
    pub(super) fn note_points(&mut self, amounts: &IntegerColumn<'_>, rows: usize) {
        let IntegerColumn::Text(texts) = amounts else { return };
        let points = &mut self.any.points;
        for row in 0..rows {
            if points.are_plain() {
                return;
            }
            if let Some(text) = texts.get(row).filter(|text| text.len() >= SHORTEST) {
                points.note(text);
            }
        }
    }
}

/// Amounts of a side that are read as so many tokens, and may be meant as a thousand times as many.
pub fn doubtful_amounts(config: &Config, books: &Books, side: Side) -> Option<String> {
    let columns = match side {
        Side::Legacy => &config.legacy.columns,
        Side::Unified => &config.unified.columns,
    };
    let doubt = books.side(side).any.points.doubt()?;
    let (column, place) = (&columns.amount.written, columns.origin.name());
    let why = match &doubt.grouped {
        Some(grouped) => {
            format!("points seem to group thousands there, as in {grouped}, which cannot be read")
        }
        None => "nothing in the column shows whether its points group thousands".to_owned(),
    };
    Some(format!(
        "amounts like {} ({column} in {place}) are read as {}, and {why}: make sure what is meant, and write \
         the column without points",
        doubt.example, doubt.read_as
    ))
}
