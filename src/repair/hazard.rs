//! What would go wrong when the SQL runs, told before any is written.
//!
//! A value that nobody can supply stops the run ([`RepairError`]). Anything else leaves the report
//! whole and withholds the one file that it concerns ([`Refusal`]), or is said in its header
//! ([`Warning`]).

use std::collections::BTreeSet;

use crate::config::{Config, contract, quote_identifier};
use crate::domain::{Books, RowId, Side};
use crate::source::postgres::catalogue::{ColumnFacts, TableFacts};

use super::RepairError;
use super::acting;
use super::columns::{Layout, Meaning, NewColumn, Slot, optional};
use super::constraint::{Admission, admission};
use super::limits;
use super::plan::{Change, Common, NewId, Operation, Refusal, Warning, namespace};
use super::success::Success;
use super::unproven;

/// How inserted rows get their ids.
pub(super) fn new_id(books: &Books, legacy: &Layout, unified: &Layout) -> NewId {
    let derived = NewId::Derived(namespace(&legacy.table));
    let all_are_uuids = |side: Side| {
        !books.settled.side(side).has_texts && books.side(side).entries.iter().all(|row| is_uuid(&row.id))
    };
    let settled = books.settled.side(Side::Unified);
    let has_unified = !books.unified.entries.is_empty() || settled.has_uuids || settled.has_texts;
    let are_uuids = all_are_uuids(if has_unified { Side::Unified } else { Side::Legacy });
    let takes_uuids = match &unified.id.facts {
        Some(facts) if facts.generated => false,
        Some(facts) if facts.base_type == "uuid" => true,
        // Text that holds UUIDs and has no default: nobody else would give one.
        Some(facts) => facts.default.is_none() && unified.id.holds_text() && are_uuids,
        None => are_uuids,
    };
    if takes_uuids { derived } else { NewId::Given }
}

fn is_uuid(id: &RowId) -> bool {
    matches!(id, RowId::Uuid(_))
}

/// What a look at the catalogue and the mapping brought up.
#[derive(Debug, Default)]
pub(super) struct Hazards {
    pub refusals: Vec<Refusal>,
    pub warnings: Vec<Warning>,
    /// For the header alone: true of a table every night, and of no use to who only reads the report.
    pub notes: Vec<Warning>,
}

/// Everything that the checks look at.
pub(super) struct Subject<'a> {
    pub config: &'a Config,
    pub legacy: &'a Layout,
    pub unified: &'a Layout,
    pub new_id: NewId,
    pub new_columns: &'a [NewColumn],
    pub success: &'a Success,
    pub changes: &'a [Change<'a>],
}

impl Subject<'_> {
    fn has(&self, operation: Operation) -> bool {
        self.changes.iter().any(|change| change.operation == operation)
    }

    /// What the updates change.
    pub fn changed(&self) -> Common {
        Common::of(self.changes)
    }

    /// The labels of the rows that a file writes.
    pub fn labels_of_rows(&self, operation: Operation) -> BTreeSet<&str> {
        let of = self.changes.iter().filter(|change| change.operation == operation);
        of.filter_map(|change| change.new.as_ref()).map(|new| new.action).collect()
    }

    /// The labels that a file writes.
    pub fn labels(&self, operation: Operation) -> BTreeSet<&str> {
        self.changes
            .iter()
            .filter(|change| change.operation == operation)
            .filter_map(|change| {
                let new = change.new.as_ref()?;
                let written = change.old.as_ref().is_none_or(|old| old.action != new.action);
                written.then_some(new.action)
            })
            .collect()
    }
}

/// The way out when the database refuses a label.
fn admit(config: &Config) -> String {
    let first = contract::to_do_first(config).map(|first| format!(": {first}")).unwrap_or_default();
    format!(
        "admit them in the database first (reckon contract --format sql prints the constraint{first}), then \
         run reckon again"
    )
}

const ALL: [Operation; 3] = [Operation::Insert, Operation::Update, Operation::Delete];

