//! A synthetic pair of ledgers with planted defects and their truth.
//!
//! Each user is made from its own stream of random numbers, some at a time on every core, and written
//! in order: memory does not grow with the ledger, and the same settings give the same bytes on every
//! machine, whatever the number of threads. What has nothing to do with each other lies three days
//! apart, beyond the window: so what is true follows from the rule book alone.

mod calendar;
mod columns;
mod configuration;
mod defect;
mod folder;
mod picks;
mod plant;
mod random;
mod rows;
mod sheet;
mod tables;
mod text;
mod truth;
mod usage;
mod user;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

pub use defect::Defect;

use calendar::Calendar;
use folder::{Folder, Part, Ready};
use picks::{Pick, Picks};
use random::Random;
use user::{User, World};

/// 2026-09-01T00:00:00Z, where nothing else is asked for.
pub const AS_OF: i64 = 1_788_220_800_000_000;

/// Users that are made at a time.
const PART_USERS: u64 = 128;

/// The shape of the legacy table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `transaction_type` and `source` tell what a row is.
    A,
    /// An enum, and payments beside the tokens.
    B,
}

/// The form of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One CSV file a table.
    Csv,
    /// One Parquet file a table.
    Parquet,
    /// `load.sql` for psql.
    Sql,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
            Format::Sql => "sql",
        }
    }
}

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Users, beside the others of households that a defect needs.
    pub users: u64,
    /// Decides every number.
    pub seed: u64,
    /// Length of the ledger in months of 30 days.
    pub months: u32,
    /// The end of the ledger in UTC microseconds.
    pub as_of: i64,
    /// Share of users with a defect, 0 to 1.
    pub rate: f64,
    /// Kinds of defect that such a user has, at most.
    pub per_user: u32,
    /// Kinds with a share of users of their own.
    pub shares: Vec<(Defect, f64)>,
    /// Usage rows after each grant, on average.
    pub usage_rows: u32,
    /// Kinds that take turns among the users with a defect; empty for a clean ledger.
    pub defects: Vec<Defect>,
    /// Share of users who are left out, as if they had been deleted.
    pub vanished: f64,
    /// The legacy table.
    pub shape: Shape,
    /// The files.
    pub format: Format,
    /// Threads that make users.
    pub threads: usize,
}

impl Settings {
    /// Does a user have this kind, if there are enough of them?
    fn plants(&self, kind: Defect) -> bool {
        let shared = self.shares.iter().any(|(shared, share)| *shared == kind && *share > 0.0);
        (shared || (self.defects.contains(&kind) && self.rate > 0.0)) && kind.fits(self.shape)
    }
}

/// What was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made {
    /// Users, with the others of their households.
    pub users: u64,
    /// Rows of the legacy table.
    pub legacy_rows: u64,
    /// Rows of the unified table.
    pub unified_rows: u64,
    /// Users with a planted defect or honest oddity.
    pub users_with_defect: u64,
    /// Findings that must be found.
    pub findings: u64,
}

impl Made {
    fn add(&mut self, other: Made) {
        self.users += other.users;
        self.legacy_rows += other.legacy_rows;
        self.unified_rows += other.unified_rows;
        self.users_with_defect += other.users_with_defect;
        self.findings += other.findings;
    }
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
    /// A signal.
    #[error("interrupted")]
    Interrupted,
    /// The disk.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Rows that do not fit their columns.
    #[error("rows cannot be written as Parquet: {0}")]
    Columns(String),
}

/// The users of one part, with what is planted in each; none is a user who vanished.
struct Job {
    order: u64,
    users: Vec<(u64, Pick)>,
}

/// Writes the ledgers, the stored balances, `reckon.toml` and what is true into a new folder. Whatever ends
/// it, nothing half-written stays there. `is_stopped` is asked between parts of users.
///
/// # Errors
/// The folder is not empty, the disk, or `is_stopped`.
pub fn simulate(
    settings: &Settings,
    out: &Path,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Made, SimulateError> {
    let made_here = folder::begin(out)?;
    let made = fill(settings, out, is_stopped);
    if made.is_err() {
        folder::clear(out, made_here);
    }
    made
}

fn fill(settings: &Settings, out: &Path, is_stopped: &dyn Fn() -> bool) -> Result<Made, SimulateError> {
    let mut folder = Folder::create(out, settings)?;
    let mut picks = Picks::new(settings);
    let world = World {
        calendar: Calendar::new(settings.months, settings.as_of),
        policies: configuration::policies(settings),
        usage_rows: i64::from(settings.usage_rows),
        legacy_payments: settings.shape == Shape::B,
    };
    let threads = settings.threads.max(1);
    let parts = settings.users.div_ceil(PART_USERS);
    let mut made = Made::default();
    std::thread::scope(|scope| {
        // Bounded by what is under way, not by the channels.
        let (give, jobs) = crossbeam_channel::unbounded::<Job>();
        let (done, results) = crossbeam_channel::unbounded();
        for _ in 0..threads {
            let (jobs, done) = (jobs.clone(), done.clone());
            scope.spawn(move || {
                for job in jobs {
                    let part = catch_unwind(AssertUnwindSafe(|| make(settings, world, &job)));
                    if done.send((job.order, part)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut waiting = BTreeMap::new();
        let (mut given, mut written) = (0, 0);
        while written < parts {
            while given < parts && given < written + 4 * threads as u64 {
                let from = given * PART_USERS;
                let users =
                    (from..settings.users.min(from + PART_USERS)).map(|user| (user, picks.next(user)));
                let job = Job { order: given, users: users.collect() };
                give.send(job).expect("threads take jobs until there are no more");
                given += 1;
            }
            let (order, part) = results.recv().expect("threads answer every job");
            waiting.insert(order, part);
            while let Some(part) = waiting.remove(&written) {
                let (rows, count) = part.unwrap_or_else(|panic| resume_unwind(panic))?;
                made.add(count);
                folder.write(rows)?;
                written += 1;
                if is_stopped() {
                    return Err(SimulateError::Interrupted);
                }
            }
        }
        Ok(())
    })?;
    folder.finish()?;
    Ok(made)
}

/// Makes the users of a part.
fn make(settings: &Settings, world: World, job: &Job) -> Result<(Vec<Ready>, Made), SimulateError> {
    let mut part = Part::new(settings);
    for (number, pick) in &job.users {
        let Pick::Lives(kinds) = pick else { continue };
        let mut user = User::new(world, Random::of_part(settings.seed, *number));
        plant::live(&mut user, kinds);
        part.add(&user);
    }
    part.ready()
}
