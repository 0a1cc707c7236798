//! `backfill.sql`.

use super::acting;
use super::changes;
use super::columns::{Filling, Slot};
use super::evidence;
use super::legacy;
use super::near;
use super::parts::{Lines, Part, Piece, Rows};
use super::plan::{Change, Operation, Plan};
use super::quote::{do_block, fill, literal};
use super::spelling;
use super::sql;
use super::success::Success;
use super::values::Tuple;
use crate::config::{Literal, quote_identifier};

const BACKFILL: &str = include_str!("sql/backfill.sql");
const INSERT: &str = include_str!("sql/backfill_insert.sql");
const CARRIERS: &str = include_str!("sql/carriers.sql");
const KEYS_THERE: &str = include_str!("sql/keys_there.sql");
const SUCCEEDED: &str = include_str!("sql/succeeded.sql");

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
    let carriers = match near::carried(plan) {
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
            ("acting", &acting::check(plan, Operation::Insert)),
            ("spelled_users", &spelled_users(plan)),
            ("near", near::look(plan).trim_end()),
            ("checks", &format!("{}\n\n{}", near::checks(plan), fitting(plan))),
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
    let mut columns = staged.to_vec();
    let mut values: Vec<String> = staged.iter().map(|name| format!("p.{name}")).collect();
    for column in &plan.new_columns {
        if let Filling::Constant(value) = &column.filling {
            columns.push(quote_identifier(&column.name));
            values.push(constant(value));
        }
    }
    fill(
        INSERT,
        &[
            ("succeeded", succeeded(plan).as_str()),
            ("row_text", sql::ROW_TEXT),
            ("unified", &table),
            ("unified_literal", &literal(&table)),
            ("plan", &literal(&plan.id)),
            ("id", &unified.id.value("u")),
            ("id_text", &unified.id.text("u")),
            ("own", &own(plan)),
            ("as_planned", &as_planned(plan, "\n              ")),
            ("columns", &columns.join(", ")),
            ("values", &values.join(", ")),
        ],
    )
}

/// The row `u` holds what the row `p` to insert says; further lines begin with this.
pub(super) fn as_planned(plan: &Plan<'_>, begin: &str) -> String {
    let object = |alias: &str| {
        let staged = plan.new_columns.iter().filter(|it| !matches!(it.filling, Filling::Constant(_)));
        let pairs = staged
            .map(|column| format!("{}, {alias}.{}", literal(&column.name), quote_identifier(&column.name)));
        format!("jsonb_build_object({})", pairs.collect::<Vec<_>>().join(", "))
    };
    format!("{}{begin}@> {}", object("u"), object("p"))
}

/// The checks whether the server could take the rows, each a statement of its own.
fn fitting(plan: &Plan<'_>) -> String {
    let table = literal(&plan.unified.table.sql());
    let keys = fill(KEYS_THERE, &[("unified_literal", &table)]);
    const NAMED: &str = "declare\n  wrong bigint;\n  named text;\n";
    let mut blocks = vec![do_block(&format!("{NAMED}  foreign_key record;\nbegin\n{keys}end"))];
    let digits = plain_digits(plan);
    if !digits.is_empty() {
        blocks.push(do_block(&format!("{NAMED}begin\n{digits}end")));
    }
    blocks.join("\n\n")
}

/// Lets the rows to insert name their users as the tables write them, in a statement of its own.
fn spelled_users(plan: &Plan<'_>) -> String {
    match spelling::of_users(plan) {
        none if none.is_empty() => none,
        body => {
            let body = format!("declare\n  wrong bigint;\n  named text;\nbegin\n{body}end");
            format!("{}\n\n", do_block(&body))
        }
    }
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

/// `u` names the legacy row of `p`.
fn names(plan: &Plan<'_>, link: &Slot) -> String {
    format!("{} = p.reckon_legacy_id", plan.spelling.links.key(&link.text("u")))
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
