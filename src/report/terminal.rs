//! The summary on the terminal: at most 80 columns, the result first.

use std::path::Path;

use crate::audit::{RunVerdict, SideConservation};
use crate::domain::{Finding, RepairKind, Severity, Side, Span, Total};

use super::classes::ClassTotals;
use super::figures::{counted, grouped, length, moment, signed};
use super::model::Model;
use super::page::{Page, Paint, cut, printable};
use super::place::WrittenFile;

/// Where a run was written.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    /// The run directory.
    pub folder: &'a Path,
    /// What is in it.
    pub files: &'a [WrittenFile],
    /// Tells the findings against a clean result that the run before did not have, or had otherwise.
    pub is_new_error: &'a dyn Fn(&Finding) -> bool,
}

/// Draws the summary, `width` columns wide (between 60 and 80), with colours only if asked for.
pub fn render(model: &Model<'_>, written: Written<'_>, width: usize, color: bool) -> String {
    let mut page = Page::new(width, color);
    verdict(&mut page, model);
    causes(&mut page, model);
    control_totals(&mut page, model);
    pairs(&mut page, model);
    findings(&mut page, model);
    calibration(&mut page, model);
    balances(&mut page, model);
    files(&mut page, model, written);
    page.finish()
}

/// Draws what the run before did not have, in the same form: its verdict, and each finding that is new.
pub fn render_news(model: &Model<'_>, written: Written<'_>, width: usize, color: bool) -> String {
    let mut page = Page::new(width, color);
    verdict(&mut page, model);
    news(&mut page, model, written);
    page.heading("Written", "");
    page.put(&format!("  {}", printable(&written.folder.display().to_string())), Paint::Plain);
    page.end();
    page.finish()
}

/// The findings that are new, one a line.
fn news(page: &mut Page, model: &Model<'_>, written: Written<'_>) {
    const SHOWN: usize = 20;
    let found: Vec<&Finding> =
        model.findings.iter().filter(|finding| (written.is_new_error)(finding)).collect();
    let note = if found.is_empty() {
        "none against a clean result".to_owned()
    } else {
        format!("{} against a clean result", counted(found.len() as u64, "finding", "findings"))
    };
    page.heading("New", &note);
    if found.is_empty() {
        return;
    }
    let ids_and_figures = 16 + 24 + 18;
    let cells = |finding: &&Finding| {
        let user = finding.user.as_ref().map(|user| printable(&user.to_string())).unwrap_or_default();
        let cells = vec![
            finding.id.0.to_string(),
            finding.class.name().to_owned(),
            cut(&user, page.width.saturating_sub(ids_and_figures)),
            finding.tokens_effect.map(signed).unwrap_or_default(),
        ];
        (cells, Paint::Bad)
    };
    let rows: Vec<_> = found.iter().take(SHOWN).map(cells).collect();
    page.table(&[("finding", false), ("class", false), ("user", false), ("effect, tokens", true)], &rows);
    if found.len() > SHOWN {
        let more = counted((found.len() - SHOWN) as u64, "more", "more");
        page.paragraph("  ", &format!("and {more} in findings.csv"), Paint::Faint);
    }
}

fn verdict(page: &mut Page, model: &Model<'_>) {
    let (mark, word, paint) = match model.verdict {
        RunVerdict::Clean => ("✓", "CLEAN", Paint::Good),
        RunVerdict::Discrepancies => ("✗", "DISCREPANCIES", Paint::Bad),
    };
    page.put(&format!("{mark} {word}"), paint);
    page.put(&format!("  as of {}", moment(model.as_of)), Paint::Faint);
    page.end();
    page.paragraph("  ", &model.sentence, Paint::Plain);
    let history = &model.history;
    if let Some(previous) = &history.previous {
        let text = format!(
            "Since {previous}: {} new{}, {} open{}{}, {} resolved{}.",
            grouped(history.new.into()),
            of_these(history.reopened, "re-opened"),
            grouped(history.open.into()),
            of_these(history.changed, "changed"),
            of_these(history.lapsed, "no longer waived"),
            grouped(history.resolved.into()),
            if history.waived > 0 {
                format!(", {} waived", grouped(history.waived.into()))
            } else {
                String::new()
            }
        );
        page.paragraph("  ", &text, Paint::Plain);
    }
    for warning in &model.warnings {
        page.paragraph("  ! ", &printable(warning), Paint::Warn);
    }
}

