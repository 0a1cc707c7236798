//! Findings and checks that somebody has accepted: `waivers.toml`, with owner, reason and end.
//!
//! A waiver is bound to what the finding or the check said when it was accepted: when that changes, when
//! its last day is over, or when its cap is passed, it lapses. Everything is judged against the as-of of
//! the run, never against the clock.

mod accept;
mod content;
mod judge;
mod raw;

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use crate::config::{Config, ConfigError};
use crate::domain::{FindingId, Instant};
use crate::sha256::sha256;

pub use accept::{Acceptance, DAYS_AHEAD_MAX, Sources, WaiveError, accept};
pub(in crate::history) use content::Facts;
pub use judge::{Accepted, DAYS_OF_WARNING, Standing, WaiverState};
pub use raw::parse_day;

/// The checks of `reckon cutover` that a waiver can name.
pub const CHECKS: [&str; 21] = [
    "findings",
    "conservation",
    "balances",
    "clean_nights",
    "snapshot_age",
    "legacy_writes",
    "legacy_reads",
    "views",
    "foreign_keys",
    "triggers",
    "functions",
    "policies",
    "publications",
    "rules",
    "sequences",
    "inheritance",
    "defaults",
    "jobs",
    "writers",
    "constraint",
    "backup",
];

/// Why the waivers cannot be read. Every one means exit 2: a waiver that is not understood accepts
/// nothing, and one that was meant to be there must not be missing.
#[derive(Debug, thiserror::Error)]
pub enum WaiverError {
    /// The configuration names a file that is not there.
    #[error(
        "there is no {file}, which [history] waivers names: create it (it may be empty), or remove the key",
        file = .file.display()
    )]
    Missing {
        /// File.
        file: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read the waivers {file}: {cause}", file = .file.display())]
    Unreadable {
        /// File.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A key or value is wrong.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
}

/// What is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A finding.
    Finding(FindingId),
    /// A check of `reckon cutover`, one of [`CHECKS`].
    Check(&'static str),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Finding(id) => f.write_str(&id.0),
            Subject::Check(name) => write!(f, "check:{name}"),
        }
    }
}

/// One entry of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// What it accepts.
    pub subject: Subject,
    /// `sha256:` and the digest of what the finding or the check said.
    pub content: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day (UTC) on which it is in force, to its end.
    pub until: NaiveDate,
    /// Of a finding: the largest effect that is accepted, in tokens without sign.
    pub max_tokens: Option<i128>,
    /// Line of the entry in the file, from 1.
    pub line: usize,
}

impl Waiver {
    /// It accepts nothing that an earlier entry of the file does not.
    fn repeats(&self, earlier: &Waiver) -> bool {
        let cap = |waiver: &Waiver| waiver.max_tokens.unwrap_or(i128::MAX);
        self.subject == earlier.subject
            && self.content == earlier.content
            && self.until <= earlier.until
            && cap(self) <= cap(earlier)
    }

    /// Its last day is not over.
    pub fn is_in_time(&self, as_of: Instant) -> bool {
        self.days_left(as_of) >= 0
    }

    /// Days (UTC) from as-of to the last one; below zero when it is over.
    fn days_left(&self, as_of: Instant) -> i64 {
        let until = self.until.signed_duration_since(NaiveDate::default()).num_days();
        until - i64::from(as_of.utc_day())
    }
}

/// All waivers of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waivers {
    /// The file.
    pub file: PathBuf,
    /// SHA-256 of its bytes, lower-case hexadecimal; `None` where there is no file.
    pub digest: Option<String>,
    /// The entries, in the order of the file.
    pub entries: Vec<Waiver>,
}

impl Waivers {
    /// Reads the waivers of a configuration. Without a file there are none, unless the configuration
    /// names one.
    ///
    /// # Errors
    /// [`WaiverError`] with file, line and column.
    pub fn load(config: &Config) -> Result<Waivers, WaiverError> {
        let file = &config.history.waivers;
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                return match config.history.waivers_named {
                    true => Err(WaiverError::Missing { file: file.clone() }),
                    false => Ok(Waivers { file: file.clone(), ..Waivers::default() }),
                };
            }
            Err(cause) => return Err(WaiverError::Unreadable { file: file.clone(), cause }),
        };
        let text = String::from_utf8(bytes).map_err(|cause| WaiverError::Unreadable {
            file: file.clone(),
            cause: std::io::Error::new(std::io::ErrorKind::InvalidData, cause),
        })?;
        Waivers::parse(file, &text)
    }

    /// Checks a text as if it stood in `file`.
    ///
    /// # Errors
    /// [`WaiverError`] with file, line and column.
    pub fn parse(file: &Path, text: &str) -> Result<Waivers, WaiverError> {
        let entries = raw::parse(text).map_err(|fault| fault.at(file, text))?;
        let digest = sha256(text).hex();
        Ok(Waivers { file: file.to_owned(), digest: Some(digest), entries })
    }

    /// The waivers of a check whose last day is not over, in the order of the file. Whether one holds is
    /// told by its content.
    pub fn of_check(&self, name: &str, as_of: Instant) -> impl DoubleEndedIterator<Item = &Waiver> {
        let of_check =
            move |waiver: &&Waiver| matches!(waiver.subject, Subject::Check(check) if check == name);
        self.entries.iter().filter(of_check).filter(move |waiver| waiver.is_in_time(as_of))
    }
}

#[cfg(test)]
mod tests;
