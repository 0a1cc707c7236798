//! SIGINT and SIGTERM set a flag that work looks at; a second one ends the program at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a program that a signal ended is this plus the signal's number.
const EXIT_SIGNAL_BASE: usize = 128;

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
        match self.last.load(Ordering::Relaxed) {
            0 => None,
            signal => u8::try_from(EXIT_SIGNAL_BASE + signal).ok(),
        }
    }
}
