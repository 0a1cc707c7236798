//! Rows that the run before had and this one has not: deleted users, purged months, amounts made
//! smaller. Both tables may still agree with each other, so that no finding would tell.
//!
//! What is compared are grants and deductions up to the moment of the run before, so that new rows
//! do not stand in for those that went; rows of all kinds, which new ones can outnumber; and users.
//! What the run's own SQL took away is left out, and what it brought is expected ([`Mended`]).
//!
//! Stored balances and pools are compared too: a balance that is not there any more has no gap, so that
//! a finding about it looks resolved.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Deserialize;

use super::mended::Mended;
use super::table::each_row;
use super::tables::{Input, Tables};
use crate::balance::Balances;
use crate::domain::{Books, Entry, Finding, Instant, Pair, PopulationClass, RowId, Side, Total};
use crate::normalise::{NormaliseError, SettledRows};
use crate::source::postgres::activity::Activity;

/// How many users a warning names.
const NAMED: usize = 5;

/// What the run before had.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    as_of: Instant,
    legacy: SideSeen,
    unified: SideSeen,
    users: Vec<UserSeen>,
    /// Rows of each source, by its role.
    inputs: HashMap<String, u64>,
    tables: Tables,
    mended: Mended,
}

#[derive(Debug, Clone)]
struct UserSeen {
    id: String,
    has_stored: bool,
}

/// What this run has, to be held against it.
#[derive(Debug, Clone, Copy)]
pub struct Now<'a> {
    /// The books.
    pub books: &'a Books,
    /// Rows that are in the books no more.
    pub settled: Option<&'a SettledRows>,
    /// The findings.
    pub findings: &'a [Finding],
    /// The pairs of rows that are in the books.
    pub pairs: &'a [Pair],
    /// What was read.
    pub tables: &'a Tables,
    /// The balances.
    pub balances: &'a Balances,
    /// Rows of the source of stored balances; 0: none is configured.
    pub stored_rows: u64,
    /// Rows of the source of pools; 0: none is configured.
    pub pool_rows: u64,
}

#[derive(Debug, Clone, Copy)]
struct SideSeen {
    rows: u64,
    /// Grants and deductions, the pending ones too.
    movements: Total,
}

/// What is gone since the run before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shrunk {
    /// The sides that have less; none: nothing is gone.
    pub sides: Vec<SideShrunk>,
    /// Users that stood in the balances of the run before and stand nowhere now.
    pub users: u64,
    /// Some of them, ascending.
    pub some_users: Vec<String>,
    /// The sources of balances that have fewer rows.
    pub inputs: Vec<InputShrunk>,
    /// Users that had a stored balance in the run before and have none now, though they are still there.
    pub users_without_stored: u64,
    /// Some of them, ascending.
    pub some_without_stored: Vec<String>,
    /// What the run before read and what this one reads, where these bear other names.
    pub read_otherwise: Option<[String; 2]>,
}

/// What the source of stored balances or of pools has less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputShrunk {
    /// `stored` or `pools`.
    pub role: &'static str,
    /// Rows.
    pub rows: u64,
}

/// What one side has less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SideShrunk {
    /// Which.
    pub side: Side,
    /// Grants and deductions up to the moment of the run before; 0 where there are as many.
    pub rows: u64,
    /// Their tokens, in magnitudes; 0 where there are as many.
    pub tokens: i128,
    /// Rows of all kinds and times; 0 where there are as many.
    pub rows_of_all_kinds: u64,
}

impl Shrunk {
    /// Something is gone.
    pub fn is_any(&self) -> bool {
        let rows = !self.sides.is_empty() || !self.inputs.is_empty();
        rows || self.users > 0 || self.users_without_stored > 0
    }

    /// The sentences of [`Shrunk::sentences`], and what the folder of the history has to do with it: the
    /// nights of other tables say nothing of these.
    pub fn warnings(&self, previous: &str) -> Vec<String> {
        let mut said = self.sentences(previous);
        if let Some([before, now]) = &self.read_otherwise {
            let read = format!("the run {previous} read {before}, this one {now}");
            said.push(match self.is_any() {
                false => format!(
                    "this folder holds the nights of other tables: {read}; what is gone since is not told. Give each \
                     configuration its own [history] folder"
                ),
                true => format!("{read}: where these are other tables, give them a [history] folder of their own"),
            });
        }
        said
    }

