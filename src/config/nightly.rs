//! What an unattended job needs to know: `[history]`, `[notify]`, `[postgres]`, and the gate,
//! `[cutover]`.

use std::path::{Path, PathBuf};

use serde_spanned::Spanned;

use super::TableName;
use super::error::Fault;
use super::raw::{OneOrMany, RawCutover, RawHistory, RawNotify, RawPostgres, Text};
use super::section::{Section, duration};
use super::value::{parse_duration, parse_table};
use crate::domain::Span;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// More readers than this only take connections from the application.
const MOST_STREAMS: i64 = 64;

/// More tries than this only put off the end of the job.
const MOST_RETRIES: i64 = 100;

/// The functions that write grants, where no others are configured.
const WRITERS: [&str; 2] = ["grant_annual_tokens", "grant_trial_tokens"];

/// `[history]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Folder of the runs. Default `reports`.
    pub folder: PathBuf,
    /// Which runs stay. Default: all.
    pub keep: Keep,
    /// File of the waivers. Default `waivers.toml` beside the configuration.
    pub waivers: PathBuf,
    /// The configuration names the file: then it has to be there.
    pub waivers_named: bool,
}

/// Which runs of a history stay when a new one is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of them.
    All,
    /// So many, the newest included; at least one.
    Runs(u64),
    /// Those whose as-of lies no further back than this from that of the newest.
    For(Span),
}

/// `[notify]`: who is told, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// What is worth an alert. Default `new`.
    pub alert: Alert,
    /// A program and its arguments; it gets the JSON on its standard input.
    pub command: Vec<String>,
    /// Where the JSON is posted to.
    pub webhook: Option<Webhook>,
    /// Where the metrics of the last run are kept for a collector.
    pub metrics: Option<PathBuf>,
    /// Tries after the first. Default 3.
    pub retries: u32,
    /// Longest time of one try. Default 10 s.
    pub timeout: Span,
    /// Longest time of all tries and the waits between them. Default 60 s.
    pub deadline: Span,
}

/// What is worth an alert. A job that could not be done always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alert {
    /// An error finding that the run before did not have, or rows that are gone.
    New,
    /// Any unwaived error finding.
    Any,
}

/// Where to post. The address may hold a secret, so it is never printed whole.
#[derive(Clone, PartialEq, Eq)]
pub enum Webhook {
    /// The address.
    Url(String),
    /// The environment variable that holds it.
    Variable(String),
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Webhook::Url(_) => f.write_str("Url(…)"),
            Webhook::Variable(name) => f.debug_tuple("Variable").field(name).finish(),
        }
    }
}

/// `[cutover]`: what the gate asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cutover {
    /// Clean runs in a row, on so many days (UTC) of the history. Default 7; 0: none is asked for.
    pub clean_nights: u32,
    /// How old the snapshot may be when the certificate is written. Default 15 min.
    pub snapshot_age: Span,
    /// How long nobody may have written or read the legacy table. Default 24 h.
    pub quiet: Span,
    /// Functions that have to write the unified table.
    pub writers: Vec<TableName>,
    /// The configuration lists the writers; without a list those of the product are looked for.
    pub writers_named: bool,
    /// Whether a backup has to be acknowledged. Default: a reminder.
    pub backup: Backup,
    /// How long the certificate opens the first step. Default 24 h.
    pub valid_for: Span,
    /// How long the renamed table is held before it may be dropped. Default 14 d.
    pub hold: Span,
}

/// What is asked about a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backup {
    /// The certificate reminds of it.
    Remind,
    /// Somebody has to say that there is one.
    Require,
}

/// `[postgres]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Postgres {
    /// Parallel readers. Default: the number of cores, at most 4.
    pub streams: usize,
    /// `statement_timeout` of the readers. Default 0: none.
    pub statement_timeout: Span,
    /// How long to wait for further sessions (poolers). Default 5 s.
    pub session_wait: Span,
    /// After so long without a word from us the server gives the snapshot up. Default 10 min.
    pub idle_timeout: Span,
    /// How long a failure that may pass by itself is tried again. Default 5 min; 0: never.
    pub retry_for: Span,
    /// A snapshot that is held longer holds up vacuum: the run says so. Default 30 min.
    pub snapshot_age: Span,
}

