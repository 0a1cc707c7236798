//! The files: headers, parts, the frame of each transaction, and `undo.sql`.

use super::columns::Layout;
use super::parts::{self, Cut, Lines, Part, Piece};
use super::plan::{Change, Operation, Plan, Refusal, Review};
use super::quote::{comment, do_block, dollar_quoted, fill, grouped, literal, rows};
use super::verify::{self, Expectations};
use super::{acting, backfill, changes, spelling};
use crate::config::quote_identifier;
use crate::cores::at_once;

const HEAD: &str = include_str!("sql/head.sql");
const OPENING: &str = include_str!("sql/opening.sql");
const SERIAL: &str = include_str!("sql/serial.sql");
const CLOSING: &str = include_str!("sql/closing.sql");
const JOURNAL: &str = include_str!("sql/journal.sql");
const REFUSED: &str = include_str!("sql/refused.sql");
const CASCADE: &str = include_str!("sql/cascade.sql");
const UNDO: &str = include_str!("sql/undo.sql");
const UNDO_ROWS: &str = include_str!("sql/undo_rows.sql");

/// A row `u` as the text that is read back as that row.
pub(super) const ROW_TEXT: &str = "pg_temp.reckon_row_text(u.*)";

/// How its function makes it. No cast: somebody may have made one of their own.
const ROW_TEXT_BODY: &str = "begin return textin(record_out(written)); end";

/// A file to write; its text is [`Scripts::text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFile {
    /// Its name: `backfill.sql`, `backfill-01.sql`.
    pub name: String,
    /// Rows that it changes, or expects.
    pub rows: u64,
    /// What it adds to balances, in tokens; 0 for `verify.sql`.
    pub tokens: i128,
}

/// A plan as SQL: `backfill`, `repair`, `dedupe`, `undo`, `verify`, in this order, each one file or, above
/// 1 MB, numbered parts. The same plan makes the same bytes. Texts are made one by one, when they are asked
/// for, so that a million rows are never in memory as SQL.
pub struct Scripts<'p, 'a> {
    plan: &'p Plan<'a>,
    changes: [(Changes<'p, 'a>, Vec<Cut>); 3],
    expectations: (Expectations<'p, 'a>, Vec<Cut>),
    /// The files, in order.
    pub files: Vec<SqlFile>,
}

impl<'p, 'a> Scripts<'p, 'a> {
    /// Cuts a plan into files.
    pub fn of(plan: &'p Plan<'a>) -> Scripts<'p, 'a> {
        let lines = [Operation::Insert, Operation::Update, Operation::Delete].map(|it| Changes::of(plan, it));
        let expectations = Expectations::of(plan);
        let with_cuts = |lines: Changes<'p, 'a>| {
            let cuts = parts::cut(&lines);
            (lines, cuts)
        };
        let (cuts, changes) = at_once(|| parts::cut(&expectations), || lines.map(with_cuts));
        let mut files = Vec::new();
        for (lines, cuts) in &changes {
            files.extend(cuts.iter().enumerate().map(|(at, cut)| SqlFile {
                name: name(lines.operation.file(), at, cuts.len()),
                rows: cut.pieces.len() as u64,
                tokens: cut.tokens,
            }));
        }
        files.push(undo_file(plan));
        files.extend(cuts.iter().enumerate().map(|(at, cut)| SqlFile {
            name: name("verify", at, cuts.len()),
            rows: cut.pieces.len() as u64,
            tokens: 0,
        }));
        Scripts { plan, changes, expectations: (expectations, cuts), files }
    }

    /// The text of the file of a position in [`Scripts::files`].
    pub fn text(&self, mut at: usize) -> String {
        for (lines, cuts) in &self.changes {
            match cuts.get(at) {
                Some(cut) => return lines.text(cut, at, cuts.len()),
                None => at -= cuts.len(),
            }
        }
        let (expectations, cuts) = &self.expectations;
        match at.checked_sub(1) {
            None => undo_text(self.plan),
            Some(at) => verify_text(self.plan, expectations, &cuts[at], at, cuts.len()),
        }
    }
}

