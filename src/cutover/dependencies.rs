//! What was found to depend on the legacy table, as checks.

use crate::source::postgres::dependencies::{Area, Certainty, Dependencies, Looked};

use super::checks::{Check, Evidence};

/// A check for each area; `None`: nothing was looked at, `why` says why.
pub(super) fn checks(found: Option<&Dependencies>, why: &str) -> Vec<Check> {
    let check = |area: &Area| match found {
        Some(found) => of_area(*area, found.area(*area)),
        None => Check::not_tested(area.name(), why),
    };
    Area::ALL.iter().map(check).collect()
}

fn of_area(area: Area, looked: &Looked) -> Check {
    let evidence: Vec<Evidence> = looked.found.iter().map(Evidence::from).collect();
    let count = |certainty| looked.found.iter().filter(|found| found.certainty == certainty).count();
    let (certain, possible) = (count(Certainty::Certain), count(Certainty::Possible));
    let mut said = Vec::new();
    if certain > 0 {
        said.push(format!("{} {}", counted(certain, "object uses", "objects use"), words(area).0));
    }
    if possible > 0 {
        said.push(format!(
            "{} use {}, which a person has to judge",
            counted(possible, "object may", "objects may"),
            words(area).0
        ));
    }
    if certain + possible > 0 {
        said.push(words(area).1.to_owned());
    }
    said.extend(looked.unread.iter().map(|what| format!("not looked at: {what}")));
    if said.is_empty() {
        said.push("none found".to_owned());
    }
    said.extend(looked.notes.iter().cloned());
    let detail = said.join("; ");
    match (certain + possible > 0, looked.unread.is_empty()) {
        (true, _) => Check { unread: looked.unread.clone(), ..Check::fails(area.name(), detail, evidence) },
        (false, true) => Check { evidence, ..Check::ok(area.name(), detail) },
        (false, false) => {
            let unread = looked.unread.clone();
            Check { evidence, unread, ..Check::not_tested(area.name(), &detail) }
        }
    }
}

/// What is used, and what to do about it.
fn words(area: Area) -> (&'static str, &'static str) {
    match area {
        Area::Views => ("the table", "rewrite each view on the unified table, or drop it"),
        Area::ForeignKeys => ("its rows as referenced ones", "drop the constraint, or point it elsewhere"),
        Area::Triggers => ("the table", "drop the trigger, or rewrite its function"),
        Area::Functions => ("the table", "rewrite each function without it, or drop it"),
        Area::Policies => ("the table", "drop the policy, or rewrite it without the table"),
        Area::Publications => ("the table", "take it out: alter publication … drop table …"),
        Area::Rules => ("the table", "drop the rule"),
        Area::Sequences => {
            ("a sequence of the table", "let the other column own it: alter sequence … owned by …")
        }
        Area::Inheritance => (
            "the table, its rows or its row type",
            "detach it: alter table … no inherit …, detach partition, or alter extension … drop table …",
        ),
        Area::Defaults => ("the table", "change the default, constraint or index"),
        Area::Jobs => ("the table", "rewrite the job, or end it (of pg_cron: select cron.unschedule(…))"),
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