    /// One sentence for each side and source, and one for the users.
    pub fn sentences(&self, previous: &str) -> Vec<String> {
        let mut said: Vec<String> = self.sides.iter().map(|side| side.sentence(previous)).collect();
        said.extend(self.inputs.iter().map(|input| input.sentence(previous)));
        if self.users > 0 {
            said.push(format!(
                "{} of the run {previous} {} in neither table any more: {}",
                counted(self.users, "user"),
                if self.users == 1 { "stands" } else { "stand" },
                named(self.users, &self.some_users)
            ));
        }
        if self.users_without_stored > 0 {
            said.push(format!(
                "{} had a stored balance in the run {previous} and {} none now, so no gap can be seen there: {}",
                counted(self.users_without_stored, "user"),
                if self.users_without_stored == 1 { "has" } else { "have" },
                named(self.users_without_stored, &self.some_without_stored)
            ));
        }
        said
    }
}

impl SideShrunk {
    fn sentence(&self, previous: &str) -> String {
        let side = self.side.name();
        let since = "rows were deleted or changed, or are read otherwise";
        match (self.rows, self.tokens) {
            (0, tokens) if tokens > 0 => format!(
                "amounts of {side} grants and deductions of the run {previous} went down, by {tokens} tokens in all: \
                 {since}"
            ),
            (0, 0) => format!(
                "the {side} table has {} fewer than in the run {previous}: {since}",
                counted(self.rows_of_all_kinds, "row")
            ),
            (rows, tokens) => format!(
                "of the {side} grants and deductions of the run {previous}, {} and {tokens} tokens are gone: {since}",
                counted(rows, "row")
            ),
        }
    }
}

impl InputShrunk {
    fn sentence(&self, previous: &str) -> String {
        let (what, told) = match self.role {
            "stored" => {
                ("source of the stored balances", "a balance_gap of the run before is not resolved by that")
            }
            _ => ("source of the pools", "balances of their members may be judged otherwise"),
        };
        format!(
            "the {what} has {} fewer than in the run {previous}: rows were deleted, or are read otherwise; {told}",
            counted(self.rows, "row")
        )
    }
}

/// Some of many users.
fn named(all: u64, some: &[String]) -> String {
    format!("{}{}", some.join(", "), if all > NAMED as u64 { ", …" } else { "" })
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[derive(Deserialize)]
struct Summary {
    as_of: String,
    population: Sides,
}

/// What is read of the manifest.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    inputs: Vec<Input>,
    #[serde(default)]
    run: RunPart,
}

#[derive(Default, Deserialize)]
struct RunPart {
    activity: Option<Activity>,
}

#[derive(Deserialize)]
struct Sides {
    legacy: Classes,
    unified: Classes,
}

#[derive(Deserialize)]
struct Classes {
    rows: u64,
    grants: Sum,
    deductions: Sum,
    pending: Sum,
}

#[derive(Deserialize)]
struct Sum {
    rows: u64,
    tokens: i128,
}

impl From<Classes> for SideSeen {
    fn from(classes: Classes) -> SideSeen {
        let all = [classes.grants, classes.deductions, classes.pending];
        let movements = Total {
            rows: all.iter().fold(0, |rows, sum| rows.saturating_add(sum.rows)),
            tokens: all.iter().fold(0, |tokens, sum| tokens.saturating_add(sum.tokens)),
        };
        SideSeen { rows: classes.rows, movements }
    }
}

