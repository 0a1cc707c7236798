//! What the template shows: the model as text that is ready to read.

use crate::audit::RunVerdict;
use crate::domain::{PopulationClass, Severity, Side, Total};

use super::super::figures::{counted, grouped, length, signed, size};
use super::super::model::{Model, OutcomeName};
use super::super::place::WrittenFile;
use super::words;

/// Tokens for reading, with a real minus sign.
pub fn tokens(value: i128) -> String {
    grouped(value).replace('-', "\u{2212}")
}

/// A change in tokens for reading.
pub fn change(value: i128) -> String {
    signed(value).replace('-', "\u{2212}")
}

/// A count for reading.
pub fn number(value: u64) -> String {
    grouped(value.into())
}

/// Of a thousand, for the width of a bar; something is never nothing.
pub fn per_mille(part: u128, whole: u128) -> u32 {
    match (part, whole) {
        (0, _) | (_, 0) => 0,
        (part, whole) => {
            let scaled =
                part.checked_mul(1000).map_or_else(|| part / (whole / 1000).max(1), |part| part / whole);
            u32::try_from(scaled).unwrap_or(1000).clamp(4, 1000)
        }
    }
}

/// A number with its caption at the head of the page.
pub struct Figure {
    pub caption: &'static str,
    pub value: String,
    pub note: String,
    pub tone: &'static str,
}

impl Figure {
    /// How long the value is, as classes.
    pub fn size(&self) -> &'static str {
        size(&self.value)
    }
}

/// One side's account: in, what became of it, out.
pub struct Account {
    pub title: &'static str,
    pub source: String,
    pub rows_in: String,
    pub tokens_in: String,
    pub rows_out: String,
    pub tokens_out: String,
    pub rows_off: String,
    pub tokens_off: String,
    pub holds: bool,
    pub lines: Vec<AccountLine>,
    pub parts: Vec<Part>,
}

/// A line of an account.
pub struct AccountLine {
    pub name: &'static str,
    pub title: &'static str,
    pub tone: &'static str,
    pub rows: String,
    pub tokens: String,
}

/// A part of a stacked bar, in thousandths.
pub struct Part {
    pub x: u32,
    pub width: u32,
    pub tone: &'static str,
    pub title: String,
}

/// A line of a table with a bar.
pub struct Line {
    pub name: String,
    pub title: String,
    pub rows: String,
    pub tokens: String,
    pub bar: u32,
}

/// A class of findings.
pub struct ClassLine {
    pub name: &'static str,
    pub title: &'static str,
    pub meaning: &'static str,
    pub severity: &'static str,
    pub count: String,
    pub effect: String,
    pub repairs: Vec<String>,
    pub waived: String,
    pub bar: u32,
}

/// A population class of both sides.
pub struct PopulationLine {
    pub title: &'static str,
    pub legacy: [String; 2],
    pub unified: [String; 2],
}

/// An SQL file.
pub struct SqlLine {
    pub name: String,
    pub meaning: &'static str,
    pub rows: String,
    pub tokens: String,
}

/// An input.
pub struct InputLine {
    pub role: &'static str,
    pub kind: &'static str,
    pub name: String,
    pub rows: String,
    pub tokens: String,
    pub files: Vec<String>,
}

/// A fact with its name.
pub type Fact = (String, String);