/// ` (2 of them re-opened)`, or nothing.
fn of_these(count: u64, what: &str) -> String {
    if count > 0 { format!(" ({} of them {what})", grouped(count.into())) } else { String::new() }
}

fn control_totals(page: &mut Page, model: &Model<'_>) {
    let note = if model.conservation.holds { "every row and token in came out" } else { "do not tie out" };
    page.heading("Control totals", note);
    let mut rows = Vec::new();
    for side in [Side::Legacy, Side::Unified] {
        let SideConservation { rows_in, rows_out, tokens_in, tokens_out } = model.side(side);
        for (what, came, went) in
            [("rows", i128::from(rows_in), i128::from(rows_out)), ("tokens", tokens_in, tokens_out)]
        {
            let (word, paint) = if came == went { ("ties out", Paint::Plain) } else { ("OFF", Paint::Bad) };
            let cells = vec![format!("{} {what}", side.name()), grouped(came), grouped(went), word.into()];
            rows.push((cells, paint));
        }
    }
    page.table(&[("", false), ("in", true), ("out", true), ("", false)], &rows);
}

fn pairs(page: &mut Page, model: &Model<'_>) {
    let used: Vec<_> = model.pairs.iter().filter(|(_, total)| total.rows > 0).collect();
    let all: u64 = used.iter().map(|(_, total)| total.rows).sum();
    page.heading(
        "Pairs by rung",
        &counted(all, "legacy row has its partner", "legacy rows have their partner"),
    );
    if used.is_empty() {
        return;
    }
    let rows: Vec<_> = used
        .iter()
        .map(|(rule, Total { rows, tokens })| {
            let cells = vec![
                rule.name().to_owned(),
                grouped((*rows).into()),
                grouped(*tokens),
                bar(*rows, all, page.width.saturating_sub(52).min(24)),
            ];
            (cells, Paint::Plain)
        })
        .collect();
    page.table(&[("rung", false), ("rows", true), ("tokens", true), ("", false)], &rows);
}

