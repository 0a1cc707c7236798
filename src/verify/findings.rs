//! The findings: their ids from their own rows, their counts, the verdict, and both files alike.

use std::collections::{BTreeMap, HashSet};

use super::json::ClassFigures;
use super::tables::{Run, original, sum, tokens};
use super::{Check, failed, judged};
use crate::sha256::sha256;

/// Re-computes what `findings.csv` implies.
pub(super) fn check(run: &Run) -> Check {
    match examined(run) {
        Err(cause) => failed("findings", cause),
        Ok((count, wrong)) => {
            judged("findings", wrong, format!("{count} findings, their ids, sums and the verdict"))
        }
    }
}

const COLUMNS: [&str; 8] =
    ["finding_id", "class", "severity", "user_id", "legacy_ids", "unified_ids", "tokens_effect", "status"];

fn examined(run: &Run) -> Result<(usize, Vec<String>), String> {
    let mut wrong = Vec::new();
    let mut classes: BTreeMap<String, ClassFigures> = BTreeMap::new();
    let (mut blocking, mut fresh, mut open) = (0u64, 0u64, 0u64);
    let mut ids: Vec<String> = Vec::new();
    run.csv("findings.csv", &COLUMNS, |cells, line| {
        let [id, class, severity, user, legacy, unified, effect, status] = cells[..] else {
            return Err("eight columns were asked for".to_owned());
        };
        let expected = finding_id(class, original(user), original(legacy), original(unified));
        if expected.is_some_and(|expected| expected != id) {
            wrong.push(format!("findings.csv line {line}: {id} is not the id of its rows"));
        }
        let figures = classes.entry(class.to_owned()).or_default();
        figures.count += 1;
        figures.waived += u64::from(status == "waived");
        figures.tokens_effect = sum(figures.tokens_effect, tokens("tokens_effect", effect)?.unwrap_or(0))?;
        blocking += u64::from(severity == "error" && status != "waived");
        fresh += u64::from(status == "new");
        open += u64::from(status == "open");
        ids.push(id.to_owned());
        Ok(())
    })?;
    let distinct: HashSet<&String> = ids.iter().collect();
    if distinct.len() != ids.len() {
        wrong.push(format!("{} ids stand more than once", ids.len() - distinct.len()));
    }
    for (class, said) in &run.summary.findings {
        let found = classes.remove(class).unwrap_or_default();
        if found != *said {
            wrong.push(format!("{class}: {found} in findings.csv, {said} in summary.json"));
        }
    }
    wrong.extend(classes.keys().map(|class| format!("{class}: summary.json does not have it")));
    let (verdict, code) = if blocking == 0 { ("clean", 0) } else { ("discrepancies", 1) };
    if (run.summary.verdict.as_str(), run.summary.exit_code) != (verdict, code) {
        wrong.push(format!(
            "{blocking} findings stand against a clean result, the summary says {}",
            run.summary.verdict
        ));
    }
    if (run.summary.history.new, run.summary.history.open) != (fresh, open) {
        wrong.push(format!("{fresh} are new and {open} open, the summary says otherwise"));
    }
    let mut row = 0;
    run.parquet("findings.parquet", &["finding_id"], |cells| {
        if ids.get(row).is_none_or(|id| id != cells[0]) {
            wrong.push(format!(
                "findings.parquet row {}: {} is not what findings.csv has there",
                row + 1,
                cells[0]
            ));
        }
        row += 1;
        Ok(())
    })?;
    if row != ids.len() {
        wrong.push(format!("findings.parquet has {row} findings, findings.csv {}", ids.len()));
    }
    Ok((ids.len(), wrong))
}

/// The id as the rule book makes it; `None` for a rejected row without an id of its own, whose
/// digest covers more than the report shows.
fn finding_id(class: &str, user: &str, legacy: &str, unified: &str) -> Option<String> {
    let first = match (legacy, unified) {
        ("", "") if class == "rejected_row" => return None,
        ("", "") => user,
        _ => legacy,
    };
    Some(sha256(format!("{class}\n{first}\n{unified}")).hex_of_first(8))
}
