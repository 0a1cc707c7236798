//! The one look that `backfill.sql` takes at the unified table before it inserts: whatever may be what is
//! missing, and has come, or has changed, since the run.

use super::backfill::{as_planned, own};
use super::columns::{Layout, Slot};
use super::evidence;
use super::plan::Plan;
use super::quote::{do_block, fill, literal};
use crate::source::postgres::select::grant_like;

const NEAR: &str = include_str!("sql/near.sql");
const CHECK: &str = include_str!("sql/near_check.sql");
const NOT_NAMED: &str = include_str!("sql/not_named.sql");
const NOT_CARRIED: &str = include_str!("sql/not_carried.sql");

/// The statements that look.
pub(super) fn look(plan: &Plan<'_>) -> String {
    let unified = &plan.unified;
    let key = |value: &str| plan.spelling.users.key(value);
    let (link, references) = (link(plan), carried(plan));
    let or_names = match &unified.link {
        Some(_) => format!("\n    or {link} in (select p.reckon_legacy_id from pg_temp.reckon_rows as p)"),
        None => String::new(),
    };
    let or_carries = unified.references.iter().zip(references.iter().flatten()).map(|(slot, reference)| {
        let is_there = format!("{} is not null", slot.text("u"));
        format!("\n    or {is_there} and {reference} in (select unnest(l.reference_set) from pg_temp.reckon_legacy as l)")
    });
    let or_carries: String = or_carries.collect();
    let places = [
        ("unified", unified.table.sql()),
        ("own", own(plan)),
        ("plan", literal(&plan.id)),
        ("id", unified.id.value("u")),
        ("id_text", unified.id.text("u")),
        ("known_id", plan.known.ids.sql(&unified.id, "u")),
        ("user", unified.user.value("u")),
        ("user_text", unified.user.text("u")),
        ("user_key", key(&unified.user.value("u"))),
        ("known_key", key("k.user_id")),
        ("label", unified.label("u")),
        ("tokens", magnitude(&unified.amount, &unified.amount.value("u"))),
        ("missing_tokens", missing(unified)),
        ("link", link),
        (
            "references",
            references.map_or("null::text[]".to_owned(), |texts| format!("array[{}]", texts.join(", "))),
        ),
        ("counts", counts(plan, "       ")),
        ("counts_indented", counts(plan, "     ")),
        ("is_unclear", is_unclear(plan, "       ")),
        ("is_unclear_indented", is_unclear(plan, "        ")),
        ("print", print(plan)),
        ("or_names", or_names),
        ("or_carry", if or_carries.is_empty() { "" } else { ", or carry what it was paid with" }.to_owned()),
        ("or_carries", or_carries),
    ];
    fill(NEAR, &places.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// The checks of what was seen.
pub(super) fn checks(plan: &Plan<'_>) -> String {
    let unified = &plan.unified;
    let key = |value: &str| plan.spelling.users.key(value);
    let ids = plan.spelling.ids;
    let not_named = match &unified.link {
        Some(_) => fill(NOT_NAMED, &[("unified_literal", &literal(&unified.table.sql()))]),
        None => String::new(),
    };
    let places = [
        ("unified", unified.table.sql()),
        ("id", unified.id.value("u")),
        ("id_text", unified.id.text("u")),
        ("near_user_key", key("n.user_id")),
        ("known_key", key("k.user_id")),
        ("planned_user_key", key(&format!("p.{}", unified.user.name()))),
        ("missing_tokens", missing(unified)),
        ("is_touched", format!("{} = {}", ids.key("t.row_id"), ids.key("n.row_id"))),
        ("not_named", not_named),
        ("not_carried", carried(plan).map_or("", |_| NOT_CARRIED).to_owned()),
        ("as_planned", as_planned(plan, "\n         ")),
    ];
    do_block(&fill(CHECK, &places.each_ref().map(|(name, value)| (*name, value.as_str()))))
}

/// The legacy row that a row `u` names, in the form in which it is compared.
fn link(plan: &Plan<'_>) -> String {
    match &plan.unified.link {
        Some(link) => plan.spelling.links.key(&link.text("u")),
        None => "null::text".to_owned(),
    }
}

/// The references of a row `u`, one after the other, where both sides have them.
pub(super) fn carried(plan: &Plan<'_>) -> Option<Vec<String>> {
    let has_both = !plan.legacy.references.is_empty() && !plan.unified.references.is_empty();
    has_both.then(|| evidence::references(&plan.unified, "u"))
}

/// `u` is a grant or a deduction that is worth something; further lines begin with this indent.
fn counts(plan: &Plan<'_>, indent: &str) -> String {
    let unified = &plan.unified;
    let labels: Vec<String> = plan.moving.iter().map(|label| literal(label)).collect();
    let mut counts = vec![format!("{} in ({})", unified.label("u"), labels.join(", "))];
    counts.extend(unified.success.as_ref().map(|slot| evidence::success(slot, "u")));
    counts.push(is_worth_something(unified));
    counts.join(&format!("\n{indent}and "))
}

/// The label of `u` has no meaning, and it is worth something.
fn is_unclear(plan: &Plan<'_>, indent: &str) -> String {
    let label = plan.unified.label("u");
    let is_one_of = |labels: &[String]| {
        let labels: Vec<String> = labels.iter().map(|label| literal(label)).collect();
        format!("{label} in ({})", labels.join(", "))
    };
    let is_no_use = match plan.usage.as_deref() {
        Some([]) => String::new(),
        Some(usage) => format!(" and not {}", is_one_of(usage)),
        None => {
            let mut alike = vec![format!("btrim({label}, '/') = ''")];
            alike.extend(grant_like(&label, &plan.moving));
            format!(" and ({})", alike.join(" or "))
        }
    };
    format!("(not {}{is_no_use})\n{indent}and {}", is_one_of(&plan.moving), is_worth_something(&plan.unified))
}

fn is_worth_something(unified: &Layout) -> String {
    match unified.amount.is_number() {
        true => format!("coalesce({} <> 0, true)", unified.amount.value("u")),
        false => {
            let zero = literal("^\\s*[-+]?0+([.]0*)?\\s*$");
            format!("coalesce({} !~ {zero}, true)", unified.amount.text("u"))
        }
    }
}

/// The print of a row `u`, as the books make it.
fn print(plan: &Plan<'_>) -> String {
    let unified = &plan.unified;
    let id = plan.known.ids.sql(&unified.id, "u");
    let (label, tokens) = (unified.label("u"), whole(&unified.amount, &unified.amount.value("u")));
    let at = instant(unified).map(|at| format!(" || chr(10) || {at}")).unwrap_or_default();
    format!(
        "left(encode(sha256(convert_to({id} || chr(10) || {label} || chr(10) || {tokens}{at}, 'UTF8')), 'hex'), 14)"
    )
}

/// The magnitude of an amount that is missing, from the row to insert.
fn missing(unified: &Layout) -> String {
    magnitude(&unified.amount, &format!("p.{}", unified.amount.name()))
}

fn magnitude(slot: &Slot, value: &str) -> String {
    format!("ltrim({}, '-')", whole(slot, value))
}

/// An amount as the text of a whole number, empty where the run read none.
fn whole(slot: &Slot, value: &str) -> String {
    let number = |value: &str| {
        format!("abs({value}) < 9223372036854775808 and {value} = trunc({value}) then trunc({value})::text")
    };
    let is_plain = slot.is_plain();
    match slot.type_name().filter(|_| is_plain) {
        Some("smallint" | "integer" | "bigint") => format!("coalesce({value}::text, '')"),
        Some("real" | "double precision") => {
            let value = format!("{value}::float8");
            format!(
                "case when abs({value}) < 9007199254740992 and {value} = trunc({value}) \
                 then {value}::int8::text else '' end"
            )
        }
        Some(name) if name.starts_with("numeric") => format!("case when {} else '' end", number(value)),
        _ => {
            let text = format!("{value}::text");
            let digits = literal("^\\s*[-+]?[0-9]+([.][0-9]*)?(e[-+]?[0-9]{1,2})?\\s*$");
            let value = format!("{text}::numeric");
            format!("case when {text} ~* {digits} then case when {} else '' end else '' end", number(&value))
        }
    }
}

/// When a row happened, as the text of its microseconds since 1970, empty where the run read none; `None` where
/// the run did not read it from this table.
pub(super) fn instant(unified: &Layout) -> Option<String> {
    if !has_instants(unified) {
        return None;
    }
    let value = unified.created_at.value("u");
    Some(format!(
        "coalesce(case when isfinite({value}) then (extract(epoch from {value}::timestamptz) * 1000000)::bigint::text end, '')"
    ))
}

/// Prints tell when a row happened: a file may have fewer digits of a second than the table.
pub(super) fn has_instants(unified: &Layout) -> bool {
    let slot = &unified.created_at;
    let is_time = slot.type_name().is_some_and(|name| name.starts_with("timestamp") || name == "date");
    unified.from_table && slot.is_plain() && is_time
}
