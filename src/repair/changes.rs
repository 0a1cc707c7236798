//! `repair.sql` and `dedupe.sql`.

use super::acting;
use super::columns::Layout;
use super::evidence;
use super::legacy;
use super::parts::{Part, Piece};
use super::plan::{Change, Operation, Plan};
use super::quote::{comment, do_block, fill, literal};
use super::spelling;
use super::sql;
use super::unproven;
use super::values::Tuple;

const REPAIR: &str = include_str!("sql/repair.sql");
const UPDATE: &str = include_str!("sql/repair_update.sql");
const DEDUPE: &str = include_str!("sql/dedupe.sql");
const PLAIN_DIGITS: &str = include_str!("sql/plain_digits.sql");
const DELETE: &str = include_str!("sql/dedupe_delete.sql");

/// Names in the staging tables of action columns, tokens and instant, with the expression of each in
/// the unified table.
fn content(layout: &Layout) -> Vec<(String, String)> {
    let mut content: Vec<(String, String)> =
        (1..).zip(&layout.action).map(|(at, slot)| (format!("action_{at}"), slot.value("u"))).collect();
    content.push(("tokens".to_owned(), layout.amount.value("u")));
    content.push(("created_at".to_owned(), layout.created_at.value("u")));
    content
}

/// `a as x, b as y` and `x, y` of a staging table.
fn staging(columns: &[(String, String)]) -> (String, String) {
    let staged: Vec<String> = columns.iter().map(|(name, value)| format!("{value} as {name}")).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    (staged.join(",\n       "), names.join(", "))
}

/// The row is as the staging table's columns with this prefix say, null-safely.
fn same(layout: &Layout, prefix: &str) -> String {
    content(layout)
        .iter()
        .map(|(name, value)| {
            let staged = format!("p.{prefix}{name}");
            let comparable = |value: &str| match name.as_str() {
                "created_at" => layout.created_at.comparable(value),
                "tokens" => layout.amount.comparable_amount(value),
                _ => value.to_owned(),
            };
            format!("{} is not distinct from {}", comparable(value), comparable(&staged))
        })
        .collect::<Vec<_>>()
        .join(" and ")
}

fn same_user(plan: &Plan<'_>) -> String {
    let (case, found) = (plan.spelling.users, plan.unified.user.value("u"));
    format!("{} is not distinct from {}", case.key(&found), case.key("p.user_id"))
}

/// The piece of an update.
pub(super) fn update_piece(plan: &Plan<'_>, change: &Change<'_>, piece: &mut Piece) {
    if let (Some(row), Some(old), Some(new), Some(evidence)) =
        (&change.row, &change.old, &change.new, &change.evidence)
    {
        let unified = &plan.unified;
        let mut line = Tuple::new(&mut piece.row);
        line.id(row).id(old.user).content(unified, old).content(unified, new);
        evidence::push(&mut line, unified, evidence, plan.references);
        line.end();
    }
    if let Some(legacy) = &change.legacy {
        legacy::push_row(&mut piece.legacy, plan, legacy);
    }
}