impl Default for Postgres {
    fn default() -> Postgres {
        Postgres {
            streams: crate::cores::count().min(4),
            statement_timeout: Span(0),
            session_wait: Span(5 * SECOND),
            idle_timeout: Span(10 * MINUTE),
            retry_for: Span(5 * MINUTE),
            snapshot_age: Span(30 * MINUTE),
        }
    }
}

pub(super) fn history(folder: &Path, raw: &RawHistory) -> Result<History, Fault> {
    let not_empty = |key: &str, text: &Text, what: &str| match text.get_ref().trim().is_empty() {
        true => Err(Fault::new(text.span(), format!("[history] {key} is empty: name {what}"))),
        false => Ok(folder.join(text.get_ref())),
    };
    let waivers = raw.waivers.as_ref().map(|text| not_empty("waivers", text, "the file of the waivers"));
    Ok(History {
        folder: match &raw.folder {
            None => PathBuf::from("reports"),
            Some(text) => not_empty("folder", text, "the folder of the runs")?,
        },
        keep: raw.keep.as_ref().map_or(Ok(Keep::All), keep)?,
        waivers_named: waivers.is_some(),
        waivers: waivers.unwrap_or_else(|| Ok(folder.join("waivers.toml")))?,
    })
}

fn keep(written: &Spanned<toml::Value>) -> Result<Keep, Fault> {
    let wrong = |why: &str| {
        let message =
            format!("[history] keep: {why}; write a number of runs, as in 90, or a duration, as in \"400d\"");
        Err(Fault::new(written.span(), message))
    };
    match written.get_ref() {
        toml::Value::Integer(runs) => match u64::try_from(*runs) {
            Ok(runs) if runs > 0 => Ok(Keep::Runs(runs)),
            _ => wrong(&format!("{runs} runs are none, but the newest always stays")),
        },
        toml::Value::String(text) => match parse_duration(text) {
            Ok(Span(0)) => wrong(&format!("\"{text}\" is no time, but the newest always stays")),
            Ok(span) => Ok(Keep::For(span)),
            Err(why) => wrong(&why),
        },
        other => wrong(&format!("{other} is neither")),
    }
}

pub(super) fn notify(folder: &Path, raw: &Spanned<RawNotify>) -> Result<Notify, Fault> {
    let section = Section { name: "notify", span: raw.span() };
    let raw = raw.get_ref();
    let command = match raw.command.as_ref() {
        None => Vec::new(),
        Some(written) => match written.get_ref() {
            OneOrMany::One(program) => vec![program.clone()],
            OneOrMany::Many(words) => words.iter().map(|word| word.get_ref().clone()).collect(),
        },
    };
    if let Some(written) = &raw.command
        && command.first().is_none_or(|program| program.trim().is_empty())
    {
        let message = "[notify] command is empty: name a program, or a list of a program and its arguments";
        return Err(Fault::new(written.span(), message));
    }
    let webhook = match (&raw.webhook, &raw.webhook_env) {
        (Some(_), Some(variable)) => {
            let message = "[notify] webhook_env stands beside webhook: keep one of them";
            return Err(Fault::new(variable.span(), message));
        }
        (Some(url), None) => Some(Webhook::Url(section.checked("webhook", url, parse_address)?)),
        (None, Some(variable)) if variable.get_ref().trim().is_empty() => {
            let message =
                "[notify] webhook_env is empty: name the environment variable that holds the address";
            return Err(Fault::new(variable.span(), message));
        }
        (None, Some(variable)) => Some(Webhook::Variable(variable.get_ref().clone())),
        (None, None) => None,
    };
    let metrics = match &raw.metrics {
        None => None,
        Some(file) if file.get_ref().trim().is_empty() => {
            let message = "[notify] metrics is empty: name the file that the collector reads";
            return Err(Fault::new(file.span(), message));
        }
        Some(file) => Some(folder.join(file.get_ref())),
    };
    if command.is_empty() && webhook.is_none() && metrics.is_none() {
        let message = "[notify] tells nobody: give it `command`, `webhook`, `webhook_env` or `metrics`, or remove \
                       the section";
        return Err(Fault::new(section.span, message));
    }
    let alerts = [("new", Alert::New), ("any", Alert::Any)];
    Ok(Notify {
        alert: raw.alert.as_ref().map_or(Ok(Alert::New), |word| section.word("alert", word, &alerts))?,
        command,
        webhook,
        metrics,
        retries: count("notify", "retries", raw.retries.as_ref(), 3, 0..=MOST_RETRIES)?,
        timeout: duration("notify", "timeout", raw.timeout.as_ref(), Span(10 * SECOND))?,
        deadline: duration("notify", "deadline", raw.deadline.as_ref(), Span(MINUTE))?,
    })
}

