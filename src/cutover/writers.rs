//! Do the functions that should write the unified table do so, and does the table take every label?

use std::collections::BTreeSet;

use crate::config::{Config, LegacyMeaning, TableName};
use crate::repair::constraint::{Admission, admission};
use crate::source::GRANT_SUFFIXES;
use crate::source::postgres::catalogue::TableFacts;
use crate::source::postgres::dependencies::Certainty;
use crate::source::postgres::leaves::Leaf;
use crate::source::postgres::writers::{Insertion, Writer};

use super::checks::{Check, Evidence};
use super::leaves::{NOWHERE, Taken, taken};
use super::live::Live;

/// Every label that the unified table has to take: configured ones, and those in the texts of its
/// writers that look like a grant.
pub(super) fn labels<'a>(config: &Config, texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let unified = &config.unified;
    let listed = unified.grants.iter().chain(&unified.deductions).chain(unified.usage.iter().flatten());
    let mapped = config.legacy.actions.values().filter_map(|meaning| match meaning {
        LegacyMeaning::Action(action) => Some(action),
        LegacyMeaning::Usage | LegacyMeaning::Ignore => None,
    });
    let is_label = |text: &&str| {
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            && GRANT_SUFFIXES.iter().any(|suffix| text.ends_with(&format!("_{suffix}")))
    };
    let mut labels: BTreeSet<String> = listed.chain(mapped).cloned().collect();
    labels.extend(texts.filter(is_label).map(str::to_owned));
    labels.into_iter().collect()
}

/// `writers`.
pub(super) fn writers(config: &Config, live: Option<&Live>, why: &str) -> Check {
    const NAME: &str = "writers";
    let Some(live) = live else { return Check::not_tested(NAME, why) };
    let table = config.unified.columns.origin.target();
    let Some(found) = &live.writers else {
        return Check::not_tested(NAME, &format!("there is no table {table} in this database"));
    };
    if found.is_empty() {
        let detail = "[cutover] writers is an empty list: no function is expected to write grants";
        return Check::ok(NAME, detail.to_owned());
    }
    let (mut evidence, mut missing, mut good) = (Vec::new(), Vec::new(), 0);
    for (name, functions) in found {
        if functions.is_empty() {
            missing.push(name);
        }
        for writer in functions {
            match lack(writer, table) {
                Some(lack) => evidence.push(lack),
                None => good += 1,
            }
        }
    }
    let list = missing.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ");
    if config.cutover.writers_named {
        evidence.extend(missing.iter().map(|name| {
            let detail = "is named in [cutover] writers, but there is no such function".to_owned();
            Evidence::certain("function", name.to_string(), detail)
        }));
    }
    if !evidence.is_empty() {
        let detail = format!(
            "{} of the functions that should write {table} do not, or not certainly: grants would be lost \
             once the legacy table is gone",
            evidence.len()
        );
        return Check::fails(NAME, detail, evidence);
    }
    if !missing.is_empty() {
        let detail = format!(
            "there is no function {list} in the schemas of the tables and the search path: name the functions \
             that write grants in [cutover] writers (an empty list where the application writes them itself)"
        );
        let unread = missing.iter().map(|name| name.to_string()).collect();
        return Check { unread, ..Check::not_tested(NAME, &detail) };
    }
    Check::ok(NAME, format!("{good} functions insert into {table}"))
}

/// What a function lacks of being a writer.
fn lack(writer: &Writer, table: &TableName) -> Option<Evidence> {
    let evidence = |certainty, detail: String| {
        let detail = format!("({}) {detail}", writer.arguments);
        Some(Evidence { kind: "function".to_owned(), name: writer.name.clone(), detail, certainty })
    };
    match &writer.inserts {
        Some(Insertion::Direct) => None,
        Some(Insertion::Possible) => {
            let detail = format!("may insert into {table}: its text puts the statement together");
            evidence(Certainty::Possible, detail)
        }
        Some(Insertion::Through(called)) => {
            evidence(Certainty::Possible, format!("calls {called}, which inserts into {table}"))
        }
        None => evidence(Certainty::Certain, format!("has no insert into {table} in its body")),
    }
}

