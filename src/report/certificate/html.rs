//! `certificate.html`: the certificate on one page, without a script and without a network.

use askama::Template;

use crate::cutover::{Answer, Certificate, Check, Table, Verdict};
use crate::domain::PopulationClass;
use crate::report::error::ReportError;
use crate::report::figures::{counted, grouped, length, moment, size};
use crate::source::postgres::dependencies::Certainty;

#[derive(Template)]
#[template(path = "certificate.html")]
struct Page<'a> {
    verdict: &'static str,
    tone: &'static str,
    is_go: bool,
    sentence: String,
    issued_at: String,
    expires_at: String,
    valid_for: String,
    hold: String,
    legacy: &'a str,
    unified: &'a str,
    figures: Vec<Figure>,
    checks: Vec<CheckPart<'a>>,
    accepted: Vec<AcceptedPart<'a>>,
    tables: Vec<TablePart<'a>>,
    population: Vec<PopulationLine>,
    findings: Vec<[String; 4]>,
    provenance: Vec<(&'static str, String)>,
    next: Vec<&'static str>,
    version: &'static str,
}

struct Figure {
    caption: &'static str,
    value: String,
    note: String,
}

impl Figure {
    /// How long the value is, as classes.
    fn size(&self) -> &'static str {
        size(&self.value)
    }
}

struct CheckPart<'a> {
    name: &'static str,
    question: &'static str,
    word: &'static str,
    tone: &'static str,
    detail: &'a str,
    evidence: Vec<EvidencePart<'a>>,
    is_open: bool,
}

struct EvidencePart<'a> {
    kind: &'a str,
    name: &'a str,
    detail: &'a str,
    weight: &'static str,
}

struct AcceptedPart<'a> {
    check: &'static str,
    owner: &'a str,
    reason: &'a str,
    until: &'a str,
}

struct TablePart<'a> {
    title: &'static str,
    name: &'a str,
    rows: [String; 2],
    tokens: [String; 2],
    holds: bool,
    digest: &'a str,
}

struct PopulationLine {
    class: &'static str,
    cells: [String; 4],
}

/// Draws the page.
///
/// # Errors
/// When the page cannot be drawn.
pub(super) fn page(certificate: &Certificate) -> Result<String, ReportError> {
    let (verdict, tone, is_go) = match certificate.verdict {
        Verdict::Go => ("GO", "good", true),
        Verdict::NoGo => ("NO-GO", "bad", false),
    };
    let page = Page {
        verdict,
        tone,
        is_go,
        sentence: certificate.sentence(),
        issued_at: moment(certificate.issued_at),
        expires_at: moment(certificate.expires_at),
        valid_for: length(certificate.valid_for),
        hold: length(certificate.hold),
        legacy: &certificate.legacy.name,
        unified: &certificate.unified.name,
        figures: figures(certificate),
        checks: ordered(certificate).into_iter().map(check).collect(),
        accepted: certificate.checks.iter().filter_map(accepted).collect(),
        tables: tables(certificate),
        population: population(certificate),
        findings: certificate
            .findings
            .iter()
            .map(|found| {
                let number = |count: u64| grouped(i128::from(count));
                let title = found.class.title().to_owned();
                [title, number(found.count), number(found.blocking), number(found.waived)]
            })
            .collect(),
        provenance: provenance(certificate),
        next: next(certificate),
        version: certificate.version,
    };
    page.render().map_err(ReportError::Certificate)
}

/// What stands in the way comes first.
fn ordered(certificate: &Certificate) -> Vec<&Check> {
    let (pass, fail): (Vec<&Check>, Vec<&Check>) =
        certificate.checks.iter().partition(|check| check.passes());
    fail.into_iter().chain(pass).collect()
}

fn figures(certificate: &Certificate) -> Vec<Figure> {
    let passed = certificate.checks.iter().filter(|check| check.passes()).count();
    let table = |caption, table: &Table| Figure {
        caption,
        value: counted(table.rows, "row", "rows"),
        note: format!("{} tokens as stored", grouped(table.tokens)),
    };
    let blocking: u64 = certificate.findings.iter().map(|found| found.blocking).sum();
    let all: u64 = certificate.findings.iter().map(|found| found.count).sum();
    vec![
        Figure {
            caption: "Checks passed",
            value: format!("{passed} of {}", certificate.checks.len()),
            note: match certificate.checks.iter().filter(|check| check.accepted.is_some()).count() {
                0 => "none accepted by name".to_owned(),
                count => format!("{count} accepted by name"),
            },
        },
        table("Legacy table", &certificate.legacy),
        table("Unified table", &certificate.unified),
        Figure {
            caption: "Open error findings",
            value: grouped(i128::from(blocking)),
            note: format!("of {}", counted(all, "finding", "findings")),
        },
    ]
}

