//! An audit pack: its figures added up again from its CSV files alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::tables::sum;
use super::{Check, State, failed, judged};
use crate::history::{Predecessor, packs};

/// A CSV file by the names of its columns.
struct Csv {
    file: &'static str,
    header: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Csv {
    fn read(folder: &Path, file: &'static str) -> Result<Csv, String> {
        let failed = |cause: csv::Error| format!("{file}: {cause}");
        let mut reader = csv::Reader::from_path(folder.join(file)).map_err(failed)?;
        let header = reader.headers().map_err(failed)?.clone();
        let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(failed)?;
        Ok(Csv { file, header, rows })
    }

    fn text<'r>(&self, row: &'r csv::StringRecord, column: &str) -> Result<&'r str, String> {
        let at = self.header.iter().position(|name| name == column);
        at.and_then(|at| row.get(at)).ok_or_else(|| format!("{}: no column {column}", self.file))
    }

    fn number(&self, row: &csv::StringRecord, column: &str) -> Result<i128, String> {
        let text = self.text(row, column)?;
        text.parse().map_err(|_| format!("{}: {column} {text:?} is no whole number", self.file))
    }
}

/// Opening and closing of the whole period.
struct Ends {
    opening: i128,
    closing: i128,
}

/// The chain of packs beyond what every chain has: the pack before is the one that was followed, and this
/// one opens as that one closed. `check` is what the manifests alone say.
pub(super) fn chain(folder: &Path, check: Check) -> Check {
    if check.state == State::Fail {
        return check;
    }
    let pack = match packs::open(folder) {
        Ok(Some(pack)) => pack,
        Ok(None) => return failed("chain", "manifest.json is not that of a pack"),
        Err(cause) => return failed("chain", cause.to_string()),
    };
    match pack.predecessor(&[]) {
        Predecessor::Unnamed | Predecessor::Away => check,
        Predecessor::Replaced(found) => failed(
            "chain",
            format!(
                "{} was changed or made anew since: its manifest is not the one that this pack follows",
                found.display()
            ),
        ),
        Predecessor::Here(before) => match openings(folder, &before.folder) {
            Err(cause) => failed("chain", cause),
            Ok(wrong) if wrong.is_empty() => check,
            Ok(wrong) => judged("chain", wrong, String::new()),
        },
    }
}

/// Holders who open with something else than they closed with in the pack before.
fn openings(folder: &Path, before: &Path) -> Result<Vec<String>, String> {
    let of = |folder: &Path, column: &str| -> Result<BTreeMap<String, i128>, String> {
        let csv = Csv::read(folder, "balances.csv")?;
        let tokens = |row| Ok((csv.text(row, "user_id")?.to_owned(), csv.number(row, column)?));
        let all = csv.rows.iter().map(tokens).collect::<Result<BTreeMap<_, _>, String>>()?;
        Ok(all.into_iter().filter(|(_, tokens)| *tokens != 0).collect())
    };
    let closed = of(before, "closing").map_err(|cause| format!("{}: {cause}", before.display()))?;
    let opened = of(folder, "opening")?;
    let holders: BTreeSet<&String> = closed.keys().chain(opened.keys()).collect();
    let differing = holders.into_iter().filter_map(|holder| {
        let [closed, opened] = [&closed, &opened].map(|tokens| tokens.get(holder).copied().unwrap_or(0));
        (closed != opened).then(|| {
            format!("balances.csv: {holder} opens with {opened}, and closed with {closed} in the pack before")
        })
    });
    Ok(differing.collect())
}

/// The checks of a pack beside files and chain.
pub(super) fn checks(folder: &Path) -> Vec<Check> {
    let named = |check: &'static str, found: Result<(Vec<String>, String), String>| match found {
        Ok((wrong, fine)) => judged(check, wrong, fine),
        Err(cause) => failed(check, cause),
    };
    vec![
        named("roll_forward", roll_forward(folder).map(|(wrong, fine, _)| (wrong, fine))),
        named("balances", balances(folder)),
        named("movements", movements(folder)),
        named("adjustments", adjustments(folder)),
    ]
}

