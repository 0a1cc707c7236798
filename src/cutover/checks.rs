//! The checks of the gate, in the order of the contract.

use std::collections::BTreeMap;

use crate::audit::Audit;
use crate::balance::Compared;
use crate::config::{Backup, Config};
use crate::domain::{Books, Class, Finding, Instant, Severity, Span, Status};
use crate::history::Watched;
use crate::history::waivers::CHECKS;
use crate::matching::Contradicted;
use crate::source::Snapshot;
use crate::source::postgres::activity::Activity;
use crate::source::postgres::catalogue::TableFacts;
use crate::source::postgres::dependencies::{Certainty, Dependency};

use super::activity::{self, Counted};
use super::content::content;
use super::live::Live;
use super::nights::{Night, clean_nights};
use super::{dependencies, writers};

/// The names of all checks, in order.
pub const NAMES: [&str; 21] = CHECKS;

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// As it should be.
    Ok,
    /// Not as it should be.
    No,
    /// It could not be looked at, or not wholly: never ok.
    NotTested,
}

/// One thing that a check rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// How much it weighs.
    pub certainty: Certainty,
    /// What it is: `view`, `finding`, `rows written`…
    pub kind: String,
    /// Its name; of an object of the database `schema.name`.
    pub name: String,
    /// What there is to say about it.
    pub detail: String,
}

impl Evidence {
    pub(super) fn certain(kind: &str, name: String, detail: String) -> Evidence {
        Evidence { certainty: Certainty::Certain, kind: kind.to_owned(), name, detail }
    }

    pub(super) fn possible(kind: &str, name: String, detail: String) -> Evidence {
        Evidence { certainty: Certainty::Possible, ..Evidence::certain(kind, name, detail) }
    }

    pub(super) fn note(kind: &str, name: String, detail: String) -> Evidence {
        Evidence { certainty: Certainty::Note, ..Evidence::certain(kind, name, detail) }
    }
}

impl From<&Dependency> for Evidence {
    fn from(found: &Dependency) -> Evidence {
        let Dependency { kind, name, detail, certainty } = found.clone();
        Evidence { certainty, kind, name, detail }
    }
}

/// Who accepted a check, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What the check said, as in [`Check::content`].
    pub content: String,
    /// Who.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The end of it, as it was written.
    pub until: String,
}

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name in the contract.
    pub check: &'static str,
    /// The outcome.
    pub ok: Answer,
    /// In words, with the way out where there is something to do.
    pub detail: String,
    /// What it rests on, the weightiest first.
    pub evidence: Vec<Evidence>,
    /// What could not be looked at, by name.
    pub unread: Vec<String>,
    /// `sha256:` and the digest of what it says, which a waiver is bound to.
    pub content: String,
    /// It was accepted by name, and says what was accepted.
    pub accepted: Option<Accepted>,
}

impl Check {
    fn empty(check: &'static str) -> Check {
        let (detail, content) = (String::new(), String::new());
        let (evidence, unread) = (Vec::new(), Vec::new());
        Check { check, ok: Answer::NotTested, detail, evidence, unread, content, accepted: None }
    }

    pub(super) fn ok(check: &'static str, detail: String) -> Check {
        Check { ok: Answer::Ok, detail, ..Check::empty(check) }
    }

    pub(super) fn fails(check: &'static str, detail: String, evidence: Vec<Evidence>) -> Check {
        Check { ok: Answer::No, detail, evidence, ..Check::empty(check) }
    }

    pub(super) fn not_tested(check: &'static str, why: &str) -> Check {
        Check { detail: why.to_owned(), ..Check::empty(check) }
    }

    /// May a person accept it? What could not be tested, and what only may use the table.
    pub fn can_be_accepted(&self) -> bool {
        let is_only_possible = || {
            let weighs = |evidence: &&Evidence| evidence.certainty != Certainty::Note;
            let mut weighty = self.evidence.iter().filter(weighs).peekable();
            weighty.peek().is_some() && weighty.all(|found| found.certainty == Certainty::Possible)
        };
        match self.ok {
            Answer::Ok => false,
            Answer::NotTested => true,
            Answer::No => is_only_possible(),
        }
    }

    /// It does not stand in the way.
    pub fn passes(&self) -> bool {
        self.ok == Answer::Ok || (self.accepted.is_some() && self.can_be_accepted())
    }
}

