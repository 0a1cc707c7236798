//! The findings: their ids from their own rows, their counts, the verdict, and both files alike.

use std::collections::{BTreeMap, HashSet};

use super::json::ClassFigures;
use super::severity::{self, Facts};
use super::tables::{Run, instant, original, sum, tokens};
use super::{Check, alike, failed, judged};
use crate::report::figures::counted;
use crate::sha256::sha256;

/// Re-computes what `findings.csv` implies.
pub(super) fn check(run: &Run) -> Check {
    match examined(run) {
        Err(cause) => failed("findings", cause),
        Ok((count, wrong)) => judged(
            "findings",
            wrong,
            format!("{}, their ids, sums and the verdict", counted(count as u64, "finding", "findings")),
        ),
    }
}

const COLUMNS: [&str; 12] = [
    "finding_id",
    "class",
    "severity",
    "user_id",
    "legacy_ids",
    "unified_ids",
    "tokens_effect",
    "status",
    "repair",
    "rule",
    "created_at_legacy",
    "created_at_unified",
];

/// Classes of which each finding is one pair, but for purchases without a legacy row, whose rule is `none`.
const OF_A_PAIR: [&str; 5] =
    ["user_mismatch", "action_mismatch", "amount_mismatch", "time_mismatch", "mislabelled_purchase"];

fn examined(run: &Run) -> Result<(usize, Vec<String>), String> {
    let mut wrong = Vec::new();
    let mut classes: BTreeMap<String, ClassFigures> = BTreeMap::new();
    let (mut blocking, mut fresh, mut open) = (0u64, 0u64, 0u64);
    let mut ids: Vec<String> = Vec::new();
    let mut rungs: BTreeMap<String, u64> = BTreeMap::new();
    let as_of = instant(&run.summary.as_of);
    run.csv("findings.csv", &COLUMNS, |cells, line| {
        let [id, class, severity, user, legacy, unified, effect, status, repair, rule, ref at @ ..] =
            cells[..]
        else {
            return Err("twelve columns were asked for".to_owned());
        };
        let facts = Facts { class, repair, legacy_at: instant(at[0]), unified_at: instant(at[1]), as_of };
        let expected = severity::expected(facts);
        if !expected.is_empty() && expected.iter().all(|one| one.name() != severity) {
            let expected: Vec<&str> = expected.iter().map(|one| one.name()).collect();
            wrong.push(format!(
                "findings.csv line {line}: {id}, {class}, is {severity}, and should be {}",
                expected.join(" or ")
            ));
        }
        if OF_A_PAIR.contains(&class) {
            *rungs.entry(rule.to_owned()).or_default() += 1;
        }
        if !is_id_of(id, class, original(user), original(legacy), original(unified)) {
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
    if run.summary.blocking.is_some_and(|said| said != blocking) {
        wrong.push(format!("{blocking} findings are errors that nobody waived, `blocking` says otherwise"));
    }
    for (rung, found) in rungs {
        let said = run.summary.pairs.get(&rung).map(|total| total.rows);
        if said.is_some_and(|said| said < found) {
            wrong.push(format!("{found} findings are of pairs by {rung}, summary.json has fewer such pairs"));
        }
    }
    if (run.summary.history.new, run.summary.history.open) != (fresh, open) {
        wrong.push(format!("{fresh} are new and {open} open, the summary says otherwise"));
    }
    wrong.extend(alike::differences(run.folder(), "findings.csv", "findings.parquet")?);
    Ok((ids.len(), wrong))
}

/// Cells with more signs that may part ids, or belong to one, are read in the two plain ways alone.
const SIGNS_MAX: usize = 18;

/// The id is the one that the rule book makes of these rows, or of the user. That of a rejected row
/// without an id of its own covers more than the report shows.
fn is_id_of(id: &str, class: &str, user: &str, legacy: &str, unified: &str) -> bool {
    let first = match (legacy, unified) {
        ("", "") if class == "rejected_row" => return true,
        ("", "") => user,
        _ => legacy,
    };
    let is = |text: String| sha256(text).hex_of_first(8) == id;
    if !first.contains('\n') && !unified.contains('\n') && is(format!("{class}\n{first}\n{unified}")) {
        return true;
    }
    // An id holds a line break or `;`, and a cell does not say which of these part ids.
    let signs = [first, unified].map(|cell| cell.matches(';').count());
    let ways = match signs[0] + signs[1] {
        all @ 0..=SIGNS_MAX => 0..1_u32 << all,
        _ => 0..1,
    };
    ways.into_iter().any(|parting| {
        let [first, unified] = [escaped(first, parting), escaped(unified, parting >> signs[0].min(31))];
        is(format!("{class}\n{first}\n{unified}\n"))
    })
}

/// The ids of a cell as a finding's id has them where one needs escapes. Bit by bit, `parting` says which
/// `;` part ids; the others belong to one.
fn escaped(cell: &str, parting: u32) -> String {
    let mut text = String::with_capacity(cell.len() + 8);
    let mut sign = 0;
    for char in cell.chars() {
        match char {
            '\n' => text.push_str("\\n"),
            '\\' => text.push_str("\\\\"),
            ';' => {
                text.push_str(if parting >> sign & 1 == 1 { ";" } else { "\\;" });
                sign += 1;
            }
            char => text.push(char),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_from_its_cells_whatever_its_rows_are_called() {
        let id = |text: &str| sha256(text).hex_of_first(8);
        // User, legacy ids, unified ids; the text of the id.
        let cases = [
            ("u", "A", "B;C", "orphan\nA\nB;C"),
            ("u", "", "", "orphan\nu\n"),
            ("u;v", "", "", "orphan\nu\\;v\n\n"),
            ("u", "A\nB", "C", "orphan\nA\\nB\nC\n"),
            ("u", "A", "B\nC", "orphan\nA\nB\\nC\n"),
            ("u", "A;B", "C;D;E", "orphan\nA\\;B\nC;D\\;E\n"),
            ("u", "A\\;B", "C", "orphan\nA\\\\;B\nC\n"),
            ("u", "A\\nB", "C", "orphan\nA\\nB\nC"),
        ];
        for (user, legacy, unified, text) in cases {
            assert!(is_id_of(&id(text), "orphan", user, legacy, unified), "{text:?}");
            assert!(!is_id_of(&id(text), "orphan", user, legacy, "X"), "{text:?}");
        }
        // What gave the same id once.
        assert!(!is_id_of(&id("orphan\nA\nB\nC"), "orphan", "u", "A\nB", "C"));
    }
}
