//! The findings of a run that has been written.

use std::path::Path;

use super::runs::PastRun;
use super::table::each_row;
use super::waivers::Facts;
use super::{HistoryError, lifecycle};
use crate::domain::{Class, Instant, Severity};

/// A run with its findings.
#[derive(Debug, Clone)]
pub struct ListedRun {
    /// Name of its directory.
    pub name: String,
    /// The instant of the reconciliation.
    pub as_of: Instant,
    /// Its findings, in their order.
    pub findings: Vec<ListedFinding>,
}

/// A finding as `findings.csv` has it.
#[derive(Debug, Clone)]
pub struct ListedFinding {
    /// Id.
    pub id: String,
    /// Class.
    pub class: Class,
    /// Severity.
    pub severity: Severity,
    /// User, where known.
    pub user: Option<String>,
    /// Tokens of the legacy side.
    pub tokens_legacy: Option<i128>,
    /// Tokens of the unified side.
    pub tokens_unified: Option<i128>,
    /// What its repair adds to the user's balance, in tokens.
    pub tokens_effect: Option<i128>,
    pub(super) facts: Facts,
}

impl ListedFinding {
    /// What a waiver of the finding is bound to: `sha256:` and a digest.
    pub fn content(&self) -> &str {
        &self.facts.content
    }

    /// What a cap is held against, in tokens without sign; `None`: nobody knows.
    pub fn size(&self) -> Option<u128> {
        self.facts.weight
    }
}

impl ListedRun {
    /// Reads a run directory; `None` where it is none.
    ///
    /// # Errors
    /// [`HistoryError`] when it is one but cannot be read.
    pub fn read(folder: &Path) -> Result<Option<ListedRun>, HistoryError> {
        let folder = &std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let Some(run) = PastRun::read(folder)? else { return Ok(None) };
        let file = folder.join("findings.csv");
        let mut findings = Vec::new();
        let read = each_row(&file, |row| {
            findings.push(ListedFinding {
                id: row.plain("finding_id")?.to_owned(),
                class: row.word("class", &Class::ALL, Class::name)?,
                severity: row.word("severity", &lifecycle::SEVERITIES, Severity::name)?,
                user: Some(row.text("user_id")?).filter(|user| !user.is_empty()).map(str::to_owned),
                tokens_legacy: row.known("tokens_legacy")?,
                tokens_unified: row.known("tokens_unified")?,
                tokens_effect: row.known("tokens_effect")?,
                facts: Facts::of_row(row)?,
            });
            Ok(())
        });
        read.map_err(|cause| HistoryError::unreadable(&file, folder, &cause))?;
        Ok(Some(ListedRun { name: run.name, as_of: run.as_of, findings }))
    }

    /// The finding of this id.
    pub fn find(&self, id: &str) -> Option<&ListedFinding> {
        self.findings.iter().find(|finding| finding.id == id)
    }
}
