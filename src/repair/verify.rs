//! `verify.sql`: one SELECT, one row an expectation.
//!
//! It cannot set a zone or make a temporary table, so it casts by what the catalogue says, and
//! compares as text where nothing is known.

use super::columns::{Layout, Slot};
use super::parts::{Lines, Part, Piece};
use super::plan::{Change, Operation, Plan, Review, Values};
use super::quote::{fill, literal};
use super::spelling::Case;
use super::values::Tuple;
use crate::domain::RowId;

const VERIFY: &str = include_str!("sql/verify.sql");
const SAME_INSTANT: &str = include_str!("sql/same_instant.sql");

/// Lists of a part.
const INSERTS: usize = 0;
const UPDATES: usize = 1;
const DELETES: usize = 2;
const REVIEWS: usize = 3;

/// The changes and reviewed rows, without those of files that refuse.
pub(super) struct Expectations<'p, 'a> {
    plan: &'p Plan<'a>,
    expected: Vec<Expected<'p, 'a>>,
}

#[derive(Debug, Clone, Copy)]
enum Expected<'p, 'a> {
    Changed(&'p Change<'a>),
    AsItWas(&'p Review<'a>, &'p (&'a RowId, Values<'a>)),
}

impl<'p, 'a> Expectations<'p, 'a> {
    pub fn of(plan: &'p Plan<'a>) -> Self {
        let done = |change: &&Change<'_>| plan.refusal(change.operation).is_none();
        let mut expected: Vec<_> = plan.changes.iter().filter(done).map(Expected::Changed).collect();
        for review in &plan.reviews {
            expected.extend(review.rows.iter().map(|row| Expected::AsItWas(review, row)));
        }
        Expectations { plan, expected }
    }
}

impl Lines for Expectations<'_, '_> {
    fn pieces(&self) -> usize {
        self.expected.len()
    }

    fn piece(&self, at: usize, piece: &mut Piece) {
        let mut line = Tuple::new(&mut piece.row);
        match self.expected[at] {
            Expected::Changed(change) => {
                line.number(at).text(change.class.name());
                match (change.operation, &change.row, &change.legacy, &change.new, &change.kept) {
                    (Operation::Insert, Some(row), _, Some(new), _) => {
                        piece.list = INSERTS;
                        push_row(&mut line, row, new);
                    }
                    (Operation::Insert, None, Some(legacy), Some(new), _) => {
                        piece.list = INSERTS;
                        push_row(&mut line, legacy.id, new);
                    }
                    (Operation::Update, Some(row), _, Some(new), _) => {
                        piece.list = UPDATES;
                        push_row(&mut line, row, new);
                    }
                    (Operation::Delete, Some(row), _, _, Some(kept)) => {
                        piece.list = DELETES;
                        line.id(row).id(kept.id);
                    }
                    _ => unreachable!("a change has what its operation needs"),
                }
            }
            Expected::AsItWas(review, (row, values)) => {
                piece.list = REVIEWS;
                push_row(line.number(at).text(review.class.name()), row, values);
            }
        }
        line.end();
    }

    fn shared(&self, _: usize, _: &mut String) {}

    fn comments(&self) -> usize {
        0
    }

    fn comment(&self, _: usize, _: &mut String) {}
}

fn push_row(line: &mut Tuple<'_>, row: &RowId, values: &Values<'_>) {
    line.id(row).id(values.user).text(values.action);
    line.number(format_args!("{}::numeric", values.raw_tokens)).instant(values.at);
}

/// The SELECT of one part.
pub(super) fn statement(expectations: &Expectations<'_, '_>, part: &Part) -> String {
    let plan = expectations.plan;
    const NO_ROWS: &str = "  select null::bigint, null::text, null::text, null::text, null::text, \
                           null::numeric, null::timestamptz where false";
    const NO_DELETES: &str = "  select null::bigint, null::text, null::text, null::text where false";
    let unified = &plan.unified;
    let list = |list: usize, none: &str| match part.rows[list].text.as_str() {
        "" => none.to_owned(),
        rows => format!("  values\n{rows}"),
    };
    let id = same_id(&unified.id, "p.row_id", plan.spelling.ids);
    let own = match (&unified.link, plan.common.has_new_ids) {
        (Some(link), false) => format!("{} = p.row_id", plan.spelling.links.key(&link.text("u"))),
        _ => id.clone(),
    };
    let same = [
        same_id(&unified.user, "p.user_id", plan.spelling.users),
        format!("{} = p.action", unified.label("u")),
        same_tokens(&unified.amount),
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

/// The column holds the planned id or user, which is a text: compared in the column's own type, so that
/// `7.0` is `7`. Types with a length are compared as text, since a cast would cut.
fn same_id(id: &Slot, planned: &str, case: Case) -> String {
    match &id.facts {
        Some(facts) if id.is_plain() && !id.holds_text() => {
            format!("{} = {planned}::{}", id.value("u"), facts.cast)
        }
        _ => format!("{} = {planned}", case.key(&id.text("u"))),
    }
}

/// In the column's own type, since a cast of `real` to another one rounds; of an unknown type by its text.
fn same_tokens(amount: &Slot) -> String {
    let value = amount.value("u");
    match amount.type_name().filter(|_| amount.is_plain()) {
        Some(name @ ("real" | "double precision")) => format!("{value} = p.tokens::{name}"),
        Some(_) if amount.is_number() => format!("{value}::numeric = p.tokens"),
        _ => format!("{value}::text::numeric = p.tokens"),
    }
}

/// A wall clock and the planned instant are both brought to the wall clock's precision and read in the
/// configured zone: once a year an hour of the wall clock is two instants, and another is none.
fn same_instant(layout: &Layout) -> String {
    let slot = &layout.created_at;
    let zone = literal(layout.zone.name());
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
