//! `reckon init`: looks at a database or at files and writes a commented `reckon.toml`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::{Global, out};
use crate::config::infer::{
    Place, Proposal, Repeats, Sample, Seen, SideRoles, Undecided, balance_roles, drop_repeated,
    legacy_likeness, propose, shown_values, side_roles, stores_balances,
};
use crate::config::{self, TableName, parse_table};
use crate::report::figures::counted;
use crate::source::Progress;
use crate::source::postgres::Database;
use crate::source::sample::{
    file_labels, file_repeats, file_sample, table_labels, table_repeats, table_sample, table_samples,
};

/// Unclear labels that are named on the terminal.
const LABELS_SHOWN: usize = 20;

/// Flags of `reckon init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The legacy table: a file, a glob, or schema.name
    #[arg(long, value_name = "PATH|TABLE")]
    pub legacy: Option<String>,
    /// The unified table: a file, a glob, or schema.name
    #[arg(long, value_name = "PATH|TABLE")]
    pub unified: Option<String>,
    /// Where balances are stored: a file, a glob, or schema.name
    #[arg(long, value_name = "PATH|TABLE")]
    pub stored: Option<String>,
    /// File to write; `-` is stdout
    #[arg(short, long, value_name = "FILE", default_value = "reckon.toml")]
    pub output: PathBuf,
    /// Overwrite the file if it is there
    #[arg(long)]
    pub force: bool,
}

/// A table as the flags name it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    /// Files, relative to the working folder.
    Files(String),
    /// A table of the database.
    Table(TableName),
}

