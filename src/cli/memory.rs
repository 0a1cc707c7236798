//! `--memory`: a run that would need more than it may have, even with its rows in files, is ended, and people are
//! told.

use std::sync::Arc;

use anyhow::Context as _;

use super::EXIT_FAILED;
use crate::run::{MemoryBound, MemoryError};
use crate::source::Progress;

/// The bound that a flag asks for.
///
/// # Errors
/// Where the system does not say what a process holds.
pub(super) fn bound(bytes: Option<u64>) -> anyhow::Result<Option<Arc<MemoryBound>>> {
    let bound = |bytes| MemoryBound::new(bytes).context("--memory cannot be kept here");
    Ok(bytes.map(bound).transpose()?.map(Arc::new))
}

/// Does work within a bound. Where it is not kept, what `progress` knows to be unfinished is removed, `exceed`
/// is called, and the program ends with exit code 2.
pub(super) fn within<T>(
    bound: Option<&MemoryBound>,
    progress: &Progress,
    exceed: impl FnOnce(MemoryError) + Send,
    work: impl FnOnce() -> T,
) -> T {
    let Some(bound) = bound else { return work() };
    let exceed = |error| -> ! {
        progress.remove_unfinished();
        exceed(error);
        // The work cannot be asked to stop wherever it is, and nothing of it is needed.
        std::process::exit(i32::from(EXIT_FAILED))
    };
    if let Err(error) = bound.check() {
        exceed(error);
    }
    std::thread::scope(|scope| {
        let _ended = Ended(bound);
        scope.spawn(|| bound.watch(|error| exceed(error)));
        work()
    })
}

/// The watch ends with the work, however that ends.
struct Ended<'b>(&'b MemoryBound);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