/// The transaction of one part of `repair.sql`.
pub(super) fn update_statements(plan: &Plan<'_>, part: &Part) -> String {
    let unified = &plan.unified;
    let table = unified.table.sql();
    let mut columns =
        vec![("row_id".to_owned(), unified.id.value("u")), ("user_id".to_owned(), unified.user.value("u"))];
    for prefix in ["old_", "new_"] {
        columns.extend(content(unified).into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
    }
    columns.extend(evidence::staging(unified, ""));
    let (staged, staged_names) = staging(&columns);
    let [legacy, legacy_again] = legacy::checks(plan, part);
    let mut text = sql::opening(unified);
    text.push_str(&fill(
        REPAIR,
        &[
            ("unified", table.as_str()),
            ("unified_comment", &comment(&table)[3..]),
            ("acting", &acting::check(plan, Operation::Update)),
            ("journal", &sql::journal()),
            ("legacy", &legacy),
            ("legacy_again", &legacy_again),
            ("closing", sql::closing()),
            ("staged", &staged),
            ("staged_names", &staged_names),
            ("rows", &part.rows[0].text),
            ("spelled", &spelling::of_ids(plan, "reckon_changes", &["row_id"])),
            ("update", &do_block(&update(plan))),
        ],
    ));
    text
}

fn update(plan: &Plan<'_>) -> String {
    let unified = &plan.unified;
    let table = unified.table.sql();
    let digits = match plan.common.changes_tokens {
        true => {
            let changes = "p.new_tokens is distinct from p.old_tokens";
            let concerns =
                format!("{} = p.row_id and {changes} and {}", unified.id.value("u"), same(unified, "old_"));
            plain_digits(unified, "reckon_changes", &concerns)
        }
        false => String::new(),
    };
    fill(
        UPDATE,
        &[
            ("unified", table.as_str()),
            ("unified_literal", &literal(&table)),
            ("plan", &literal(&plan.id)),
            ("id", &unified.id.value("u")),
            ("id_text", &unified.id.text("u")),
            ("same_user", &same_user(plan)),
            ("same_evidence", &evidence::same(unified, "u", "")),
            ("row_text", sql::ROW_TEXT),
            ("digits", &digits),
            ("unproven", &unproven::check(unified, Operation::Update, plan.common)),
            ("is_old", &same(unified, "old_")),
            ("is_new", &same(unified, "new_")),
            ("assignments", &assignments(plan)),
        ],
    )
}

/// The check that rows whose amount tells how others are written do so in plain digits; empty unless amounts
/// are known to be texts. `concerns`: such a row `u` for a row `p` of the staging table.
pub(super) fn plain_digits(layout: &Layout, staged: &str, concerns: &str) -> String {
    if !layout.amount.holds_text() {
        return String::new();
    }
    let table = layout.table.sql();
    let places = [
        ("unified", table.as_str()),
        ("unified_literal", &literal(&table)),
        ("id_text", &layout.id.text("u")),
        ("amount", &layout.amount.value("u")),
        ("staged", staged),
        ("concerns", concerns),
    ];
    fill(PLAIN_DIGITS, &places)
}

/// Only columns that some row of the plan changes, and in a row only what changes: a value that stays
/// keeps its very form (`12.00` is not rewritten as `12`).
fn assignments(plan: &Plan<'_>) -> String {
    let unified = &plan.unified;
    let mut wanted = Vec::new();
    if plan.common.changes_action {
        wanted.extend((1..).zip(&unified.action).map(|(at, slot)| (slot, format!("action_{at}"))));
    }
    if plan.common.changes_tokens {
        wanted.push((&unified.amount, "tokens".to_owned()));
    }
    if plan.common.changes_time {
        wanted.push((&unified.created_at, "created_at".to_owned()));
    }
    let assignments: Vec<String> = wanted
        .into_iter()
        .map(|(slot, name)| {
            let (column, value) = (slot.name(), slot.value("u"));
            format!(
                "{column} = case when p.new_{name} is distinct from p.old_{name} then p.new_{name} else {value} end"
            )
        })
        .collect();
    assignments.join(",\n           ")
}

/// The piece of a removal.
pub(super) fn delete_piece(plan: &Plan<'_>, change: &Change<'_>, piece: &mut Piece) {
    if let (Some(row), Some(old), Some(evidence), Some(kept)) =
        (&change.row, &change.old, &change.evidence, &change.kept)
    {
        let unified = &plan.unified;
        let mut line = Tuple::new(&mut piece.row);
        line.id(row).id(old.user).content(unified, old);
        evidence::push(&mut line, unified, evidence, plan.references);
        line.id(kept.id).content(unified, &kept.values).content(unified, &kept.repaired);
        evidence::push(&mut line, unified, &kept.evidence, plan.references);
        line.end();
    }
}

/// The transaction of one part of `dedupe.sql`.
pub(super) fn delete_statements(plan: &Plan<'_>, part: &Part) -> String {
    let unified = &plan.unified;
    let table = unified.table.sql();
    let id = unified.id.value("u");
    let mut columns =
        vec![("row_id".to_owned(), id.clone()), ("user_id".to_owned(), unified.user.value("u"))];
    columns.extend(content(unified));
    columns.extend(evidence::staging(unified, ""));
    columns.push(("kept_id".to_owned(), id.clone()));
    for prefix in ["kept_", "kept_new_"] {
        columns.extend(content(unified).into_iter().map(|(name, value)| (format!("{prefix}{name}"), value)));
    }
    columns.extend(evidence::staging(unified, "kept_"));
    let (staged, staged_names) = staging(&columns);
    let body = fill(
        DELETE,
        &[
            ("unified", table.as_str()),
            ("unified_literal", &literal(&table)),
            ("plan", &literal(&plan.id)),
            ("id", &id),
            ("id_text", &unified.id.text("u")),
            ("journal_row", &plan.spelling.ids.key("e.row_id")),
            ("same", &format!("{} and {}", same_user(plan), same(unified, ""))),
            ("same_user", &same_user(plan)),
            ("same_evidence", &evidence::same(unified, "u", "")),
            ("kept", &format!("({}) or ({})", same(unified, "kept_"), same(unified, "kept_new_"))),
            ("kept_evidence", &evidence::same(unified, "u", "kept_")),
            ("row_text", sql::ROW_TEXT),
            ("unproven", &unproven::check(unified, Operation::Delete, plan.common)),
            ("cascade", &sql::cascade(&format!("pg_temp.reckon_removed as p on p.row_id = {id}"))),
        ],
    );
    let mut text = sql::opening(unified);
    text.push_str(&fill(
        DEDUPE,
        &[
            ("unified", table.as_str()),
            ("unified_comment", &comment(&table)[3..]),
            ("acting", &acting::check(plan, Operation::Delete)),
            ("journal", &sql::journal()),
            ("staged", &staged),
            ("staged_names", &staged_names),
            ("rows", &part.rows[0].text),
            ("spelled", &spelling::of_ids(plan, "reckon_removed", &["row_id", "kept_id"])),
            ("delete", &do_block(&body)),
            ("closing", sql::closing()),
        ],
    ));
    text
}
