//! The labels that are in use, against those that the configuration knows.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use crate::config::Config;
use crate::source::{DetailColumns, KeyColumns, Selection, Sink, looks_like_a_grant};

use super::{Examination, Ledger, State};

/// Labels named in a message; the others are counted.
const NAMED: usize = 8;

/// Counts rows by label and asks for nothing else.
#[derive(Debug, Default)]
pub(super) struct Counter {
    rows: BTreeMap<String, u64>,
}

impl Counter {
    /// The counts of all sinks.
    pub fn merge(counters: Vec<Counter>) -> Vec<(String, u64)> {
        let mut all: BTreeMap<String, u64> = BTreeMap::new();
        for (label, rows) in counters.into_iter().flat_map(|counter| counter.rows) {
            *all.entry(label).or_default() += rows;
        }
        all.into_iter().collect()
    }
}

impl Sink for Counter {
    fn keys(&mut self, keys: &KeyColumns) -> Selection {
        let mut label = String::new();
        for row in 0..keys.rows {
            label.clear();
            for (at, column) in keys.action.iter().enumerate() {
                if at > 0 {
                    label.push('/');
                }
                label.push_str(text(column, row).unwrap_or_default());
            }
            match self.rows.get_mut(label.as_str()) {
                Some(rows) => *rows += 1,
                None => {
                    self.rows.insert(label.clone(), 1);
                }
            }
        }
        Selection::Rows(Vec::new())
    }

    fn details(&mut self, _: &KeyColumns, _: &Selection, _: &DetailColumns) {}
}

/// The text of a row, whatever its layout; other types have no labels.
fn text(column: &ArrayRef, row: usize) -> Option<&str> {
    if column.is_null(row) {
        return None;
    }
    match column.data_type() {
        DataType::Utf8 => Some(column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(column.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(column.as_string_view().value(row)),
        DataType::Dictionary(key, _) if **key == DataType::Int32 => {
            let dictionary = column.as_dictionary::<Int32Type>();
            text(dictionary.values(), dictionary.keys().value(row) as usize)
        }
        _ => None,
    }
}

/// Says which labels in use the configuration does not know.
pub(super) fn judge(
    config: &Config,
    ledger: Ledger,
    subject: &str,
    labels: &[(String, u64)],
    found: &mut Examination,
) {
    let unknown: Vec<&(String, u64)> =
        labels.iter().filter(|(label, _)| !is_known(config, ledger, label)).collect();
    if unknown.is_empty() {
        let detail = format!("{} in use, every one is mapped", super::counted(labels.len() as u64, "label"));
        return found.add("labels", subject, State::Ok, detail);
    }
    let named: Vec<String> = unknown
        .iter()
        .take(NAMED)
        .map(|(label, rows)| format!("{label:?} ({})", super::counted(*rows, "row")))
        .collect();
    let more = unknown.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let way_out = match ledger {
        Ledger::Legacy => "say in [legacy.actions] what they mean, or \"ignore\"",
        Ledger::Unified => "list them in [unified] grants, deductions or usage",
    };
    let detail =
        format!("not mapped: {}{more}; each row would be unmapped_action: {way_out}", named.join(", "));
    found.add("labels", subject, State::Warn, detail);
}

fn is_known(config: &Config, ledger: Ledger, label: &str) -> bool {
    let unified = &config.unified;
    match ledger {
        Ledger::Legacy => config.legacy.actions.contains_key(label),
        Ledger::Unified => {
            let listed = |labels: &[String]| labels.iter().any(|listed| listed == label);
            listed(&unified.grants)
                || listed(&unified.deductions)
                || match &unified.usage {
                    Some(usage) => listed(usage),
                    None => {
                        let listed = unified.grants.iter().chain(&unified.deductions);
                        !looks_like_a_grant(label, listed.map(String::as_str))
                    }
                }
        }
    }
}