/// Looks for hazards in the files that have something to do.
///
/// # Errors
/// When a column of a row to insert can get no value.
pub(super) fn check(subject: &Subject<'_>) -> Result<Hazards, RepairError> {
    let mut hazards = Hazards::default();
    for file in ALL.into_iter().filter(|file| subject.has(*file)) {
        hazards.table_kind(subject, file);
        hazards.vital_columns(subject, file);
        if file != Operation::Delete {
            hazards.labels(subject, file);
            hazards.times_in_texts(subject, file);
        }
        acting::triggers(&mut hazards, subject, file);
        hazards.refusals.extend(unproven::of(subject, file));
        hazards.notes.extend(limits::of(subject, file));
    }
    if subject.has(Operation::Insert) {
        required_columns(subject)?;
        limits::of_values(subject, &mut hazards);
        limits::of_times(subject, &mut hazards);
        hazards.new_ids(subject);
        hazards.migrated(subject);
        hazards.generated(subject);
        hazards.success(subject);
    }
    if subject.has(Operation::Delete) {
        hazards.foreign_keys(subject);
    }
    Ok(hazards)
}

impl Hazards {
    pub fn refuse(&mut self, file: Operation, reason: String, remedy: impl Into<String>) {
        self.refusals.push(Refusal { file, reason, remedy: remedy.into() });
    }

    pub fn warn(&mut self, file: Operation, text: String) {
        self.warnings.push(Warning { file, text });
    }

    fn table_kind(&mut self, subject: &Subject<'_>, file: Operation) {
        let Some(table) = &subject.unified.facts else {
            self.warn(
                file,
                format!(
                    "the rows were read from files, so the columns, constraints and triggers of {} \
                     could not be looked at beforehand",
                    subject.unified.table
                ),
            );
            return;
        };
        if !matches!(table.relkind, 'r' | 'p') {
            self.refuse(
                file,
                format!("{} is no table but a {}", table.name, kind_name(table.relkind)),
                "name the table behind it in [unified] table, then run reckon again",
            );
        }
        if file == Operation::Delete && !table.heirs.is_empty() {
            self.refuse(
                file,
                format!(
                    "{} inherits from {}: a row that is removed from an heir would come back without the \
                     heir's own columns, and elsewhere",
                    table.heirs.join(", "),
                    table.name
                ),
                "remove these rows by hand, each from the table in which it stands",
            );
        }
    }

    fn vital_columns(&mut self, subject: &Subject<'_>, file: Operation) {
        for (_, slot) in subject.unified.vital() {
            if !slot.is_plain() {
                self.refuse(
                    file,
                    format!(
                        "id, user, action, amount and created_at must be columns of {}, but one stands \
                         inside the JSON column {}",
                        subject.unified.table, slot.column
                    ),
                    "change these rows by hand, or through a view with columns of its own",
                );
            } else if file == Operation::Update && slot.facts.as_ref().is_some_and(|facts| facts.generated) {
                let is_key = slot.column == subject.unified.id.column;
                if !is_key {
                    self.refuse(
                        file,
                        format!("column {} of {} is generated", slot.column, subject.unified.table),
                        "change the columns that it is made from by hand",
                    );
                }
            }
        }
    }

    fn labels(&mut self, subject: &Subject<'_>, file: Operation) {
        let unified = subject.unified;
        let Some(table) = &unified.facts else { return };
        let labels = subject.labels(file);
        let admit = admit(subject.config);
        for (at, slot) in unified.action.iter().enumerate() {
            let parts: BTreeSet<&str> = labels
                .iter()
                .filter_map(|label| unified.parts(label).and_then(|parts| parts.get(at).copied()))
                .collect();
            self.enum_labels(slot, &parts, file, &admit);
            self.long_labels(slot, &parts, file);
            for (name, definition) in &table.checks {
                let check = Check { name, of: &table.name.to_string(), definition, value: &slot.column };
                self.constraint(&check, &parts, file, &admit);
            }
            for (facts, (name, definition)) in slot
                .facts
                .iter()
                .flat_map(|facts| facts.domain_checks.iter().map(move |check| (facts, check)))
            {
                let check = Check { name, of: &facts.type_name, definition, value: "value" };
                self.constraint(&check, &parts, file, &admit);
            }
        }
    }

    fn enum_labels(&mut self, slot: &Slot, labels: &BTreeSet<&str>, file: Operation, admit: &str) {
        let Some(known) = slot.facts.as_ref().and_then(|facts| facts.enum_labels.as_ref()) else { return };
        let unknown: Vec<&str> =
            labels.iter().copied().filter(|label| !known.iter().any(|it| it == label)).collect();
        if !unknown.is_empty() {
            let type_name = slot.type_name().unwrap_or_default();
            self.refuse(file, format!("the enum {type_name} lacks {}", unknown.join(", ")), admit);
        }
    }

