//! What the schema may refuse for one row and not for another: such a row stops the whole file, so the
//! header names it. And what a column would not hold as it is.

use crate::config::Literal;
use crate::domain::{Instant, Span};
use crate::source::postgres::catalogue::TableFacts;

use super::columns::{Filling, Layout, Meaning, Slot};
use super::constraint::{Admission, admission, mentions};
use super::extent::Extent;
use super::hazard::{Hazards, Subject};
use super::plan::{Common, Operation, Warning};

/// A sentence for each limit that concerns what a file writes or removes.
pub(super) fn of(subject: &Subject<'_>, file: Operation) -> Vec<Warning> {
    let Some(table) = &subject.unified.facts else { return Vec::new() };
    let texts = match file {
        Operation::Delete => of_removals(table),
        Operation::Insert | Operation::Update => of_written(subject, table, file),
    };
    texts.into_iter().map(|text| Warning { file, text }).collect()
}

fn of_removals(table: &TableFacts) -> Vec<String> {
    let keys = table.referenced_by.iter().filter(|key| !key.delete_acts);
    keys.map(|key| {
        format!(
            "the foreign key {} of {} keeps each row here to which one there points: one such row stops the \
             whole file ({})",
            key.name, key.table, key.definition
        )
    })
    .collect()
}

fn of_written(subject: &Subject<'_>, table: &TableFacts, file: Operation) -> Vec<String> {
    let written = written(subject, file);
    let concerns = |definition: &str| written.iter().any(|column| mentions(definition, column));
    let one = "one row that it refuses stops the whole file";
    let mut texts = Vec::new();
    for (name, definition) in &table.indexes {
        let columns = definition.split_once(" USING ").map_or(definition.as_str(), |(_, columns)| columns);
        let is_unique = definition.starts_with("CREATE UNIQUE ");
        // An id is new, or given by the server.
        if is_unique && concerns(columns) && !mentions(columns, &subject.unified.id.column) {
            texts.push(format!("the index {name} is unique: {one} ({definition})"));
        }
    }
    // A new row is held against all of them.
    let is_met = |definition: &str| file == Operation::Insert || concerns(definition);
    for (name, definition) in &table.checks {
        if is_met(definition) && is_open(subject, file, definition) {
            texts.push(format!("the constraint {name} checks each row: {one} ({definition})"));
        }
    }
    for (name, definition) in &table.limits {
        let own = definition.split_once(" REFERENCES ").map_or(definition.as_str(), |(own, _)| own);
        if concerns(own) {
            texts.push(format!("the constraint {name} looks at other rows: {one} ({definition})"));
        }
    }
    if let Some(key) = table.partition_key.as_ref().filter(|key| concerns(key)) {
        texts.push(format!(
            "{} is partitioned by {key}: one row for which there is no partition stops the whole file",
            table.name
        ));
    }
    let is_action = |name: &str| subject.unified.action.iter().any(|slot| slot.column == name);
    let facts = table.columns.iter().filter(|column| written.contains(&column.name.as_str()));
    // Labels were tried on the checks of their domain.
    for column in facts.filter(|column| !is_action(&column.name)) {
        for (name, definition) in &column.domain_checks {
            texts.push(format!(
                "the constraint {name} of the domain {} checks the column {}: {one} ({definition})",
                column.type_name, column.name
            ));
        }
    }
    texts
}

/// Texts that every new row has and that are longer than their column.
pub(super) fn of_values(subject: &Subject<'_>, hazards: &mut Hazards) {
    let table = subject.legacy.table.to_string();
    for column in subject.new_columns {
        let text = match &column.filling {
            Filling::Constant(Literal::Text(text)) => text,
            Filling::Mapped(Meaning::Migrated) => &table,
            Filling::Constant(_) | Filling::Mapped(_) | Filling::Json { .. } => continue,
        };
        let Some(facts) = &column.facts else { continue };
        if !Extent::of(&facts.base_type).holds_text(text) {
            let (name, type_name) = (&column.name, &facts.base_type);
            let reason = format!("the column {name} is a {type_name}, which does not hold {text}");
            hazards.refuse(Operation::Insert, reason, "make the column longer, then run reckon again");
        }
    }
}

/// Times and ends of new rows that would be read back as others. Those that the next run would not tell are
/// named in the header alone.
pub(super) fn of_times(subject: &Subject<'_>, hazards: &mut Hazards) {
    let (file, unified) = (Operation::Insert, subject.unified);
    let inserted = || subject.changes.iter().filter(|change| change.operation == file);
    let lags = |slot: &Slot, times: &mut dyn Iterator<Item = Instant>| -> Vec<Span> {
        let lags = times.map(|at| slot.extent().kept(at, unified.zone).since(at).abs());
        lags.filter(|lag| *lag > Span::default()).collect()
    };
    let typed = |slot: &Slot| format!("{} ({})", slot.column, slot.type_name().unwrap_or_default());
    let slot = &unified.created_at;
    let cut = lags(slot, &mut inserted().filter_map(|change| change.new).map(|new| new.at));
    let far = cut.iter().filter(|lag| **lag > subject.config.matching.tolerance).count();
    let text =
        format!("the column {} does not hold the times of {} new rows as they are", typed(slot), cut.len());
    if far > 0 {
        let text = format!("{text}: {far} of them will be time_mismatch in the next run");
        hazards.warnings.push(Warning { file, text });
    } else if !cut.is_empty() {
        hazards.notes.push(Warning { file, text: format!("{text}, but within tolerance") });
    }
    let Some(slot) = unified.expires_at.as_ref().filter(|_| subject.legacy.expires_at.is_some()) else {
        return;
    };
    let cut = lags(slot, &mut inserted().filter_map(|change| change.expires_at)).len();
    if cut > 0 {
        let text = format!(
            "the column {} does not hold the ends of {cut} new grants as they are: they will end at another time",
            typed(slot)
        );
        hazards.warnings.push(Warning { file, text });
    }
}

/// The columns that a file writes.
pub(super) fn written<'a>(subject: &'a Subject<'_>, file: Operation) -> Vec<&'a str> {
    if file == Operation::Insert {
        return subject.new_columns.iter().map(|column| column.name.as_str()).collect();
    }
    changed(subject.unified, subject.changed())
}

/// The columns that updates write.
pub(super) fn changed(unified: &Layout, common: Common) -> Vec<&str> {
    let mut changed = Vec::new();
    if common.changes_action {
        changed.extend(unified.action.iter().map(|slot| slot.column.as_str()));
    }
    if common.changes_tokens {
        changed.push(unified.amount.column.as_str());
    }
    if common.changes_time {
        changed.push(unified.created_at.column.as_str());
    }
    changed
}

/// A CHECK of which no label tells whether it takes every row, and of which nothing was said yet.
fn is_open(subject: &Subject<'_>, file: Operation, definition: &str) -> bool {
    let unified = subject.unified;
    let answer = |at: usize, label: &str| {
        let part = unified.parts(label)?.get(at).copied()?;
        Some(admission(definition, &unified.action[at].column, part))
    };
    let columns = || 0..unified.action.len();
    let (of_rows, new) = (subject.labels_of_rows(file), subject.labels(file));
    let is_proven = |at: usize| of_rows.iter().all(|label| answer(at, label) == Some(Admission::Accepts));
    let is_told = |at: usize| {
        let told = |label: &&str| matches!(answer(at, label), Some(Admission::Refuses | Admission::Unknown));
        new.iter().any(told)
    };
    !columns().any(is_proven) && !columns().any(is_told)
}