/// Runs the command.
///
/// # Errors
/// Input, database, or a file that is there already.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let to_stdout = args.output == Path::new("-");
    if !to_stdout && !args.force && args.output.exists() {
        bail!("{} is there already: --force overwrites it, -o names another file", args.output.display());
    }
    let folder = if to_stdout { Path::new("") } else { args.output.parent().unwrap_or(Path::new("")) };
    let proposal = look(args, global, folder)?;
    // What is written must be readable; anything else is a defect of this program.
    config::parse(&args.output, &proposal.text)
        .context("the proposal does not parse (a defect of reckon)")?;
    let file = (!to_stdout).then_some(args.output.as_path());
    if let Some(file) = file {
        std::fs::write(file, &proposal.text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let said = match file {
        _ if global.json() => json(file, &proposal),
        Some(file) => summary(file, &proposal),
        None => proposal.text,
    };
    out::print(&said)?;
    Ok(0)
}

fn look(args: &Args, global: &Global, folder: &Path) -> anyhow::Result<Proposal> {
    let mut eye = Eye { progress: &global.progress, folder, database: None };
    let tables = which(args, &mut eye)?;
    let mut legacy = eye.columns(&tables.legacy)?;
    let mut unified = eye.columns(&tables.unified)?;
    let is_one = match (&tables.legacy, &tables.unified) {
        (Named::Files(legacy), Named::Files(unified)) => legacy == unified,
        (Named::Table(legacy), Named::Table(unified)) => legacy.is_same(unified),
        _ => false,
    };
    if is_one {
        bail!(
            "--legacy and --unified name the same source, and what is compared with itself never differs: \
             name the old table and the new one"
        );
    }
    drop_repeated((&mut legacy.roles, &legacy.repeats), (&mut unified.roles, &unified.repeats));
    let legacy = eye.seen(&tables.legacy, legacy)?;
    let unified = eye.seen(&tables.unified, unified)?;
    let stored = match &tables.stored {
        Some(stored) => {
            let sample = eye.sample(stored)?;
            let roles = balance_roles(&sample)?;
            Some((sample, roles))
        }
        None => None,
    };
    Ok(propose(&legacy, &unified, stored.as_ref().map(|(sample, roles)| (sample, roles))))
}

/// The tables to look at.
struct Tables {
    legacy: Named,
    unified: Named,
    stored: Option<Named>,
}

/// The tables that the flags name; what they leave open is looked for in the database, if the
/// environment names one.
fn which(args: &Args, eye: &mut Eye<'_>) -> anyhow::Result<Tables> {
    let name = |flag: &Option<String>| flag.as_deref().map(named).transpose();
    let (legacy, unified, stored) = (name(&args.legacy)?, name(&args.unified)?, name(&args.stored)?);
    if let (Some(legacy), Some(unified)) = (&legacy, &unified) {
        return Ok(Tables { legacy: legacy.clone(), unified: unified.clone(), stored });
    }
    if !database_is_named() {
        bail!(
            "say where the two tables are: --legacy and --unified each take a file, a glob or schema.name; \
             with DATABASE_URL they are looked for in the database"
        );
    }
    let samples = table_samples(eye.database()?)?;
    let found = candidates(&samples)?;
    Ok(Tables {
        legacy: legacy.unwrap_or(found.legacy),
        unified: unified.unwrap_or(found.unified),
        stored: stored.or(found.stored),
    })
}

/// The environment says where a database is.
fn database_is_named() -> bool {
    ["DATABASE_URL", "PGHOST", "PGDATABASE", "PGSERVICE"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The two ledgers of a database, and the table of stored balances where there is just one.
fn candidates(samples: &[Sample]) -> anyhow::Result<Tables> {
    let mut ledgers: Vec<(i32, &Sample)> =
        samples.iter().filter_map(|sample| Some((legacy_likeness(sample)?, sample))).collect();
    ledgers.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.place.shown().cmp(&b.1.place.shown())));
    let table = |sample: &Sample| match &sample.place {
        Place::Table(table) => Some(Named::Table(table.clone())),
        Place::Path(_) => None,
    };
    let likeness: Vec<i32> = ledgers.iter().map(|(likeness, _)| *likeness).collect();
    // Exactly one is most like the legacy table, and exactly one least.
    let is_clear = likeness.len() >= 2
        && likeness.first() > likeness.get(1)
        && likeness.get(likeness.len() - 2) > likeness.last();
    let ends = (
        ledgers.first().and_then(|(_, sample)| table(sample)),
        ledgers.last().and_then(|(_, sample)| table(sample)),
    );
    let (true, (Some(legacy), Some(unified))) = (is_clear, ends) else {
        let names: Vec<String> = ledgers.iter().map(|(_, sample)| sample.place.shown()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        bail!(
            "cannot tell which two tables are meant: name them with --legacy and --unified \
             (tables that look like ledgers of tokens and that this role may read: {names})"
        );
    };
    let mut stored = samples.iter().filter(|sample| stores_balances(sample));
    let stored = match (stored.next(), stored.next()) {
        (Some(only), None) => table(only),
        _ => None,
    };
    Ok(Tables { legacy, unified, stored })
}

/// A file, where it looks like one; else a table.
fn named(text: &str) -> anyhow::Result<Named> {
    let is_path = text.contains(['/', '*', '?', '[', '\\'])
        || [".csv", ".tsv", ".gz", ".zst", ".parquet"].iter().any(|end| text.to_lowercase().ends_with(end))
        || Path::new(text).exists();
    if is_path {
        return Ok(Named::Files(text.to_owned()));
    }
    parse_table(text).map(Named::Table).map_err(anyhow::Error::msg)
}

/// The columns of a side, before its labels are counted.
struct Found {
    sample: Sample,
    roles: SideRoles,
    repeats: Repeats,
}

/// Looks at files and tables; opens the database when the first table is looked at.
struct Eye<'a> {
    progress: &'a Progress,
    /// Where the configuration will stand.
    folder: &'a Path,
    database: Option<Database>,
}

impl Eye<'_> {
    fn database(&mut self) -> anyhow::Result<&mut Database> {
        let database = match self.database.take() {
            Some(database) => database,
            None => Database::open(&config::Postgres::default(), self.progress)?,
        };
        Ok(self.database.insert(database))
    }

    fn sample(&mut self, named: &Named) -> anyhow::Result<Sample> {
        match named {
            Named::Files(pattern) => {
                let mut sample = file_sample(pattern, Path::new(""), self.progress)?;
                sample.place = Place::Path(seen_from(self.folder, pattern)?);
                Ok(sample)
            }
            Named::Table(table) => Ok(table_sample(self.database()?, table)?),
        }
    }

    fn columns(&mut self, named: &Named) -> anyhow::Result<Found> {
        let sample = self.sample(named)?;
        let roles = side_roles(&sample)?;
        let repeats = match (named, &sample.place) {
            (Named::Files(pattern), _) => file_repeats(pattern, Path::new(""), &roles, self.progress)?,
            (Named::Table(_), Place::Table(table)) | (Named::Table(table), _) => {
                table_repeats(self.database()?, table, &roles)?
            }
        };
        Ok(Found { sample, roles, repeats })
    }

    fn seen(&mut self, named: &Named, found: Found) -> anyhow::Result<Seen> {
        let Found { sample, roles, .. } = found;
        let labels = match (named, &sample.place) {
            (Named::Files(pattern), _) => file_labels(pattern, Path::new(""), &roles, self.progress)?,
            // The table as it was found, with its schema.
            (Named::Table(_), Place::Table(table)) | (Named::Table(table), _) => {
                table_labels(self.database()?, table, &roles)?
            }
        };
        Ok(Seen { sample, roles, labels })
    }
}

