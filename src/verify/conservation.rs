//! Rows and tokens in equal those out: the manifest's control totals, the summary, and the rows as
//! they are listed.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};

use super::files::Manifest;
use super::json::Total;
use super::tables::{Run, sum};
use super::{Check, failed, judged};
use crate::report::figures;

/// Usage rows that were added up without being listed.
const FOLDED: &str = "usage_folded";

/// Control totals of the inputs, and the outcomes that have to add up to them.
pub(super) fn totals(run: &Run, manifest: &Manifest) -> Check {
    let mut wrong = Vec::new();
    let mut differ = |what: String, found: i128, expected: i128| {
        if found != expected {
            wrong.push(format!("{what}: {found}, not {expected}"));
        }
    };
    let conservation = &run.summary.conservation;
    let mut rows = 0_u64;
    for (side, said) in [("legacy", conservation.legacy), ("unified", conservation.unified)] {
        let read: Vec<_> = manifest.inputs.iter().filter(|input| input.role == side).collect();
        let [input] = read[..] else {
            differ(format!("inputs of the manifest with the role {side}"), read.len() as i128, 1);
            continue;
        };
        rows = input.rows.saturating_add(rows);
        differ(format!("{side} rows_in"), said.rows_in.into(), input.rows.into());
        differ(format!("{side} tokens_in"), said.tokens_in, input.tokens);
        let outcomes = run.summary.outcomes.get(side);
        let out = outcomes.into_iter().flatten().try_fold(Total::default(), |out, (_, total)| {
            sum(out.tokens, total.tokens)
                .map(|tokens| Total { rows: out.rows.saturating_add(total.rows), tokens })
        });
        match out {
            Err(cause) => return failed("conservation", cause),
            Ok(out) => {
                differ(format!("{side} rows of all outcomes"), out.rows.into(), input.rows.into());
                differ(format!("{side} tokens of all outcomes"), out.tokens, input.tokens);
            }
        }
        differ(format!("{side} rows_out"), said.rows_out.into(), input.rows.into());
        differ(format!("{side} tokens_out"), said.tokens_out, input.tokens);
        match run.summary.population.get(side) {
            None => differ(format!("population of {side}"), 0, 1),
            Some(population) => {
                differ(
                    format!("{side} rows by population class"),
                    population.classified().into(),
                    input.rows.into(),
                );
                differ(format!("{side} population rows"), population.rows.into(), input.rows.into());
            }
        }
    }
    differ("conservation.holds".to_owned(), conservation.holds.into(), 1);
    judged(
        "conservation",
        wrong,
        format!(
            "{} of both sides and their tokens came out as they went in",
            figures::counted(rows, "row", "rows")
        ),
    )
}

/// Every row of `dispositions.parquet` once, as many of each outcome as the summary says, and of the
/// class of its finding.
pub(super) fn dispositions(run: &Run) -> Check {
    match counted(run) {
        Err(cause) => failed("dispositions", cause),
        Ok((rows, wrong)) => judged(
            "dispositions",
            wrong,
            format!("{}, each exactly once", figures::counted(rows, "row", "rows")),
        ),
    }
}

/// The disposition of rows that lie beyond as-of.
const LATER: &str = "after_as_of";

/// The pairs of all rungs are as many as legacy rows have one; a split is no pair.
fn pairs(run: &Run, paired: u64) -> Option<String> {
    let rungs = run.summary.pairs.iter().filter(|(rung, _)| *rung != "split");
    let said = rungs.map(|(_, total)| total.rows).fold(0, u64::saturating_add);
    (!run.summary.pairs.is_empty() && said != paired)
        .then(|| format!("{paired} legacy rows are in a pair, the summary has {said} pairs"))
}

/// The classes of the population against the rows as they are listed. Usage of the unified table is not,
/// and a late row may be the partner of an earlier one.
fn populations(run: &Run, counts: &BTreeMap<(String, String), u64>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (side, population) in &run.summary.population {
        for (outcome, said, has_others) in population.by_outcome() {
            let found = counts.get(&(side.clone(), outcome.to_owned())).copied().unwrap_or_default();
            // A unified row may be later only since the legacy row of its pair is.
            let may_be_more = side == "unified" && outcome == LATER;
            if (found > said && !may_be_more) || (found < said && !has_others) {
                wrong.push(format!("{side} {outcome}: {found} rows listed, the population has {said}"));
            }
        }
    }
    wrong
}

fn counted(run: &Run) -> Result<(u64, Vec<String>), String> {
    let mut classes: HashMap<String, String> = HashMap::new();
    run.csv("findings.csv", &["finding_id", "class"], |cells, _| {
        classes.insert(cells[0].to_owned(), cells[1].to_owned());
        Ok(())
    })?;
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    // Two independent 64-bit hashes a row: texts of millions of ids would not fit beside each other.
    let states = [RandomState::new(), RandomState::new()];
    let mut seen: Vec<(u64, u64)> = Vec::new();
    let mut paired = 0_u64;
    let columns = ["side", "row_id", "disposition", "finding_id", "pair_id"];
    run.parquet("dispositions.parquet", &columns, |cells| {
        let [side, row, outcome, finding, pair] = cells[..] else {
            return Err("five columns were asked for".to_owned());
        };
        // A pair that lies beyond as-of whole is no pair of the run.
        paired += u64::from(side == "legacy" && !pair.is_empty() && outcome != LATER);
        let key = (side, row);
        seen.push((states[0].hash_one(key), states[1].hash_one(key)));
        match counts.get_mut(&(side.to_owned(), outcome.to_owned())) {
            Some(count) => *count += 1,
            None => drop(counts.insert((side.to_owned(), outcome.to_owned()), 1)),
        }
        if !finding.is_empty() && classes.get(finding).is_none_or(|class| class != outcome) {
            wrong.push(format!(
                "{side} row {row} is {outcome} by {finding}, which findings.csv does not have so"
            ));
        }
        Ok(())
    })?;
    let rows = seen.len() as u64;
    seen.sort_unstable();
    let repeated = seen.windows(2).filter(|pair| pair[0] == pair[1]).count();
    if repeated > 0 {
        wrong.push(format!("{repeated} rows are listed more than once"));
    }
    wrong.extend(pairs(run, paired));
    wrong.extend(populations(run, &counts));
    for (side, outcomes) in &run.summary.outcomes {
        for (outcome, total) in outcomes.iter().filter(|(outcome, _)| *outcome != FOLDED) {
            let found = counts.remove(&(side.clone(), outcome.clone())).unwrap_or_default();
            if found != total.rows {
                wrong.push(format!("{side} {outcome}: {found} rows listed, the summary says {}", total.rows));
            }
        }
    }
    wrong.extend(counts.iter().map(|((side, outcome), count)| {
        format!("{side} {outcome}: {count} rows listed, the summary has none")
    }));
    Ok((rows, wrong))
}