/// What the checks are made from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Checked configuration.
    pub config: &'a Config,
    /// Both ledgers.
    pub books: &'a Books,
    /// Findings and conservation.
    pub audit: &'a Audit,
    /// How many users' balances were compared with stored ones; `None`: none were read.
    pub compared: Option<Compared>,
    /// What the database says; `None`: nothing was read from a database.
    pub live: Option<&'a Live>,
    /// What the statistics counted around this run.
    pub activity: Option<&'a Activity>,
    /// What the catalogue says of the unified table.
    pub unified: Option<&'a TableFacts>,
    /// Earlier runs, ascending.
    pub past: &'a [Watched],
    /// The runs of the history, those that were removed too, ascending.
    pub nights: &'a [Night],
    /// The moment that all reads of the database saw.
    pub snapshot: Option<&'a Snapshot>,
    /// When the certificate is written: by the clock of the server, where one was read.
    pub now: Instant,
    /// Somebody says that there is a backup.
    pub backup: Option<&'a str>,
    /// Checks that were accepted by name, those that say something else by now too; the last counts.
    pub accepted: &'a BTreeMap<String, Vec<Accepted>>,
}

/// Makes every check.
pub fn all(facts: &Facts<'_>) -> Vec<Check> {
    const NO_DATABASE: &str = "nothing was read from a database, so nothing is known about its objects: run it \
                               where the legacy table is, with [legacy] table in the configuration";
    let config = facts.config;
    let counted = Counted::new(facts);
    let mut checks = vec![
        findings(facts),
        conservation(facts),
        balances(facts),
        nights(facts),
        snapshot_age(facts),
        activity::writes(facts, counted.as_ref()),
        activity::reads(facts, counted.as_ref()),
    ];
    let name = config.legacy.columns.origin.target();
    let no_table = format!("there is no table {name} in this database");
    let (found, why) = match facts.live {
        Some(live) => (live.dependencies.as_ref(), no_table.as_str()),
        None => (None, NO_DATABASE),
    };
    checks.extend(dependencies::checks(found, why));
    checks.push(writers::writers(config, facts.live, NO_DATABASE));
    checks.push(writers::constraint(
        config,
        facts.live,
        facts.unified,
        &facts.books.unified.labels,
        NO_DATABASE,
    ));
    checks.push(backup(facts));
    for check in &mut checks {
        check.evidence.sort();
        check.content = content(check);
        accept(check, facts.accepted.get(check.check).map_or(&[], Vec::as_slice));
    }
    debug_assert!(checks.iter().map(|check| check.check).eq(NAMES));
    checks
}

/// Takes a check for accepted where one of its waivers is bound to what it says; says where none is.
fn accept(check: &mut Check, waivers: &[Accepted]) {
    if !check.can_be_accepted() {
        return;
    }
    check.accepted = waivers.iter().rfind(|waiver| waiver.content == check.content).cloned();
    if let (None, Some(waiver)) = (&check.accepted, waivers.last()) {
        check.detail.push_str(&format!(
            "; the waiver of {} until {} is not in force (lapsed_content): the check does not say any more what \
             was accepted, look again",
            waiver.owner, waiver.until
        ));
    }
}

fn findings(facts: &Facts<'_>) -> Check {
    let mut blocking: BTreeMap<Class, u64> = BTreeMap::new();
    let mut waived = 0;
    for finding in &facts.audit.findings {
        if finding.is_blocking() {
            *blocking.entry(finding.class).or_default() += 1;
        } else if finding.status == Status::Waived {
            waived += 1;
        }
    }
    let all: u64 = blocking.values().sum();
    let waived = match waived {
        0 => String::new(),
        1 => "; one finding is waived".to_owned(),
        more => format!("; {more} findings are waived"),
    };
    let mut evidence: Vec<Evidence> = blocking
        .iter()
        .map(|(class, count)| {
            Evidence::certain("finding", class.name().to_owned(), format!("{count} in findings.csv"))
        })
        .collect();
    // Once the table is gone nobody can compare them any more.
    let contradicted = facts.audit.contradicted.as_ref();
    evidence.extend(contradicted.map(|Contradicted { pairs, first: (legacy, unified) }| {
        let detail =
            format!("the first of {pairs} pairs that carry different payments, or a link to another row");
        Evidence::possible("pair", format!("{legacy} and {unified}"), detail)
    }));
    let detail = match (all, contradicted) {
        (0, None) => return Check::ok("findings", format!("no error finding{waived}")),
        (0, Some(found)) => format!(
            "no error finding{waived}, but {} pairs look alike and carry different payments, or a link to another \
             row: one grant may stand for another there; compare them, and accept this check if they are right",
            found.pairs
        ),
        _ => format!(
            "{all} error findings: mend them with the SQL beside the report, or waive each with a reason"
        ),
    };
    Check::fails("findings", detail, evidence)
}

