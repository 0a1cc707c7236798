//! What the schema may refuse for one row and not for another: such a row stops the whole file, so the
//! header names it. And what a column would not hold as it is.

use crate::config::Literal;
use crate::domain::{Instant, Span};
use crate::source::postgres::catalogue::TableFacts;

use super::columns::{Filling, Meaning, Slot};
use super::constraint::mentions;
use super::extent::Extent;
use super::hazard::{Hazards, Subject};
use super::plan::{Operation, Warning};

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
fn written<'a>(subject: &'a Subject<'_>, file: Operation) -> Vec<&'a str> {
    if file == Operation::Insert {
        return subject.new_columns.iter().map(|column| column.name.as_str()).collect();
    }
    let (unified, changed) = (subject.unified, subject.changed());
    let mut written = Vec::new();
    if changed.changes_action {
        written.extend(unified.action.iter().map(|slot| slot.column.as_str()));
    }
    if changed.changes_tokens {
        written.push(&unified.amount.column);
    }
    if changed.changes_time {
        written.push(&unified.created_at.column);
    }
    written
}
