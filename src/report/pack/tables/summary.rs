//! What a reader needs first: the result, the period in one column, and whether everything ties out.

use crate::audit::period::{HOLDER_COLUMNS, Movement};
use crate::balance::replay::KINDS;
use crate::domain::Side;
use crate::report::figures::grouped;
use crate::report::pack::model::Pack;
use crate::report::pack::table::{Cell, Column, Kind, Table};

use super::{balances, roll_forward};

/// What moves paid tokens, by position of the kind of movement in a replay.
const PAID_TITLES: [&str; KINDS] = [
    "Opening tokens",
    "Granted",
    "Deducted",
    "Used",
    "Used by operations that failed",
    "Expired unused (breakage)",
    "Taken by resets",
    "Beyond the rollover cap",
    "Clamped",
    "Written off",
    "Paid a debt",
];

/// The lines so far.
struct Lines<'a> {
    rows: Vec<Vec<Cell<'a>>>,
    section: &'static str,
}

impl<'a> Lines<'a> {
    fn fact(&mut self, item: impl Into<String>, value: Cell<'a>, note: impl Into<String>) {
        self.rows.push(vec![
            Cell::text(self.section),
            Cell::text(item.into()),
            value,
            Cell::Empty,
            Cell::Empty,
            Cell::text(note.into()),
        ]);
    }

    /// Two figures that must be one.
    fn tie(&mut self, item: impl Into<String>, value: Cell<'a>, other: Cell<'a>, note: &'static str) {
        let difference = value.value().unwrap_or(0) - other.value().unwrap_or(0);
        let is_exact = [&value, &other]
            .iter()
            .all(|cell| cell.value().is_some_and(|value| value.unsigned_abs() < 1_000_000_000_000_000));
        let difference = match is_exact {
            true => Cell::Difference { value: difference },
            false => Cell::Number(difference),
        };
        let (section, item) = (Cell::text(self.section), Cell::text(item.into()));
        self.rows.push(vec![section, item, value, other, difference, Cell::text(note)]);
    }
}

/// Sections of facts.
pub fn summary<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let mut lines = Lines { rows: Vec::new(), section: "Result" };
    result(pack, &mut lines);
    lines.section = "Roll-forward";
    roll(pack, &mut lines);
    lines.section = "Paid tokens";
    paid(pack, &mut lines);
    lines.section = "Ties out";
    ties(pack, &mut lines);
    lines.section = "Stored balances";
    stored(pack, &mut lines);
    lines.section = "Rows read";
    population(pack, &mut lines);
    let columns = vec![
        Column::new("section", Kind::Text),
        Column::new("item", Kind::LongText),
        Column::new("value", Kind::Number),
        Column::new("compared_with", Kind::Number),
        Column::new("difference", Kind::Number),
        Column::new("note", Kind::LongText),
    ];
    Table::of_rows("Summary", "summary.csv", columns, lines.rows)
}

fn result<'a>(pack: &'a Pack<'a>, lines: &mut Lines<'a>) {
    let model = &pack.model;
    let period = &pack.period.period;
    let verdict = if model.blocking == 0 { "clean" } else { "discrepancies" };
    lines.fact("Verdict", Cell::text(verdict), pack.sentence());
    lines.fact("First day", Cell::text(period.first().to_string()), "UTC, from 00:00:00");
    lines.fact("Last day", Cell::text(period.last().to_string()), "UTC, to the end of the day");
    lines.fact("As of", Cell::text(period.as_of().rfc3339()), "all balances and findings");
    lines.fact(
        "Findings",
        Cell::count(model.findings.len() as u64),
        "all that stand at the end of the period",
    );
    lines.fact(
        "of them in the period",
        Cell::count(pack.exceptions_in_period()),
        "column in_period of Exceptions",
    );
    lines.fact("of them errors that nobody accepted", Cell::count(model.blocking), "these make the verdict");
    match &pack.period.previous {
        Some(previous) => lines.fact(
            "Follows the sealed pack",
            Cell::text(previous.name.as_str()),
            "its closing balances are the opening ones here",
        ),
        None => lines.fact(
            "Follows the sealed pack",
            Cell::text("none"),
            "the opening balances are computed from the rows before the first day",
        ),
    }
    for warning in &model.warnings {
        lines.fact("Note", Cell::text("see note"), warning.clone());
    }
}

fn roll<'a>(pack: &'a Pack<'a>, lines: &mut Lines<'a>) {
    let roll = &pack.period.roll;
    let last = roll_forward::last_row(pack);
    let of_roll = |column, value| Cell::Other { file: roll_forward::FILE, row: last, column, value };
    lines.fact("Opening balance", of_roll("opening", roll.whole.opening), "all holders together");
    for movement in Movement::ALL {
        if movement == Movement::Grant {
            let titles = [(true, "Grants, paid for"), (false, "Grants, free")];
            for (paid, title) in titles {
                let tokens = roll.moved_paid(movement, paid);
                lines.fact(title, Cell::Number(tokens), "");
            }
            continue;
        }
        let tokens = roll.moved(movement);
        let note = match movement {
            Movement::Unattributed if tokens != 0 => "no movement gives this: see docs/audit.md",
            _ => "",
        };
        lines.fact(movement.title(), Cell::Number(tokens), note);
    }
    lines.fact("Closing balance", of_roll("closing", roll.whole.closing), "all holders together");
}