/// The numbers at the head.
pub fn figures(model: &Model<'_>) -> Vec<Figure> {
    let [grants, deductions] = [PopulationClass::Grants, PopulationClass::Deductions]
        .map(|class| model.legacy_population.get(class));
    let paired = model.legacy_outcomes.iter().find(|(outcome, _)| outcome.name() == "paired");
    let paired = paired.map_or(0, |(_, total)| total.rows);
    let ready: u64 = model
        .classes
        .iter()
        .flat_map(|class| &class.repairs)
        .filter(|(repair, _)| repair.is_executable())
        .map(|(_, count)| count)
        .sum();
    let effect: i128 = model.classes.iter().map(|class| class.executable_tokens).sum();
    let mut figures = vec![
        Figure {
            caption: "Legacy rows to arrive",
            value: number(grants.rows + deductions.rows),
            note: to_arrive(grants, deductions),
            tone: "",
        },
        Figure {
            caption: "Arrived unchanged",
            value: number(paired),
            note: "legacy grants and deductions with their partner and no finding".to_owned(),
            tone: if paired > 0 { "good" } else { "" },
        },
        Figure {
            caption: "Against clean",
            value: number(model.blocking),
            note: format!(
                "of {}; {} mended by the SQL",
                counted(model.findings.len() as u64, "finding", "findings"),
                number(ready)
            ),
            tone: if model.blocking > 0 { "bad" } else { "good" },
        },
        Figure {
            caption: "Repairs add",
            value: change(effect),
            note: "tokens to balances, over all users".to_owned(),
            tone: "",
        },
    ];
    let balances = &model.balances;
    if let (Some(users), Some(gap), Some(unexplained)) =
        (balances.users_with_gap, balances.gap_tokens, balances.unexplained_tokens_absolute)
    {
        figures.push(Figure {
            caption: "Unexplained tokens",
            value: tokens(unexplained),
            note: format!("{} with a gap, {} tokens in all", counted(users, "user", "users"), change(gap)),
            tone: if unexplained > 0 { "bad" } else { "good" },
        });
    }
    figures
}

/// What the legacy rows are of which each should have arrived.
fn to_arrive(grants: Total, deductions: Total) -> String {
    let granted = format!("{} of {} tokens", counted(grants.rows, "grant", "grants"), tokens(grants.tokens));
    match deductions.rows {
        0 => granted,
        rows => format!("{granted}, {}", counted(rows, "deduction", "deductions")),
    }
}

/// The account of one side.
pub fn account(model: &Model<'_>, side: Side) -> Account {
    let sum = model.side(side);
    let (title, at, outcomes) = match side {
        Side::Legacy => ("Legacy table", 0, &model.legacy_outcomes),
        Side::Unified => ("Unified table", 1, &model.unified_outcomes),
    };
    Account {
        title,
        source: model.inputs[at].provenance.name.clone(),
        rows_in: number(sum.rows_in),
        tokens_in: tokens(sum.tokens_in),
        rows_out: number(sum.rows_out),
        tokens_out: tokens(sum.tokens_out),
        rows_off: change(i128::from(sum.rows_out) - i128::from(sum.rows_in)),
        tokens_off: change(sum.tokens_out.saturating_sub(sum.tokens_in)),
        holds: sum.rows_in == sum.rows_out && sum.tokens_in == sum.tokens_out,
        lines: outcomes.iter().map(account_line).collect(),
        parts: parts(outcomes),
    }
}

fn account_line((outcome, total): &(OutcomeName, Total)) -> AccountLine {
    AccountLine {
        name: outcome.name(),
        title: words::outcome(*outcome),
        tone: words::tone(*outcome),
        rows: number(total.rows),
        tokens: tokens(total.tokens),
    }
}

/// Good, worth a look, bad, quiet: one part each, widths in thousandths of the rows.
fn parts(outcomes: &[(OutcomeName, Total)]) -> Vec<Part> {
    let all: u128 = outcomes.iter().map(|(_, total)| u128::from(total.rows)).sum();
    let mut parts = Vec::new();
    let mut x = 0;
    for (tone, word) in
        [("good", "in order"), ("warn", "worth a look"), ("bad", "not in order"), ("quiet", "takes no part")]
    {
        let rows: u64 = outcomes
            .iter()
            .filter(|(outcome, _)| words::tone(*outcome) == tone)
            .map(|(_, total)| total.rows)
            .sum();
        if rows > 0 {
            let width = per_mille(rows.into(), all).min(1000 - x);
            parts.push(Part { x, width, tone, title: format!("{}: {}", word, counted(rows, "row", "rows")) });
            x += width;
        }
    }
    parts
}

/// Population classes that have rows on either side.
pub fn population(model: &Model<'_>) -> Vec<PopulationLine> {
    let cells = |total: Total| [number(total.rows), tokens(total.tokens)];
    PopulationClass::ALL
        .into_iter()
        .map(|class| (class, model.legacy_population.get(class), model.unified_population.get(class)))
        .filter(|(_, legacy, unified)| legacy.rows + unified.rows > 0)
        .map(|(class, legacy, unified)| PopulationLine {
            title: words::population(class),
            legacy: cells(legacy),
            unified: cells(unified),
        })
        .collect()
}