/// A bar of at most `room` columns, in eighths.
fn bar(part: u64, whole: u64, room: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if whole == 0 || part == 0 {
        return String::new();
    }
    let eighths = u128::from(part) * room as u128 * 8 / u128::from(whole);
    // Something is never drawn as nothing; `room` columns fit a usize.
    let eighths = usize::try_from(eighths.max(1)).unwrap_or(room * 8);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

fn findings(page: &mut Page, model: &Model<'_>) {
    let found: Vec<&ClassTotals> = model.classes.iter().filter(|class| class.count > 0).collect();
    let all: u64 = found.iter().map(|class| class.count).sum();
    page.heading("Findings", &if all == 0 { "none".to_owned() } else { counted(all, "in all", "in all") });
    if found.is_empty() {
        return;
    }
    let rows: Vec<_> = found
        .iter()
        .map(|class| {
            let (mark, paint) = match class.severity {
                _ if class.blocking > 0 => ("✗", Paint::Bad),
                Some(Severity::Info) | None => ("·", Paint::Faint),
                Some(_) => ("!", Paint::Warn),
            };
            let cells = vec![
                format!("{mark} {}", class.class.name()),
                grouped(class.count.into()),
                class.known_tokens_effect().map(signed).unwrap_or_default(),
                repairs(class),
            ];
            (cells, if paint == Paint::Faint { Paint::Plain } else { paint })
        })
        .collect();
    page.table(&[("class", false), ("count", true), ("effect, tokens", true), ("repair", false)], &rows);
}

fn repairs(class: &ClassTotals) -> String {
    let mut words: Vec<String> = match class.repairs.as_slice() {
        [(RepairKind::None, _)] => vec!["none needed".to_owned()],
        [(repair, _)] => vec![repair.name().to_owned()],
        many => many.iter().map(|(repair, count)| format!("{} {count}", repair.name())).collect(),
    };
    if class.waived > 0 {
        words.push(format!("{} waived", class.waived));
    }
    words.join(", ")
}

/// The roots first: one cause of 12,431 findings is one thing to mend, not 12,431.
fn causes(page: &mut Page, model: &Model<'_>) {
    if model.causes.is_empty() {
        return;
    }
    let explained: u64 = model.causes.iter().map(|cause| cause.rows).sum();
    let findings: u64 = model.classes.iter().map(|class| class.count).sum();
    page.heading("Causes", &causes_note(model.causes.len() as u64, explained, findings));
    const SHOWN: usize = 6;
    let shown = &model.causes[..model.causes.len().min(SHOWN)];
    let width = shown.iter().map(|cause| grouped(cause.rows.into()).len()).max().unwrap_or(0);
    for cause in shown {
        let name = format!("{}, {}", printable(&cause.cause), cause.class.name());
        page.put(&format!("  {:>width$}", grouped(cause.rows.into())), Paint::Strong);
        page.put(&format!("  {}", cut(&name, page.width - width - 4)), Paint::Plain);
        page.end();
        page.paragraph(&" ".repeat(width + 4), &printable(&cause.detail), Paint::Faint);
    }
    if model.causes.len() > SHOWN {
        let more = counted((model.causes.len() - SHOWN) as u64, "more", "more");
        page.paragraph("  ", &format!("and {more} in summary.json"), Paint::Faint);
    }
}

/// `one cause, 12,431 findings`; `3 causes of 40 findings, 2 findings without`.
fn causes_note(causes: u64, explained: u64, findings: u64) -> String {
    let causes = if causes == 1 { "one cause".to_owned() } else { counted(causes, "cause", "causes") };
    let mut note = format!("{causes}, {}", counted(explained, "finding", "findings"));
    if findings > explained {
        note.push_str(&format!("; {} without a known one", grouped((findings - explained).into())));
    }
    note
}

/// A length without the digits that say nothing: beyond a day whole hours, beyond a minute whole
/// seconds, else milliseconds.
fn rough(span: Span) -> Span {
    const SECOND: i64 = 1_000_000;
    let unit = match span.abs().0 / SECOND {
        86_400.. => 3_600 * SECOND,
        60.. => SECOND,
        _ => SECOND / 1_000,
    };
    Span(span.0 / unit * unit)
}

/// How far partners lie apart, and what another setting would explain.
fn calibration(page: &mut Page, model: &Model<'_>) {
    let Some(lags) = model.calibration.lags else { return };
    let note = format!(
        "half within {}, 99 % within {}; tolerance {}",
        length(rough(lags.median)),
        length(rough(lags.p99)),
        length(model.tolerance)
    );
    page.heading("Lags", &note);
    const SHOWN: usize = 4;
    for advice in model.advice.iter().take(SHOWN) {
        if let Some(setting) = &advice.setting {
            page.paragraph("  > ", &printable(setting), Paint::Warn);
            page.paragraph("    ", &printable(&advice.text), Paint::Plain);
        } else {
            page.paragraph("  > ", &printable(&advice.text), Paint::Plain);
        }
    }
    if model.advice.len() > SHOWN {
        let more = counted((model.advice.len() - SHOWN) as u64, "more", "more");
        page.paragraph("  ", &format!("and {more} in summary.json"), Paint::Faint);
    }
}

/// So many causes of gaps are shown.
const SHOWN_GAP_CAUSES: usize = 8;

fn balances(page: &mut Page, model: &Model<'_>) {
    let totals = &model.balances;
    page.heading("Balances", &counted(totals.users, "user", "users"));
    let mut rows = vec![
        ("recomputed from the unified rows", totals.recomputed, Paint::Plain),
        ("after all repairs", totals.corrected, Paint::Plain),
    ];
    if let (Some(stored), Some(gap), Some(unexplained)) =
        (totals.stored, totals.gap_tokens, totals.unexplained_tokens)
    {
        rows.push(("stored", stored, Paint::Plain));
        rows.push(("gap, stored - recomputed", gap, Paint::Plain));
        rows.push(("of it unexplained", unexplained, Paint::Plain));
    }
    let unexplained = totals.unexplained_tokens_absolute.filter(|tokens| *tokens != 0);
    rows.extend(unexplained.map(|tokens| ("unexplained, without signs", tokens, Paint::Bad)));
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(what, tokens, paint)| (vec![what.to_owned(), grouped(tokens)], paint))
        .collect();
    page.table(&[("", false), ("tokens", true)], &rows);
    match (totals.users_with_gap, totals.users_with_stored) {
        (Some(gaps), Some(stored)) => {
            let text =
                format!("{} of {} with a stored balance", grouped(gaps.into()), grouped(stored.into()));
            let text = counted_gap(gaps, &text);
            page.paragraph("  ", &text, Paint::Faint);
        }
        _ => page.paragraph("  ", "no stored balances to compare with", Paint::Faint),
    }
    for cause in totals.gap_causes.iter().take(SHOWN_GAP_CAUSES) {
        page.paragraph(
            "  ",
            &format!("{} ({} tokens)", cause.sentence(), signed(cause.tokens)),
            Paint::Plain,
        );
    }
    if totals.gap_causes.len() > SHOWN_GAP_CAUSES {
        let more = totals.gap_causes.len() - SHOWN_GAP_CAUSES;
        page.paragraph("  ", &format!("and {more} more in summary.json"), Paint::Faint);
    }
}