fn conservation(facts: &Facts<'_>) -> Check {
    let totals = facts.audit.conservation;
    let (legacy, unified) = (totals.legacy, totals.unified);
    let detail = format!(
        "legacy {} rows and {} tokens in, {} and {} out; unified {} and {} in, {} and {} out",
        legacy.rows_in,
        legacy.tokens_in,
        legacy.rows_out,
        legacy.tokens_out,
        unified.rows_in,
        unified.tokens_in,
        unified.rows_out,
        unified.tokens_out
    );
    match totals.holds {
        true => Check::ok("conservation", detail),
        false => Check::fails("conservation", detail, Vec::new()),
    }
}

fn balances(facts: &Facts<'_>) -> Check {
    let Some(compared) = facts.compared else {
        let why = "no stored balances were compared: say where they are in [balances] stored";
        return Check::not_tested("balances", why);
    };
    let gaps = facts
        .audit
        .findings
        .iter()
        .filter(|finding| finding.class == Class::BalanceGap && finding.is_blocking());
    let gaps: Vec<_> = gaps.collect();
    let not_compared = (compared.without > 0).then(|| {
        format!(
            "{} of {} users with rows have no stored balance to compare with: give them one, or leave their rows out; \
             balances.csv shows them with an empty column stored",
            compared.without, compared.users
        )
    });
    if gaps.is_empty() {
        return match not_compared {
            Some(why) => Check::not_tested("balances", &why),
            None => Check::ok(
                "balances",
                format!("every stored balance is explained to the token{}", waived(facts)),
            ),
        };
    }
    /// Users that are named; the others are counted.
    const NAMED: usize = 20;
    let mut evidence: Vec<Evidence> = gaps
        .iter()
        .take(NAMED)
        .map(|finding| {
            let user = finding.user.as_ref().map(ToString::to_string).unwrap_or_default();
            Evidence::certain("user", user, finding.evidence.clone())
        })
        .collect();
    if gaps.len() > NAMED {
        let more = format!("{} more in balances.csv", gaps.len() - NAMED);
        evidence.push(Evidence::note("user", "others".to_owned(), more));
    }
    let mut detail = format!("{} stored balances are not explained: see balances.csv", gaps.len());
    not_compared.iter().for_each(|why| detail.push_str(&format!("; not looked at: {why}")));
    Check::fails("balances", detail, evidence)
}

/// Gaps that are not explained, but accepted; empty without one.
fn waived(facts: &Facts<'_>) -> String {
    let is_waived = |finding: &&Finding| {
        let is_gap = finding.class == Class::BalanceGap && finding.severity == Severity::Error;
        is_gap && finding.status == Status::Waived
    };
    match facts.audit.findings.iter().filter(is_waived).count() {
        0 => String::new(),
        1 => ", but for 1 gap that is waived".to_owned(),
        more => format!(", but for {more} gaps that are waived"),
    }
}

fn nights(facts: &Facts<'_>) -> Check {
    let asked = facts.config.cutover.clean_nights;
    if asked == 0 {
        return Check::ok("clean_nights", "none is asked for ([cutover] clean_nights = 0)".to_owned());
    }
    let nights = clean_nights(facts.nights, facts.now);
    if nights.clean >= asked {
        return Check::ok(
            "clean_nights",
            format!("{} clean days in a row, {asked} are asked for", nights.clean),
        );
    }
    let detail = format!(
        "{} clean days in a row (UTC) before this run, {asked} are asked for ([cutover] clean_nights): {}",
        nights.clean, nights.end
    );
    Check::fails("clean_nights", detail, Vec::new())
}

