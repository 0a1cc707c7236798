//! The section `snapshot_columns` of `summary.json`.

use serde::Serialize;

use super::model::Model;
use crate::balance::{ChainBreak, Meaning, Period, SnapshotColumn};

/// One balance column, as the summary says it.
#[derive(Serialize)]
pub(super) struct Column<'a> {
    side: &'static str,
    column: &'a str,
    rows: u64,
    values: u64,
    unreadable: u64,
    labels: Vec<Label<'a>>,
    breaks: Breaks<'a>,
}

#[derive(Serialize)]
struct Label<'a> {
    label: &'a str,
    periods: Vec<PeriodNumbers>,
}

#[derive(Serialize)]
struct PeriodNumbers {
    meaning: &'static str,
    from: String,
    to: String,
    rows: u64,
    fits: u64,
    misfits: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alike: Vec<&'static str>,
}

#[derive(Serialize)]
struct Breaks<'a> {
    rows: u64,
    users: u64,
    first: Vec<Break<'a>>,
}

#[derive(Serialize)]
struct Break<'a> {
    user_id: String,
    row_id: String,
    action: &'a str,
    at: String,
    meaning: &'static str,
    expected: i128,
    found: i128,
}

/// So many breaks stand in the summary; `chain_breaks.csv` has all.
const SHOWN: usize = 20;

pub(super) fn columns<'a>(model: &'a Model<'_>) -> Vec<Column<'a>> {
    model.snapshots.iter().map(|column| of_column(model, column)).collect()
}

fn of_column<'a>(model: &'a Model<'_>, column: &'a SnapshotColumn) -> Column<'a> {
    let labels = column
        .labels
        .iter()
        .map(|label| Label { label: &label.label, periods: label.periods.iter().map(of_period).collect() });
    let mut users: Vec<_> = column.breaks.iter().map(|found| found.user).collect();
    users.dedup();
    Column {
        side: column.side.name(),
        column: &column.column,
        rows: column.rows,
        values: column.values,
        unreadable: column.unreadable,
        labels: labels.collect(),
        breaks: Breaks {
            rows: column.breaks.len() as u64,
            users: users.len() as u64,
            first: column.breaks.iter().take(SHOWN).map(|found| of_break(model, found)).collect(),
        },
    }
}

fn of_period(period: &Period) -> PeriodNumbers {
    PeriodNumbers {
        meaning: period.meaning.name(),
        from: period.from.rfc3339(),
        to: period.to.rfc3339(),
        rows: period.rows,
        fits: period.fits,
        misfits: period.misfits,
        alike: period.alike.iter().copied().map(Meaning::name).collect(),
    }
}

fn of_break<'a>(model: &Model<'_>, found: &'a ChainBreak) -> Break<'a> {
    Break {
        user_id: model.roster.id(found.user).to_string(),
        row_id: found.row.to_string(),
        action: &found.label,
        at: found.at.rfc3339(),
        meaning: found.meaning.name(),
        expected: found.expected,
        found: found.found,
    }
}
