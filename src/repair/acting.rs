//! Triggers and rules of the unified table: what would act beside the files, and in what they may not run.
//!
//! `undo.sql` does the opposite of each file, so what acts on that is told with the file too.

use super::columns::Layout;
use super::hazard::{Hazards, Subject};
use super::plan::{Operation, Plan};
use super::quote::{do_block, fill, literal};
use crate::source::postgres::catalogue::TriggerFacts;

const ACTING: &str = include_str!("sql/acting.sql");
const NO_TRIGGERS: &str = include_str!("sql/no_triggers.sql");

const READ_IT: &str =
    "Read it; set allow_triggers = true under [repair] if it may run for every row, otherwise disable it";

/// The way in which a file, or what takes it back, writes.
fn event(operation: Operation) -> (&'static str, fn(&TriggerFacts) -> bool) {
    match operation {
        Operation::Insert => ("INSERT", |trigger| trigger.on_insert),
        Operation::Update => ("UPDATE", |trigger| trigger.on_update),
        Operation::Delete => ("DELETE", |trigger| trigger.on_delete),
    }
}

/// What `undo.sql` does to the rows of a file.
fn undone(file: Operation) -> Operation {
    match file {
        Operation::Insert => Operation::Delete,
        Operation::Update => Operation::Update,
        Operation::Delete => Operation::Insert,
    }
}

/// Names triggers that a file, or `undo.sql` after it, would fire. One that acts on INSERT may book tokens for
/// every row: neither is a row inserted nor removed with the promise to put it back, unless it may.
pub(super) fn triggers(hazards: &mut Hazards, subject: &Subject<'_>, file: Operation) {
    let Some(table) = &subject.unified.facts else { return };
    for trigger in &table.triggers {
        let acts = |event: &str| {
            format!("the trigger {} calls {} on {event} of {}", trigger.name, trigger.function, table.name)
        };
        let is_refused = !subject.config.repair.allow_triggers;
        let (does, fires) = event(file);
        let (undoes, fires_again) = event(undone(file));
        if fires(trigger) {
            let acts = acts(does);
            if file == Operation::Insert && is_refused {
                hazards.refuse(
                    file,
                    format!("{acts}: it may change balances or reject rows"),
                    "read it; if it may run for every row, set allow_triggers = true under [repair], \
                     otherwise disable it for the backfill",
                );
                continue;
            }
            hazards.warn(file, format!("{acts}; what it does elsewhere undo.sql cannot take back"));
        }
        if fires_again(trigger) && undoes != does {
            let acts = acts(undoes);
            if file == Operation::Delete && is_refused {
                hazards.refuse(
                    file,
                    format!("{acts}: undo.sql, which puts removed rows back, would fire it for each of them"),
                    "read it; if it may run for every row, set allow_triggers = true under [repair], \
                     otherwise disable it until it is sure that nothing will be taken back",
                );
            } else {
                hazards.warn(file, format!("{acts}; undo.sql would fire it"));
            }
        }
    }
}

/// The check that no rule acts on the table and, where the file or what takes it back inserts, no trigger that
/// may not.
pub(super) fn check(plan: &Plan<'_>, file: Operation) -> String {
    let table = literal(&plan.unified_table.sql());
    let triggers = match file {
        Operation::Insert => no_triggers(plan, "", &format!("{READ_IT} for the backfill.")),
        Operation::Delete => {
            let way_out = format!("{READ_IT} until it is sure that nothing will be taken back.");
            no_triggers(plan, ", by which undo.sql puts rows back", &way_out)
        }
        Operation::Update => String::new(),
    };
    block(&table, &triggers)
}

/// The check that no rule acts on the table from which something is taken back.
pub(super) fn check_of_undo(plan: &Plan<'_>) -> String {
    block(&literal(&plan.unified_table.sql()), "")
}

/// The check, inside `undo.sql`, that no trigger acts on rows that are about to come back.
pub(super) fn no_triggers_of_undo(plan: &Plan<'_>) -> String {
    let way_out = "Disable it for undo.sql, or take these rows back by hand from reckon_journal.entries.";
    match no_triggers(plan, ", by which rows would come back", way_out) {
        none if none.is_empty() => none,
        check => format!("  if planned > 0 then\n{check}  end if;\n"),
    }
}

fn block(table: &str, triggers: &str) -> String {
    do_block(&fill(ACTING, &[("unified_literal", table), ("no_triggers", triggers)]))
}

fn no_triggers(plan: &Plan<'_>, why: &str, way_out: &str) -> String {
    if plan.allow_triggers {
        return String::new();
    }
    let table = literal(&plan.unified_table.sql());
    fill(NO_TRIGGERS, &[("unified_literal", table.as_str()), ("why", why), ("way_out", way_out)])
}

/// Names of the columns that are read of a row, as SQL.
pub(super) fn columns_read(layout: &Layout) -> String {
    let mut slots: Vec<_> = layout.vital().into_iter().map(|(_, slot)| slot).collect();
    slots.extend([&layout.success, &layout.link, &layout.migrated, &layout.expires_at].into_iter().flatten());
    slots.extend(layout.references.iter().chain(&layout.payment));
    let mut names: Vec<String> = slots.into_iter().map(|slot| literal(&slot.column)).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