fn snapshot_age(facts: &Facts<'_>) -> Check {
    match facts.snapshot {
        Some(snapshot) => age_of(snapshot, facts.now, facts.config.cutover.snapshot_age),
        None => {
            let why = "files have no snapshot: how old what they say is, nobody can tell";
            Check::not_tested("snapshot_age", why)
        }
    }
}

fn age_of(snapshot: &Snapshot, now: Instant, most: Span) -> Check {
    if snapshot.of_standby {
        let why = "it was read from a standby: how far that lags behind its primary, and so how old what it shows is, \
                   cannot be told; run the gate on the primary";
        return Check::not_tested("snapshot_age", why);
    }
    let age = now.since(snapshot.at);
    if age.0 < 0 {
        let (at, now) = (snapshot.at.rfc3339(), now.rfc3339());
        let why = format!("the snapshot is of {at} and now is {now}, before it: a clock is wrong");
        return Check::not_tested("snapshot_age", &why);
    }
    let detail = format!(
        "the snapshot of {} was {} old, at most {} are allowed",
        snapshot.at.rfc3339(),
        age.words(),
        most.words()
    );
    match age <= most {
        true => Check::ok("snapshot_age", detail),
        false => Check::fails("snapshot_age", format!("{detail} ([cutover] snapshot_age)"), Vec::new()),
    }
}

fn backup(facts: &Facts<'_>) -> Check {
    match (facts.backup, facts.config.cutover.backup) {
        (Some(text), _) => Check::ok("backup", format!("acknowledged: {text}")),
        (None, Backup::Remind) => {
            let detail = "make a backup, and try that it can be read back: once the table is dropped, it is all there is";
            Check::ok("backup", detail.to_owned())
        }
        (None, Backup::Require) => {
            let detail = "say that there is a backup, and where: --backup-acknowledged TEXT ([cutover] backup = \"require\")";
            Check::fails("backup", detail.to_owned(), Vec::new())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_unknown_or_possible_can_be_accepted() {
        let certain = || Evidence::certain("view", "public.v".to_owned(), String::new());
        let possible = || Evidence::possible("function", "public.f".to_owned(), String::new());
        let note = || Evidence::note("sequence", "public.s".to_owned(), String::new());
        let fails = |evidence| Check::fails("views", String::new(), evidence);
        let cases = [
            (Check::ok("views", String::new()), false, true),
            (Check::not_tested("views", "no right"), true, true),
            (fails(vec![possible(), possible()]), true, true),
            (fails(vec![possible(), note()]), true, true),
            (fails(vec![certain()]), false, false),
            (fails(vec![certain(), possible()]), false, false),
            (fails(vec![]), false, false),
            (fails(vec![note()]), false, false),
        ];
        for (mut check, can_be_accepted, passes_when_accepted) in cases {
            assert_eq!(check.can_be_accepted(), can_be_accepted, "{check:?}");
            assert_eq!(check.passes(), check.ok == Answer::Ok, "not accepted: {check:?}");
            let (owner, reason, until) = ("ops".to_owned(), "known".to_owned(), "2026-12-31".to_owned());
            check.accepted = Some(Accepted { content: String::new(), owner, reason, until });
            assert_eq!(check.passes(), passes_when_accepted, "{check:?}");
        }
    }
    #[test]
    fn a_snapshot_of_a_standby_or_of_the_future_has_no_age() {
        let snapshot = |of_standby| Snapshot {
            name: String::new(),
            lsn: None,
            at: Instant(60_000_000),
            taken: std::time::Instant::now(),
            of_standby,
        };
        let most = Span(10_000_000);
        let cases = [
            (60, false, Answer::Ok),
            (70, false, Answer::Ok),
            (71, false, Answer::No),
            (59, false, Answer::NotTested),
            (60, true, Answer::NotTested),
        ];
        for (now, of_standby, expected) in cases {
            let check = age_of(&snapshot(of_standby), Instant(now * 1_000_000), most);
            assert_eq!(check.ok, expected, "{now} {of_standby}");
        }
        // Now is told by the clock of the server: its time of the snapshot, and what has passed since.
        let now = snapshot(false).now().since(Instant(60_000_000));
        assert!((0..5_000_000).contains(&now.0), "{now:?}");
    }
}