/// `constraint`. `in_use`: labels of the rows that were read.
pub(super) fn constraint(
    config: &Config,
    live: Option<&Live>,
    facts: Option<&TableFacts>,
    in_use: &[Box<str>],
    why: &str,
) -> Check {
    const NAME: &str = "constraint";
    let Some(live) = live else { return Check::not_tested(NAME, why) };
    let table = config.unified.columns.origin.target();
    if let Some(kind) = facts.map(|facts| facts.relkind).filter(|kind| !['r', 'p'].contains(kind)) {
        let kind = if kind == 'f' { "foreign table" } else { "view" };
        let why = format!("{table} is a {kind}: which labels are taken is decided by what stands behind it");
        return Check::not_tested(NAME, &why);
    }
    let verdicts = match &live.refused {
        Ok(verdicts) => verdicts,
        Err(why) => return Check::not_tested(NAME, why),
    };
    let column =
        config.unified.columns.action.first().map(|field| field.written.as_str()).unwrap_or_default();
    let definition = |by: &str| {
        let name = by.strip_prefix("constraint ")?;
        facts?.checks.iter().find(|(check, _)| check == name).map(|(_, definition)| definition.as_str())
    };
    let (mut refused, mut unknown) = (Vec::new(), Vec::new());
    for verdict in verdicts {
        // A condition on other columns says nothing of labels, and null in them makes it unknown.
        let read = definition(&verdict.by).map(|text| admission(text, column, &verdict.label));
        match (verdict.admits, read) {
            (_, Some(Admission::Silent)) | (None, Some(Admission::Accepts)) => {}
            (Some(false), _) | (None, Some(Admission::Refuses)) => {
                refused.push((&verdict.label, &verdict.by))
            }
            _ => unknown.push(format!("{:?} by {}", verdict.label, verdict.by)),
        }
    }
    let mut evidence: Vec<Evidence> = refused
        .iter()
        .map(|(label, by)| {
            Evidence::certain("label", (*label).clone(), format!("is refused by {by} of {table}"))
        })
        .collect();
    if let Some(leaves) = &live.leaves {
        for label in &live.labels {
            match taken(leaves, column, label) {
                Taken::Yes => {}
                Taken::No(by) => {
                    let detail = format!("is refused by {by} of {table}");
                    evidence.push(Evidence::certain("label", label.clone(), detail));
                }
                Taken::Unknown(by) => unknown.push(format!("{label:?} by {by}")),
            }
        }
    }
    for (label, by) in refused_in_use(facts, live.leaves.as_deref(), column, in_use) {
        let detail = format!("stands in rows of {table}, but is refused by {by}: new rows cannot have it");
        evidence.push(Evidence::certain("label", label.to_owned(), detail));
    }
    evidence.sort();
    evidence.dedup_by(|a, b| a.name == b.name);
    if !evidence.is_empty() {
        let detail = format!(
            "{table} refuses {} labels in use: extend the constraint, the enum, the length of the column or the table of labels, or make a partition",
            evidence.len()
        );
        return Check::fails(NAME, detail, evidence);
    }
    if !unknown.is_empty() {
        let detail = format!("it cannot be told whether these are taken: {}", unknown.join(", "));
        return Check { unread: unknown, ..Check::not_tested(NAME, &detail) };
    }
    Check::ok(NAME, format!("{table} takes all {} labels that are configured or written", live.labels.len()))
}

/// Labels of rows that a constraint or an enum would refuse today.
fn refused_in_use<'a>(
    facts: Option<&'a TableFacts>,
    leaves: Option<&[Leaf]>,
    column: &str,
    in_use: &'a [Box<str>],
) -> Vec<(&'a str, String)> {
    let Some(facts) = facts else { return Vec::new() };
    let mut refused = Vec::new();
    for label in in_use {
        let found =
            facts.checks.iter().find(|(_, text)| admission(text, column, label) == Admission::Refuses);
        if let Some((name, _)) = found {
            refused.push((&**label, format!("constraint {name}")));
        } else if let Some(Taken::No(by)) = leaves.map(|leaves| taken(leaves, column, label))
            // Where no partition seems to be made for a label whose rows are there, the bounds were misread.
            && by != NOWHERE
        {
            refused.push((&**label, by));
        }
    }
    refused
}
