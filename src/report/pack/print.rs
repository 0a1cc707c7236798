//! The pack in short, for the terminal and for programs.

use std::path::Path;

use serde::Serialize;

use super::model::Pack;
use crate::audit::period::Movement;
use crate::report::error::ReportError;
use crate::report::figures::{counted, grouped, signed};
use crate::report::json::pretty;
use crate::report::page::{Page, Paint};

/// What became of the pack's directory.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// Where it is.
    pub folder: &'a Path,
    /// It was there already, and this run is the same.
    pub was_sealed: bool,
}

#[derive(Serialize)]
struct Summary<'a> {
    schema: &'static str,
    verdict: &'static str,
    exit_code: u8,
    period: Days,
    as_of: String,
    folder: String,
    already_sealed: bool,
    previous_pack: Option<&'a str>,
    roll_forward: RollForward,
    findings: Findings,
    balances: Balances,
    sample_rows: usize,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Days {
    from: String,
    to: String,
}

#[derive(Serialize)]
struct RollForward {
    opening: i128,
    movements: serde_json::Map<String, serde_json::Value>,
    closing: i128,
}

#[derive(Serialize)]
struct Findings {
    all: usize,
    in_period: u64,
    blocking: u64,
}

#[derive(Serialize)]
struct Balances {
    holders: usize,
    with_gap: Option<u64>,
    gap_tokens: Option<i128>,
    unexplained_tokens: Option<i128>,
}

/// The pack as JSON.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn json(pack: &Pack<'_>, written: &Written<'_>) -> Result<String, ReportError> {
    let model = &pack.model;
    let roll = &pack.period.roll;
    let number = |tokens: i128| match i64::try_from(tokens) {
        Ok(tokens) => serde_json::Value::from(tokens),
        Err(_) => serde_json::Value::from(tokens.to_string()),
    };
    let movements = movements(pack).into_iter().map(|(name, _, tokens)| (name.to_owned(), number(tokens)));
    let period = &pack.period.period;
    let summary = Summary {
        schema: "reckon.audit-summary/1",
        verdict: verdict(pack),
        exit_code: model.exit_code(),
        period: Days { from: period.first().to_string(), to: period.last().to_string() },
        as_of: period.as_of().rfc3339(),
        folder: written.folder.display().to_string(),
        already_sealed: written.was_sealed,
        previous_pack: pack.period.previous.as_ref().map(|previous| previous.name.as_str()),
        roll_forward: RollForward {
            opening: roll.whole.opening,
            movements: movements.collect(),
            closing: roll.whole.closing,
        },
        findings: Findings {
            all: model.findings.len(),
            in_period: pack.exceptions_in_period(),
            blocking: model.blocking,
        },
        balances: Balances {
            holders: pack.period.holders.len(),
            with_gap: model.balances.users_with_gap,
            gap_tokens: model.balances.gap_tokens,
            unexplained_tokens: model.balances.unexplained_tokens,
        },
        sample_rows: pack.period.sample.drawn.len(),
        warnings: &model.warnings,
    };
    let bytes = pretty("the summary", &summary)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn verdict(pack: &Pack<'_>) -> &'static str {
    if pack.model.blocking == 0 { "clean" } else { "discrepancies" }
}

/// Name, title and tokens of each movement, grants paid for and free apart.
pub(super) fn movements(pack: &Pack<'_>) -> Vec<(&'static str, &'static str, i128)> {
    let roll = &pack.period.roll;
    let mut all = vec![
        ("grant_paid", "Grants, paid for", roll.moved_paid(Movement::Grant, true)),
        ("grant_free", "Grants, free", roll.moved_paid(Movement::Grant, false)),
    ];
    let others = Movement::ALL.into_iter().filter(|movement| *movement != Movement::Grant);
    all.extend(others.map(|movement| (movement.name(), movement.title(), roll.moved(movement))));
    all
}

/// The pack for a person.
pub fn human(pack: &Pack<'_>, written: &Written<'_>, width: usize, color: bool) -> String {
    let model = &pack.model;
    let period = &pack.period.period;
    let mut page = Page::new(width, color);
    let (word, paint) =
        if model.blocking == 0 { ("Clean", Paint::Good) } else { ("Discrepancies", Paint::Bad) };
    page.put(word, paint);
    page.put(&format!("  {} to {} (UTC days, both included)", period.first(), period.last()), Paint::Plain);
    page.end();
    page.paragraph("", &pack.sentence(), Paint::Plain);
    page.heading("Roll-forward", "tokens, all holders");
    let roll = &pack.period.roll;
    let mut rows = vec![(vec!["Opening balance".to_owned(), grouped(roll.whole.opening)], Paint::Strong)];
    for (_, title, tokens) in movements(pack).into_iter().filter(|(_, _, tokens)| *tokens != 0) {
        rows.push((vec![title.to_owned(), signed(tokens)], Paint::Plain));
    }
    rows.push((vec!["Closing balance".to_owned(), grouped(roll.whole.closing)], Paint::Strong));
    page.table(&[("", false), ("", true)], &rows);
    page.end();
    if let (Some(users), Some(rest)) = (model.balances.users_with_gap, model.balances.unexplained_tokens) {
        let text = format!(
            "{} from the stored balance; {} tokens are unexplained.",
            counted(users, "balance differs", "balances differ"),
            grouped(rest)
        );
        page.paragraph("", &text, Paint::Plain);
    }
    let chain = match &pack.period.previous {
        Some(previous) => format!("Follows the sealed pack {}.", previous.name),
        None => "Follows no sealed pack: the opening balances are computed from the rows.".to_owned(),
    };
    page.paragraph("", &chain, Paint::Plain);
    for warning in &model.warnings {
        page.paragraph("! ", warning, Paint::Warn);
    }
    page.end();
    let state = if written.was_sealed { "sealed already, and the same" } else { "written" };
    page.paragraph("", &format!("{} ({state})", written.folder.display()), Paint::Plain);
    page.finish()
}