/// An address that can be posted to. The text may hold a secret and is not repeated.
fn parse_address(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) {
        true => Ok(text.to_owned()),
        false => Err("write an address that begins with https:// or http:// and names a host".to_owned()),
    }
}

fn count(
    section: &str,
    key: &str,
    written: Option<&Spanned<i64>>,
    default: u32,
    range: std::ops::RangeInclusive<i64>,
) -> Result<u32, Fault> {
    let Some(written) = written else { return Ok(default) };
    let number = *written.get_ref();
    match u32::try_from(number) {
        Ok(known) if range.contains(&number) => Ok(known),
        _ => {
            let message = format!(
                "[{section}] {key}: {number} is out of range, write a number from {} to {}",
                range.start(),
                range.end()
            );
            Err(Fault::new(written.span(), message))
        }
    }
}

pub(super) fn cutover(raw: &RawCutover) -> Result<Cutover, Fault> {
    let section = Section { name: "cutover", span: 0..0 };
    let backups = [("remind", Backup::Remind), ("require", Backup::Require)];
    let named = raw.writers.as_ref().map(|list| {
        let names = list.get_ref().iter();
        names.map(|name| section.checked("writers", name, parse_function)).collect()
    });
    let default = || WRITERS.map(|name| TableName { schema: None, name: name.to_owned() }).to_vec();
    Ok(Cutover {
        clean_nights: count("cutover", "clean_nights", raw.clean_nights.as_ref(), 7, 0..=3650)?,
        snapshot_age: duration("cutover", "snapshot_age", raw.snapshot_age.as_ref(), Span(15 * MINUTE))?,
        quiet: duration("cutover", "quiet", raw.quiet.as_ref(), Span(DAY))?,
        writers_named: named.is_some(),
        writers: named.unwrap_or_else(|| Ok(default()))?,
        backup: raw
            .backup
            .as_ref()
            .map_or(Ok(Backup::Remind), |word| section.word("backup", word, &backups))?,
        valid_for: duration("cutover", "valid_for", raw.valid_for.as_ref(), Span(DAY))?,
        hold: duration("cutover", "hold", raw.hold.as_ref(), Span(14 * DAY))?,
    })
}

/// `schema.name` or `name`, as of a table; `name()` is taken too, since people write functions so.
fn parse_function(text: &str) -> Result<TableName, String> {
    parse_table(text.strip_suffix("()").unwrap_or(text))
        .map_err(|_| format!("\"{text}\" is no function: write schema.name or name"))
}

pub(super) fn postgres(raw: &RawPostgres) -> Result<Postgres, Fault> {
    let default = Postgres::default();
    let streams = count(
        "postgres",
        "streams",
        raw.streams.as_ref(),
        u32::try_from(default.streams).unwrap_or(1),
        1..=MOST_STREAMS,
    )?;
    let span =
        |key: &str, text: &Option<Text>, default: Span| duration("postgres", key, text.as_ref(), default);
    Ok(Postgres {
        streams: streams as usize,
        statement_timeout: span("statement_timeout", &raw.statement_timeout, default.statement_timeout)?,
        session_wait: span("session_wait", &raw.session_wait, default.session_wait)?,
        idle_timeout: span("idle_timeout", &raw.idle_timeout, default.idle_timeout)?,
        retry_for: span("retry_for", &raw.retry_for, default.retry_for)?,
        snapshot_age: span("snapshot_age", &raw.snapshot_age, default.snapshot_age)?,
    })
}