/// What was paid for and is not used up: the part of the balances that somebody may want back.
fn paid<'a>(pack: &'a Pack<'a>, lines: &mut Lines<'a>) {
    let roll = &pack.period.paid_roll;
    lines.fact("Opening", Cell::Number(roll.opening), "left of paid grants before the period");
    for (title, tokens) in PAID_TITLES.iter().zip(roll.moves) {
        if tokens != 0 {
            lines.fact(*title, Cell::Number(tokens), "");
        }
    }
    if roll.adjustment != 0 {
        lines.fact("Adjustments of sealed periods", Cell::Number(roll.adjustment), "");
    }
    let total: i128 = roll.opening + roll.moves.iter().sum::<i128>() + roll.adjustment;
    let left = Cell::Total { file: balances::FILE, column: "closing_paid", value: roll.closing };
    lines.tie("Closing", Cell::Number(total), left, "the lines above against the sum of Balances");
}

fn ties<'a>(pack: &'a Pack<'a>, lines: &mut Lines<'a>) {
    let roll = &pack.period.roll;
    let last = roll_forward::last_row(pack);
    let of_roll = |column, value| Cell::Other { file: roll_forward::FILE, row: last, column, value };
    let of_holders = |column, value| Cell::Total { file: balances::FILE, column, value };
    lines.tie(
        "Opening balance",
        of_roll("opening", roll.whole.opening),
        of_holders("opening", pack.opening_of_holders()),
        "Roll-forward against the sum of Balances",
    );
    for (at, (column, movement, paid)) in HOLDER_COLUMNS.iter().enumerate() {
        let by_lines = match paid {
            Some(paid) => roll.moved_paid(*movement, *paid),
            None => roll.moved(*movement),
        };
        let by_holders = pack.period.holders.iter().map(|holder| holder.moves[at]).sum();
        let note = "Roll-forward against the sum of Balances";
        lines.tie(*column, Cell::Number(by_lines), of_holders(column, by_holders), note);
    }
    lines.tie(
        "Closing balance",
        of_roll("closing", roll.whole.closing),
        of_holders("closing", pack.closing_of_holders()),
        "Roll-forward against the sum of Balances",
    );
    if let Some(previous) = &pack.period.previous {
        lines.tie(
            "Closing of the period before",
            Cell::Number(previous.closing),
            of_roll("opening", roll.whole.opening),
            "the sealed pack against the opening here",
        );
    }
    let granted: i128 = pack.period.granted.iter().map(|group| group.unified.total.tokens).sum();
    lines.tie(
        "Grants of the period",
        Cell::Number(roll.moved(Movement::Grant)),
        Cell::Total { file: "grants_by_action.csv", column: "unified_tokens", value: granted },
        "Roll-forward against Grants by action",
    );
    for side in [Side::Legacy, Side::Unified] {
        let totals = pack.model.side(side);
        let rows = [totals.rows_in, totals.rows_out].map(Cell::count);
        let [rows_in, rows_out] = rows;
        let note = "as the source counts them, against what became of each row";
        lines.tie(format!("Rows of the {} table", side.name()), rows_in, rows_out, note);
        let (tokens_in, tokens_out) = (Cell::Number(totals.tokens_in), Cell::Number(totals.tokens_out));
        lines.tie(format!("Raw tokens of the {} table", side.name()), tokens_in, tokens_out, note);
    }
}

fn stored<'a>(pack: &'a Pack<'a>, lines: &mut Lines<'a>) {
    let totals = &pack.model.balances;
    let Some(stored) = totals.stored else {
        return lines.fact(
            "Stored balances",
            Cell::text("not known"),
            "none are configured, or those of the database belong to another moment",
        );
    };
    lines.fact("Stored balances", Cell::Number(stored), "as the product shows them");
    let counts = [
        ("Balances with a gap", totals.users_with_gap),
        ("Balances with a stored value", totals.users_with_stored),
    ];
    for (item, count) in counts {
        lines.fact(item, count.map_or(Cell::Empty, Cell::count), "");
    }
    lines.fact("Gaps", Cell::number(totals.gap_tokens), "stored less recomputed, with their signs");
    lines.fact("Unexplained", Cell::number(totals.unexplained_tokens), "what no cause gives");
}

fn population<'a>(pack: &'a Pack<'a>, lines: &mut Lines<'a>) {
    let sides = [("legacy", pack.model.legacy_population), ("unified", pack.model.unified_population)];
    for (side, population) in sides {
        for class in crate::domain::PopulationClass::ALL {
            let total = population.get(class);
            if total.rows > 0 {
                let note = format!("{} tokens", grouped(total.tokens));
                lines.fact(format!("{side}: {}", class.name()), Cell::count(total.rows), note);
            }
        }
    }
}
