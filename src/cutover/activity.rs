//! Does anybody still write or read the legacy table? Rows tell, and the server's own counters:
//! between the end of one run of the history and the start of the next, what is counted was done by
//! others.

use crate::domain::{Instant, Ledger, Span};
use crate::source::postgres::activity::{Statements, TableActivity};

use super::checks::{Check, Evidence, Facts};

/// The counters of the legacy table around this run and around those before it.
pub(super) struct Counted<'a> {
    /// Before this run read.
    now: &'a TableActivity,
    /// After it had read.
    end: Option<&'a TableActivity>,
    /// Those of earlier runs that lie between the baseline and now, the baseline first; or why there
    /// is no baseline.
    before: Result<Vec<Moment<'a>>, String>,
}

/// The counters around an earlier run.
#[derive(Clone, Copy)]
struct Moment<'a> {
    start: &'a TableActivity,
    end: Option<&'a TableActivity>,
}

impl Moment<'_> {
    fn last(&self) -> &TableActivity {
        self.end.unwrap_or(self.start)
    }
}

impl<'a> Counted<'a> {
    /// `None` where the server's counters say nothing about the table.
    pub(super) fn new(facts: &Facts<'a>) -> Option<Counted<'a>> {
        let table = facts.live?.dependencies.as_ref()?.table.to_string();
        let activity = facts.activity?;
        let of =
            |list: &'a [TableActivity]| list.iter().find(|counted| counted.table == table && counted.counts);
        let now = of(&activity.start)?;
        // Another database, or a table that was put in its place, counts for itself.
        let of = |list: &'a [TableActivity]| of(list).filter(|then| then.identity == now.identity);
        let mut moments: Vec<Moment<'a>> = facts
            .past
            .iter()
            .filter_map(|run| run.activity.as_ref())
            .filter_map(|run| Some(Moment { start: of(&run.start)?, end: of(&run.end) }))
            .filter(|run| run.start.at < now.at)
            .collect();
        moments.sort_by_key(|run| run.start.at);
        Some(Counted {
            now,
            end: of(&activity.end),
            before: baseline(moments, now, facts.config.cutover.quiet),
        })
    }
}

/// The runs from the last one on that is at least `quiet` old.
fn baseline<'a>(
    moments: Vec<Moment<'a>>,
    now: &TableActivity,
    quiet: Span,
) -> Result<Vec<Moment<'a>>, String> {
    let old_enough = |run: &Moment<'_>| run.last().at <= now.at.minus(quiet);
    let Some(first) = moments.iter().rposition(old_enough) else {
        let since = moments.first().map_or(now.at, |run| run.last().at);
        return Err(format!(
            "no run of the history is {} old ([cutover] quiet), so there is nothing to compare the counters with: \
             run `reckon reconcile` nightly, the baseline is there after {}",
            quiet.words(),
            since.plus(quiet).rfc3339()
        ));
    };
    let kept = moments[first..].to_vec();
    let all: Vec<&TableActivity> =
        kept.iter().flat_map(|run| [Some(run.start), run.end]).flatten().chain([now]).collect();
    let falls = |pair: &&[&TableActivity]| {
        let (a, b) = (pair[0], pair[1]);
        let lost = a.kept_since.is_some_and(|since| b.kept_since.is_some_and(|then| then != since));
        lost || a.stats_reset != b.stats_reset
            || [
                b.n_tup_ins - a.n_tup_ins,
                b.n_tup_upd - a.n_tup_upd,
                b.n_tup_del - a.n_tup_del,
                b.seq_scan - a.seq_scan,
                b.idx_scan - a.idx_scan,
            ]
            .iter()
            .any(|change| *change < 0)
    };
    match all.windows(2).find(falls) {
        Some(pair) => Err(format!(
            "the statistics were set back or lost (a server that crashed begins anew) between {} and {}, so they do not tell what happened before: a new \
             baseline is there {} after the next run of `reckon reconcile`",
            pair[0].at.rfc3339(),
            pair[1].at.rfc3339(),
            quiet.words()
        )),
        None => Ok(kept),
    }
}

/// Stands in the detail of a statement between the count of its calls and its text.
pub(super) const CALLS: &str = " calls so far: ";

/// What was not looked at, where the counters say nothing.
const COUNTERS: &str = "the counters of the server";

const NO_COUNTERS: &str = "the server's counters say nothing here: no database was read, it is a standby, or \
                           track_counts is off";

