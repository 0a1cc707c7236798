//! `verify.sql`: one SELECT, one row an expectation.
//!
//! It cannot set a zone or make a temporary table, so it casts by what the catalogue says, and
//! compares as text where nothing is known.

use super::columns::{Layout, Slot};
use super::parts::{Part, Piece};
use super::plan::{Operation, Plan, Values};
use super::quote::{fill, literal};
use super::{sql, values};
use crate::domain::RowId;

const VERIFY: &str = include_str!("sql/verify.sql");
const SAME_INSTANT: &str = include_str!("sql/same_instant.sql");

/// Lists of a part.
const INSERTS: usize = 0;
const UPDATES: usize = 1;
const DELETES: usize = 2;
const REVIEWS: usize = 3;

/// One piece a change or reviewed row, without those of files that refuse.
pub(super) fn pieces(plan: &Plan) -> Vec<Piece> {
    let done = |operation| plan.refusal(operation).is_none();
    let mut pieces = Vec::new();
    let mut push = |list: usize, class: &str, rest: Vec<String>| {
        let mut line = vec![pieces.len().to_string(), literal(class)];
        line.extend(rest);
        pieces.push(Piece { list, ..sql::piece(&line, 0) });
    };
    for change in plan.changes.iter().filter(|change| done(change.operation)) {
        let class = change.class.name();
        match (change.operation, &change.row, &change.legacy, &change.new, &change.kept) {
            (Operation::Insert, Some(row), _, Some(new), _) => push(INSERTS, class, line(row, new)),
            (Operation::Insert, None, Some(legacy), Some(new), _) => {
                push(INSERTS, class, line(&legacy.id, new));
            }
            (Operation::Update, Some(row), _, Some(new), _) => push(UPDATES, class, line(row, new)),
            (Operation::Delete, Some(row), _, _, Some(kept)) => {
                push(DELETES, class, vec![values::id(row), values::id(&kept.id)]);
            }
            _ => {}
        }
    }
    for review in &plan.reviews {
        for (row, values) in &review.rows {
            push(REVIEWS, review.class.name(), line(row, values));
        }
    }
    pieces
}

fn line(row: &RowId, values: &Values) -> Vec<String> {
    vec![
        values::id(row),
        values::id(&values.user),
        literal(&values.action),
        format!("{}::numeric", values.raw_tokens),
        values::instant(values.at),
    ]
}

/// The SELECT of one part.
pub(super) fn statement(plan: &Plan, part: &Part) -> String {
    const NO_ROWS: &str = "  select null::bigint, null::text, null::text, null::text, null::text, \
                           null::numeric, null::timestamptz where false";
    const NO_DELETES: &str = "  select null::bigint, null::text, null::text, null::text where false";
    let unified = &plan.unified;
    let list = |list: usize, none: &str| match part.rows[list].as_slice() {
        [] => none.to_owned(),
        rows => format!("  values\n{}", sql::values_list(rows)),
    };
    let id = same_id(&unified.id);
    let gives_id = plan.of(Operation::Insert).all(|change| change.row.is_some());
    let own = match (&unified.link, gives_id) {
        (Some(link), false) => format!("{} = p.row_id", link.text("u")),
        _ => id.clone(),
    };
    let same = [
        format!("{} = p.user_id", unified.user.text("u")),
        format!("{} = p.action", unified.label("u")),
        format!("({})::numeric = p.tokens", unified.amount.value("u")),
        same_instant(unified),
    ];
    fill(
        VERIFY,
        &[
            ("unified", unified.table.sql().as_str()),
            ("inserts", &list(INSERTS, NO_ROWS)),
            ("updates", &list(UPDATES, NO_ROWS)),
            ("deletes", &list(DELETES, NO_DELETES)),
            ("reviews", &list(REVIEWS, NO_ROWS)),
            ("id", &id),
            ("own", &own),
            ("same", &same.join("\n        and ")),
            ("nothing", if part.len() == 0 { "true" } else { "false" }),
        ],
    )
}

fn same_id(id: &Slot) -> String {
    match &id.facts {
        Some(facts) if id.is_plain() => format!("{} = p.row_id::{}", id.value("u"), facts.cast),
        _ => format!("{} = p.row_id", id.text("u")),
    }
}

/// A wall clock and the planned instant are both brought to the wall clock's precision and read in the
/// configured zone: once a year an hour of the wall clock is two instants, and another is none.
fn same_instant(layout: &Layout) -> String {
    let slot = &layout.created_at;
    let zone = literal(&layout.timezone);
    let value = slot.value("u");
    match slot.type_name().filter(|_| slot.is_plain()) {
        Some(name) if name.starts_with("timestamp") && name.ends_with("without time zone") => {
            let planned = format!("(p.created_at at time zone {zone})::{name}");
            format!("({value} at time zone {zone}) = ({planned} at time zone {zone})")
        }
        Some(name) if name.starts_with("timestamp") => format!("{value} = p.created_at::{name}"),
        Some("date") => format!("{value} = (p.created_at at time zone {zone})::date"),
        // Of an unknown type, which may round to whole seconds.
        _ => fill(SAME_INSTANT, &[("value", &value), ("zone", &zone)]).trim_end().to_owned(),
    }
}