    fn long_labels(&mut self, slot: &Slot, labels: &BTreeSet<&str>, file: Operation) {
        let extent = slot.extent();
        let long: Vec<&str> = labels.iter().copied().filter(|label| !extent.holds_text(label)).collect();
        if !long.is_empty() {
            let type_name = slot.type_name().unwrap_or_default();
            let reason = format!(
                "the column {} is a {type_name}, which does not hold {}",
                slot.column,
                long.join(", ")
            );
            self.refuse(file, reason, "make the column longer, then run reckon again");
        }
    }

    fn constraint(&mut self, check: &Check<'_>, labels: &BTreeSet<&str>, file: Operation, admit: &str) {
        let Check { name, of, definition, value } = check;
        let those = |wanted: Admission| -> Vec<&str> {
            let says = |label: &&str| admission(definition, value, label) == wanted;
            labels.iter().copied().filter(says).collect()
        };
        let (refused, unknown) = (those(Admission::Refuses), those(Admission::Unknown));
        if !refused.is_empty() {
            let reason = format!("the constraint {name} of {of} refuses {}", refused.join(", "));
            self.refuse(file, reason, admit);
        }
        if !unknown.is_empty() {
            let labels = unknown.join(", ");
            self.warn(
                file,
                format!("it could not be told whether the constraint {name} admits {labels}: {definition}"),
            );
        }
    }

    /// A text may write a time in many ways, and what reads it elsewhere may know one of them.
    fn times_in_texts(&mut self, subject: &Subject<'_>, file: Operation) {
        let unified = subject.unified;
        let is_text = |slot: &&Slot| slot.is_plain() && slot.holds_text();
        let has_end = || subject.changes.iter().any(|change| change.expires_at.is_some());
        let created_at = match file {
            Operation::Update => subject.changed().changes_time,
            Operation::Insert | Operation::Delete => true,
        };
        let mut texts: Vec<&Slot> = Some(&unified.created_at).filter(|_| created_at).into_iter().collect();
        if file == Operation::Insert && has_end() {
            let given = optional(subject.legacy, unified).into_iter();
            texts.extend(given.filter(|(meaning, _)| *meaning == Meaning::ExpiresAt).map(|(_, slot)| slot));
        }
        for slot in texts.into_iter().filter(is_text) {
            self.refuse(
                file,
                format!(
                    "column {} of {} is a text: it cannot be told how it writes a time",
                    slot.column, unified.table
                ),
                "give the column a type of times and run reckon again, or do it by hand",
            );
        }
    }

    fn new_ids(&mut self, subject: &Subject<'_>) {
        if subject.new_id != NewId::Given {
            return;
        }
        let unified = subject.unified;
        if unified.link.is_none() {
            self.refuse(
                Operation::Insert,
                format!(
                    "the ids of {} are given by the database, so a second run could not tell which rows \
                     it has inserted",
                    unified.table
                ),
                "name a column or JSON place for the legacy id in [unified] link",
            );
        }
        if let Some(facts) = &unified.id.facts
            && !facts.generated
            && facts.default.is_none()
        {
            self.refuse(
                Operation::Insert,
                format!(
                    "column {} of {} is a {} without default",
                    facts.name, unified.table, facts.type_name
                ),
                "give the column a default (a sequence or gen_random_uuid())",
            );
        }
    }

    fn migrated(&mut self, subject: &Subject<'_>) {
        let Some(slot) = subject.unified.migrated.as_ref().filter(|slot| slot.is_plain()) else { return };
        let Some(type_name) = slot.type_name() else { return };
        let suits = slot.holds_text()
            || ["boolean", "date", "json", "jsonb"].contains(&type_name)
            || type_name.starts_with("timestamp");
        if !suits {
            self.refuse(
                Operation::Insert,
                format!("column {} is a {type_name}: it cannot say that a row was migrated", slot.column),
                "name a boolean, text or timestamp column, or a JSON place, in [unified] migrated",
            );
        }
    }

