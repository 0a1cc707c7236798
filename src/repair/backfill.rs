//! `backfill.sql`.

use super::changes;
use super::columns::{Filling, Slot};
use super::evidence;
use super::legacy;
use super::parts::{Lines, Part, Piece, Rows};
use super::plan::{Change, Plan};
use super::quote::{do_block, fill, literal};
use super::spelling;
use super::sql;
use super::success::Success;
use super::values::Tuple;
use crate::config::{Literal, quote_identifier};

const BACKFILL: &str = include_str!("sql/backfill.sql");
const INSERT: &str = include_str!("sql/backfill_insert.sql");
const NOT_NAMED: &str = include_str!("sql/not_named.sql");
const CARRIERS: &str = include_str!("sql/carriers.sql");
const NOT_CARRIED: &str = include_str!("sql/not_carried.sql");
const KEYS_THERE: &str = include_str!("sql/keys_there.sql");
const SUCCEEDED: &str = include_str!("sql/succeeded.sql");
const NO_TRIGGERS: &str = include_str!("sql/no_triggers.sql");

/// The piece of the row of this number, and the numbers of the lines that rows share: what is known of
/// their users, then the rows of these users that other files touch, then the rows that carry their references.
pub(super) fn piece(plan: &Plan<'_>, at: usize, change: &Change<'_>, piece: &mut Piece) {
    let (Some(new), Some(legacy)) = (&change.new, &change.legacy) else { return };
    Tuple::new(&mut piece.row).number(at).id(legacy.id).new_row(plan, change).end();
    legacy::push_row(&mut piece.legacy, plan, legacy);
    let known = &plan.known;
    let groups = known.groups().len();
    let touched = groups + known.touched().len();
    piece.shared.extend(known.group(new.user_no));
    piece.shared.extend(known.touched_of(new.user_no).map(|number| groups + number));
    let carriers = legacy.evidence.references.iter().flat_map(|of| known.carriers_of(*of));
    piece.shared.extend(carriers.map(|number| touched + number));
}

/// The shared line of a number.
pub(super) fn shared(plan: &Plan<'_>, number: usize, line: &mut String) {
    let known = &plan.known;
    let mut line = Tuple::new(line);
    match list_of(plan, number) {
        (GROUPS, at) => {
            let (user, group) = &known.groups()[at];
            line.number(number).id(plan.roster.id(*user)).number(group.rows).number(group.blank);
            match group.listed() {
                Some(prints) => line.number("null").text(&prints),
                None => line.number(group.fingerprint).number("null"),
            };
        }
        (TOUCHED, at) => {
            line.id(known.touched()[at].1);
        }
        (_, at) => {
            let (reference, row) = known.carriers()[at];
            line.text(&plan.references[reference as usize]).id(row);
        }
    }
    line.end();
}

/// Lists of shared lines.
const GROUPS: usize = 0;
const TOUCHED: usize = 1;
const WITH_REFERENCES: usize = 2;

/// The list of the shared line of a number, and its place there.
fn list_of(plan: &Plan<'_>, number: usize) -> (usize, usize) {
    let (groups, touched) = (plan.known.groups().len(), plan.known.touched().len());
    match number.checked_sub(groups) {
        None => (GROUPS, number),
        Some(at) if at < touched => (TOUCHED, at),
        Some(at) => (WITH_REFERENCES, at - touched),
    }
}

