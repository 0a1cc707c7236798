//! The place of a run, taken before anything is read.

use super::{Look, Options};
use crate::config::Config;
use crate::history::{self, FolderLock, PreviousRun, Waiter};
use crate::report::{Place, Staging};
use crate::source::Progress;

/// A run that has its place, and nobody else has.
pub(super) struct Begun {
    /// Held on the folder of runs; none where the run has a place of its own.
    pub lock: Option<FolderLock>,
    /// Where it is written until it is whole.
    pub staging: Staging,
    /// The run before it in its folder.
    pub previous: Option<PreviousRun>,
}

impl Begun {
    /// Takes the place.
    ///
    /// # Errors
    /// Another run has it, or something that is no run stands there.
    pub fn new(config: &Config, options: &Options, progress: &Progress) -> anyhow::Result<Begun> {
        let place = match &options.out {
            Some(folder) if matches!(options.look, Look::Gate { .. }) => Place::Gate(folder.clone()),
            Some(folder) => Place::Exact(folder.clone()),
            None => Place::History(config.history.folder.clone()),
        };
        place.prepare()?;
        let waiter = Waiter { host: &options.host, started: options.started, wait: options.wait };
        // Held until the run is in its place and people were told: the next one follows it, and no other.
        let lock = match &options.out {
            Some(_) => None,
            None => Some(FolderLock::take(&config.history.folder, &waiter, &|| progress.is_stopped())?),
        };
        let staging = Staging::begin(place)?;
        let previous = match &options.out {
            Some(_) => None,
            None => history::previous(&config.history.folder)?,
        };
        Ok(Begun { lock, staging, previous })
    }
}