/// `legacy_writes`.
pub(super) fn writes(facts: &Facts<'_>, counted: Option<&Counted<'_>>) -> Check {
    const NAME: &str = "legacy_writes";
    let quiet = facts.config.cutover.quiet;
    let table = facts.config.legacy.columns.origin.target().to_string();
    let mut evidence: Vec<Evidence> =
        young_rows(&facts.books.legacy, facts.books.as_of.minus(quiet), &table).into_iter().collect();
    let mut said = Vec::new();
    let mut unknown = None;
    match counted {
        None => unknown = Some(NO_COUNTERS.to_owned()),
        Some(counted) => match written(counted, quiet) {
            Ok((found, since)) => {
                evidence.extend(found);
                said.push(format!("no row written since {since}, as the server counts"));
            }
            Err(why) => unknown = Some(why),
        },
    }
    match facts.live.map(|live| &live.open_writes) {
        None => {}
        Some(Ok(open)) => evidence.extend(open.iter().map(|write| {
            let detail = format!("is in the middle of a transaction that writes {table}: {}", write.detail);
            Evidence::certain(&write.kind, write.name.clone(), detail)
        })),
        Some(Err(why)) => unknown = Some(format!("transactions that are under way: {why}")),
    }
    if !evidence.is_empty() {
        let detail = format!(
            "the table is still written, nothing may have written it for {} ([cutover] quiet): find the writer \
             (see functions and triggers), or revoke insert, update, delete on {table}",
            quiet.words()
        );
        return Check::fails(NAME, detail, evidence);
    }
    match unknown {
        Some(why) => Check::not_tested(NAME, &format!("no row is younger than {}; {why}", quiet.words())),
        None => Check::ok(NAME, format!("no row is younger than {}; {}", quiet.words(), said.join("; "))),
    }
}

/// Rows that say themselves that they are too young.
fn young_rows(legacy: &Ledger, since: Instant, table: &str) -> Option<Evidence> {
    let entries = legacy.entries.iter().map(|entry| entry.at);
    let others = legacy.bystanders.iter().map(|row| row.at);
    let rejected = legacy.rejected.iter().filter_map(|row| row.at);
    let young: Vec<Instant> = entries.chain(others).chain(rejected).filter(|at| *at > since).collect();
    let newest = young.iter().max()?;
    let detail = format!(
        "{} rows are younger than {}, the newest of {}",
        young.len(),
        since.rfc3339(),
        newest.rfc3339()
    );
    Some(Evidence::certain("rows", table.to_owned(), detail))
}

type Seen = Result<(Vec<Evidence>, String), String>;

/// Rows that the counters say were written, and since when they were watched.
fn written(counted: &Counted<'_>, quiet: Span) -> Seen {
    let now = counted.now;
    let moments = match &counted.before {
        Ok(moments) => moments,
        // Nothing was ever written, and it has been watched for long enough.
        Err(why) => {
            let none = now.n_tup_ins == 0 && now.n_tup_upd == 0 && now.n_tup_del == 0;
            return still(none, now, quiet).ok_or_else(|| why.clone());
        }
    };
    let mut evidence = Vec::new();
    // This program never writes: what is counted during a run counts as well.
    let ends = moments.iter().skip(1).map(|run| run.start).chain([counted.end.unwrap_or(now)]);
    for (from, to) in moments.iter().map(|run| run.start).zip(ends) {
        let [inserted, updated, deleted] =
            [to.n_tup_ins - from.n_tup_ins, to.n_tup_upd - from.n_tup_upd, to.n_tup_del - from.n_tup_del];
        if inserted != 0 || updated != 0 || deleted != 0 {
            let detail = format!(
                "{inserted} inserted, {updated} updated, {deleted} deleted between {} and {}",
                from.at.rfc3339(),
                to.at.rfc3339()
            );
            evidence.push(Evidence::certain("rows written", to.table.clone(), detail));
        }
    }
    Ok((evidence, moments.first().map_or(now.at, |run| run.start.at).rfc3339()))
}

/// Nothing was counted since the counters were set back, which is long enough ago.
fn still(nothing: bool, now: &TableActivity, quiet: Span) -> Option<(Vec<Evidence>, String)> {
    let reset = now.stats_reset.filter(|reset| *reset <= now.at.minus(quiet))?;
    nothing.then(|| (Vec::new(), reset.rfc3339()))
}

