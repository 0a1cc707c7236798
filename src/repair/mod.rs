//! What to change (a plan: row, old values, new values, effect) and the SQL that says it.
//!
//! [`plan`] sorts the findings of a run into changes, which a machine may make, and reviews, which a
//! person has to look at, and checks what could go wrong. [`Scripts`] says the plan as SQL: one
//! transaction a file, guarded by what the run has read, with before-images in a journal from which
//! `undo.sql` takes everything back.
//!
//! Where the rule book leaves a choice, this module chooses what changes nothing:
//!
//! - waived findings stay out of executable SQL: what was accepted is left as it is;
//! - a reference is carried to the new row only where each side has exactly one reference field;
//! - a row is removed only when the row that it repeats is named and still there;
//! - a table without facts (rows from files) gets its column types from the database when the SQL
//!   runs: every value goes through a temporary table made from the target's own columns.

mod acting;
mod backfill;
mod changes;
mod columns;
pub mod constraint;
mod draft;
mod error;
mod evidence;
mod extent;
mod fits;
mod hazard;
mod kept;
mod known;
mod legacy;
mod limits;
mod near;
mod parts;
mod plan;
pub(crate) mod quote;
mod spelling;
mod sql;
mod success;
mod unproven;
mod values;
mod verify;

pub use error::RepairError;
pub use evidence::Evidence;
pub use plan::{
    Change, KeptRow, LegacyRow, Mended, Operation, Plan, Refusal, Review, Values, Warning, derived_id,
    namespace,
};
pub use sql::{Scripts, SqlFile};

use std::collections::HashSet;

use crate::config::Config;
use crate::cores::at_once;
use crate::domain::{Books, Finding, RepairKind, RowId};
use crate::source::postgres::catalogue::TableFacts;

/// What the catalogue says of the two tables; `None` for a side that comes from files.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// The legacy table.
    pub legacy: Option<TableFacts>,
    /// The unified table.
    pub unified: Option<TableFacts>,
}

/// What the headers say about where the plan comes from.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// One line: `legacy/*.csv and public.token_usage`. No time of the run: the same input makes
    /// the same bytes.
    pub source: String,
}

/// The ids that inserted rows would have, as far as they can be told in advance.
pub fn new_row_ids(
    config: &Config,
    books: &Books,
    findings: &[Finding],
    targets: &Targets,
) -> HashSet<RowId> {
    let (legacy, unified) = columns::Layout::of(config, targets);
    let plan::NewId::Derived(namespace) = hazard::new_id(books, &legacy, &unified) else {
        return HashSet::new();
    };
    let inserted = findings.iter().filter(|finding| finding.repair == RepairKind::Backfill);
    inserted.flat_map(|finding| &finding.legacy_ids).map(|id| derived_id(namespace, id)).collect()
}

/// Checks hazards and makes the plan. The findings are final: they have their ids, order and status.
///
/// # Errors
/// [`RepairError`] when there are rows to insert and a column of theirs can get no value.
pub fn plan<'a>(
    config: &Config,
    books: &'a Books,
    findings: &'a [Finding],
    targets: &Targets,
    context: &Context,
) -> Result<Plan<'a>, RepairError> {
    let (legacy, unified) = columns::Layout::of(config, targets);
    let new_id = hazard::new_id(books, &legacy, &unified);
    let (changes, reviews) = draft::Draft::new(config, books, &legacy, &unified, new_id).sorted(findings);
    let inserts = changes.iter().any(|change| change.operation == Operation::Insert);
    let success = success::Success::of(config, &unified);
    let new_columns = if inserts {
        columns::new_columns(config, &legacy, &unified, new_id != plan::NewId::Given, &success)?
    } else {
        Vec::new()
    };
    let subject = hazard::Subject {
        config,
        legacy: &legacy,
        unified: &unified,
        new_id,
        new_columns: &new_columns,
        success: &success,
        changes: &changes,
    };
    let (known, (id, hazards)) = at_once(
        || known::Known::new(config, books, &unified, &changes),
        || (plan::digest(&unified.table, &legacy.table, &changes), hazard::check(&subject)),
    );
    let hazards = hazards?;
    Ok(Plan {
        id,
        legacy_table: legacy.table.clone(),
        unified_table: unified.table.clone(),
        known,
        moving: known::moving(config).map(str::to_owned).collect(),
        usage: config.unified.usage.clone(),
        common: plan::Common::of(&changes),
        executable: draft::executable(findings),
        spelling: spelling::Spelling::of(&changes, &legacy, &unified),
        changes,
        reviews,
        refusals: hazards.refusals,
        warnings: hazards.warnings,
        notes: hazards.notes,
        source: context.source.clone(),
        as_of: books.as_of,
        roster: &books.roster,
        references: &books.references,
        legacy,
        unified,
        new_columns,
        success,
        allow_triggers: config.repair.allow_triggers,
    })
}
