//! Every balance added again, and the repairs that lead to the corrected one.

use std::collections::HashMap;

use super::tables::{Run, original, sum, tokens};
use super::{Check, failed, judged};
use crate::balance::GapCause;

/// Adds `balances.csv` again, line by line and in total.
pub(super) fn check(run: &Run) -> Check {
    match examined(run) {
        Err(cause) => failed("balances", cause),
        Ok((users, wrong)) => {
            judged("balances", wrong, format!("{users} balances added again, line by line"))
        }
    }
}

const FIGURES: [&str; 10] = [
    "granted",
    "deducted",
    "used",
    "recomputed",
    "corrected",
    "stored",
    "gap",
    "unexplained",
    "user_id",
    "explanation",
];

/// Sums of the columns before `user_id`.
#[derive(Default)]
struct Sums {
    users: u64,
    with_gap: u64,
    columns: [i128; 8],
}

fn examined(run: &Run) -> Result<(u64, Vec<String>), String> {
    let repairs = repairs(run)?;
    let causes = GapCause::ALL.map(GapCause::column);
    let columns: Vec<&str> = FIGURES.iter().chain(&causes).copied().collect();
    let mut wrong = Vec::new();
    let mut sums = Sums::default();
    let mut mended = 0;
    run.csv("balances.csv", &columns, |cells, line| {
        let mut figures = [None; 8];
        for (at, figure) in figures.iter_mut().enumerate() {
            *figure = tokens(FIGURES[at], cells[at])?;
            sums.columns[at] = sum(sums.columns[at], figure.unwrap_or(0))?;
        }
        let user = original(cells[8]);
        let mut explained = 0;
        for (column, cell) in causes.iter().zip(&cells[FIGURES.len()..]) {
            explained = sum(explained, tokens(column, cell)?.unwrap_or(0))?;
        }
        let repair = repairs.get(user).copied().unwrap_or(0);
        mended += usize::from(repairs.contains_key(user));
        sums.users += 1;
        sums.with_gap += u64::from(figures[6].is_some_and(|gap| gap != 0));
        let off = off(&figures, explained, repair)?.or_else(|| is_said_otherwise(&figures, cells[9]));
        wrong.extend(off.map(|what| format!("balances.csv line {line}: {what}")));
        Ok(())
    })?;
    if mended != repairs.len() {
        wrong.push(format!("{} users with a repair have no balance", repairs.len() - mended));
    }
    wrong.extend(totals(run, &sums));
    Ok((sums.users, wrong))
}

/// What one executable repair after another adds to a user's balance.
fn repairs(run: &Run) -> Result<HashMap<String, i128>, String> {
    let mut repairs: HashMap<String, i128> = HashMap::new();
    run.csv("findings.csv", &["user_id", "repair", "tokens_effect", "status"], |cells, _| {
        let executable = matches!(cells[1], "backfill" | "update" | "dedupe") && cells[3] != "waived";
        if let (true, Some(effect)) = (executable, tokens("tokens_effect", cells[2])?) {
            let total = repairs.entry(original(cells[0]).to_owned()).or_default();
            *total = sum(*total, effect)?;
        }
        Ok(())
    })?;
    Ok(repairs)
}

/// The first sum of a line that is off.
fn off(figures: &[Option<i128>; 8], explained: i128, repair: i128) -> Result<Option<String>, String> {
    let [granted, deducted, used, recomputed, corrected, stored, gap, unexplained] = *figures;
    let all_known = [granted, deducted, used, recomputed, corrected].into_iter().collect::<Option<Vec<_>>>();
    let Some(known) = all_known else { return Err("a figure is empty that is always known".to_owned()) };
    let [granted, deducted, used, recomputed, corrected] = known[..] else { return Ok(None) };
    let differs = |what: &str, found: i128, expected: i128| {
        (found != expected).then(|| format!("{what} is {found}, its parts give {expected}"))
    };
    let sums = [
        differs("recomputed", recomputed, less(less(granted, deducted)?, used)?),
        differs("corrected", corrected, sum(recomputed, repair)?),
    ];
    let with_stored = match (stored, gap, unexplained) {
        (None, None, None) => [differs("explained without a stored balance", explained, 0), None],
        (Some(stored), Some(gap), Some(unexplained)) => [
            differs("gap", gap, less(stored, recomputed)?),
            differs("causes with unexplained", sum(explained, unexplained)?, gap),
        ],
        _ => [Some("stored, gap and unexplained are not all known or all unknown".to_owned()), None],
    };
    Ok(sums.into_iter().chain(with_stored).flatten().next())
}

/// What is said of the gap does not agree with what is left of it.
fn is_said_otherwise(figures: &[Option<i128>; 8], explanation: &str) -> Option<String> {
    let [.., gap, unexplained] = *figures;
    let (gap, unexplained) = (gap?, unexplained?);
    let agrees = match explanation {
        "none_needed" => (gap, unexplained) == (0, 0),
        "unique" | "several" => gap != 0 && unexplained == 0,
        _ => gap != 0,
    };
    (!agrees).then(|| {
        format!("the gap is {gap}, {unexplained} of it unexplained, and its explanation is {explanation:?}")
    })
}

fn less(tokens: i128, taken: i128) -> Result<i128, String> {
    tokens.checked_sub(taken).ok_or_else(|| "a difference of tokens leaves 128 bits".to_owned())
}

/// The columns against the summary.
fn totals(run: &Run, sums: &Sums) -> Vec<String> {
    let said = &run.summary.balances;
    let [granted, deducted, used, recomputed, corrected, stored, gap, unexplained] = sums.columns;
    let figures = [
        ("users", Some(i128::from(sums.users)), Some(said.users.into())),
        ("granted_tokens", Some(granted), Some(said.granted_tokens)),
        ("deducted_tokens", Some(deducted), Some(said.deducted_tokens)),
        ("used_tokens", Some(used), Some(said.used_tokens)),
        ("recomputed_tokens", Some(recomputed), Some(said.recomputed_tokens)),
        ("corrected_tokens", Some(corrected), Some(said.corrected_tokens)),
        (
            "users_with_gap",
            said.users_with_gap.map(|_| sums.with_gap.into()),
            said.users_with_gap.map(i128::from),
        ),
        ("stored_tokens", said.stored_tokens.map(|_| stored), said.stored_tokens),
        ("gap_tokens", said.gap_tokens.map(|_| gap), said.gap_tokens),
        ("unexplained_tokens", said.unexplained_tokens.map(|_| unexplained), said.unexplained_tokens),
    ];
    figures
        .into_iter()
        .filter(|(_, found, expected)| found != expected)
        .map(|(name, found, expected)| {
            format!(
                "{name}: {} in balances.csv, {} in summary.json",
                found.unwrap_or(0),
                expected.unwrap_or(0)
            )
        })
        .collect()
}