/// What one file says: changes of one operation, and the reviews beside them.
struct Changes<'p, 'a> {
    plan: &'p Plan<'a>,
    operation: Operation,
    /// None where the file refuses.
    changes: &'p [Change<'a>],
    reviews: Vec<&'p Review<'a>>,
}

impl<'p, 'a> Changes<'p, 'a> {
    fn of(plan: &'p Plan<'a>, operation: Operation) -> Changes<'p, 'a> {
        let changes = if plan.refusal(operation).is_some() { &[] } else { plan.of(operation) };
        let reviews = plan.reviews.iter().filter(|review| review.file == operation).collect();
        Changes { plan, operation, changes, reviews }
    }

    fn text(&self, cut: &Cut, at: usize, count: usize) -> String {
        let (plan, part) = (self.plan, &Part::of(self, cut));
        let mut text = header(plan, self.operation, part, at, count);
        text.push_str(&match plan.refusal(self.operation) {
            Some(refusal) if at == 0 => refuse(plan, refusal),
            _ if part.len() == 0 => "begin;\ncommit;\n".to_owned(),
            _ => match self.operation {
                Operation::Insert => backfill::statements(plan, self, part),
                Operation::Update => changes::update_statements(plan, part),
                Operation::Delete => changes::delete_statements(plan, part),
            },
        });
        if part.comment_count > 0 {
            text.push_str("\n-- To be looked at: nothing below is executed.\n");
            text.push_str(&part.comments);
        }
        text
    }
}

impl Lines for Changes<'_, '_> {
    fn pieces(&self) -> usize {
        self.changes.len()
    }

    fn piece(&self, at: usize, piece: &mut Piece) {
        let change = &self.changes[at];
        piece.tokens = change.effect_tokens;
        match self.operation {
            Operation::Insert => backfill::piece(self.plan, at, change, piece),
            Operation::Update => changes::update_piece(self.plan, change, piece),
            Operation::Delete => changes::delete_piece(self.plan, change, piece),
        }
    }

    fn shared(&self, number: usize, line: &mut String) {
        backfill::shared(self.plan, number, line);
    }

    fn comments(&self) -> usize {
        self.reviews.len()
    }

    fn comment(&self, at: usize, line: &mut String) {
        line.push_str(&review_line(self.reviews[at]));
    }
}

/// `backfill.sql`, or `backfill-01.sql` where there are several parts.
fn name(file: &str, at: usize, count: usize) -> String {
    let width = count.to_string().len().max(2);
    if count == 1 { format!("{file}.sql") } else { format!("{file}-{:0width$}.sql", at + 1) }
}

fn header(plan: &Plan<'_>, operation: Operation, part: &Part, at: usize, count: usize) -> String {
    let table = plan.unified_table.sql();
    let does = match operation {
        Operation::Insert => "inserts the legacy rows that have no copy into",
        Operation::Update => "sets amounts, actions and times right in",
        Operation::Delete => "removes rows that are counted twice from",
    };
    let mut lines = title(plan, operation.file(), &format!("{does} {table}"), at, count);
    lines.push(format!("{}; {} tokens.", rows(part.len()), grouped(part.tokens)));
    lines.extend(needs(plan, operation));
    if let Some(refusal) = plan.refusal(operation) {
        let planned = plan.of(operation).len() as u64;
        lines.push(format!("REFUSES to insert, change or remove the {} planned.", rows(planned)));
        lines.extend(plan.refusals.iter().filter(|other| other.file == refusal.file).flat_map(|refusal| {
            [format!("Why: {}.", refusal.reason), format!("Way out: {}.", refusal.remedy)]
        }));
    }
    let warnings = plan.warnings.iter().chain(&plan.notes).filter(|warning| warning.file == operation);
    lines.extend(warnings.map(|warning| format!("WARNING: {}.", warning.text)));
    if part.comment_count > 0 {
        let count = grouped(i128::from(part.comment_count));
        lines.push(format!("Findings that a person has to look at, as comments at the end: {count}."));
    }
    comments(&lines)
}

