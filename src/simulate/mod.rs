//! A synthetic pair of ledgers with planted defects and their truth.
//!
//! Users are made one after the other, each from its own stream of random numbers, and written as
//! they are made: memory does not grow with the ledger, and the same settings give the same bytes on
//! every machine. A user has one planted defect at most, and what has nothing to do with each other
//! lies three days apart, beyond the window: so `truth.csv` follows from the rule book alone.

mod defect;
mod plant;
mod random;
mod rows;
mod user;
mod write;

use std::path::{Path, PathBuf};

pub use defect::Defect;
use random::Random;
use user::{Calendar, User};
use write::Folder;

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Users, beside the admins of households that a defect needs.
    pub users: u64,
    /// Decides every number.
    pub seed: u64,
    /// Length of the ledger in months of 30 days, 6 or more.
    pub months: u32,
    /// Share of users with a defect, 0 to 1.
    pub rate: f64,
    /// Usage rows after each grant, on average.
    pub usage_rows: u32,
    /// Kinds that take turns among the users with a defect; empty for a clean ledger.
    pub defects: Vec<Defect>,
}

/// What was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// Rows of the legacy table.
    pub legacy_rows: u64,
    /// Rows of the unified table.
    pub unified_rows: u64,
    /// Users with a planted defect or honest oddity.
    pub users_with_defect: u64,
    /// Findings that must be found.
    pub findings: u64,
}

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A word of `--defects` that means nothing.
    #[error("`{word}` is no kind of defect; write all, none, or some of: {all}")]
    NoSuchDefect {
        /// The word.
        word: String,
        /// All kinds.
        all: String,
    },
    /// Something is there already.
    #[error("{} is there already and not empty: name another folder with --out", .0.display())]
    NotEmpty(PathBuf),
    /// The disk.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
}

/// Writes the ledgers, the stored balances, `reckon.toml` and `truth.csv` into a new folder.
///
/// # Errors
/// The folder is not empty, or the disk.
pub fn simulate(settings: &Settings, out: &Path) -> Result<Made, SimulateError> {
    let mut folder = Folder::create(out)?;
    let calendar = Calendar::new(settings.months);
    let mut made = Made::default();
    for number in 0..settings.users {
        let mut random = Random::of_part(settings.seed, number);
        let has_defect = !settings.defects.is_empty() && random.chance(settings.rate);
        let defect = has_defect.then(|| {
            made.users_with_defect += 1;
            settings.defects[(made.users_with_defect - 1) as usize % settings.defects.len()]
        });
        let mut user = User::new(calendar, random);
        if let Some(defect) = defect {
            plant::before_history(&mut user, defect);
        }
        user.live(settings.usage_rows);
        if let Some(defect) = defect {
            plant::after_history(&mut user, defect);
        }
        made.legacy_rows += user.legacy.len() as u64;
        made.unified_rows += (user.unified.len() + user.usage.len()) as u64;
        made.findings += user.truth.len() as u64;
        folder.write(&user)?;
    }
    folder.finish()?;
    Ok(made)
}
