//! `reckon runs`: a history as a table with its trend, and as JSON.

use serde::Serialize;

use super::error::ReportError;
use super::figures::{counted, grouped, minute};
use super::json::pretty;
use super::page::{Page, Paint, printable};
use crate::domain::Total;
use crate::history::runs::verdict_name;
use crate::history::{Chronicle, ClassChanges, PastRun};

/// Name and version of the shape of the JSON.
pub const SCHEMA: &str = "reckon.runs/1";

/// So many runs a trend shows at most: they fit a line.
const TREND_RUNS_MAX: usize = 60;

/// Draws the history, `width` columns wide (between 60 and 80), with colours only if asked for. `last`:
/// only so many runs. The newest stands last, next to the prompt, and so that time runs downwards as it
/// does from left to right in the trend.
pub fn terminal(history: &Chronicle, last: Option<usize>, width: usize, color: bool) -> String {
    let mut page = Page::new(width, color);
    let runs = shown(history, last);
    head(&mut page, history, runs);
    page.end();
    table(&mut page, runs);
    names(&mut page, runs);
    trend(&mut page, runs);
    changes(&mut page, history, false);
    warnings(&mut page, &history.told_of(runs));
    page.finish()
}

/// What is new in the newest run, and what does not hold; nothing where there is neither.
pub fn quiet(history: &Chronicle, width: usize, color: bool) -> String {
    let is_new = history.changes.iter().flatten().any(|class| class.new + class.reopened > 0);
    let newest: Vec<PastRun> =
        history.runs.iter().filter(|run| run.name == history.newest).cloned().collect();
    let told = history.told_of(&newest);
    if !is_new && told.is_empty() {
        return String::new();
    }
    let mut page = Page::new(width, color);
    page.put(&printable(&history.newest), Paint::Strong);
    page.end();
    if is_new {
        changes(&mut page, history, true);
    }
    warnings(&mut page, &told);
    page.finish()
}

fn shown(history: &Chronicle, last: Option<usize>) -> &[PastRun] {
    let runs = &history.runs;
    &runs[runs.len().saturating_sub(last.unwrap_or(runs.len()))..]
}

fn head(page: &mut Page, history: &Chronicle, runs: &[PastRun]) {
    page.put(&format!("History in {}", printable(&history.folder.display().to_string())), Paint::Strong);
    page.end();
    let all = history.runs.len();
    let mut text = counted(all as u64, "run", "runs");
    if let (Some(first), Some(last)) = (history.runs.first(), history.runs.last()) {
        text.push_str(&format!(", as of {} to {} UTC", minute(first.as_of), minute(last.as_of)));
    }
    let removed = history.runs.iter().filter(|run| !run.is_here).count();
    if removed > 0 {
        text.push_str(&format!("; {} told by later ones, as removed (~)", grouped(removed as i128)));
    }
    if runs.len() < all {
        text.push_str(&format!("; the last {}", grouped(runs.len() as i128)));
    }
    page.paragraph("  ", &text, Paint::Faint);
}

/// Rows of both tables, in a column of ten.
fn rows_of_both(run: &PastRun) -> String {
    let rows = run.legacy.rows.saturating_add(run.unified.rows);
    match rows {
        0..=99_999_999 => grouped(rows.into()),
        _ => format!("{} M", grouped(i128::from(rows / 1_000_000))),
    }
}

/// Errors of a run, as far as its figures are to be believed.
fn errors(run: &PastRun) -> Option<u64> {
    run.blocking.filter(|_| run.altered.is_none())
}

fn table(page: &mut Page, runs: &[PastRun]) {
    let count = |count: u64| grouped(count.into());
    let rows: Vec<_> = runs
        .iter()
        .map(|run| {
            let (mark, paint) = match (run.is_clean(), &run.altered) {
                (true, _) => ("✓", Paint::Good),
                (false, None) => ("✗", Paint::Bad),
                (false, Some(_)) => ("?", Paint::Bad),
            };
            let cells = vec![
                format!("{mark} {}{}", minute(run.as_of), if run.is_here { "" } else { " ~" }),
                errors(run).map_or_else(|| "?".to_owned(), count),
                count(run.new),
                count(run.open),
                count(run.resolved),
                count(run.reopened),
                count(run.waived),
                rows_of_both(run),
            ];
            (cells, paint)
        })
        .collect();
    let columns = [
        ("as of, UTC", false),
        ("errors", true),
        ("new", true),
        ("open", true),
        ("resolved", true),
        ("back", true),
        ("waived", true),
        ("rows", true),
    ];
    page.table(&columns, &rows);
}

/// The directories of the runs: what `reckon waive --run` and `reckon verify` are given.
fn names(page: &mut Page, runs: &[PastRun]) {
    page.heading("Their directories", "in that order; ~ has been removed");
    let name = |run: &PastRun| format!("{}{}", printable(&run.name), if run.is_here { "" } else { "~" });
    page.paragraph("  ", &runs.iter().map(name).collect::<Vec<_>>().join(" "), Paint::Plain);
}

/// Errors of the runs as bars: `·` is none, `?` unknown.
fn trend(page: &mut Page, runs: &[PastRun]) {
    let runs = &runs[runs.len().saturating_sub(TREND_RUNS_MAX)..];
    let counts: Vec<Option<u64>> = runs.iter().map(errors).collect();
    if counts.len() < 2 {
        return;
    }
    let word = |count: Option<&Option<u64>>| {
        count.copied().flatten().map_or_else(|| "?".to_owned(), |count| grouped(count.into()))
    };
    let note = format!("from {} to {}", word(counts.first()), word(counts.last()));
    page.heading("Errors, run by run", &note);
    page.put(&format!("  {}", bars(&counts)), Paint::Plain);
    page.end();
}

