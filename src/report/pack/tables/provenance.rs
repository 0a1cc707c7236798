//! Where the figures come from, and how to make them again.

use crate::config::{Columns, Field, LegacyMeaning, Origin};
use crate::domain::Side;
use crate::report::pack::model::Pack;
use crate::report::pack::table::{Cell, Column, Kind, Table};

/// How an auditor makes the figures again with nothing but a shell.
const STEPS: [&str; 7] = [
    "manifest.json holds the SHA-256 of every file: compare with sha256sum",
    "roll_forward.csv: in every row opening + tokens = closing; the lines of a month add up to its total; the closing of a month is the opening of the next",
    "balances.csv: the columns opening and closing add up to the totals of roll_forward.csv",
    "rows.csv and usage.csv hold what moved; their sums by month and action type are the lines grant, deduction and usage",
    "sample.csv can be drawn again from rows.csv with the seed",
    "the whole pack can be made again with the same inputs, configuration, period and seed: the same bytes, but for the part `run` of manifest.json",
    "docs/audit.md of the program has each of these as commands with sha256sum and awk",
];

/// Section, item, value.
pub fn provenance<'a>(pack: &'a Pack<'a>) -> Table<'a> {
    let mut rows: Vec<Vec<Cell<'a>>> = Vec::new();
    let mut fact = |section: &'static str, item: String, value: String| {
        rows.push(vec![Cell::text(section), Cell::text(item), Cell::text(value)]);
    };
    parameters(pack, &mut fact);
    sources(pack, &mut fact);
    columns("legacy columns", &pack.config.legacy.columns, &mut fact);
    columns("unified columns", &pack.config.unified.columns, &mut fact);
    labels(pack, &mut fact);
    totals(pack, &mut fact);
    sampling(pack, &mut fact);
    for (at, step) in STEPS.iter().enumerate() {
        fact("how to perform it again", format!("{}", at + 1), (*step).to_owned());
    }
    fact(
        "about the workbook",
        "numbers of more than 15 digits".to_owned(),
        "are text, since a spreadsheet would round them; a sum that holds one is a value, not a formula"
            .to_owned(),
    );
    fact(
        "about the workbook",
        "times".to_owned(),
        "are UTC and shown to the millisecond; the CSV files have the microseconds".to_owned(),
    );
    fact(
        "about the workbook",
        "long tables".to_owned(),
        "go on in a sheet with (2) behind its name; the CSV file has every row in one".to_owned(),
    );
    let columns = vec![
        Column::new("section", Kind::Text),
        Column::new("item", Kind::LongText),
        Column::new("value", Kind::LongText),
    ];
    Table::of_rows("Provenance", "provenance.csv", columns, rows)
}

type Fact<'f> = dyn FnMut(&'static str, String, String) + 'f;

fn parameters(pack: &Pack<'_>, fact: &mut Fact<'_>) {
    let model = &pack.model;
    let period = &pack.period.period;
    let sample = &pack.period.sample;
    let micros = |span: crate::domain::Span| format!("{} s", span.seconds());
    let mut put = |item: &str, value: String| fact("parameters", item.to_owned(), value);
    put("program", format!("reckon {}", model.version));
    put("from", period.first().to_string());
    put("to", period.last().to_string());
    put("period", format!("from {} to before {}", period.start().rfc3339(), period.end().rfc3339()));
    put("as of", period.as_of().rfc3339());
    put("days and months", "UTC".to_owned());
    put("zone of times without one", model.timezone());
    put("configuration SHA-256", model.config_digest.to_owned());
    put("tolerance", micros(model.tolerance));
    put("window", micros(model.window));
    put("settle", micros(model.settle));
    put("seed", sample.seed.to_string());
    put("sample", sample.size.to_string());
    match &pack.period.previous {
        Some(previous) => {
            put("sealed pack before", previous.name.clone());
            put("SHA-256 of its manifest", previous.manifest_digest.clone());
        }
        None => put("sealed pack before", "none".to_owned()),
    }
}

