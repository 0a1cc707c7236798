//! Progress of long work on stderr: rows, rows/s, ETA; nothing when stderr is no terminal.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Where progress is shown, and whether the work shall stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Progress {
    shown: bool,
    stop: Arc<AtomicBool>,
    kept: Arc<Mutex<Vec<String>>>,
    unfinished: Arc<Mutex<Vec<PathBuf>>>,
}

/// Progress of one piece of work; goes away when dropped.
#[derive(Debug)]
pub struct Meter {
    bar: ProgressBar,
    rows: AtomicU64,
    stop: Arc<AtomicBool>,
}

impl Progress {
    /// `shown`: draw on stderr. `stop` is set by a signal; work looks at it between chunks.
    pub fn new(shown: bool, stop: Arc<AtomicBool>) -> Progress {
        Progress { shown, stop, kept: Arc::default(), unfinished: Arc::default() }
    }

    /// Shows nothing and never stops: for tests.
    pub fn hidden() -> Progress {
        Progress::new(false, Arc::default())
    }

    /// Starts a piece of work of `total` rows, if that is known.
    pub fn start(&self, what: &str, total: Option<u64>) -> Meter {
        let bar = if self.shown {
            ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(8))
        } else {
            ProgressBar::hidden()
        };
        let template = match total {
            Some(_) => "{msg:<24!} {bar:20} {percent:>3} %  {human_pos} rows  {rate}  ETA {eta}",
            None => "{msg:<24!} {spinner} {human_pos} rows  {rate}",
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{}/s", indicatif::HumanCount(state.per_sec() as u64));
            });
        bar.set_style(style);
        bar.set_message(what.to_owned());
        if self.shown {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Meter { bar, rows: AtomicU64::new(0), stop: self.stop.clone() }
    }

    /// Somebody watches: progress is drawn on a terminal.
    pub fn is_shown(&self) -> bool {
        self.shown
    }

    /// Set when the run shall stop, for work that knows no progress.
    pub fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// Something is finished and stays, whatever becomes of the run.
    pub fn keeps(&self, what: String) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// What stays although the run did not end; empty: nothing.
    pub fn kept(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is not finished is written into this folder.
    pub fn writes_into(&self, staging: &Path) {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner).push(staging.to_owned());
    }

    /// Removes what is not finished, before a process is ended whose work does not come to look whether it
    /// shall stop.
    pub fn remove_unfinished(&self) {
        for staging in self.unfinished.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // What stays of it, since work still writes there, goes with the next run.
            let _ = std::fs::remove_dir_all(staging);
        }
    }

    /// The run shall stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Meter {
    /// Counts rows that are done; answers whether the work may go on.
    ///
    /// # Errors
    /// [`super::SourceError::Interrupted`] after a signal.
    pub fn add(&self, rows: u64) -> Result<(), super::SourceError> {
        let done = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        self.bar.set_position(done);
        if self.stop.load(Ordering::Relaxed) { Err(super::SourceError::Interrupted) } else { Ok(()) }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