/// A path as it has to be written in a configuration that stands in `folder`.
fn seen_from(folder: &Path, path: &str) -> anyhow::Result<String> {
    if folder.as_os_str().is_empty() || folder == Path::new(".") || Path::new(path).is_absolute() {
        return Ok(path.to_owned());
    }
    let whole = std::path::absolute(path).with_context(|| format!("cannot tell where {path} is"))?;
    let home =
        std::path::absolute(folder).with_context(|| format!("cannot tell where {} is", folder.display()))?;
    Ok(whole.strip_prefix(&home).unwrap_or(&whole).to_string_lossy().into_owned())
}

/// What was written and what is left to do.
fn summary(output: &Path, proposal: &Proposal) -> String {
    let mut text = format!("wrote {}\n", output.display());
    for (label, rows) in proposal.unclear.iter().take(LABELS_SHOWN) {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "  label {label:?} ({}) is unclear: give it a meaning in the file, until then each row is a \
             finding",
            counted(*rows, "row", "rows")
        );
    }
    let more = proposal.unclear.iter().skip(LABELS_SHOWN);
    let (labels, rows) = more.fold((0_u64, 0_u64), |(labels, rows), (_, more)| (labels + 1, rows + more));
    if labels > 0 {
        let _ =
            writeln!(text, "  {labels} more labels ({rows} rows) are unclear; all of them stand in the file");
    }
    for Undecided { side, column, values, question } in &proposal.undecided {
        let said = match shown_values(values) {
            values if values.is_empty() => String::new(),
            values => format!(" ({values})"),
        };
        let side = side.name();
        let _ = writeln!(text, "  column {column:?} of the {side} table{said} is left to decide: {question}");
    }
    let _ = writeln!(text, "look it over, then: {}", next(output));
    text
}

/// The command that comes next.
fn next(output: &Path) -> String {
    let config = match output == Path::new("reckon.toml") {
        true => String::new(),
        false => format!(" --config {}", output.display()),
    };
    format!("reckon reconcile{config}")
}

/// The same for programs. `file` is what was written; without it the text stands in here alone.
fn json(file: Option<&Path>, proposal: &Proposal) -> String {
    let labels = proposal.labels.iter().map(|proposed| {
        serde_json::json!({
            "side": proposed.side.name(),
            "label": proposed.label,
            "rows": proposed.rows,
            "meaning": proposed.meaning,
        })
    });
    let (undecided, decided): (Vec<serde_json::Value>, Vec<serde_json::Value>) =
        labels.partition(|label| label["meaning"].is_null());
    let columns: Vec<serde_json::Value> = proposal
        .undecided
        .iter()
        .map(|Undecided { side, column, values, question }| {
            let values: Vec<serde_json::Value> = values
                .iter()
                .map(|(value, rows)| serde_json::json!({ "value": value, "rows": rows }))
                .collect();
            serde_json::json!({
                "side": side.name(),
                "column": column,
                "values": values,
                "question": question,
            })
        })
        .collect();
    let document = serde_json::json!({
        "schema": "reckon.init/1",
        "written": file.map(|file| file.display().to_string()),
        "labels": decided,
        "undecided": undecided,
        "undecided_columns": columns,
        "configuration": proposal.settings(),
        "text": proposal.text,
        "next": file.map(next),
    });
    format!("{document:#}\n")
}
