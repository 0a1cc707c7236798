//! What a run has to hold: a file that is gone from the directory and from the manifest is missing all the
//! same; and that the manifest is that of the summary beside it.

use super::files::Manifest;
use super::tables::Run;
use super::{Check, judged};

/// Files that every run has, whatever it was asked for.
const REQUIRED: [&str; 7] = [
    "balances.csv",
    "dispositions.parquet",
    "findings.csv",
    "findings.parquet",
    "metrics.prom",
    "report.html",
    "summary.json",
];

/// Files that every audit pack has.
const OF_A_PACK: [&str; 13] = [
    "adjustments.csv",
    "audit.html",
    "audit.xlsx",
    "balances.csv",
    "causes.csv",
    "exceptions.csv",
    "grants_by_action.csv",
    "provenance.csv",
    "roll_forward.csv",
    "rows.csv",
    "sample.csv",
    "summary.csv",
    "usage.csv",
];

/// Checks what the manifest of an audit pack names.
pub(super) fn of_pack(manifest: &Manifest) -> Check {
    let is_listed = |name: &str| manifest.files.iter().any(|file| file.name == name);
    let missing = OF_A_PACK.iter().filter(|name| !is_listed(name));
    let wrong = missing.map(|name| format!("{name}: a pack has it, the manifest does not name it"));
    judged("contents", wrong.collect(), format!("all {} files that a pack has", OF_A_PACK.len()))
}

/// Checks what the manifest names, and of which run it says that it is.
pub(super) fn check(manifest: &Manifest, run: &Run) -> Check {
    let mut wrong = Vec::new();
    // The SQL that was written stands in the summary: a run that renames users has none.
    let sql = run.summary.sql.iter().map(|script| script.name.as_str());
    let breaks = (!run.summary.snapshot_columns.is_empty()).then_some("chain_breaks.csv");
    let required: Vec<&str> = REQUIRED.into_iter().chain(breaks).chain(sql).collect();
    let is_listed = |name: &str| manifest.files.iter().any(|file| file.name == name);
    let missing = required.iter().filter(|name| !is_listed(name));
    wrong.extend(missing.map(|name| format!("{name}: a run has it, the manifest does not name it")));
    let said = [
        ("as_of", &manifest.as_of, Some(&run.summary.as_of)),
        ("run_id", &manifest.run_id, run.summary.run_id.as_ref()),
    ];
    for (key, manifest, summary) in said {
        if let (Some(manifest), Some(summary)) = (manifest, summary)
            && manifest != summary
        {
            wrong.push(format!("{key} is {manifest} in manifest.json, {summary} in summary.json"));
        }
    }
    judged("contents", wrong, format!("all {} files that such a run has", required.len()))
}