/// Every line rolls forward, lines add up to their month, months open where the one before closed.
fn roll_forward(folder: &Path) -> Result<(Vec<String>, String, Ends), String> {
    let csv = Csv::read(folder, "roll_forward.csv")?;
    let mut wrong = Vec::new();
    let mut sums = [0_i128; 3];
    let mut months: Vec<(String, Ends)> = Vec::new();
    for (at, row) in csv.rows.iter().enumerate() {
        let [opening, tokens, closing] =
            [csv.number(row, "opening")?, csv.number(row, "tokens")?, csv.number(row, "closing")?];
        let month = csv.text(row, "month")?;
        if opening.checked_add(tokens) != Some(closing) {
            wrong.push(format!("roll_forward.csv line {}: {opening} and {tokens} are not {closing}", at + 2));
        }
        if csv.text(row, "movement")? == "total" {
            if sums != [opening, tokens, closing] {
                wrong.push(format!("roll_forward.csv: the lines of {month} do not add up to its total"));
            }
            sums = [0; 3];
            months.push((month.to_owned(), Ends { opening, closing }));
        } else {
            for (total, value) in sums.iter_mut().zip([opening, tokens, closing]) {
                *total = sum(*total, value)?;
            }
        }
    }
    let Some((name, whole)) = months.pop() else {
        return Err("roll_forward.csv: no total of the period".to_owned());
    };
    for pair in months.windows(2) {
        if pair[0].1.closing != pair[1].1.opening {
            wrong.push(format!("roll_forward.csv: {} does not open as {} closed", pair[1].0, pair[0].0));
        }
    }
    let first = months.first().map(|(_, ends)| ends.opening);
    let last = months.last().map(|(_, ends)| ends.closing);
    if name != "period" || first != Some(whole.opening) || last != Some(whole.closing) {
        wrong.push("roll_forward.csv: the period is not its months".to_owned());
    }
    let fine = format!("{} months, from {} to {}", months.len(), whole.opening, whole.closing);
    Ok((wrong, fine, whole))
}

/// Every holder rolls forward, and all together are the period.
fn balances(folder: &Path) -> Result<(Vec<String>, String), String> {
    let whole = roll_forward(folder)?.2;
    let csv = Csv::read(folder, "balances.csv")?;
    let column = |name: &str| csv.header.iter().position(|column| column == name);
    let (Some(first), Some(last)) = (column("opening"), column("closing")) else {
        return Err("balances.csv: no column opening or closing".to_owned());
    };
    let mut wrong = Vec::new();
    let (mut openings, mut closings) = (0_i128, 0_i128);
    for row in &csv.rows {
        let opening = csv.number(row, "opening")?;
        let closing = csv.number(row, "closing")?;
        let mut reached = opening;
        for name in csv.header.iter().take(last).skip(first + 1) {
            reached = sum(reached, csv.number(row, name)?)?;
        }
        wrong.extend(gap_is_off(&csv, row)?);
        if reached != closing {
            wrong.push(format!("balances.csv: {} does not roll forward", row.get(0).unwrap_or_default()));
        }
        openings = sum(openings, opening)?;
        closings = sum(closings, closing)?;
    }
    for (what, found, expected) in
        [("open with", openings, whole.opening), ("close with", closings, whole.closing)]
    {
        if found != expected {
            wrong.push(format!("balances.csv: holders {what} {found}, the roll-forward with {expected}"));
        }
    }
    Ok((wrong, format!("{} holders add up to the roll-forward", csv.rows.len())))
}

/// The gap of a holder with a stored balance, and what explains it.
fn gap_is_off(csv: &Csv, row: &csv::StringRecord) -> Result<Option<String>, String> {
    let who = row.get(0).unwrap_or_default();
    let known =
        ["stored", "gap", "unexplained"].map(|column| csv.text(row, column).map(|cell| !cell.is_empty()));
    let [stored, gap, unexplained] = known;
    match [stored?, gap?, unexplained?] {
        [false, false, false] => return Ok(None),
        [true, true, true] => {}
        _ => return Ok(Some(format!("balances.csv: {who} has a part of stored, gap and unexplained only"))),
    }
    let gap = csv.number(row, "gap")?;
    let mut parts = csv.number(row, "unexplained")?;
    for cause in crate::balance::GapCause::ALL {
        parts = sum(parts, csv.number(row, cause.column())?)?;
    }
    let is_off = csv.number(row, "stored")?.checked_sub(csv.number(row, "recomputed")?) != Some(gap);
    let wrong = is_off.then(|| format!("balances.csv: the gap of {who} is not stored less recomputed"));
    Ok(wrong.or_else(|| {
        (parts != gap).then(|| format!("balances.csv: the causes of {who} do not add up to the gap"))
    }))
}

/// Rows and tokens by month, movement, action type and paid or not.
type Lines = BTreeMap<(String, String, String, String), (i128, i128)>;

