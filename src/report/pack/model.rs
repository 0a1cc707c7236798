//! The frozen figures of a pack. The files only draw them.

use crate::audit::period::PeriodAudit;
use crate::config::Config;
use crate::domain::{Disposition, Finding, RowId, Severity, Side, Status};
use crate::report::Model;
use crate::report::figures::{counted, grouped};

/// Everything that a pack shows.
#[derive(Debug, Clone)]
pub struct Pack<'a> {
    /// The reconciliation as of the end of the period.
    pub model: Model<'a>,
    /// Checked configuration.
    pub config: &'a Config,
    /// The period.
    pub period: &'a PeriodAudit,
    /// For each holder its position among the reconciled balances.
    pub balance_of: Vec<Option<u32>>,
    /// Does a finding touch the period?
    pub in_period: Vec<bool>,
    /// Fingerprint of the key of the names under which users stand; `None`: they stand under their own ids.
    pub redaction: Option<String>,
}

/// Freezes a pack.
pub fn build<'a>(
    model: Model<'a>,
    config: &'a Config,
    period: &'a PeriodAudit,
    redaction: Option<String>,
) -> Pack<'a> {
    let roster = model.roster;
    let balance_of = period
        .holders
        .iter()
        .map(|holder| roster.find(&holder.id).map(|user| user.0))
        .map(|user| user.filter(|user| (*user as usize) < model.users.len()))
        .collect();
    let in_period = model.findings.iter().map(|finding| touches(finding, period)).collect();
    Pack { model, config, period, balance_of, in_period, redaction }
}

/// A finding touches the period when one of its rows lies in it. One without a time is about the end
/// of the period: a balance, or a row whose time cannot be read.
fn touches(finding: &Finding, period: &PeriodAudit) -> bool {
    let mut times = finding.created_at_legacy.into_iter().chain(finding.created_at_unified).peekable();
    times.peek().is_none() || times.any(|at| period.period.contains(at))
}

impl Pack<'_> {
    /// The result in a sentence or two.
    pub fn sentence(&self) -> String {
        let all = self.model.findings.len() as u64;
        let inside = counted(self.exceptions_in_period(), "finding touches", "findings touch");
        match (all, self.model.blocking) {
            (0, _) => "No finding stands at the end of the period.".to_owned(),
            (_, 0) => {
                let all = grouped(i128::from(all));
                let accepted = match self.waived_errors() {
                    0 => "none is an error".to_owned(),
                    count => {
                        counted(count, "error is accepted, none stands", "errors are accepted, none stands")
                    }
                };
                format!("{inside} the period, of {all} in all; {accepted}.")
            }
            (_, errors) => format!(
                "{inside} the period, of {} in all; {} at its end.",
                grouped(i128::from(all)),
                counted(errors, "error that nobody accepted stands", "errors that nobody accepted stand")
            ),
        }
    }

    /// Errors that a waiver accepts.
    fn waived_errors(&self) -> u64 {
        let is_waived =
            |finding: &&Finding| finding.severity == Severity::Error && finding.status == Status::Waived;
        self.model.findings.iter().filter(is_waived).count() as u64
    }

    /// Findings that touch the period.
    pub fn exceptions_in_period(&self) -> u64 {
        self.in_period.iter().filter(|inside| **inside).count() as u64
    }

    /// What became of a row.
    pub fn disposition(&self, side: Side, row: &RowId) -> Option<&Disposition> {
        self.model.audit.dispositions.find(self.model.books, side, row)
    }

    /// The finding that a row is in.
    pub fn finding_of(&self, disposition: &Disposition) -> Option<&Finding> {
        disposition.finding.and_then(|at| self.model.findings.get(at as usize))
    }

    /// Sum of the holders' balances before the period.
    pub fn opening_of_holders(&self) -> i128 {
        self.period.holders.iter().map(|holder| holder.opening).sum()
    }

    /// Sum of the holders' balances at its end.
    pub fn closing_of_holders(&self) -> i128 {
        self.period.holders.iter().map(|holder| holder.closing).sum()
    }
}
