//! `backfill.sql`.

use std::collections::HashMap;

use crate::domain::RowId;

use super::columns::{Filling, Slot};
use super::known::IdText;
use super::parts::{Part, Piece};
use super::plan::{Operation, Plan};
use super::quote::{do_block, fill, literal};
use super::{sql, values};
use crate::config::{Literal, quote_identifier};

const BACKFILL: &str = include_str!("sql/backfill.sql");
const INSERT: &str = include_str!("sql/backfill_insert.sql");
const NO_TRIGGERS: &str = include_str!("sql/no_triggers.sql");

/// One piece a row, and the lines that rows share: what is known of their users and actions, then the
/// rows of these users that other files touch.
pub(super) fn pieces(plan: &Plan) -> (Vec<Piece>, Vec<String>) {
    let mut shared = Vec::new();
    let mut group_numbers: HashMap<(&RowId, &str), usize> = HashMap::new();
    for ((user, action), group) in &plan.known.groups {
        group_numbers.insert((user, action), shared.len());
        let mut row = vec![shared.len().to_string(), values::id(user)];
        row.extend(plan.unified.parts(action).unwrap_or_default().into_iter().map(literal));
        let fingerprint = if plan.known.ids == IdText::Unsure { 0 } else { group.fingerprint };
        row.extend([group.rows.to_string(), fingerprint.to_string()]);
        shared.push(values::tuple(&row));
    }
    let mut touched_numbers: HashMap<&RowId, Vec<usize>> = HashMap::new();
    let mut users: Vec<&RowId> = plan.known.touched.keys().collect();
    users.sort();
    for user in users {
        for row in &plan.known.touched[user] {
            touched_numbers.entry(user).or_default().push(shared.len());
            shared.push(values::tuple(&[values::id(row)]));
        }
    }
    let pieces = plan
        .of(Operation::Insert)
        .enumerate()
        .filter_map(|(at, change)| {
            let (new, legacy) = (change.new.as_ref()?, change.legacy.as_ref()?);
            let mut row = vec![at.to_string(), values::id(&legacy.id)];
            row.extend(values::new_row(plan, change));
            let mut piece = sql::piece(&row, change.effect_tokens);
            piece.legacy = Some(values::legacy_row(legacy));
            piece.shared.push(group_numbers[&(&new.user, new.action.as_str())]);
            piece.shared.extend(touched_numbers.get(&new.user).into_iter().flatten());
            Some(piece)
        })
        .collect();
    (pieces, shared)
}

/// The transaction of one part.
pub(super) fn statements(plan: &Plan, part: &Part, shared: &[String]) -> String {
    let unified = &plan.unified;
    let table = unified.table.sql();
    let groups = plan.known.groups.len();
    let lines = |wanted: &dyn Fn(usize) -> bool| -> Vec<&String> {
        part.shared.iter().filter(|number| wanted(**number)).map(|number| &shared[*number]).collect()
    };
    let known = lines(&|number| number < groups);
    let touched = lines(&|number| number >= groups);
    let touched = if touched.is_empty() {
        String::new()
    } else {
        format!("\ninsert into pg_temp.reckon_touched (row_id) values\n{};\n", sql::values_list(&touched))
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
    let mut text = sql::head(unified);
    text.push_str(&fill(
        BACKFILL,
        &[
            ("unified", table.as_str()),
            ("unified_comment", &super::quote::comment(&table)[3..]),
            ("journal", &sql::journal()),
            ("legacy", &with_line_before(sql::legacy_check(plan, part))),
            (
                "staged",
                &["0::bigint as reckon_no".to_owned(), "null::text as reckon_legacy_id".to_owned()]
                    .into_iter()
                    .chain(staged.iter().map(|name| format!("u.{name} as {name}")))
                    .collect::<Vec<_>>()
                    .join(",\n       "),
            ),
            ("staged_names", &staged_names.join(", ")),
            ("rows", &sql::values_list(&part.rows[0])),
            ("known", &known_columns),
            ("known_names", &format!("no, user_id, {}, row_count, fingerprint", actions.join(", "))),
            ("known_rows", &sql::values_list(&known)),
            ("id", &unified.id.value("u")),
            ("touched_rows", &touched),
            ("insert", &do_block(&insert(plan, &staged, &actions))),
        ],
    ));
    text
}

fn with_line_before(text: String) -> String {
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// Quoted names of the columns that each row has its own value for.
fn staged(plan: &Plan) -> Vec<String> {
    plan.new_columns
        .iter()
        .filter(|column| !matches!(column.filling, Filling::Constant(_)))
        .map(|column| quote_identifier(&column.name))
        .collect()
}

fn insert(plan: &Plan, staged: &[String], actions: &[String]) -> String {
    let unified = &plan.unified;
    let table = unified.table.sql();
    let mut same_group = vec![format!("{} = k.user_id", unified.user.value("u"))];
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
            ("unified", &table),
            ("unified_literal", &literal(&table)),
            ("plan", &literal(&plan.id)),
            ("id", &unified.id.value("u")),
            ("id_text", &unified.id.text("u")),
            ("user_text", &unified.user.text("u")),
            ("label", &unified.label("u")),
            ("same_group", &same_group.join(" and ")),
            ("fingerprint", &fingerprint(&unified.id, plan.known.ids)),
            ("own", &own(plan)),
            ("there", &objects("u")),
            ("wanted", &objects("p")),
            ("columns", &columns.join(", ")),
            ("values", &values.join(", ")),
        ],
    )
}

/// How a planned row knows itself among the rows of the table: by its id, or by the link where the
/// database gives the ids.
pub(super) fn own(plan: &Plan) -> String {
    let gives_id = plan.of(Operation::Insert).all(|change| change.row.is_some());
    match (&plan.unified.link, gives_id) {
        (Some(link), false) => format!("{} = p.reckon_legacy_id", link.text("u")),
        _ => format!("{} = p.{}", plan.unified.id.value("u"), plan.unified.id.name()),
    }
}

fn fingerprint(id: &Slot, ids: IdText) -> String {
    let text = match ids {
        IdText::Same => id.text("u"),
        IdText::Lower => format!("lower({})", id.text("u")),
        IdText::Unsure => return "0::numeric".to_owned(),
    };
    format!(
        "('x' || encode(substring(sha256(convert_to({text}, 'UTF8')) from 1 for 7), 'hex'))::bit(56)::bigint"
    )
}

fn constant(value: &Literal) -> String {
    match value {
        Literal::Text(text) => literal(text),
        Literal::Integer(number) => number.to_string(),
        Literal::Decimal(number) => number.to_string(),
        Literal::Boolean(value) => value.to_string(),
    }
}
