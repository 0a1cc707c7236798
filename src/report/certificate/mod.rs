//! The certificate of a cut-over: `cutover.json`, `certificate.html` and the terminal. Each only draws
//! what the gate found.

mod html;
mod json;
mod terminal;

use super::Beside;
use super::error::ReportError;
use crate::cutover::Certificate;

pub use json::document as json;
pub use terminal::render as terminal;

/// The files of a certificate.
///
/// # Errors
/// When one of them cannot be made.
pub fn files(certificate: &Certificate) -> Result<Vec<Beside>, ReportError> {
    Ok(vec![
        Beside { name: "cutover.json", bytes: json::document(certificate)? },
        Beside { name: "certificate.html", bytes: html::page(certificate)?.into_bytes() },
    ])
}

/// What a check asks, for people.
fn question(check: &str) -> &'static str {
    match check {
        "findings" => "No error finding is open",
        "conservation" => "Every row and token is accounted for",
        "balances" => "Stored balances are explained",
        "clean_nights" => "Clean nights in a row",
        "snapshot_age" => "What was read is fresh",
        "legacy_writes" => "Nobody writes the table",
        "legacy_reads" => "Nobody reads the table",
        "views" => "No view uses it",
        "foreign_keys" => "No foreign key references it",
        "triggers" => "No trigger acts on it or uses it",
        "functions" => "No function or procedure names it",
        "policies" => "No policy stands on it or reads it",
        "publications" => "It is not replicated",
        "rules" => "No rule acts on it or names it",
        "sequences" => "Nobody else uses its sequences",
        "inheritance" => "Nothing inherits from it or is made of its rows",
        "defaults" => "No default or constraint elsewhere needs it",
        "jobs" => "No job in the database names it",
        "writers" => "The writers of grants write the unified table",
        "constraint" => "The unified table takes every label",
        "backup" => "A backup, which nobody but you can look at",
        _ => "",
    }
}
