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
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let seconds = self.0.elapsed().as_secs_f64();
        match resident() {
            Some((now, most)) => {
                tracing::debug!("{stage}: {seconds:.2} s, {now} MiB resident, {most} at most so far");
            }
            None => tracing::debug!("{stage}: {seconds:.2} s"),
        }
        self.0 = Clock::now();
    }
}

/// MiB of memory that the process holds now, and the most that it held; `None` where the system does not
/// say it in `/proc`.
fn resident() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mib = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib / 1024)
    };
    Some((mib("VmRSS:")?, mib("VmHWM:")?))
}