/// The transaction of one part.
pub(super) fn statements(plan: &Plan<'_>, lines: &impl Lines, part: &Part) -> String {
    let unified = &plan.unified;
    let table = unified.table.sql();
    let mut shared = [Rows::default(), Rows::default(), Rows::default()];
    let mut line = String::new();
    for number in &part.shared {
        line.clear();
        lines.shared(*number, &mut line);
        shared[list_of(plan, *number).0].push(&line);
    }
    let inserted = |list: usize, into: &str| match shared[list].count {
        0 => String::new(),
        _ => format!("\ninsert into pg_temp.{into} values\n{};\n", shared[list].text),
    };
    let carriers = match carried(plan) {
        Some(_) => {
            fill(CARRIERS, &[("rows", &inserted(WITH_REFERENCES, "reckon_carriers (reference, row_id)"))])
        }
        None => String::new(),
    };
    let staged: Vec<String> = staged(plan);
    let mut staged_names = vec!["reckon_no".to_owned(), "reckon_legacy_id".to_owned()];
    staged_names.extend(staged.iter().cloned());
    let [legacy, legacy_again] = legacy::checks(plan, part);
    let mut text = sql::opening(unified);
    text.push_str(&fill(
        BACKFILL,
        &[
            ("unified", table.as_str()),
            ("unified_comment", &super::quote::comment(&table)[3..]),
            ("journal", &sql::journal()),
            ("legacy", &legacy),
            ("legacy_again", &legacy_again),
            ("closing", sql::closing()),
            (
                "staged",
                &["0::bigint as reckon_no".to_owned(), "null::text as reckon_legacy_id".to_owned()]
                    .into_iter()
                    .chain(staged.iter().map(|name| format!("u.{name} as {name}")))
                    .collect::<Vec<_>>()
                    .join(",\n       "),
            ),
            ("staged_names", &staged_names.join(", ")),
            ("rows", &part.rows[0].text),
            ("user", &unified.user.value("u")),
            ("known_rows", &shared[GROUPS].text),
            ("id", &unified.id.value("u")),
            ("touched_rows", &inserted(TOUCHED, "reckon_touched (row_id)")),
            ("carriers", &carriers),
            ("insert", &do_block(&insert(plan, &staged))),
        ],
    ));
    text
}

/// Quoted names of the columns that each row has its own value for.
fn staged(plan: &Plan<'_>) -> Vec<String> {
    plan.new_columns
        .iter()
        .filter(|column| !matches!(column.filling, Filling::Constant(_)))
        .map(|column| quote_identifier(&column.name))
        .collect()
}

fn insert(plan: &Plan<'_>, staged: &[String]) -> String {
    let unified = &plan.unified;
    let table = unified.table.sql();
    let user_key = |value: &str| plan.spelling.users.key(value);
    let same_user = format!("{} = {}", user_key(&unified.user.value("u")), user_key("k.user_id"));
    let objects = |alias: &str| {
        let pairs: Vec<String> = plan
            .new_columns
            .iter()
            .filter(|column| !matches!(column.filling, Filling::Constant(_)))
            .map(|column| format!("{}, {alias}.{}", literal(&column.name), quote_identifier(&column.name)))
            .collect();
        pairs.join(", ")
    };
    let mut columns = staged.to_vec();
    let mut values: Vec<String> = staged.iter().map(|name| format!("p.{name}")).collect();
    for column in &plan.new_columns {
        if let Filling::Constant(value) = &column.filling {
            columns.push(quote_identifier(&column.name));
            values.push(constant(value));
        }
    }
    let triggers = match plan.allow_triggers {
        true => String::new(),
        false => fill(NO_TRIGGERS, &[("unified_literal", &literal(&table))]),
    };
    fill(
        INSERT,
        &[
            ("no_triggers", triggers.as_str()),
            ("spelled_users", &spelling::of_users(plan)),
            ("not_named", &not_named(plan)),
            ("not_carried", &not_carried(plan)),
            ("digits", &plain_digits(plan)),
            ("keys_there", &fill(KEYS_THERE, &[("unified_literal", &literal(&table))])),
            ("succeeded", &succeeded(plan)),
            ("row_text", sql::ROW_TEXT),
            ("is_touched", &is_touched(plan)),
            ("unified", &table),
            ("unified_literal", &literal(&table)),
            ("plan", &literal(&plan.id)),
            ("id", &unified.id.value("u")),
            ("id_text", &unified.id.text("u")),
            ("user_text", &unified.user.text("u")),
            ("label", &unified.label("u")),
            ("same_user", &same_user),
            ("counts", &counts(plan, "     ")),
            ("known_id", &plan.known.ids.sql(&unified.id, "u")),
            ("own", &own(plan)),
            ("there", &objects("u")),
            ("wanted", &objects("p")),
            ("columns", &columns.join(", ")),
            ("values", &values.join(", ")),
        ],
    )
}

