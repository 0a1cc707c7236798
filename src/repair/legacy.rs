//! The legacy rows behind the changes: they must be as they were read.

use super::columns::{Layout, Slot};
use super::evidence;
use super::parts::Part;
use super::plan::{LegacyRow, Plan};
use super::quote::{do_block, fill, literal};
use super::spelling::Case;
use super::values::Tuple;

const ROWS: &str = include_str!("sql/legacy_rows.sql");
const ROWS_FROM_FILES: &str = include_str!("sql/legacy_rows_from_files.sql");
const MISSING: &str = include_str!("sql/legacy_missing.sql");
const CHECK: &str = include_str!("sql/legacy_check.sql");
const SAME_END: &str = include_str!("sql/same_end.sql");

/// Adds the line of a row.
pub(super) fn push_row(line: &mut String, plan: &Plan<'_>, row: &LegacyRow<'_>) {
    let mut line = Tuple::new(line);
    line.id(row.id).id(row.user).text(row.label).number(row.raw_tokens).instant(row.at);
    if plan.legacy.expires_at.is_some() {
        line.end_of_grant(row.evidence.expires_at);
    }
    evidence::push(&mut line, &plan.legacy, &row.evidence, plan.references);
    line.end();
}

/// The check of the rows of a part; empty without such rows.
pub(super) fn check(plan: &Plan<'_>, part: &Part) -> String {
    if part.legacy.count == 0 {
        return String::new();
    }
    let layout = &plan.legacy;
    let table = layout.table.sql();
    let missing;
    let (staging, id, user, when_missing) = if layout.from_table {
        (ROWS, layout.id.value("l"), layout.user.value("l"), "")
    } else {
        missing = fill(MISSING, &[("legacy_literal", &literal(&table))]);
        (ROWS_FROM_FILES, layout.id.text("l"), layout.user.text("l"), missing.as_str())
    };
    let same = |found: &str, staged: &str, case: Case| format!("{} = {}", case.key(found), case.key(staged));
    let further = further(layout);
    let staged: String =
        further.iter().map(|(name, sample)| format!(",\n       {sample} as {name}")).collect();
    let names: String = further.iter().map(|(name, _)| format!(", {name}")).collect();
    let created_at = cast(layout, &layout.created_at, "timestamptz");
    let places = [
        ("legacy", table.as_str()),
        ("legacy_zone", &literal(&layout.timezone)),
        ("id", &id),
        ("user", &user),
        ("same_id", &same(&id, "p.row_id", plan.spelling.legacy_ids)),
        ("same_user", &same(&user, "p.user_id", plan.spelling.legacy_users)),
        ("label", &layout.label("l")),
        ("tokens", &cast(layout, &layout.amount, "numeric")),
        ("created_at", &created_at),
        ("same_created_at", &same_created_at(layout, &created_at)),
        ("further", &staged),
        ("further_names", &names),
        ("same_further", &(same_end(layout) + &evidence::same(layout, "l", ""))),
        ("when_missing", when_missing),
        ("rows", &part.legacy.text),
    ];
    let mut text = fill(staging, &places);
    text.push_str(&do_block(&fill(CHECK, &places)));
    text.push_str(&format!("\n\nset local timezone = {};\n", literal(&plan.unified.timezone)));
    text
}

/// A value in its own type where that is known and was read, else in the wanted one.
fn cast(layout: &Layout, slot: &Slot, wanted: &str) -> String {
    match slot.is_plain() && layout.from_table {
        true => slot.value("l"),
        false => format!("({})::{wanted}", slot.value("l")),
    }
}

fn same_created_at(layout: &Layout, created_at: &str) -> String {
    if layout.from_table {
        let slot = &layout.created_at;
        format!("{} = {}", slot.comparable(created_at), slot.comparable("p.created_at"))
    } else {
        format!("{created_at} = p.created_at")
    }
}

/// Names and samples of the staged columns beside id, user, label, tokens and time.
fn further(layout: &Layout) -> Vec<(String, String)> {
    let end = layout.expires_at.as_ref().map(|slot| {
        let sample = if is_time(slot) { slot.value("l") } else { "null::timestamptz".to_owned() };
        ("expires_at".to_owned(), sample)
    });
    end.into_iter().chain(evidence::staging(layout, "")).collect()
}

/// The column is known to hold times, not texts of them.
fn is_time(slot: &Slot) -> bool {
    slot.is_plain() && slot.type_name().is_some_and(|name| name.starts_with("timestamp") || name == "date")
}

fn same_end(layout: &Layout) -> String {
    let Some(slot) = &layout.expires_at else { return String::new() };
    let same = if is_time(slot) {
        let (found, staged) = (slot.comparable(&slot.value("l")), slot.comparable("p.expires_at"));
        format!("{found} is not distinct from {staged}")
    } else {
        fill(SAME_END, &[("end", &slot.text("l"))]).trim_end().to_owned()
    };
    format!("\n            and {same}")
}