/// `legacy_reads`.
pub(super) fn reads(facts: &Facts<'_>, counted: Option<&Counted<'_>>) -> Check {
    const NAME: &str = "legacy_reads";
    let quiet = facts.config.cutover.quiet;
    let (mut evidence, mut said, mut unknown, mut unread) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    match counted.map(|counted| read(counted, quiet)) {
        None => {
            unread.push(COUNTERS.to_owned());
            unknown.push(NO_COUNTERS.to_owned());
        }
        Some(Ok((found, since))) => {
            evidence.extend(found);
            said.push(format!("no scan by others since {since}, as the server counts"));
        }
        Some(Err(why)) => {
            unread.push(COUNTERS.to_owned());
            unknown.push(why);
        }
    }
    match facts.live.map(|live| &live.statements) {
        None => {}
        Some(Statements::Absent) => said.push("pg_stat_statements is not there to be asked".to_owned()),
        Some(Statements::Unread(why)) => {
            unread.push("pg_stat_statements".to_owned());
            unknown.push(format!("pg_stat_statements: {why}"));
        }
        Some(Statements::Read(list)) => {
            evidence.extend(list.iter().map(|statement| {
                let detail = format!("{}{CALLS}{}", statement.calls, statement.text);
                Evidence::possible("statement", format!("role {}", statement.role), detail)
            }));
            if list.is_empty() {
                said.push("no statement of another role in pg_stat_statements names it".to_owned());
            }
        }
    }
    if !evidence.is_empty() {
        let mut detail = format!(
            "the table is still read, nobody may have read it for {} ([cutover] quiet). A nightly pg_dump shows as \
             one sequential scan a night, other commands of reckon as a few; pg_stat_statements keeps old statements \
             until select pg_stat_statements_reset()",
            quiet.words()
        );
        unknown.iter().for_each(|why| detail.push_str(&format!("; not looked at: {why}")));
        return Check { unread, ..Check::fails(NAME, detail, evidence) };
    }
    match unknown.is_empty() {
        true => Check::ok(NAME, said.join("; ")),
        false => {
            let why = unknown.into_iter().chain(said).collect::<Vec<_>>().join("; ");
            Check { unread, ..Check::not_tested(NAME, &why) }
        }
    }
}

/// Scans by others between the runs, and since when they were watched.
fn read(counted: &Counted<'_>, quiet: Span) -> Seen {
    let now = counted.now;
    let moments = match &counted.before {
        Ok(moments) => moments,
        Err(why) => {
            let none = now.seq_scan == 0 && now.idx_scan == 0;
            let unread = still(none, now, quiet).or_else(|| last_scans(now, quiet));
            return unread.ok_or_else(|| why.clone());
        }
    };
    let mut evidence = Vec::new();
    let starts = moments.iter().skip(1).map(|run| run.start).chain([now]);
    for (run, to) in moments.iter().zip(starts) {
        let Some(from) = run.end else {
            return Err(format!(
                "the counters at the end of the run of {} are not known, so its own reads cannot be told from those \
                 of others: a new baseline is there {} after the next run",
                run.start.at.rfc3339(),
                quiet.words()
            ));
        };
        let (sequential, by_index) = (to.seq_scan - from.seq_scan, to.idx_scan - from.idx_scan);
        let detail = format!(
            "{sequential} sequential scans and {by_index} index scans between {} and {}",
            from.at.rfc3339(),
            to.at.rfc3339()
        );
        // A dump reads from the first row to the last; who uses an index asks for rows.
        match (sequential, by_index) {
            (0, 0) => {}
            (_, 0) => evidence.push(Evidence::possible("scans", to.table.clone(), detail)),
            _ => evidence.push(Evidence::certain("scans", to.table.clone(), detail)),
        }
    }
    Ok((evidence, moments.first().map_or(now.at, |run| run.last().at).rfc3339()))
}

/// The server says itself when the last scan was, from PostgreSQL 16 on.
fn last_scans(now: &TableActivity, quiet: Span) -> Option<(Vec<Evidence>, String)> {
    let last = now.last_seq_scan.max(now.last_idx_scan)?;
    let known = |at: Option<Instant>, scans: i64| at.is_some() || scans == 0;
    let known = known(now.last_seq_scan, now.seq_scan) && known(now.last_idx_scan, now.idx_scan);
    (known && last <= now.at.minus(quiet)).then(|| (Vec::new(), last.rfc3339()))
}

#[cfg(test)]
#[path = "activity_tests.rs"]
mod tests;
