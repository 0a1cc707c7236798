//! What the balance columns beside the rows mean: evidence, never truth.

use crate::balance::{Meaning, Period};

use super::super::figures::{counted, day};
use super::super::model::Model;
use super::view::number;

/// The column of one table.
pub struct ColumnView {
    pub name: String,
    pub table: &'static str,
    pub breaks: String,
    pub lines: Vec<PeriodLine>,
}

/// A period of one label.
pub struct PeriodLine {
    pub label: String,
    pub span: String,
    pub meaning: &'static str,
    pub tone: &'static str,
    pub rows: String,
    pub fits: String,
    pub misfits: String,
}

/// Builds the tables, one a column.
pub fn view(model: &Model<'_>) -> Vec<ColumnView> {
    let columns = model.snapshots.iter();
    columns
        .map(|column| ColumnView {
            name: column.column.clone(),
            table: column.side.name(),
            breaks: counted(column.breaks.len() as u64, "break", "breaks"),
            lines: column
                .labels
                .iter()
                .flat_map(|label| label.periods.iter().map(|period| line(&label.label, period)))
                .collect(),
        })
        .collect()
}

fn line(label: &str, period: &Period) -> PeriodLine {
    let (from, to) = (day(period.from), day(period.to));
    let (meaning, tone) = match period.meaning {
        Meaning::After => ("the balance after the row", "good"),
        Meaning::Before => ("the balance before the row", "warn"),
        Meaning::Size => ("the amount of the row itself", "warn"),
        Meaning::Broken => ("broken: most rows fit nothing", "bad"),
        Meaning::Unknown => ("the rows do not tell", "quiet"),
    };
    PeriodLine {
        label: label.to_owned(),
        span: if from == to { from } else { format!("{from} to {to}") },
        meaning,
        tone,
        rows: number(period.rows),
        fits: number(period.fits),
        misfits: number(period.misfits),
    }
}
