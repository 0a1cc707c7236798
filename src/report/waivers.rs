//! Waivers: in `summary.json`, and as `reckon waive` shows them.

use std::path::Path;

use serde::Serialize;

use super::error::ReportError;
use super::figures::{counted, grouped, moment};
use super::json::pretty;
use super::model::Model;
use super::page::{Page, Paint, printable};
use crate::domain::Instant;
use crate::history::waivers::{Standing, Subject, Waiver as Entry, WaiverState, Waivers};

/// Name and version of the shape of a new waiver as JSON.
pub const SCHEMA: &str = "reckon.waiver/1";

/// Name and version of the shape of the list as JSON.
pub const LIST_SCHEMA: &str = "reckon.waivers/1";

/// One waiver, with whether it holds.
#[derive(Serialize)]
pub(super) struct Waiver<'a> {
    finding: Option<&'a str>,
    check: Option<&'static str>,
    owner: &'a str,
    reason: &'a str,
    until: String,
    max_tokens: Option<i128>,
    state: Option<&'static str>,
}

/// All of them, in the order of their file.
pub(super) fn of<'a>(model: &'a Model<'_>) -> Vec<Waiver<'a>> {
    model.accepted.standings.iter().map(waiver).collect()
}

/// A waiver as JSON has it.
fn waiver(standing: &Standing) -> Waiver<'_> {
    entry(&standing.waiver, Some(standing.state))
}

fn entry(entry: &Entry, state: Option<WaiverState>) -> Waiver<'_> {
    let (finding, check) = match &entry.subject {
        Subject::Finding(id) => (Some(id.0.as_str()), None),
        Subject::Check(name) => (None, Some(*name)),
    };
    Waiver {
        finding,
        check,
        owner: &entry.owner,
        reason: &entry.reason,
        until: entry.until.to_string(),
        max_tokens: entry.max_tokens,
        state: state.map(WaiverState::name),
    }
}

#[derive(Serialize)]
struct Written<'a> {
    schema: &'static str,
    file: String,
    line: usize,
    content: &'a str,
    #[serde(flatten)]
    waiver: Waiver<'a>,
}

/// A waiver that was just written, as JSON.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn written(waiver: &Entry, file: &Path) -> Result<String, ReportError> {
    let written = Written {
        schema: SCHEMA,
        file: file.display().to_string(),
        line: waiver.line,
        content: &waiver.content,
        waiver: entry(waiver, None),
    };
    Ok(String::from_utf8_lossy(&pretty("the waiver", &written)?).into_owned())
}

/// All waivers, judged against a run.
#[derive(Debug)]
pub struct Listed<'a> {
    /// The file.
    pub waivers: &'a Waivers,
    /// Whether each holds; `None` without a run to judge by.
    pub standings: Option<&'a [Standing]>,
    /// Name of the run.
    pub run: Option<&'a str>,
    /// The moment they are judged at.
    pub as_of: Instant,
}

#[derive(Serialize)]
struct List<'a> {
    schema: &'static str,
    file: String,
    run: Option<&'a str>,
    as_of: Option<String>,
    waivers: Vec<Waiver<'a>>,
}

impl Listed<'_> {
    fn all(&self) -> Vec<(&Entry, Option<WaiverState>)> {
        match self.standings {
            Some(standings) => {
                standings.iter().map(|standing| (&standing.waiver, Some(standing.state))).collect()
            }
            None => self.waivers.entries.iter().map(|waiver| (waiver, None)).collect(),
        }
    }

    /// As JSON; a `state` of `null` is unknown.
    ///
    /// # Errors
    /// When a value cannot be written as JSON.
    pub fn json(&self) -> Result<String, ReportError> {
        let list = List {
            schema: LIST_SCHEMA,
            file: self.waivers.file.display().to_string(),
            run: self.run,
            as_of: self.run.map(|_| self.as_of.rfc3339()),
            waivers: self.all().into_iter().map(|(waiver, state)| entry(waiver, state)).collect(),
        };
        Ok(String::from_utf8_lossy(&pretty("the waivers", &list)?).into_owned())
    }

    /// As a table.
    pub fn terminal(&self, width: usize, color: bool) -> String {
        let mut page = Page::new(width, color);
        let all = self.all();
        page.put(&printable(&self.waivers.file.display().to_string()), Paint::Strong);
        page.put(&format!("  {}", counted(all.len() as u64, "waiver", "waivers")), Paint::Faint);
        page.end();
        let against = match self.run {
            Some(run) => format!("against the run {}, as of {}", printable(run), moment(self.as_of)),
            None => "no run to hold them against: their state is not known".to_owned(),
        };
        page.paragraph("  ", &against, Paint::Faint);
        let line = |(waiver, state): (&Entry, Option<WaiverState>)| {
            let paint = match state {
                Some(WaiverState::InForce) => Paint::Good,
                Some(WaiverState::Unmatched) | None => Paint::Plain,
                Some(_) => Paint::Bad,
            };
            let state = state.map_or("unknown".to_owned(), |state| state.name().replace('_', " "));
            let cap = waiver.max_tokens.map(grouped).unwrap_or_default();
            let why = format!("{}: {}", waiver.owner, waiver.reason);
            (vec![state, waiver.subject.to_string(), waiver.until.to_string(), cap, printable(&why)], paint)
        };
        let rows: Vec<_> = all.into_iter().map(line).collect();
        if !rows.is_empty() {
            page.end();
            let columns = [
                ("state", false),
                ("accepts", false),
                ("until", false),
                ("cap", true),
                ("owner: reason", false),
            ];
            page.table(&columns, &rows);
        }
        page.finish()
    }
}
