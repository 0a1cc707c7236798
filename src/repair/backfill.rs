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
const KEYS_THERE: &str = include_str!("sql/keys_there.sql");
const SUCCEEDED: &str = include_str!("sql/succeeded.sql");
const NO_TRIGGERS: &str = include_str!("sql/no_triggers.sql");

/// The piece of the row of this number, and the numbers of the lines that rows share: what is known of
/// their users and actions, then the rows of these users that other files touch.
pub(super) fn piece(plan: &Plan<'_>, at: usize, change: &Change<'_>, piece: &mut Piece) {
    let (Some(new), Some(legacy)) = (&change.new, &change.legacy) else { return };
    Tuple::new(&mut piece.row).number(at).id(legacy.id).new_row(plan, change).end();
    legacy::push_row(&mut piece.legacy, plan, legacy);
    let known = &plan.known;
    let groups = known.groups().len();
    piece.shared.extend(known.group(new.user_no, new.action));
    piece.shared.extend(known.touched_of(new.user_no).map(|number| groups + number));
}

/// The shared line of a number.
pub(super) fn shared(plan: &Plan<'_>, number: usize, line: &mut String) {
    let known = &plan.known;
    let mut line = Tuple::new(line);
    match known.groups().get(number) {
        Some((user, action, group)) => {
            line.number(number).id(plan.roster.id(*user)).action(&plan.unified, action);
            line.number(group.rows).number(group.blank);
            match group.listed() {
                Some(prints) => line.number("null").text(&prints).end(),
                None => line.number(group.fingerprint).number("null").end(),
            }
        }
        None => line.id(known.touched()[number - known.groups().len()].1).end(),
    }
}

/// The transaction of one part.
pub(super) fn statements(plan: &Plan<'_>, lines: &impl Lines, part: &Part) -> String {
    let unified = &plan.unified;
    let table = unified.table.sql();
    let (mut known, mut touched) = (Rows::default(), Rows::default());
    let mut line = String::new();
    for number in &part.shared {
        line.clear();
        lines.shared(*number, &mut line);
        let list = if *number < plan.known.groups().len() { &mut known } else { &mut touched };
        list.push(&line);
    }
    let touched = match touched.count {
        0 => String::new(),
        _ => format!("\ninsert into pg_temp.reckon_touched (row_id) values\n{};\n", touched.text),
    };
    let staged: Vec<String> = staged(plan);
    let mut staged_names = vec!["reckon_no".to_owned(), "reckon_legacy_id".to_owned()];
    staged_names.extend(staged.iter().cloned());
    let actions: Vec<String> = (1..=unified.action.len()).map(|at| format!("action_{at}")).collect();
    let known_columns = format!(
        "{} as user_id, {}",
        unified.user.value("u"),
        unified
            .action
            .iter()
            .zip(&actions)
            .map(|(slot, name)| format!("{} as {name}", slot.value("u")))
            .collect::<Vec<_>>()
            .join(", ")
    );
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
            ("known", &known_columns),
            (
                "known_names",
                &format!("no, user_id, {}, row_count, blank_count, fingerprint, prints", actions.join(", ")),
            ),
            ("known_rows", &known.text),
            ("id", &unified.id.value("u")),
            ("touched_rows", &touched),
            ("insert", &do_block(&insert(plan, &staged, &actions))),
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

fn insert(plan: &Plan<'_>, staged: &[String], actions: &[String]) -> String {
    let unified = &plan.unified;
    let table = unified.table.sql();
    let user_key = |value: &str| plan.spelling.users.key(value);
    let mut same_group = vec![format!("{} = {}", user_key(&unified.user.value("u")), user_key("k.user_id"))];
    for (slot, name) in unified.action.iter().zip(actions) {
        same_group.push(format!("{} = k.{name}", slot.value("u")));
    }
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
            ("same_group", &same_group.join(" and ")),
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