fn bars(counts: &[Option<u64>]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().flatten().max().copied().unwrap_or(0);
    let bar = |count: &Option<u64>| match count {
        None => '?',
        Some(0) => '·',
        // From 1 to the most: 0 to 7.
        Some(count) => {
            let step = u128::from(count - 1) * 7 / u128::from(most.max(2) - 1);
            BARS[usize::try_from(step).unwrap_or(0).min(BARS.len() - 1)]
        }
    };
    counts.iter().map(bar).collect()
}

fn changes(page: &mut Page, history: &Chronicle, only_new: bool) {
    page.heading("What the newest run changed", &printable(&history.newest));
    let Some(classes) = &history.changes else {
        page.paragraph(
            "  ",
            "not told: an earlier version of reckon wrote it, without lifecycle.csv",
            Paint::Warn,
        );
        return;
    };
    let is_shown = |class: &&ClassChanges| !only_new || class.new + class.reopened > 0;
    let rows: Vec<_> = classes
        .iter()
        .filter(is_shown)
        .map(|class| {
            let counts = [class.new, class.open, class.resolved, class.reopened, class.waived];
            let mut cells = vec![class.class.name().to_owned()];
            cells.extend(counts.map(|count| if count > 0 { grouped(count.into()) } else { "·".to_owned() }));
            (cells, if class.new + class.reopened > 0 { Paint::Warn } else { Paint::Plain })
        })
        .collect();
    if rows.is_empty() {
        page.paragraph("  ", "no finding stands, and none was resolved", Paint::Plain);
        return;
    }
    let columns = [
        ("class", false),
        ("new", true),
        ("open", true),
        ("resolved", true),
        ("back", true),
        ("waived", true),
    ];
    page.table(&columns, &rows);
}

fn warnings(page: &mut Page, told: &[&str]) {
    if told.is_empty() {
        return;
    }
    page.heading("To be looked at", "");
    for warning in told {
        page.paragraph("  ! ", &printable(warning), Paint::Warn);
    }
}

#[derive(Serialize)]
struct Json<'a> {
    schema: &'static str,
    folder: String,
    newest: &'a str,
    runs: Vec<Run<'a>>,
    changes: Option<Vec<Class>>,
    warnings: Vec<&'a str>,
}

#[derive(Serialize)]
struct Run<'a> {
    run: &'a str,
    as_of: String,
    started: String,
    verdict: &'static str,
    blocking: Option<u64>,
    new: u64,
    open: u64,
    resolved: u64,
    reopened: u64,
    waived: u64,
    legacy: Total,
    unified: Total,
    users_with_gap: Option<u64>,
    gap_tokens: Option<i128>,
    unexplained_tokens: Option<i128>,
    gone: Gone,
    manifest_sha256: &'a str,
    previous_sha256: Option<&'a str>,
    is_here: bool,
    /// Why its figures are not to be believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    altered: Option<&'a str>,
}

#[derive(Serialize)]
struct Gone {
    legacy_rows: u64,
    unified_rows: u64,
    tokens: i128,
    users: u64,
    balance_rows: u64,
}

#[derive(Serialize)]
struct Class {
    class: &'static str,
    new: u64,
    open: u64,
    resolved: u64,
    reopened: u64,
    waived: u64,
}

/// The history as JSON. In `changes` a re-opened finding is not among the new ones, in `runs` it is, as
/// in `findings.csv`.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn json(history: &Chronicle, last: Option<usize>) -> Result<Vec<u8>, ReportError> {
    let class = |class: &ClassChanges| Class {
        class: class.class.name(),
        new: class.new,
        open: class.open,
        resolved: class.resolved,
        reopened: class.reopened,
        waived: class.waived,
    };
    pretty(
        "the runs",
        &Json {
            schema: SCHEMA,
            folder: history.folder.display().to_string(),
            newest: &history.newest,
            runs: shown(history, last).iter().map(run).collect(),
            changes: history.changes.as_ref().map(|classes| classes.iter().map(class).collect()),
            warnings: history.told_of(shown(history, last)),
        },
    )
}

fn run(run: &PastRun) -> Run<'_> {
    Run {
        run: &run.name,
        as_of: run.as_of.rfc3339(),
        started: run.started.rfc3339(),
        verdict: verdict_name(run.verdict),
        blocking: run.blocking,
        new: run.new,
        open: run.open,
        resolved: run.resolved,
        reopened: run.reopened,
        waived: run.waived,
        legacy: run.legacy,
        unified: run.unified,
        users_with_gap: run.users_with_gap,
        gap_tokens: run.gap_tokens,
        unexplained_tokens: run.unexplained_tokens,
        gone: Gone {
            legacy_rows: run.gone.legacy_rows,
            unified_rows: run.gone.unified_rows,
            tokens: run.gone.tokens,
            users: run.gone.users,
            balance_rows: run.gone.balance_rows,
        },
        manifest_sha256: &run.manifest_digest,
        previous_sha256: run.previous_digest.as_deref(),
        is_here: run.is_here,
        altered: run.altered.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_with_errors_and_tell_none_from_few_and_unknown() {
        let cases: [(&[Option<u64>], &str); 5] = [
            (&[Some(0), Some(0)], "··"),
            (&[Some(1), Some(0)], "▁·"),
            (&[Some(8), Some(1), Some(4), None], "█▁▄?"),
            (&[Some(u64::MAX), Some(1)], "█▁"),
            (&[], ""),
        ];
        for (counts, expected) in cases {
            assert_eq!(bars(counts), expected, "{counts:?}");
        }
    }
}