/// The check that rows of the same users write amounts in plain digits, as new rows do.
fn plain_digits(plan: &Plan<'_>) -> String {
    let key = |value: &str| plan.spelling.users.key(value);
    let same_user = format!("{} = {}", key(&plan.unified.user.value("u")), key("p.user_id"));
    changes::plain_digits(&plan.unified, "reckon_known", &same_user)
}

/// The check that new rows count where the server says so, not this file.
fn succeeded(plan: &Plan<'_>) -> String {
    let unified = &plan.unified;
    let Some(slot) = unified.success.as_ref().filter(|_| plan.success == Success::LeftOut) else {
        return String::new();
    };
    let places = [
        ("unified", unified.table.sql()),
        ("own", own(plan)),
        ("succeeded", evidence::success(slot, "u")),
        ("column", literal(&slot.column)),
    ];
    fill(SUCCEEDED, &places.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// `t` names the row `u` among those that other files touch.
fn is_touched(plan: &Plan<'_>) -> String {
    let case = plan.spelling.ids;
    format!("{} = {}", case.key("t.row_id"), case.key(&plan.unified.id.value("u")))
}

/// `u` names the legacy row of `p`.
fn names(plan: &Plan<'_>, link: &Slot) -> String {
    format!("{} = p.reckon_legacy_id", plan.spelling.links.key(&link.text("u")))
}

/// The check that no other row names the legacy row of one that is to be inserted.
fn not_named(plan: &Plan<'_>) -> String {
    let unified = &plan.unified;
    let Some(link) = &unified.link else { return String::new() };
    let places = [
        ("unified", unified.table.sql()),
        ("unified_literal", literal(&unified.table.sql())),
        ("names", names(plan, link)),
        ("id", unified.id.value("u")),
        ("id_text", unified.id.text("u")),
    ];
    fill(NOT_NAMED, &places.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// `u` is a grant or a deduction that is worth something; further lines begin with this indent.
fn counts(plan: &Plan<'_>, indent: &str) -> String {
    let unified = &plan.unified;
    let labels: Vec<String> = plan.moving.iter().map(|label| literal(label)).collect();
    let mut counts = vec![format!("{} in ({})", unified.label("u"), labels.join(", "))];
    counts.extend(unified.success.as_ref().map(|slot| evidence::success(slot, "u")));
    counts.push(match unified.amount.is_number() {
        true => format!("coalesce({} <> 0, true)", unified.amount.value("u")),
        false => {
            let zero = literal("^\\s*[-+]?0+([.]0*)?\\s*$");
            format!("coalesce({} !~ {zero}, true)", unified.amount.text("u"))
        }
    });
    counts.join(&format!("\n{indent}and "))
}

/// The references of a row `u`, where both sides have them.
fn carried(plan: &Plan<'_>) -> Option<String> {
    if plan.legacy.references.is_empty() {
        return None;
    }
    evidence::references(&plan.unified, "u")
}

/// The check that no row carries the reference of one that is to be inserted, but those of which the run knew.
fn not_carried(plan: &Plan<'_>) -> String {
    let unified = &plan.unified;
    let Some(references) = carried(plan) else { return String::new() };
    let places = [
        ("unified", unified.table.sql()),
        ("references", references),
        ("counts", counts(plan, "         ")),
        ("known_id", plan.known.ids.sql(&unified.id, "u")),
        ("id_text", unified.id.text("u")),
    ];
    fill(NOT_CARRIED, &places.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// How a planned row knows itself among the rows of the table: by its id, or by the link where the
/// database gives the ids.
pub(super) fn own(plan: &Plan<'_>) -> String {
    match (&plan.unified.link, plan.common.has_new_ids) {
        (Some(link), false) => names(plan, link),
        _ => format!("{} = p.{}", plan.unified.id.value("u"), plan.unified.id.name()),
    }
}

fn constant(value: &Literal) -> String {
    match value {
        Literal::Text(text) => literal(text),
        Literal::Integer(number) => number.to_string(),
        Literal::Decimal(number) => number.to_string(),
        Literal::Boolean(value) => value.to_string(),
    }
}
