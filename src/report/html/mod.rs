//! `report.html`: one file that needs no network, readable on screen, by ear and on paper.
//!
//! Everything that is shown is text that the templates escape ([`escape`]). The findings for the
//! script are packed ([`pack`]) into letters that can end no element. A browser is told to ask
//! nothing of anybody and to run the page's own two scripts only, by their digests.

mod balances;
mod causes;
mod changes;
mod chart;
mod columns;
mod escape;
mod gaps;
mod lags;
mod pack;
mod rows;
mod signs;
mod timeline;
mod view;
mod waivers;
mod waterfall;
mod words;

pub(crate) use words::gap_cause;

use std::io::{self, Write};

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::balance::GapCause;
use crate::domain::{Class, RepairKind, Rule, Severity, Side, Status};
use crate::sha256::sha256;

use super::error::ReportError;
use super::figures::moment;
use super::model::Model;
use super::place::WrittenFile;

pub use escape::Readable;
pub use pack::{FINDINGS_MAX_BYTES, PEOPLE_MAX_BYTES, Packed, pack, pack_within};

const STYLE: &str = include_str!("report.css");
const ENGINE: &str = include_str!("engine.js");
const SCRIPT: &str = include_str!("page.js");

const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Info];
const REPAIRS: [RepairKind; 5] =
    [RepairKind::Backfill, RepairKind::Update, RepairKind::Dedupe, RepairKind::Review, RepairKind::None];
const STATUSES: [Status; 3] = [Status::New, Status::Open, Status::Waived];

/// The page up to the data: what a reader without scripts has.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    policy: String,
    style: &'static str,
    verdict: &'static str,
    tone: &'static str,
    as_of: String,
    legacy: &'a str,
    unified: &'a str,
    sentence: String,
    warnings: Vec<&'a String>,
    figures: Vec<view::Figure>,
    changes: changes::Changes,
    waivers: Vec<waivers::WaiverRow>,
    causes: causes::CauseView,
    classes: Vec<view::ClassLine>,
    timeline: Option<timeline::Timeline>,
    findings_total: String,
    held: String,
    is_capped: bool,
    rows: Vec<rows::Row>,
    waterfall: waterfall::Waterfall,
    gaps: Option<gaps::Gaps>,
    balances: balances::BalanceView,
    accounts: [view::Account; 2],
    holds: bool,
    population: Vec<view::PopulationLine>,
    pairs: Vec<view::Line>,
    unused_rungs: String,
    signs: signs::SignView,
    columns: Vec<columns::ColumnView>,
    lags: lags::Lags<'a>,
    sql: Vec<view::SqlLine>,
    inputs: Vec<view::InputLine>,
    provenance: Vec<view::Fact>,
    class_words: Vec<(&'static str, &'static str, &'static str)>,
    rule_words: Vec<(&'static str, &'static str)>,
    repair_words: Vec<(&'static str, &'static str)>,
    version: &'static str,
}

/// What the script knows beside the packed blocks.
#[derive(Serialize)]
struct Facts {
    total: usize,
    held: usize,
    block_users: usize,
    classes: Vec<(&'static str, &'static str)>,
    severities: [&'static str; 3],
    repairs: [&'static str; 5],
    statuses: [&'static str; 3],
    gap_causes: Vec<&'static str>,
}

/// Writes the page. `files` are the data files whose digests it names.
///
/// # Errors
/// When the page cannot be written.
pub fn write(
    model: &Model<'_>,
    packed: &Packed,
    files: &[WrittenFile],
    out: &mut dyn Write,
) -> io::Result<()> {
    page(model, packed, files).write_into(out)?;
    for (kind, blocks) in [("findings", &packed.findings), ("people", &packed.people)] {
        for block in blocks {
            writeln!(out, "<script type=\"text/plain\" class=\"{kind}\">{block}</script>")?;
        }
    }
    // All of it is the program's own: no letter can end the element.
    let facts = serde_json::to_string(&facts(model, packed)).map_err(io::Error::other)?;
    writeln!(out, "<script type=\"application/json\" id=\"facts\">{facts}</script>")?;
    writeln!(out, "<script id=\"engine\">{ENGINE}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>")
}

/// The page as one text.
///
/// # Errors
/// When the page cannot be drawn.
pub fn render(model: &Model<'_>, files: &[WrittenFile]) -> Result<String, ReportError> {
    let mut bytes = Vec::new();
    write(model, &pack(model), files, &mut bytes).map_err(ReportError::Html)?;
    String::from_utf8(bytes).map_err(|cause| ReportError::Html(io::Error::other(cause)))
}

/// What a browser may do with the page: nothing but show it and run what is in it.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(sha256(text).bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}' 'sha256-{}'; \
         worker-src blob:; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(ENGINE),
        digest(SCRIPT)
    )
}

fn page<'a>(model: &'a Model<'_>, packed: &Packed, files: &[WrittenFile]) -> Page<'a> {
    let (verdict, tone) = view::verdict(model);
    let changes = changes::view(model);
    Page {
        policy: policy(),
        style: STYLE,
        verdict,
        tone,
        as_of: moment(model.as_of),
        legacy: &model.inputs[0].provenance.name,
        unified: &model.inputs[1].provenance.name,
        sentence: model.sentence.replace(" -", " \u{2212}"),
        // What is gone is said among the changes.
        warnings: model.warnings.iter().filter(|text| !changes.gone.contains(text)).collect(),
        figures: view::figures(model),
        changes,
        waivers: waivers::rows(model),
        causes: causes::view(model),
        classes: view::classes(model),
        timeline: timeline::view(model),
        findings_total: view::number(model.findings.len() as u64),
        held: view::number(packed.held as u64),
        is_capped: packed.held < model.findings.len(),
        rows: rows::drawn(model),
        waterfall: waterfall::view(model),
        gaps: gaps::view(model),
        balances: balances::view(model),
        accounts: [view::account(model, Side::Legacy), view::account(model, Side::Unified)],
        holds: model.conservation.holds,
        population: view::population(model),
        pairs: view::pairs(model),
        unused_rungs: view::unused_rungs(model),
        signs: signs::view(model.signs),
        columns: columns::view(model),
        lags: lags::view(model),
        sql: view::sql(model),
        inputs: view::inputs(model),
        provenance: view::provenance(model, files),
        class_words: Class::ALL.map(|class| (class.name(), class.title(), words::class(class))).to_vec(),
        rule_words: Rule::PAIRING.map(|rule| (rule.name(), words::rule(rule))).to_vec(),
        repair_words: REPAIRS.map(|repair| (repair.name(), words::repair(repair))).to_vec(),
        version: model.version,
    }
}

fn facts(model: &Model<'_>, packed: &Packed) -> Facts {
    Facts {
        total: model.findings.len(),
        held: packed.held,
        block_users: pack::BLOCK_USERS,
        classes: Class::ALL.map(|class| (class.name(), class.title())).to_vec(),
        severities: SEVERITIES.map(Severity::name),
        repairs: REPAIRS.map(RepairKind::name),
        statuses: STATUSES.map(Status::name),
        gap_causes: GapCause::ALL.iter().map(|cause| words::gap_cause(*cause)).collect(),
    }
}
