//! The certificate: what was looked at, what was found, how long it may be relied on.

use std::collections::BTreeMap;

use crate::audit::SideConservation;
use crate::domain::{Class, Instant, Population, Severity, Side, Span, Status};
use crate::source::Provenance;

use super::checks::{Check, Facts, all};
use super::live::Archived;

/// The result of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing stands in the way.
    Go,
    /// Something does.
    NoGo,
}

impl Verdict {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Go => "go",
            Verdict::NoGo => "no-go",
        }
    }

    /// The exit code that it means.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Go => 0,
            Verdict::NoGo => 1,
        }
    }
}

/// A table as it was certified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Table or files.
    pub name: String,
    /// Rows as the source counts them.
    pub rows: u64,
    /// Raw tokens as the source sums them.
    pub tokens: i128,
    /// Digest of all its rows; `None` where none was made.
    pub digest: Option<String>,
}

/// Findings of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The class.
    pub class: Class,
    /// All of them.
    pub count: u64,
    /// Errors that nobody has accepted.
    pub blocking: u64,
    /// Accepted ones.
    pub waived: u64,
}

/// The certificate of a cut-over, frozen: files and terminal only draw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The result.
    pub verdict: Verdict,
    /// Every check, in the order of the contract.
    pub checks: Vec<Check>,
    /// When it was issued.
    pub issued_at: Instant,
    /// From then on it opens nothing any more.
    pub expires_at: Instant,
    /// The time between.
    pub valid_for: Span,
    /// How long the renamed table is held before it may be dropped.
    pub hold: Span,
    /// The instant of the reconciliation.
    pub as_of: Instant,
    /// The run that it belongs to.
    pub run_id: String,
    /// Version of the program.
    pub version: &'static str,
    /// Name of the exported snapshot, where a database was read.
    pub snapshot: Option<String>,
    /// Write-ahead-log position of the snapshot, where the server tells.
    pub lsn: Option<String>,
    /// The legacy table.
    pub legacy: Table,
    /// The unified table.
    pub unified: Table,
    /// Rows and tokens by class, legacy side.
    pub legacy_population: Population,
    /// Rows and tokens by class, unified side.
    pub unified_population: Population,
    /// In and out: legacy, unified.
    pub conservation: [SideConservation; 2],
    /// The archive of the legacy table, where one was written.
    pub archive: Option<Archived>,
    /// Findings by class, those that there are.
    pub findings: Vec<Found>,
}

impl Certificate {
    /// The checks that stand in the way.
    pub fn reasons(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.passes())
    }

    /// The publications that were found: of a table that may go, those that were accepted.
    pub fn publications(&self) -> Vec<String> {
        let checks = self.checks.iter().filter(|check| check.check == "publications");
        let found = checks.flat_map(|check| &check.evidence);
        found.filter(|found| found.kind == "publication").map(|found| found.name.clone()).collect()
    }

    /// The result in one sentence.
    pub fn sentence(&self) -> String {
        let accepted = self.checks.iter().filter(|check| check.accepted.is_some()).count();
        let accepted = match accepted {
            0 => String::new(),
            1 => ", one of them accepted by name".to_owned(),
            more => format!(", {more} of them accepted by name"),
        };
        match self.reasons().count() {
            0 => format!(
                "Nothing that was looked at stands in the way of dropping {}: {} checks passed{accepted}.",
                self.legacy.name,
                self.checks.len()
            ),
            1 => format!(
                "One check of {} stands in the way of dropping {}.",
                self.checks.len(),
                self.legacy.name
            ),
            more => {
                format!(
                    "{more} checks of {} stand in the way of dropping {}.",
                    self.checks.len(),
                    self.legacy.name
                )
            }
        }
    }
}

/// Makes the checks and writes down what they come to. `sources`: where the rows of the legacy and of
/// the unified side came from.
pub fn certify(facts: &Facts<'_>, sources: [&Provenance; 2], run_id: &str) -> Certificate {
    let checks = all(facts);
    let verdict = if checks.iter().all(Check::passes) { Verdict::Go } else { Verdict::NoGo };
    let settings = &facts.config.cutover;
    let table = |side: Side| {
        let source = match side {
            Side::Legacy => sources[0],
            Side::Unified => sources[1],
        };
        let control = source.control;
        let sealed = facts.live.and_then(|live| live.sealed.as_ref()).filter(|_| side == Side::Legacy);
        let digest = sealed.map(|table| table.state.digest.to_string());
        Table { name: source.name.clone(), rows: control.rows, tokens: control.tokens, digest }
    };
    let conservation = facts.audit.conservation;
    Certificate {
        verdict,
        checks,
        issued_at: facts.now,
        expires_at: facts.now.plus(settings.valid_for),
        valid_for: settings.valid_for,
        hold: settings.hold,
        as_of: facts.books.as_of,
        run_id: run_id.to_owned(),
        version: env!("CARGO_PKG_VERSION"),
        snapshot: facts.snapshot.map(|snapshot| snapshot.name.clone()),
        lsn: facts.snapshot.and_then(|snapshot| snapshot.lsn.clone()),
        legacy: table(Side::Legacy),
        unified: table(Side::Unified),
        legacy_population: facts.audit.legacy_population.clone(),
        unified_population: facts.audit.unified_population.clone(),
        conservation: [conservation.legacy, conservation.unified],
        archive: facts.live.and_then(|live| live.sealed.as_ref()).and_then(|table| table.archive.clone()),
        findings: found(facts),
    }
}

fn found(facts: &Facts<'_>) -> Vec<Found> {
    let mut classes: BTreeMap<Class, Found> = BTreeMap::new();
    for finding in &facts.audit.findings {
        let class = finding.class;
        let found = classes.entry(class).or_insert(Found { class, count: 0, blocking: 0, waived: 0 });
        found.count += 1;
        found.blocking += u64::from(finding.is_blocking() && finding.severity == Severity::Error);
        found.waived += u64::from(finding.status == Status::Waived);
    }
    classes.into_values().collect()
}