fn title(plan: &Plan<'_>, file: &str, does: &str, at: usize, count: usize) -> Vec<String> {
    let part = if count > 1 { format!(", part {} of {count}", at + 1) } else { String::new() };
    let mut lines = vec![format!("reckon, {file}{part}: {does}.")];
    let of = if plan.source.is_empty() { String::new() } else { format!(" of {}", plan.source) };
    lines.push(format!("Plan {}, made from the run{of} as of {}.", plan.id, plan.as_of.rfc3339()));
    lines
}

fn needs(plan: &Plan<'_>, operation: Operation) -> Vec<String> {
    let table = plan.unified_table.sql();
    let right = match operation {
        Operation::Insert => "select, insert and update (for its lock)",
        Operation::Update => "select and update",
        Operation::Delete => "select, update (for its locks) and delete",
    };
    let mut lines = vec![format!(
        "Needs: PostgreSQL 13 or later; {right} on {table}{}; the right to create temporary tables \
         and, the first time, the schema reckon_journal, which later files use as the role that made it; a role \
         that row-level security lets see every row.",
        sequences(plan, operation)
    )];
    lines.push(
        "One transaction: when anything has changed since the run, it stops with an error and changes nothing. \
         A second run changes nothing. undo.sql takes it back."
            .to_owned(),
    );
    if operation != Operation::Delete && !plan.legacy.from_table {
        lines.push(format!(
            "The legacy rows came from files: they are compared with {} where that table exists.",
            plan.legacy_table.sql()
        ));
    }
    if operation == Operation::Insert && spelling::may_stop(plan) {
        lines.push(format!(
            "Users are UUIDs. Where {table} holds them as text and the legacy table is not there, one user \
             of whom there is no row, or rows in both cases of letters, stops the whole file."
        ));
    }
    lines
}

/// The right on sequences from which new rows take values.
fn sequences(plan: &Plan<'_>, operation: Operation) -> String {
    let given = |name: &str| plan.new_columns.iter().any(|column| column.name == name);
    let names: Vec<String> = match &plan.unified.facts {
        _ if operation != Operation::Insert => return String::new(),
        Some(table) => table
            .columns
            .iter()
            .filter(|column| column.default.as_deref().is_some_and(|default| default.contains("nextval(")))
            .filter(|column| !given(&column.name))
            .map(|column| quote_identifier(&column.name))
            .collect(),
        None if !plan.common.has_new_ids => {
            return ", usage on the sequence of its ids, if it has one".to_owned();
        }
        None => Vec::new(),
    };
    match names.as_slice() {
        [] => String::new(),
        names => format!(", usage on the sequence of {}", names.join(", ")),
    }
}

fn comments(lines: &[String]) -> String {
    lines.iter().map(|line| comment(line) + "\n").collect()
}

fn review_line(review: &Review<'_>) -> String {
    let ids =
        |ids: &[crate::domain::RowId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(";");
    let mut line = format!("{} {}", review.finding.0, review.class.name());
    if let Some(user) = review.user {
        line.push_str(&format!(" user={user}"));
    }
    for (side, ids) in [("legacy", ids(review.legacy_ids)), ("unified", ids(review.unified_ids))] {
        if !ids.is_empty() {
            line.push_str(&format!(" {side}={ids}"));
        }
    }
    if !review.reason.is_empty() {
        line.push_str(": ");
        line.push_str(&review.reason);
    }
    comment(&line)
}

fn refuse(plan: &Plan<'_>, refusal: &Refusal) -> String {
    let message = format!("reckon: {}.sql refuses: {}", refusal.file.file(), refusal.reason);
    let body = fill(REFUSED, &[("message", &literal(&message)), ("hint", &literal(&refusal.remedy))]);
    format!("{}\n{}\n\ncommit;\n", head(&plan.unified), do_block(&body))
}

/// `begin` and the settings of a transaction.
pub(super) fn head(unified: &Layout) -> String {
    fill(HEAD, &[("zone", &literal(unified.zone.name()))])
}

/// [`head`] of a file that writes: it runs alone, and knows [`ROW_TEXT`].
pub(super) fn opening(unified: &Layout) -> String {
    let places = [("serial", do_block(SERIAL)), ("body", dollar_quoted("reckon", ROW_TEXT_BODY))];
    head(unified) + &fill(OPENING, &places.each_ref().map(|(name, value)| (*name, value.as_str())))
}

/// The end of such a file: nothing of it stays in the session.
pub(super) fn closing() -> &'static str {
    CLOSING
}