    /// What a new row has to say, but the server fills by itself.
    fn generated(&mut self, subject: &Subject<'_>) {
        let optional = optional(subject.legacy, subject.unified).into_iter();
        for (meaning, slot) in optional.filter(|(_, slot)| slot.is_generated()) {
            let field = match meaning {
                Meaning::Link => "link",
                Meaning::Migrated => "migrated",
                Meaning::ExpiresAt => "expires_at",
                _ => "reference",
            };
            self.refuse(
                Operation::Insert,
                format!(
                    "column {} of {}, the {field} of [unified], is generated by the server and cannot be given",
                    slot.column, subject.unified.table
                ),
                format!("name the place that it is made from in [unified] {field}, then run reckon again"),
            );
        }
    }

    fn success(&mut self, subject: &Subject<'_>) {
        let Some(slot) = subject.unified.success.as_ref().filter(|_| *subject.success == Success::Unknown)
        else {
            return;
        };
        let type_name = slot.facts.as_ref().map_or("", |facts| &facts.type_name);
        self.refuse(
            Operation::Insert,
            format!(
                "column {} of {} is a {type_name}: it cannot be told how it says that a row succeeded",
                slot.column, subject.unified.table
            ),
            format!(
                "say it under [backfill] values, e.g. values = {{ {} = \"yes\" }}, then run reckon again",
                quote_identifier(&slot.column)
            ),
        );
    }

    fn foreign_keys(&mut self, subject: &Subject<'_>) {
        let Some(table) = &subject.unified.facts else { return };
        for key in table.referenced_by.iter().filter(|key| key.delete_acts) {
            self.warn(
                Operation::Delete,
                format!(
                    "the foreign key {} of {} acts when a row is deleted here ({}): the file refuses when \
                     it would",
                    key.name, key.table, key.definition
                ),
            );
        }
    }
}

/// A CHECK constraint that is tried on labels.
struct Check<'c> {
    name: &'c str,
    /// The table or domain that it belongs to.
    of: &'c str,
    definition: &'c str,
    /// What it calls the value.
    value: &'c str,
}

fn kind_name(relkind: char) -> &'static str {
    match relkind {
        'v' => "view",
        'm' => "materialised view",
        'f' => "foreign table",
        _ => "relation of another kind",
    }
}

/// Every column of a new row has a value, and none that the server fills by itself is given.
fn required_columns(subject: &Subject<'_>) -> Result<(), RepairError> {
    let Some(table) = &subject.unified.facts else { return Ok(()) };
    let given = |name: &str| subject.new_columns.iter().any(|column| column.name == name);
    for column in &table.columns {
        if column.generated && given(&column.name) {
            return Err(generated(table, column, subject.unified));
        }
        let is_id = column.name == subject.unified.id.column;
        if needs_value(column) && !given(&column.name) && !is_id {
            return Err(RepairError::MissingValue {
                table: table.name.to_string(),
                column: quote_identifier(&column.name),
                example: example(column),
            });
        }
    }
    Ok(())
}

/// A value that a column of this type takes, as it is written in the configuration.
fn example(column: &ColumnFacts) -> String {
    if let Some(label) = column.enum_labels.iter().flatten().next() {
        return format!("{label:?}");
    }
    let value = match column.base_type.as_str() {
        "boolean" => "false",
        "smallint" | "integer" | "bigint" | "real" | "double precision" => "0",
        name if name.starts_with("numeric") => "0",
        name if name.starts_with("timestamp") => "\"2026-01-01T00:00:00Z\"",
        "date" => "\"2026-01-01\"",
        name if name.starts_with("time") => "\"00:00\"",
        "interval" => "\"0\"",
        "uuid" => "\"00000000-0000-0000-0000-000000000000\"",
        "json" | "jsonb" => "\"{}\"",
        name if name.ends_with("[]") => "\"{}\"",
        _ => "\"migration\"",
    };
    value.to_owned()
}

fn needs_value(column: &ColumnFacts) -> bool {
    column.not_null && column.default.is_none() && !column.generated
}

fn generated(table: &TableFacts, column: &ColumnFacts, unified: &Layout) -> RepairError {
    let is_mapped = |slot: &Slot| slot.column == column.name;
    let mapped = unified.vital().iter().any(|(_, slot)| is_mapped(slot));
    RepairError::GeneratedColumn {
        table: table.name.to_string(),
        column: column.name.clone(),
        remedy: if mapped {
            "map the column that it is made from in [unified]"
        } else {
            "remove it from [backfill] values or from the optional fields of [unified]"
        },
    }
}