/// Rungs of the ladder.
pub fn pairs(model: &Model<'_>) -> Vec<Line> {
    let most = model.pairs.iter().map(|(_, total)| total.rows).max().unwrap_or(0);
    let line = |(rule, total): &(crate::domain::Rule, Total)| Line {
        name: rule.name().to_owned(),
        title: words::rule(*rule).to_owned(),
        rows: number(total.rows),
        tokens: tokens(total.tokens),
        bar: per_mille(total.rows.into(), most.into()),
    };
    model.pairs.iter().filter(|(_, total)| total.rows > 0).map(line).collect()
}

/// The rungs that made no pair.
pub fn unused_rungs(model: &Model<'_>) -> String {
    let unused = model.pairs.iter().filter(|(_, total)| total.rows == 0);
    unused.map(|(rule, _)| rule.name()).collect::<Vec<_>>().join(", ")
}

/// Classes with findings.
pub fn classes(model: &Model<'_>) -> Vec<ClassLine> {
    let most = model.classes.iter().map(|class| class.count).max().unwrap_or(0);
    let found = model.classes.iter().filter(|class| class.count > 0);
    let line = |class: &super::super::ClassTotals| ClassLine {
        name: class.class.name(),
        title: class.class.title(),
        meaning: words::class(class.class),
        severity: class.severity.map_or("info", Severity::name),
        count: number(class.count),
        effect: class.known_tokens_effect().map(change).unwrap_or_default(),
        repairs: class
            .repairs
            .iter()
            .map(|(repair, count)| {
                let word = words::repair(*repair);
                if *count == class.count { word.to_owned() } else { format!("{}: {word}", number(*count)) }
            })
            .collect(),
        waived: if class.waived > 0 { number(class.waived) } else { String::new() },
        bar: per_mille(class.count.into(), most.into()),
    };
    found.map(line).collect()
}

/// SQL files.
pub fn sql(model: &Model<'_>) -> Vec<SqlLine> {
    let line = |file: &crate::repair::SqlFile| SqlLine {
        name: file.name.clone(),
        meaning: words::sql(&file.name),
        rows: number(file.rows),
        tokens: change(file.tokens),
    };
    model.sql.iter().map(line).collect()
}

/// Inputs with their digests.
pub fn inputs(model: &Model<'_>) -> Vec<InputLine> {
    let line = |input: &super::super::model::Input<'_>| InputLine {
        role: match input.role {
            "legacy" => "Legacy table",
            "unified" => "Unified table",
            _ => "Stored balances",
        },
        kind: input.provenance.kind,
        name: input.provenance.name.clone(),
        rows: number(input.provenance.control.rows),
        tokens: tokens(input.provenance.control.tokens),
        files: input.provenance.files.iter().map(|file| file.path.clone()).collect(),
    };
    model.inputs.iter().map(line).collect()
}

/// The settings and digests that make the run repeatable.
pub fn provenance(model: &Model<'_>, files: &[WrittenFile]) -> Vec<Fact> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut facts = vec![
        fact("As of", model.as_of.rfc3339()),
        fact("Program", format!("reckon {}", model.version)),
        fact("Run", model.run_id.clone()),
        fact("Time zone of times without one", model.timezone()),
        fact("Tolerance", length(model.tolerance)),
        fact("Window", length(model.window)),
        fact("Settle", length(model.settle)),
        fact("SHA-256 of the configuration", model.config_digest.to_owned()),
    ];
    if let Some(snapshot) = model.snapshot {
        facts.push(fact("Database snapshot", snapshot.name.clone()));
        facts.extend(snapshot.lsn.clone().map(|lsn| fact("Write-ahead log position", lsn)));
    }
    for file in files {
        facts.push(fact(&format!("SHA-256 of {}", file.name), file.sha256.clone()));
    }
    if let Some(previous) = &model.previous_manifest {
        facts.push(fact("SHA-256 of the previous manifest", previous.clone()));
    }
    facts
}

/// The verdict as a word, and its colour group.
pub fn verdict(model: &Model<'_>) -> (&'static str, &'static str) {
    match model.verdict {
        RunVerdict::Clean => ("Clean", "good"),
        RunVerdict::Discrepancies => ("Discrepancies", "bad"),
    }
}
