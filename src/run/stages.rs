//! How long each stage took, for the log: `RUST_LOG=reckon=debug` shows it.

use std::time::Instant as Clock;

/// Times one stage after the other.
pub(super) struct Stages(Clock);

impl Stages {
    pub(super) fn begin() -> Stages {
        Stages(Clock::now())
    }

    /// A stage is over, the next one begins.
    pub(super) fn end(&mut self, stage: &str) {
        tracing::debug!("{stage}: {:.2} s", self.0.elapsed().as_secs_f64());
        self.0 = Clock::now();
    }
}