impl Seen {
    /// Reads what a run directory says of its rows; the name of the file that cannot be read, and why.
    pub(super) fn read(run: &Path, mended: Mended) -> Result<Seen, (&'static str, String)> {
        let failed = |cause: &dyn std::fmt::Display| ("summary.json", cause.to_string());
        let unlisted = |cause: &dyn std::fmt::Display| ("manifest.json", cause.to_string());
        let bytes = std::fs::read(run.join("manifest.json")).map_err(|cause| unlisted(&cause))?;
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|cause| unlisted(&cause))?;
        let bytes = std::fs::read(run.join("summary.json")).map_err(|cause| failed(&cause))?;
        let summary: Summary = serde_json::from_slice(&bytes).map_err(|cause| failed(&cause))?;
        let as_of = chrono::DateTime::parse_from_rfc3339(&summary.as_of).map_err(|cause| failed(&cause))?;
        Ok(Seen {
            as_of: Instant(as_of.timestamp_micros()),
            legacy: summary.population.legacy.into(),
            unified: summary.population.unified.into(),
            users: users(&run.join("balances.csv")).map_err(|cause| ("balances.csv", cause))?,
            tables: Tables::written(&manifest.inputs, manifest.run.activity.as_ref()),
            inputs: manifest.inputs.into_iter().map(|input| (input.role, input.rows)).collect(),
            mended,
        })
    }

    /// What is gone.
    pub(super) fn shrunk(&self, now: &Now<'_>) -> Result<Shrunk, NormaliseError> {
        let read = || Some([self.tables.names(), now.tables.names()]);
        if self.tables.are_certainly_other(now.tables) {
            return Ok(Shrunk { read_otherwise: read(), ..Shrunk::default() });
        }
        let roster = &now.books.roster;
        let place = |user: &UserSeen| roster.find(&RowId::parse(&user.id));
        let gone: Vec<&UserSeen> = self.users.iter().filter(|user| place(user).is_none()).collect();
        // Where no user is known any more, the ids are of another kind, and tell nothing.
        let gone = if gone.len() == self.users.len() { Vec::new() } else { gone };
        let has_none = |user: &&UserSeen| {
            let balance = place(user).and_then(|user| now.balances.users.get(user.0 as usize));
            user.has_stored && balance.is_some_and(|balance| balance.stored.is_none())
        };
        // Balances that were not compared at all are lost to nobody: an as-of in the past, or no source.
        let without: Vec<&UserSeen> = match now.balances.stored_known {
            true => self.users.iter().filter(has_none).collect(),
            false => Vec::new(),
        };
        let rows = [("stored", now.stored_rows), ("pools", now.pool_rows)];
        let inputs = rows.into_iter().filter_map(|(role, now)| {
            let rows = self.inputs.get(role)?.saturating_sub(now);
            (rows > 0).then_some(InputShrunk { role, rows })
        });
        let mut shrunk = Shrunk {
            sides: self.sides(now)?,
            users: gone.len() as u64,
            some_users: some(&gone),
            inputs: inputs.collect(),
            users_without_stored: without.len() as u64,
            some_without_stored: some(&without),
            read_otherwise: None,
        };
        if shrunk.is_any() && self.tables.are_named_otherwise(now.tables) {
            shrunk.read_otherwise = read();
        }
        Ok(shrunk)
    }

    /// The sides that have less.
    fn sides(&self, now: &Now<'_>) -> Result<Vec<SideShrunk>, NormaliseError> {
        let open: HashSet<&str> = now.findings.iter().map(|finding| finding.id.0.as_str()).collect();
        let taken = self.mended.taken(&open);
        let brought = self.mended.brought(&open, now, self.as_of)?;
        let books = now.books;
        let moved = |side| movements(books, now.settled, side, self.as_of);
        let sides = [
            (Side::Legacy, self.legacy, moved(Side::Legacy)?, [Total::default(); 2]),
            (Side::Unified, self.unified, moved(Side::Unified)?, [taken, brought]),
        ];
        let sides = sides.into_iter().filter_map(|(side, seen, now, [taken, brought])| {
            let rows = |before: u64, now: u64| {
                before.saturating_add(brought.rows).saturating_sub(taken.rows).saturating_sub(now)
            };
            let tokens = seen.movements.tokens.saturating_add(brought.tokens);
            let shrunk = SideShrunk {
                side,
                rows: rows(seen.movements.rows, now.rows),
                tokens: tokens.saturating_sub(taken.tokens).saturating_sub(now.tokens).max(0),
                rows_of_all_kinds: rows(seen.rows, books.side(side).control.rows),
            };
            (shrunk.rows > 0 || shrunk.tokens > 0 || shrunk.rows_of_all_kinds > 0).then_some(shrunk)
        });
        Ok(sides.collect())
    }
}

/// The first few, ascending.
fn some(users: &[&UserSeen]) -> Vec<String> {
    let mut some: Vec<String> = users.iter().take(NAMED).map(|user| user.id.clone()).collect();
    some.sort();
    some
}

/// The row is one of the grants and deductions up to a moment.
pub(super) fn moves(entry: &Entry, until: Instant) -> bool {
    let takes_part =
        !matches!(entry.class, PopulationClass::Zero | PopulationClass::Failed | PopulationClass::Rejected);
    entry.at <= until && entry.succeeded && entry.tokens != 0 && takes_part
}

/// Grants and deductions of a side up to a moment.
fn movements(
    books: &Books,
    settled: Option<&SettledRows>,
    side: Side,
    until: Instant,
) -> Result<Total, NormaliseError> {
    let mut total = Total::default();
    for entry in &books.side(side).entries {
        if moves(entry, until) {
            total.add_row(entry.tokens);
        }
    }
    if let Some(settled) = settled {
        settled.each(side, |row| {
            if row.at <= until && row.moves() {
                total.add_row(row.tokens);
            }
        })?;
    }
    Ok(total)
}

fn users(file: &Path) -> Result<Vec<UserSeen>, String> {
    let mut users = Vec::new();
    each_row(file, |row| {
        let has_stored = row.plain("stored").is_ok_and(|stored| !stored.is_empty());
        users.push(UserSeen { id: row.text("user_id")?.to_owned(), has_stored });
        Ok(())
    })?;
    Ok(users)
}
