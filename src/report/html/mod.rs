//! `report.html`: one file that needs no network, readable on screen, by ear and on paper.
//!
//! Everything that is shown is text that the template escapes. The one exception is the JSON block
//! for the script, which [`rows::json`] leaves without a letter that could end it.

mod balances;
mod rows;
mod signs;
mod view;
mod words;

use askama::Template;

use crate::domain::{Class, RepairKind, Rule, Side};

use super::error::ReportError;
use super::figures::moment;
use super::model::Model;
use super::place::WrittenFile;

pub use rows::EMBEDDED_MAX;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    verdict: &'static str,
    tone: &'static str,
    as_of: String,
    legacy: &'a str,
    unified: &'a str,
    sentence: String,
    history: String,
    warnings: &'a [String],
    figures: Vec<view::Figure>,
    accounts: [view::Account; 2],
    holds: bool,
    population: Vec<view::PopulationLine>,
    pairs: Vec<view::Line>,
    unused_rungs: String,
    classes: Vec<view::ClassLine>,
    causes: Vec<view::CauseLine>,
    findings_total: String,
    embedded_total: String,
    is_capped: bool,
    rows: Vec<rows::Row>,
    balances: balances::BalanceView,
    signs: signs::SignView,
    sql: Vec<view::SqlLine>,
    inputs: Vec<view::InputLine>,
    provenance: Vec<view::Fact>,
    class_words: Vec<(&'static str, &'static str, &'static str)>,
    rule_words: Vec<(&'static str, &'static str)>,
    repair_words: Vec<(&'static str, &'static str)>,
    version: &'static str,
    data: String,
}

/// Draws the page. `files` are the data files whose digests it names.
///
/// # Errors
/// When the page cannot be drawn.
pub fn render(model: &Model<'_>, files: &[WrittenFile]) -> Result<String, ReportError> {
    let embedded = rows::embedded(model);
    let (verdict, tone) = view::verdict(model);
    let page = Page {
        verdict,
        tone,
        as_of: moment(model.as_of),
        legacy: &model.inputs[0].provenance.name,
        unified: &model.inputs[1].provenance.name,
        sentence: model.sentence.replace(" -", " \u{2212}"),
        history: history(model),
        warnings: &model.warnings,
        figures: view::figures(model),
        accounts: [view::account(model, Side::Legacy), view::account(model, Side::Unified)],
        holds: model.conservation.holds,
        population: view::population(model),
        pairs: view::pairs(model),
        unused_rungs: view::unused_rungs(model),
        classes: view::classes(model),
        causes: view::causes(model),
        findings_total: view::number(model.findings.len() as u64),
        embedded_total: view::number(embedded.len() as u64),
        is_capped: embedded.len() < model.findings.len(),
        rows: rows::drawn(&embedded),
        balances: balances::view(model),
        signs: signs::view(model.signs),
        sql: view::sql(model),
        inputs: view::inputs(model),
        provenance: view::provenance(model, files),
        class_words: Class::ALL.map(|class| (class.name(), class.title(), words::class(class))).to_vec(),
        rule_words: Rule::PAIRING.map(|rule| (rule.name(), words::rule(rule))).to_vec(),
        repair_words: [
            RepairKind::Backfill,
            RepairKind::Update,
            RepairKind::Dedupe,
            RepairKind::Review,
            RepairKind::None,
        ]
        .map(|repair| (repair.name(), words::repair(repair)))
        .to_vec(),
        version: model.version,
        data: rows::json(model, &embedded)
            .map_err(|source| ReportError::Json { file: "report.html", source })?,
    };
    Ok(page.render()?)
}

fn history(model: &Model<'_>) -> String {
    let history = &model.history;
    match &history.previous {
        Some(previous) => format!(
            "Since the run {previous}: {} new, {} open, {} resolved.",
            view::number(history.new),
            view::number(history.open),
            view::number(history.resolved)
        ),
        None => String::new(),
    }
}
