//! What a notification says of a run: taken from the frozen model, and kept when that is gone.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::owed::Owed;
use crate::audit::RunVerdict;
use crate::domain::Finding;
use crate::report::Model;

/// How many new error findings a notification lists; `findings.csv` has them all.
const LISTED: usize = 20;

/// What is told of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFacts {
    /// The run directory, from the root of the file system where that is known.
    pub folder: PathBuf,
    /// The run's id.
    pub run_id: String,
    /// The instant of the reconciliation, RFC 3339.
    pub as_of: String,
    /// The result.
    pub verdict: RunVerdict,
    /// The result in one or two sentences.
    pub sentence: String,
    /// Unwaived findings of severity `error`.
    pub errors: u64,
    /// Those of them that the previous run did not have, or had accepted.
    pub new_errors: u64,
    /// Unwaived errors that the previous run had too, and that not everybody was told of.
    pub owed_errors: u64,
    /// Findings by class; only classes that have one.
    pub classes: Vec<ClassFact>,
    /// The first error findings that are new or not told before, in the order of `findings.csv`.
    pub new_findings: Vec<FindingFact>,
    /// The part of the gaps of stored balances that no cause gives, without signs; `None`: unknown.
    pub unexplained_tokens: Option<i128>,
    /// Rows and users that are gone, one sentence each: of runs before, where not everybody was told of
    /// them, then of the previous run.
    pub shrunk: Vec<String>,
}

/// The findings of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassFact {
    /// The class.
    pub class: &'static str,
    /// All.
    pub count: u64,
    /// Those that the previous run did not have.
    pub new: u64,
    /// Of these, unwaived and of severity `error`.
    pub new_errors: u64,
    /// Those that are accepted.
    pub waived: u64,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingFact {
    /// Its id.
    pub finding_id: String,
    /// Its class.
    pub class: &'static str,
    /// Its user, as the report names it.
    pub user_id: Option<String>,
    /// What the repair adds to the user's balance, in tokens; `None`: unknown.
    pub tokens_effect: Option<i128>,
    /// Its cause; empty where none is known.
    pub cause: String,
}

impl RunFacts {
    /// Takes them from a run that is in its place. `is_new_error` tells the findings that keep the run
    /// from being clean and did not keep the one before from it; `owed`: what earlier runs left untold.
    pub fn of(
        model: &Model<'_>,
        folder: &Path,
        is_new_error: &dyn Fn(&Finding) -> bool,
        owed: &Owed,
    ) -> RunFacts {
        let classes = model.classes.iter().filter(|class| class.count > 0).map(|class| {
            // They stand in the order of their classes.
            let begin = model.findings.partition_point(|finding| finding.class < class.class);
            let end = model.findings.partition_point(|finding| finding.class <= class.class);
            let mine = || model.findings[begin..end].iter();
            ClassFact {
                class: class.class.name(),
                count: class.count,
                new: mine().filter(|finding| finding.is_new()).count() as u64,
                new_errors: mine().filter(|finding| is_new_error(finding)).count() as u64,
                waived: class.waived,
            }
        });
        let new_errors = || model.findings.iter().filter(|finding| is_new_error(finding));
        let is_owed =
            |finding: &Finding| finding.is_blocking() && !is_new_error(finding) && owed.has(finding);
        let told = model.findings.iter().filter(|finding| is_new_error(finding) || is_owed(finding));
        let listed = told.take(LISTED).map(|finding| FindingFact {
            finding_id: finding.id.0.clone(),
            class: finding.class.name(),
            user_id: finding.user.as_ref().map(ToString::to_string),
            tokens_effect: finding.tokens_effect,
            cause: finding.cause.to_string(),
        });
        let history = &model.history;
        let previous = history.previous.as_deref().unwrap_or_default();
        let mut shrunk = owed.shrunk.clone();
        shrunk.extend(
            history.shrunk.sentences(previous).into_iter().filter(|text| !owed.shrunk.contains(text)),
        );
        RunFacts {
            folder: std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()),
            run_id: model.run_id.clone(),
            as_of: model.as_of.rfc3339(),
            verdict: model.verdict,
            sentence: model.sentence.clone(),
            errors: model.blocking,
            new_errors: new_errors().count() as u64,
            owed_errors: model.findings.iter().filter(|finding| is_owed(finding)).count() as u64,
            classes: classes.collect(),
            new_findings: listed.collect(),
            unexplained_tokens: model.balances.unexplained_tokens_absolute,
            shrunk,
        }
    }
}
