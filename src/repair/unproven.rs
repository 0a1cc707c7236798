//! Constraints that were never validated: a row that stands against one can be neither changed nor, once it
//! was removed, brought back.

use crate::config::quote_identifier;
use crate::source::postgres::catalogue::{TableFacts, UnprovenFacts};

use super::columns::Layout;
use super::constraint::mentions;
use super::hazard::Subject;
use super::limits::{changed, written};
use super::plan::{Common, Operation, Refusal};
use super::quote::{fill, literal};

const UNPROVEN: &str = include_str!("sql/unproven.sql");

/// A refusal for each constraint that `undo.sql`, or the file itself, may meet.
pub(super) fn of(subject: &Subject<'_>, file: Operation) -> Vec<Refusal> {
    let Some(table) = subject.unified.facts.as_ref().filter(|_| file != Operation::Insert) else {
        return Vec::new();
    };
    let written = written(subject, file);
    let own = table.unproven.iter().filter(|it| file == Operation::Delete || acts(it, table, &written));
    let of_domains = table.columns.iter().flat_map(|column| {
        let checks = column.domain_checks.iter();
        checks.filter(|(_, definition)| definition.ends_with(" NOT VALID")).map(|check| (&column.cast, check))
    });
    let own = own.map(|it| ("table", &it.table, &it.name));
    let mut found: Vec<_> = own.chain(of_domains.map(|(of, (name, _))| ("domain", of, name))).collect();
    found.dedup();
    let consequence = match file {
        Operation::Delete => "could not be brought back by undo.sql",
        _ => "can be changed neither by this file nor by undo.sql",
    };
    let refusal = |(kind, of, name): (&str, &String, &String)| Refusal {
        file,
        reason: format!(
            "the constraint {name} of {of} was never validated (NOT VALID), and a row that stands against it \
             {consequence}"
        ),
        remedy: format!(
            "run alter {kind} {of} validate constraint {}; where that fails, mend what stands against it or drop \
             the constraint first; then run reckon again",
            quote_identifier(name)
        ),
    };
    found.into_iter().map(refusal).collect()
}

/// An update looks at every CHECK of the row, but at a foreign key only where its own columns change or the
/// row moves to another partition.
fn acts(constraint: &UnprovenFacts, table: &TableFacts, written: &[&str]) -> bool {
    let concerns = |definition: &str| written.iter().any(|column| mentions(definition, column));
    match constraint.definition.split_once(" REFERENCES ") {
        Some((own, _)) if constraint.definition.starts_with("FOREIGN KEY ") => {
            concerns(own) || table.partition_key.as_deref().is_some_and(concerns)
        }
        _ => true,
    }
}

/// The same look when the file runs: the constraint may be younger than the run, or the rows came from files.
pub(super) fn check(unified: &Layout, file: Operation, common: Common) -> String {
    let table = unified.table.sql();
    let columns: Vec<String> = changed(unified, common).into_iter().map(literal).collect();
    let meets = match file {
        Operation::Delete => "true".to_owned(),
        _ => format!("(k.contype <> 'f' or a.attname in ({}))", columns.join(", ")),
    };
    fill(UNPROVEN, &[("unified", &literal(&table)), ("meets", &meets)])
}