fn check(check: &Check) -> CheckPart<'_> {
    let (word, tone) = match (check.ok, check.passes()) {
        (Answer::Ok, _) => ("ok", "good"),
        (Answer::No, true) => ("no, accepted", "warn"),
        (Answer::NotTested, true) => ("not tested, accepted", "warn"),
        (Answer::No, false) => ("no", "bad"),
        (Answer::NotTested, false) => ("not tested", "bad"),
    };
    let evidence = check.evidence.iter().map(|found| EvidencePart {
        kind: &found.kind,
        name: &found.name,
        detail: &found.detail,
        weight: match found.certainty {
            Certainty::Certain => "certain",
            Certainty::Possible => "possible",
            Certainty::Note => "for information",
        },
    });
    CheckPart {
        name: check.check,
        question: super::question(check.check),
        word,
        tone,
        detail: &check.detail,
        evidence: evidence.collect(),
        is_open: !check.passes(),
    }
}

fn accepted(check: &Check) -> Option<AcceptedPart<'_>> {
    let accepted = check.accepted.as_ref()?;
    Some(AcceptedPart {
        check: check.check,
        owner: &accepted.owner,
        reason: &accepted.reason,
        until: &accepted.until,
    })
}

fn tables(certificate: &Certificate) -> Vec<TablePart<'_>> {
    let [legacy, unified] = certificate.conservation;
    [("Legacy", &certificate.legacy, legacy), ("Unified", &certificate.unified, unified)]
        .into_iter()
        .map(|(title, table, sums)| TablePart {
            title,
            name: &table.name,
            rows: [grouped(i128::from(sums.rows_in)), grouped(i128::from(sums.rows_out))],
            tokens: [grouped(sums.tokens_in), grouped(sums.tokens_out)],
            holds: sums.rows_in == sums.rows_out && sums.tokens_in == sums.tokens_out,
            digest: table.digest.as_deref().unwrap_or_default(),
        })
        .collect()
}

fn population(certificate: &Certificate) -> Vec<PopulationLine> {
    let lines = PopulationClass::ALL.iter().filter_map(|class| {
        let [legacy, unified] =
            [&certificate.legacy_population, &certificate.unified_population].map(|side| side.get(*class));
        (legacy.rows > 0 || unified.rows > 0).then(|| PopulationLine {
            class: class.name(),
            cells: [
                grouped(i128::from(legacy.rows)),
                grouped(legacy.tokens),
                grouped(i128::from(unified.rows)),
                grouped(unified.tokens),
            ],
        })
    });
    lines.collect()
}

fn provenance(certificate: &Certificate) -> Vec<(&'static str, String)> {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
    vec![
        ("As of", certificate.as_of.rfc3339()),
        ("Issued", certificate.issued_at.rfc3339()),
        ("Expires", certificate.expires_at.rfc3339()),
        ("Run", certificate.run_id.clone()),
        ("Snapshot", or_none(&certificate.snapshot)),
        ("Position in the write-ahead log", or_none(&certificate.lsn)),
        ("Archive", archive(certificate)),
        ("Program", format!("reckon {}", certificate.version)),
    ]
}

fn archive(certificate: &Certificate) -> String {
    match &certificate.archive {
        Some(archive) => {
            format!("{}, its rows with SHA-256 {}", archive.folder.display(), archive.seal.csv_sha256)
        }
        None => "none: without one the last step does not drop the table".to_owned(),
    }
}

fn next(certificate: &Certificate) -> Vec<&'static str> {
    match certificate.verdict {
        Verdict::Go => vec![
            "Make sure that a backup of the legacy table can be read back.",
            "Retire the table with retire.sql, beside this page: it forbids writes, renames, and after the hold, run \
             again, drops. Each step counts and digests the table again and refuses if it is not the one certified \
             here. unretire.sql takes the first two steps back.",
            "The drop needs an archive: `reckon cutover --archive DIR` writes the whole table and digests it.",
            "After the expiry, run the gate again: its first step is closed by then.",
        ],
        Verdict::NoGo => vec![
            "Do not drop the table.",
            "Go through the checks that stand in the way, first on this page: each says what to do.",
            "What could not be tested, and what only may use the table, can be accepted by name, with owner, reason \
             and end; what certainly uses it cannot.",
            "Run `reckon cutover` again.",
        ],
    }
}
