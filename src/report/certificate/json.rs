//! `cutover.json`.

use serde::{Serialize, Serializer};

use crate::audit::SideConservation;
use crate::cutover::{Accepted, Answer, Archived, Certificate, Check, Evidence, Found, Table};
use crate::domain::Population;
use crate::report::error::ReportError;
use crate::report::json::pretty;
use crate::source::postgres::dependencies::Certainty;

/// Name and version of the shape of `cutover.json`.
const SCHEMA: &str = "reckon.cutover/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    verdict: &'static str,
    exit_code: u8,
    checks: Vec<CheckPart<'a>>,
    issued_at: String,
    expires_at: String,
    valid_for_seconds: i64,
    hold_seconds: i64,
    // What the contract leaves free.
    sentence: String,
    reasons: Vec<&'static str>,
    accepted: Vec<AcceptedPart<'a>>,
    as_of: String,
    run_id: &'a str,
    version: &'static str,
    snapshot: Option<&'a str>,
    lsn: Option<&'a str>,
    archive: Option<ArchivePart<'a>>,
    legacy: TablePart<'a>,
    unified: TablePart<'a>,
    findings: Vec<FoundPart>,
}

#[derive(Serialize)]
struct CheckPart<'a> {
    check: &'static str,
    ok: Ok,
    detail: &'a str,
    evidence: Vec<EvidencePart<'a>>,
    content: &'a str,
    passes: bool,
    can_be_accepted: bool,
}

/// `true`, `false` or `"not_tested"`.
struct Ok(Answer);

impl Serialize for Ok {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Answer::Ok => serializer.serialize_bool(true),
            Answer::No => serializer.serialize_bool(false),
            Answer::NotTested => serializer.serialize_str("not_tested"),
        }
    }
}

#[derive(Serialize)]
struct EvidencePart<'a> {
    kind: &'a str,
    name: &'a str,
    detail: &'a str,
    certainty: Certainty,
}

#[derive(Serialize)]
struct AcceptedPart<'a> {
    check: &'static str,
    owner: &'a str,
    reason: &'a str,
    until: &'a str,
}

#[derive(Serialize)]
struct TablePart<'a> {
    table: &'a str,
    rows: u64,
    tokens: i128,
    digest: Option<&'a str>,
    population: &'a Population,
    conservation: SideConservation,
}

#[derive(Serialize)]
struct ArchivePart<'a> {
    folder: String,
    digest: String,
    shape: &'a str,
    csv_sha256: &'a str,
}

#[derive(Serialize)]
struct FoundPart {
    class: &'static str,
    count: u64,
    blocking: u64,
    waived: u64,
}

/// The bytes of `cutover.json`.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn document(certificate: &Certificate) -> Result<Vec<u8>, ReportError> {
    let accepted = certificate.checks.iter().filter_map(|check| {
        let Accepted { owner, reason, until, .. } = check.accepted.as_ref()?;
        Some(AcceptedPart { check: check.check, owner, reason, until })
    });
    let [legacy, unified] = certificate.conservation;
    pretty(
        "cutover.json",
        &Document {
            schema: SCHEMA,
            verdict: certificate.verdict.name(),
            exit_code: certificate.verdict.exit_code(),
            checks: certificate.checks.iter().map(check).collect(),
            issued_at: certificate.issued_at.rfc3339(),
            expires_at: certificate.expires_at.rfc3339(),
            valid_for_seconds: certificate.valid_for.0 / 1_000_000,
            hold_seconds: certificate.hold.0 / 1_000_000,
            sentence: certificate.sentence(),
            reasons: certificate.reasons().map(|check| check.check).collect(),
            accepted: accepted.collect(),
            as_of: certificate.as_of.rfc3339(),
            run_id: &certificate.run_id,
            version: certificate.version,
            snapshot: certificate.snapshot.as_deref(),
            lsn: certificate.lsn.as_deref(),
            archive: certificate.archive.as_ref().map(archive),
            legacy: table(&certificate.legacy, &certificate.legacy_population, legacy),
            unified: table(&certificate.unified, &certificate.unified_population, unified),
            findings: certificate.findings.iter().map(found).collect(),
        },
    )
}

fn check(check: &Check) -> CheckPart<'_> {
    let evidence = check.evidence.iter().map(|evidence| {
        let Evidence { certainty, kind, name, detail } = evidence;
        EvidencePart { kind, name, detail, certainty: *certainty }
    });
    CheckPart {
        check: check.check,
        ok: Ok(check.ok),
        detail: &check.detail,
        evidence: evidence.collect(),
        content: &check.content,
        passes: check.passes(),
        can_be_accepted: check.can_be_accepted(),
    }
}

fn table<'a>(table: &'a Table, population: &'a Population, conservation: SideConservation) -> TablePart<'a> {
    TablePart {
        table: &table.name,
        rows: table.rows,
        tokens: table.tokens,
        digest: table.digest.as_deref(),
        population,
        conservation,
    }
}

fn archive(archive: &Archived) -> ArchivePart<'_> {
    ArchivePart {
        folder: archive.folder.display().to_string(),
        digest: archive.seal.digest.to_string(),
        shape: &archive.seal.shape,
        csv_sha256: &archive.seal.csv_sha256,
    }
}

fn found(found: &Found) -> FoundPart {
    let Found { class, count, blocking, waived } = *found;
    FoundPart { class: class.name(), count, blocking, waived }
}