/// Grants, deductions and usage, added up from the rows and days.
fn movements(folder: &Path) -> Result<(Vec<String>, String), String> {
    let roll = Csv::read(folder, "roll_forward.csv")?;
    let mut said = Lines::new();
    let mut months: Vec<String> = Vec::new();
    for row in &roll.rows {
        let (month, movement) = (roll.text(row, "month")?, roll.text(row, "movement")?);
        if movement == "total" && month != "period" {
            months.push(month.to_owned());
        }
        if !["grant", "deduction", "usage"].contains(&movement) || month == "period" {
            continue;
        }
        let (action, paid) = (roll.text(row, "action_type")?, roll.text(row, "paid")?);
        let key = (month.to_owned(), movement.to_owned(), action.to_owned(), paid.to_owned());
        let moved = (roll.number(row, "rows")?, roll.number(row, "tokens")?);
        if moved != (0, 0) {
            said.insert(key, moved);
        }
    }
    let added = added_up(folder, &months)?;
    let keys: BTreeSet<_> = said.keys().chain(added.keys()).collect();
    let mut wrong = Vec::new();
    for key in keys {
        let [said, added] = [&said, &added].map(|lines| lines.get(key).copied().unwrap_or_default());
        if said != added {
            let (month, movement, action, paid) = key;
            wrong.push(format!(
                "{month} {movement} {action} {paid}: {} rows, {} tokens in roll_forward.csv; {} rows, {} tokens \
                 in rows.csv and usage.csv",
                said.0, said.1, added.0, added.1
            ));
        }
    }
    Ok((wrong, format!("{} lines, added up from rows and days", said.len())))
}

fn added_up(folder: &Path, months: &[String]) -> Result<Lines, String> {
    let mut added = Lines::new();
    let mut add = |key, rows: i128, tokens: i128| -> Result<(), String> {
        let total: &mut (i128, i128) = added.entry(key).or_default();
        *total = (sum(total.0, rows)?, sum(total.1, tokens)?);
        Ok(())
    };
    let rows = Csv::read(folder, "rows.csv")?;
    for row in &rows.rows {
        if rows.text(row, "table")? != "unified" || rows.text(row, "in_period")? != "yes" {
            continue;
        }
        let month = rows.text(row, "created_at")?.get(..7).unwrap_or_default().to_owned();
        let cell = |column| rows.text(row, column).map(str::to_owned);
        let key = (month, cell("kind")?, cell("action_type")?, cell("paid")?);
        add(key, 1, rows.number(row, "effect")?)?;
    }
    let usage = Csv::read(folder, "usage.csv")?;
    let days = days(folder)?;
    for row in &usage.rows {
        let day = usage.text(row, "day")?;
        let month = day.get(..7).unwrap_or_default().to_owned();
        let inside = days.0.as_str() <= day && day <= days.1.as_str() && months.contains(&month);
        if !inside || usage.text(row, "failed")? != "no" {
            continue;
        }
        let key = (month, "usage".to_owned(), usage.text(row, "action_type")?.to_owned(), String::new());
        let used = usage.number(row, "tokens")?;
        let taken = used.checked_neg().ok_or("usage.csv: a number is too large")?;
        add(key, usage.number(row, "rows")?, taken)?;
    }
    added.retain(|_, moved| *moved != (0, 0));
    Ok(added)
}

/// First and last day of the period, as the manifest has them.
fn days(folder: &Path) -> Result<(String, String), String> {
    let bytes =
        std::fs::read(folder.join("manifest.json")).map_err(|cause| format!("manifest.json: {cause}"))?;
    let manifest: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|cause| format!("manifest.json: {cause}"))?;
    let day = |name: &str| manifest["period"][name].as_str().map(str::to_owned);
    day("from").zip(day("to")).ok_or_else(|| "manifest.json: no period".to_owned())
}

/// What was booked for sealed periods is what is listed.
fn adjustments(folder: &Path) -> Result<(Vec<String>, String), String> {
    let roll = Csv::read(folder, "roll_forward.csv")?;
    let mut booked = 0_i128;
    for row in &roll.rows {
        if roll.text(row, "month")? == "period" && roll.text(row, "movement")? == "adjustment" {
            booked = sum(booked, roll.number(row, "tokens")?)?;
        }
    }
    let list = Csv::read(folder, "adjustments.csv")?;
    let mut listed = 0_i128;
    for row in &list.rows {
        listed = sum(listed, list.number(row, "effect")?)?;
    }
    let wrong = (booked != listed)
        .then(|| format!("{booked} tokens are booked for sealed periods, {listed} are listed"))
        .into_iter()
        .collect();
    Ok((wrong, format!("{} changes of sealed periods, {listed} tokens", list.rows.len())))
}