/// Creates the journal where it is missing.
pub(super) fn journal() -> String {
    format!(
        "-- The journal: what was before, and what was inserted, so that undo.sql can take it back.\n{}",
        do_block(JOURNAL)
    )
}

/// The check that no foreign key acts on rows that leave; `leaving` joins them to `u`.
pub(super) fn cascade(leaving: &str) -> String {
    fill(CASCADE, &[("leaving", &literal(leaving))])
}

/// The changes that `undo.sql` takes back.
fn done<'p, 'a>(plan: &'p Plan<'a>) -> impl Iterator<Item = &'p Change<'a>> {
    plan.changes.iter().filter(|change| plan.refusal(change.operation).is_none())
}

fn undo_file(plan: &Plan<'_>) -> SqlFile {
    let tokens = -done(plan).map(|change| change.effect_tokens).sum::<i128>();
    SqlFile { name: "undo.sql".to_owned(), rows: done(plan).count() as u64, tokens }
}

fn undo_text(plan: &Plan<'_>) -> String {
    let table = plan.unified_table.sql();
    let SqlFile { rows: done, tokens, .. } = undo_file(plan);
    let does = format!("takes back what backfill, repair and dedupe of this plan did to {table}");
    let mut lines = title(plan, "undo", &does, 0, 1);
    lines.extend([
        format!("At most {}; {} tokens when all was done.", rows(done), grouped(tokens)),
        "Needs: the journal reckon_journal.entries, and the role that wrote it or one that row-level security \
         lets see it."
            .to_owned(),
        "One transaction: when a row was edited since, it stops with an error and undoes nothing. A second run \
         does nothing."
            .to_owned(),
    ]);
    let mut text = comments(&lines);
    let can_be_keyed = plan.unified.id.is_plain();
    if done == 0 || !can_be_keyed {
        text.push_str("begin;\ncommit;\n");
    } else {
        let id = plan.unified.id.value("u");
        let leaving = format!(
            "pg_temp.reckon_undo as p on p.row_key = {id} and p.first_operation = 'insert' \
             and p.last_operation <> 'delete'"
        );
        let body = fill(
            UNDO_ROWS,
            &[
                ("unified", table.as_str()),
                ("unified_literal", &literal(&table)),
                ("key_name", &literal(&plan.unified.id.column)),
                ("plan", &literal(&plan.id)),
                ("id", &id),
                ("id_literal", &literal(&id)),
                ("row_text", ROW_TEXT),
                ("row_text_literal", &literal(ROW_TEXT)),
                ("cascade", &cascade(&leaving)),
                ("no_triggers", &acting::no_triggers_of_undo(plan)),
                ("read", &acting::columns_read(&plan.unified)),
            ],
        );
        text.push_str(&opening(&plan.unified));
        let (acting, undo) = (acting::check_of_undo(plan), do_block(&body));
        let places = [("unified", &*table), ("acting", &acting), ("undo", &undo), ("closing", CLOSING)];
        text.push_str(&fill(UNDO, &places));
    }
    text
}

fn verify_text(
    plan: &Plan<'_>,
    expectations: &Expectations<'_, '_>,
    cut: &Cut,
    at: usize,
    count: usize,
) -> String {
    let part = &Part::of(expectations, cut);
    let does = format!("tells whether {} is as planned: one row an expectation", plan.unified_table.sql());
    let mut lines = title(plan, "verify", &does, at, count);
    lines.push(format!("Looks at {}. Reads only.", rows(part.len())));
    lines.push(format!("Needs: select on {}.", plan.unified_table.sql()));
    lines.push(
        "It sets nothing. Where the client does not speak UTF-8, run set client_encoding = 'UTF8' first."
            .to_owned(),
    );
    for refusal in &plan.refusals {
        lines.push(format!("Left out: {}.sql, which refuses.", refusal.file.file()));
    }
    let mut text = comments(&lines);
    text.push_str(&verify::statement(expectations, part));
    text
}
