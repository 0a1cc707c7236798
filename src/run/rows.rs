//! What the rows of both sides must have, or should have: without it, nothing would be found in silence.

use anyhow::bail;

use super::Reads;
use crate::config::{Columns, Config, Field};
use crate::domain::{Books, Marks, PopulationClass, Side};
use crate::repair::Targets;
use crate::source::{self, SourceError};

/// Says no where both sides name one file, or where files of one name stand for one table: SQL would insert
/// into the legacy one.
///
/// # Errors
/// [`SourceError::Malformed`] with the name of the file.
pub(super) fn two_sources(config: &Config) -> Result<(), SourceError> {
    let (legacy, unified) = (&config.legacy.columns.origin, &config.unified.columns.origin);
    source::files::apart(legacy, unified)?;
    if !legacy.target().is_same(unified.target()) {
        return Ok(());
    }
    let message = format!(
        "is of the same name as {}, so that SQL would be written for one table, {}, on both sides: write \
         `table = \"schema.name\"` beside `path` in [legacy] and [unified]",
        legacy.name(),
        unified.target()
    );
    Err(SourceError::Malformed { place: unified.name(), message })
}

/// Says no where both names lead to one table of the database.
///
/// # Errors
/// [`SourceError::Malformed`] with the table's name.
pub(super) fn two_tables(targets: &Targets) -> Result<(), SourceError> {
    match (&targets.legacy, &targets.unified) {
        (Some(legacy), Some(unified)) if legacy.name == unified.name => Err(SourceError::Malformed {
            place: format!("table {}", unified.name),
            message: "both [legacy] and [unified] name it, and what is compared with itself never differs: \
                      name the unified table"
                .to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Says no where the legacy side has rows, and none of them could be compared with anything, nor stands in a
/// finding or a warning: a run that looked at nothing is not clean.
///
/// # Errors
/// Names the table, its labels and the setting.
pub(super) fn must_compare(reads: &Reads) -> anyhow::Result<()> {
    use PopulationClass::{Ignored, Usage};
    let ledger = &reads.books.legacy;
    let rows = |class| ledger.population.get(class).rows;
    if ledger.control.rows == 0 || rows(Usage) + rows(Ignored) < ledger.control.rows {
        return Ok(());
    }
    const SHOWN: usize = 8;
    let mut labels: Vec<String> =
        ledger.labels.iter().take(SHOWN).map(|label| format!("{label:?}")).collect();
    if ledger.labels.len() > SHOWN {
        labels.push(format!("{} more", ledger.labels.len() - SHOWN));
    }
    bail!(
        "no row of {} is a grant or a deduction ({} rows of use, {} left out), so nothing was compared: say in \
         [legacy.actions] which of its labels are ({})",
        reads.legacy.name,
        rows(Usage),
        rows(Ignored),
        labels.join(", ")
    )
}

/// Says that no legacy row was compared with anything though there are some, where all are late, worth nothing,
/// use or left out: a result without findings says nothing of them. Those of use and left out alone are
/// [no run](must_compare).
pub(super) fn nothing_counts(books: &Books) -> Option<String> {
    use PopulationClass::{AfterAsOf, Ignored, Usage, Zero};
    let ledger = &books.legacy;
    let rows = |class| ledger.population.get(class).rows;
    let (late, zero, aside) = (rows(AfterAsOf), rows(Zero), rows(Usage) + rows(Ignored));
    if late + zero == 0 || late + zero + aside < ledger.control.rows {
        return None;
    }
    let as_of = books.as_of.rfc3339();
    let each = [
        (late, format!("{late} lie after as-of {as_of}")),
        (zero, format!("{zero} are of 0 tokens")),
        (aside, format!("{aside} are use or left out")),
    ];
    let each: Vec<String> =
        each.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect();
    Some(format!(
        "no legacy row was compared with anything, so that nothing is found says nothing: of {} rows {}; make \
         sure that as-of and the column of amounts are right",
        ledger.control.rows,
        each.join(", ")
    ))
}

/// What of a side is configured and in no row of it.
struct Unset<'a> {
    /// In words, with an article.
    what: &'static str,
    fields: Vec<&'a Field>,
    /// Some row has it.
    is_set: bool,
    /// The other side has it configured, and none of its rows has it: then nothing of the kind has happened.
    is_excused: bool,
    /// Said of a column as well: one that is empty in every row may be right for others.
    of_columns: bool,
    /// Asked of every row, use too, and not only of grants and deductions.
    of_every_row: bool,
}

/// Fields that are configured and hold nothing in any row, so that rows are judged without them.
pub(super) fn never_set(config: &Config, books: &Books, side: Side) -> Vec<String> {
    let (columns, other) = match side {
        Side::Legacy => (&config.legacy.columns, &config.unified.columns),
        Side::Unified => (&config.unified.columns, &config.legacy.columns),
    };
    let (ledger, others) = match side {
        Side::Legacy => (&books.legacy, &books.unified.any),
        Side::Unified => (&books.unified, &books.legacy.any),
    };
    let rows = |class| ledger.population.get(class).rows;
    if rows(PopulationClass::Grants) + rows(PopulationClass::Deductions) == 0 {
        return Vec::new();
    }
    let is_told = |unset: &Unset<'_>| {
        let is_place = unset.fields.iter().all(|field| !field.path.is_empty());
        let is_asked = !unset.fields.is_empty() && (unset.of_columns || is_place);
        is_asked && !unset.is_set && !unset.is_excused
    };
    let told = unset(columns, &ledger.any, other, others).into_iter().filter(is_told);
    told.map(|unset| {
        let written: Vec<&str> = unset.fields.iter().map(|field| field.written.as_str()).collect();
        format!(
            "no {} {} has {} ({}): make sure that the name is right, and that a column of JSON holds objects, \
             not texts with JSON in them",
            side.name(),
            if unset.of_every_row { "row" } else { "grant or deduction" },
            unset.what,
            written.join(" or ")
        )
    })
    .collect()
}

/// Everything that a row need not have, of the side with these columns and marks.
fn unset<'a>(columns: &'a Columns, any: &Marks, other: &'a Columns, others: &Marks) -> [Unset<'a>; 7] {
    let one = |field: &'a Option<Field>| field.iter().collect::<Vec<_>>();
    let plain = |what, fields, is_set| Unset {
        what,
        fields,
        is_set,
        is_excused: false,
        of_columns: false,
        of_every_row: false,
    };
    let asked = |what, fields, is_set| Unset { of_columns: true, ..plain(what, fields, is_set) };
    // Where payments are known by their references, one sentence about those is enough.
    let own_payment = if columns.payment == columns.reference { &[][..] } else { &columns.payment[..] };
    [
        asked("a link", one(&columns.link), any.link),
        asked("a mark of its migration", one(&columns.migrated), any.migrated),
        // A ledger in which nothing was paid for has none on either side.
        Unset {
            is_excused: !other.reference.is_empty() && !others.reference,
            ..asked("a reference", columns.reference.iter().collect(), any.reference)
        },
        Unset {
            is_excused: !other.payment.is_empty() && !others.payment,
            ..plain("a payment", own_payment.iter().collect(), any.payment)
        },
        Unset {
            is_excused: other.expires_at.is_some() && !others.end,
            ..plain("an end", one(&columns.expires_at), any.end)
        },
        Unset { of_every_row: true, ..plain("a balance", one(&columns.balance_after), any.balance) },
        Unset { of_every_row: true, ..plain("a flag of success", one(&columns.success), any.success) },
    ]
}

/// Columns of ids in which every whole number is written as `7.0`.
pub(super) fn pointed(config: &Config, books: &Books, side: Side) -> Vec<String> {
    let (columns, any) = match side {
        Side::Legacy => (&config.legacy.columns, &books.legacy.any),
        Side::Unified => (&config.unified.columns, &books.unified.any),
    };
    let of = |field: &Field| field.written.clone();
    let asked = [
        ("id", Some(of(&columns.id)), any.ids),
        ("user", Some(of(&columns.user)), any.users),
        ("link", columns.link.as_ref().map(of), any.links),
    ];
    let told = asked.into_iter().filter(|(_, _, written)| written.is_all_pointed());
    told.map(|(what, column, _)| {
        let column = column.unwrap_or_default();
        format!(
            "every {what} of the {} side is written like 7.0 ({column} in {}), which is another id than 7: \
             pandas writes whole numbers so where a field of their column is empty; write the column as Int64 \
             (frame[\"{column}\"].astype(\"Int64\")) or as text",
            side.name(),
            columns.origin.name()
        )
    })
    .collect()
}

/// Columns of ids, users, labels and links whose texts are all filled up with blanks: read beside one that is
/// not, every row of theirs looks like another.
pub(super) fn padded(config: &Config, books: &Books, side: Side) -> Vec<String> {
    let (ledger, columns) = match side {
        Side::Legacy => (&books.legacy, &config.legacy.columns),
        Side::Unified => (&books.unified, &config.unified.columns),
    };
    let widths = &ledger.any.widths;
    let keys = [(Some(&columns.id), widths.id), (Some(&columns.user), widths.user)];
    let others = [(columns.action.first(), widths.label), (columns.link.as_ref(), widths.link)];
    let each = keys.into_iter().chain(others);
    let padded = each.filter_map(|(field, width)| Some((&field?.written, width.padded()?)));
    let told = padded.map(|(field, width)| {
        format!(
            "every {field} of the {} side is filled up with blanks to {width} characters, as COPY writes a column of \
             type character(n), and is not what is written without them: export the column as text",
            side.name()
        )
    });
    told.collect()
}