fn sources(pack: &Pack<'_>, fact: &mut Fact<'_>) {
    for input in &pack.model.inputs {
        let provenance = input.provenance;
        let mut put = |item: String, value: String| fact("source", format!("{} {item}", input.role), value);
        put("kind".to_owned(), provenance.kind.to_owned());
        put("name".to_owned(), provenance.name.clone());
        put("rows, as the source counts them".to_owned(), provenance.control.rows.to_string());
        put("control total, raw tokens".to_owned(), provenance.control.tokens.to_string());
        for file in &provenance.files {
            put(format!("file {}", file.path), format!("sha256 {}, {} bytes", file.sha256, file.bytes));
        }
    }
    if let Some(snapshot) = pack.model.snapshot {
        fact("source", "snapshot".to_owned(), snapshot.name.clone());
        fact("source", "snapshot taken at".to_owned(), snapshot.at.rfc3339());
        if let Some(lsn) = &snapshot.lsn {
            fact("source", "log position".to_owned(), lsn.clone());
        }
    }
    for (side, columns) in
        [("legacy", &pack.config.legacy.columns), ("unified", &pack.config.unified.columns)]
    {
        fact("query", side.to_owned(), query(columns));
    }
}

/// What is read of a table, as one would ask for it.
fn query(columns: &Columns) -> String {
    let from = match &columns.origin {
        Origin::Table(table) => table.sql(),
        Origin::Files { pattern, .. } => format!("file {pattern}"),
    };
    let mut fields: Vec<&str> = Vec::new();
    for (_, field) in read(columns) {
        if !fields.contains(&field.written.as_str()) {
            fields.push(&field.written);
        }
    }
    format!("select {} from {from}: every row, in one snapshot", fields.join(", "))
}

/// The columns that are read, with what they are read as.
fn read(columns: &Columns) -> Vec<(&'static str, &Field)> {
    let mut read = vec![("id", &columns.id), ("user", &columns.user)];
    read.extend(columns.action.iter().map(|field| ("action", field)));
    read.extend([("amount", &columns.amount), ("created_at", &columns.created_at)]);
    read.extend(columns.reference.iter().map(|field| ("reference", field)));
    read.extend(columns.payment.iter().map(|field| ("payment", field)));
    let optional = [
        ("expires_at", &columns.expires_at),
        ("balance_after", &columns.balance_after),
        ("success", &columns.success),
        ("link", &columns.link),
        ("migrated", &columns.migrated),
    ];
    read.extend(optional.into_iter().filter_map(|(name, field)| field.as_ref().map(|field| (name, field))));
    read
}

fn columns(section: &'static str, columns: &Columns, fact: &mut Fact<'_>) {
    for (name, field) in read(columns) {
        fact(section, name.to_owned(), field.written.clone());
    }
}

fn labels(pack: &Pack<'_>, fact: &mut Fact<'_>) {
    for (label, meaning) in &pack.config.legacy.actions {
        let meaning = match meaning {
            LegacyMeaning::Action(action) => action.clone(),
            LegacyMeaning::Usage => "usage".to_owned(),
            LegacyMeaning::Ignore => "ignored".to_owned(),
        };
        fact("legacy labels", label.clone(), meaning);
    }
    let unified = &pack.config.unified;
    unified.grants.iter().for_each(|label| fact("unified labels", label.clone(), "grant".to_owned()));
    unified.deductions.iter().for_each(|label| fact("unified labels", label.clone(), "deduction".to_owned()));
    match &unified.usage {
        Some(usage) => {
            usage.iter().for_each(|label| fact("unified labels", label.clone(), "usage".to_owned()))
        }
        None => {
            fact("unified labels", "every other".to_owned(), "usage, unless it looks like a grant".to_owned())
        }
    }
}

fn totals(pack: &Pack<'_>, fact: &mut Fact<'_>) {
    for side in [Side::Legacy, Side::Unified] {
        let totals = pack.model.side(side);
        let mut put = |item: &str, value: String| {
            fact("control totals", format!("{} {item}", side.name()), value);
        };
        put("rows in", totals.rows_in.to_string());
        put("rows out", totals.rows_out.to_string());
        put("raw tokens in", totals.tokens_in.to_string());
        put("raw tokens out", totals.tokens_out.to_string());
    }
}

fn sampling(pack: &Pack<'_>, fact: &mut Fact<'_>) {
    let mut put = |item: String, value: String| fact("sample", item, value);
    put(
        "monetary_unit".to_owned(),
        "systematic selection with probability proportional to size and a random start (AICPA Audit Guide \
         \"Audit Sampling\"): the rows of the period in order of time and id, every interval-th token is hit"
            .to_owned(),
    );
    put(
        "random".to_owned(),
        "simple random sample without replacement: the rows with the least SHA-256 of `seed:table:row_id`"
            .to_owned(),
    );
    for frame in &pack.period.sample.frames {
        let side = frame.side.name();
        put(format!("{side} rows drawn from"), frame.rows.len().to_string());
        put(format!("{side} tokens drawn from"), frame.tokens.to_string());
        put(format!("{side} interval"), frame.interval.to_string());
        put(format!("{side} random start"), frame.start.to_string());
    }
}
