//! The sign matrix: labels whose rows were stored with both signs, month by month.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::SignCell;

use super::view::number;

/// The matrix of the labels whose sign changes; empty where none does.
pub struct SignView {
    pub months: Vec<String>,
    pub rows: Vec<SignRow>,
}

/// One label.
pub struct SignRow {
    pub label: String,
    pub cells: Vec<SignMark>,
}

/// How a label's rows were stored in a month.
pub struct SignMark {
    pub tone: &'static str,
    pub text: String,
    pub title: String,
}

/// Builds the matrix.
pub fn view(cells: &[SignCell]) -> SignView {
    let mut labels = BTreeMap::<&str, BTreeMap<&str, &SignCell>>::new();
    for cell in cells {
        labels.entry(&cell.label).or_default().insert(&cell.month, cell);
    }
    labels.retain(|_, months| {
        months.values().any(|cell| cell.positive > 0) && months.values().any(|cell| cell.negative > 0)
    });
    let months: BTreeSet<&str> = labels.values().flat_map(|months| months.keys().copied()).collect();
    let rows = labels.iter().map(|(label, by_month)| SignRow {
        label: (*label).to_owned(),
        cells: months.iter().map(|month| mark(by_month.get(month).copied())).collect(),
    });
    SignView { rows: rows.collect(), months: months.iter().map(|month| (*month).to_owned()).collect() }
}

fn mark(cell: Option<&SignCell>) -> SignMark {
    let Some(cell) = cell else {
        return SignMark { tone: "none", text: String::new(), title: "no rows".to_owned() };
    };
    let (tone, text) = match (cell.positive, cell.negative) {
        (0, 0) => ("none", "0".to_owned()),
        (positive, 0) => ("plus", format!("+{}", number(positive))),
        (0, negative) => ("minus", format!("\u{2212}{}", number(negative))),
        (positive, negative) => ("both", format!("+{} \u{2212}{}", number(positive), number(negative))),
    };
    let title = format!(
        "{} above zero, {} below, {} zero",
        number(cell.positive),
        number(cell.negative),
        number(cell.zero)
    );
    SignMark { tone, text, title }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_that_were_stored_with_both_signs_are_shown() {
        let cell = |label: &str, month: &str, positive, negative| SignCell {
            label: label.into(),
            month: month.into(),
            positive,
            negative,
            zero: 0,
        };
        let view = view(&[
            cell("grant", "2025-01", 0, 3),
            cell("grant", "2025-03", 1200, 0),
            cell("steady", "2025-02", 5, 0),
            cell("mixed", "2025-01", 2, 1),
        ]);
        assert_eq!(view.months, ["2025-01", "2025-03"]);
        let shown: Vec<(&str, Vec<&str>)> = view
            .rows
            .iter()
            .map(|row| (row.label.as_str(), row.cells.iter().map(|cell| cell.text.as_str()).collect()))
            .collect();
        assert_eq!(shown, [("grant", vec!["−3", "+1,200"]), ("mixed", vec!["+2 −1", ""])]);
    }
}