fn counted_gap(gaps: u64, of: &str) -> String {
    if gaps == 1 { format!("1 user has a gap: {of}") } else { format!("users with a gap: {of}") }
}

fn files(page: &mut Page, model: &Model<'_>, written: Written<'_>) {
    let bytes: u64 = written.files.iter().map(|file| file.bytes).sum();
    let note =
        format!("{}, {} bytes", counted(written.files.len() as u64, "file", "files"), grouped(bytes.into()));
    page.heading("Written", &note);
    let folder = printable(&written.folder.display().to_string());
    page.put(&format!("  {folder}"), Paint::Plain);
    page.end();
    let names: Vec<&str> = written.files.iter().map(|file| file.name.as_str()).collect();
    page.paragraph("  ", &names.join("  "), Paint::Faint);
    page.heading("Next", "");
    page.paragraph("  ", &next_step(model), Paint::Plain);
}

/// What the reader does now.
fn next_step(model: &Model<'_>) -> String {
    match (model.verdict, repair_files(model).as_slice()) {
        (RunVerdict::Clean, []) => "Nothing to do.".to_owned(),
        (_, []) => "Open report.html: what stands there needs a person to decide.".to_owned(),
        (_, repairs) => format!(
            "Open report.html, read {} and run what you agree with, then verify.sql and this command again.",
            repairs.join(", ")
        ),
    }
}

/// The SQL files that change something; the parts of one as `backfill-*.sql`.
fn repair_files(model: &Model<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for file in model.sql.iter().filter(|file| file.rows > 0) {
        let name = match file.name.split_once('-') {
            Some((stem, _)) => format!("{stem}-*.sql"),
            None => file.name.clone(),
        };
        let changes = !name.starts_with("undo") && !name.starts_with("verify");
        if changes && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_is_one_thing_whatever_it_did() {
        let cases = [
            (1, 12_431, 12_431, "one cause, 12,431 findings"),
            (1, 1, 1, "one cause, 1 finding"),
            (3, 40, 42, "3 causes, 40 findings; 2 without a known one"),
        ];
        for (causes, explained, findings, expected) in cases {
            assert_eq!(causes_note(causes, explained, findings), expected);
        }
    }

    #[test]
    fn bars_fill_their_room_and_never_hide_something() {
        let cases = [(0, 10, ""), (10, 10, "████"), (5, 10, "██"), (1, 1_000_000, "▏"), (0, 0, "")];
        for (part, whole, expected) in cases {
            assert_eq!(bar(part, whole, 4), expected, "{part} of {whole}");
        }
    }
}
