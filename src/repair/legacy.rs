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

/// The check of the rows of a part, and the same for the end of the transaction: others may write to the
/// legacy table meanwhile, and no lock on it is had without more rights than reading. Both begin with an empty
/// line, and are empty without such rows.
pub(super) fn checks(plan: &Plan<'_>, part: &Part) -> [String; 2] {
    if part.legacy.count == 0 {
        return [String::new(), String::new()];
    }
    let layout = &plan.legacy;
    let table = layout.table.sql();
    let (staging, id, user) = if layout.from_table {
        (ROWS, layout.id.value("l"), layout.user.value("l"))
    } else {
        (ROWS_FROM_FILES, layout.id.text("l"), layout.user.text("l"))
    };
    let same = |found: &str, staged: &str, case: Case| format!("{} = {}", case.key(found), case.key(staged));
    let further = further(layout);
    let staged: String =
        further.iter().map(|(name, sample)| format!(",\n       {sample} as {name}")).collect();
    let names: String = further.iter().map(|(name, _)| format!(", {name}")).collect();
    let created_at = cast(layout, &layout.created_at, "timestamptz");
    // By its text: a cast of `real` rounds.
    let tokens = cast(layout, &layout.amount, "text::numeric");
    let zone = |layout: &Layout| format!("set local timezone = {};\n", literal(layout.zone.name()));
    let [first, again] = [true, false].map(|is_first| when_missing(layout, is_first));
    let places = [
        ("legacy", table.as_str()),
        ("legacy_zone", &literal(layout.zone.name())),
        ("id", &id),
        ("user", &user),
        ("same_id", &same(&id, "p.row_id", plan.spelling.legacy_ids)),
        ("same_user", &same(&user, "p.user_id", plan.spelling.legacy_users)),
        ("label", &layout.label("l")),
        ("tokens", &tokens),
        ("same_tokens", &same_tokens(layout, &tokens)),
        ("created_at", &created_at),
        ("same_created_at", &same_created_at(layout, &created_at)),
        ("further", &staged),
        ("further_names", &names),
        ("same_further", &(same_end(layout) + &evidence::same(layout, "l", ""))),
        ("rows", &part.legacy.text),
        ("when_missing", &first),
    ];
    let rows = fill(staging, &places);
    let check = do_block(&fill(CHECK, &places));
    let once_more =
        places.map(|(name, value)| if name == "when_missing" { (name, &*again) } else { (name, value) });
    let check_again = do_block(&fill(CHECK, &once_more));
    let back = zone(&plan.unified);
    [
        format!("\n{rows}{check}\n\n{back}"),
        format!(
            "\n-- The same once more: others may have written there meanwhile.\n{}\n{check_again}\n\n{back}",
            zone(layout)
        ),
    ]
}

/// What happens where the table is not there; said once.
fn when_missing(layout: &Layout, is_said: bool) -> String {
    if layout.from_table {
        return String::new();
    }
    let table = literal(&layout.table.sql());
    let notice = format!(
        "    raise notice 'reckon: there is no table % here, so its rows were not checked', {table};\n"
    );
    let notice = if is_said { notice.as_str() } else { "" };
    fill(MISSING, &[("legacy_literal", &table), ("notice", notice)])
}

/// A value in its own type where that is known and was read, else in the wanted one.
fn cast(layout: &Layout, slot: &Slot, wanted: &str) -> String {
    match slot.is_plain() && layout.from_table {
        true => slot.value("l"),
        false => format!("({})::{wanted}", slot.value("l")),
    }
}

/// How two values are compared. What may be a text is cast, which only the row of the same id can be trusted
/// with: an equality might be worked out for every row of the table.
fn equals(layout: &Layout, slot: &Slot) -> &'static str {
    let is_exact = layout.from_table && slot.is_plain() && slot.type_name().is_some() && !slot.holds_text();
    if is_exact { "=" } else { "is not distinct from" }
}

fn same_tokens(layout: &Layout, tokens: &str) -> String {
    let (slot, same) = (&layout.amount, equals(layout, &layout.amount));
    if layout.from_table {
        format!("{} {same} {}", slot.comparable_amount(tokens), slot.comparable_amount("p.tokens"))
    } else {
        format!("{tokens} {same} p.tokens")
    }
}

fn same_created_at(layout: &Layout, created_at: &str) -> String {
    let (slot, same) = (&layout.created_at, equals(layout, &layout.created_at));
    if layout.from_table {
        format!("{} {same} {}", slot.comparable(created_at), slot.comparable("p.created_at"))
    } else {
        format!("{created_at} {same} p.created_at")
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
