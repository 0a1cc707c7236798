//! SIGINT and SIGTERM set a flag that work looks at; a second one ends the program at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::source::Progress;

/// The exit code of a program that a signal ended is this plus the signal's number.
const EXIT_SIGNAL_BASE: usize = 128;

/// How often it is looked whether a signal came.
const TICK: Duration = Duration::from_millis(100);

/// How long work may take to look at a signal; service managers wait a minute or so.
const GRACE: Duration = Duration::from_secs(5);

/// What signals have come.
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    /// Number of the last signal, 0 for none.
    last: Arc<AtomicUsize>,
}

impl Signals {
    /// Starts watching.
    pub fn install() -> io::Result<Signals> {
        let signals = Signals { stop: Arc::default(), last: Arc::default() };
        for signal in [SIGINT, SIGTERM] {
            // Registered first: with the flag already set by an earlier signal, do what the system
            // would do.
            flag::register_conditional_default(signal, signals.stop.clone())?;
            flag::register_usize(signal, signals.last.clone(), signal.unsigned_abs() as usize)?;
            flag::register(signal, signals.stop.clone())?;
        }
        Ok(signals)
    }

    /// The flag that a signal sets.
    pub fn stop(&self) -> Arc<AtomicBool> {
        self.stop.clone()
    }

    /// 130 or 143 after a signal.
    pub fn exit_code(&self) -> Option<u8> {
        exit_code(&self.last)
    }

    /// Ends the program when a signal came and work did not come to look at it: the search for an optimum
    /// among thousands of rows does not ask in between.
    pub fn watch(&self, progress: &Progress) {
        let (stop, last, progress) = (self.stop(), self.last.clone(), progress.clone());
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
            }
            std::thread::sleep(GRACE);
            progress.remove_unfinished();
            eprintln!("reckon: {}", super::interrupted(&progress.kept()));
            std::process::exit(exit_code(&last).unwrap_or(2).into());
        });
    }
}

fn exit_code(last: &AtomicUsize) -> Option<u8> {
    match last.load(Ordering::Relaxed) {
        0 => None,
        signal => u8::try_from(EXIT_SIGNAL_BASE + signal).ok(),
    }
}
