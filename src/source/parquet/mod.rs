//! Parquet: row groups are read on all threads, each in two steps: the key columns whole, then the
//! other columns of the selected rows only.
//!
//! Types are those of the file itself, not of an Arrow schema that a writer may have embedded.
//! `INT96` is a time without zone.

mod layout;
mod span;

pub(super) use layout::damaged;

use std::sync::atomic::{AtomicUsize, Ordering};

use super::input::InputFile;
use super::request::{FirstError, Request, Take};
use super::{Digests, Meter, Progress, SourceError};
use layout::Layout;
use span::{ROWS_MAX, Span};

/// Reads all files. Gives one taker a thread; the files are still to be digested.
///
/// # Errors
/// The first error in the order of the rows.
pub(super) fn read<T: Take>(
    files: &[InputFile],
    request: &Request,
    threads: usize,
    new_take: &(dyn Fn() -> T + Sync),
    progress: &Progress,
) -> Result<(Vec<T>, Digests), SourceError> {
    read_in_spans(files, ROWS_MAX, request, threads, new_take, progress)
}

pub(super) fn read_in_spans<T: Take>(
    files: &[InputFile],
    rows_max: usize,
    request: &Request,
    threads: usize,
    new_take: &(dyn Fn() -> T + Sync),
    progress: &Progress,
) -> Result<(Vec<T>, Digests), SourceError> {
    let layouts: Vec<Layout> =
        files.iter().map(|file| Layout::of(file, request)).collect::<Result<_, SourceError>>()?;
    let spans: Vec<Span> = layouts.iter().flat_map(|layout| span::spans(layout, rows_max)).collect();
    let rows = spans.iter().map(|span| span.rows as u64).sum();
    let meter = progress.start(&files[0].shown, Some(rows));
    let crew =
        Crew { spans: &spans, request, next: AtomicUsize::new(0), errors: FirstError::default(), meter };
    let takes = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| crew.work(new_take()))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a reading thread panicked")).collect()
    });
    crew.errors.into_result()?;
    for layout in &layouts {
        layout.file.unchanged(layout.stamp)?;
    }
    let files = layouts.iter().map(|layout| (layout.file.clone(), layout.stamp)).collect();
    Ok((takes, Digests::to_take(files)))
}

/// What the threads share.
struct Crew<'a> {
    spans: &'a [Span<'a>],
    request: &'a Request,
    next: AtomicUsize,
    errors: FirstError,
    meter: Meter,
}

impl Crew<'_> {
    /// Takes spans in order until there are none, or until one fails.
    fn work<T: Take>(&self, mut take: T) -> T {
        while !self.errors.any() {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(span) = self.spans.get(at) else { break };
            let done = span.read(self.request, &mut take).and_then(|()| self.meter.add(span.rows as u64));
            if let Err(error) = done {
                self.errors.note(at as u64, error);
            }
        }
        take
    }
}
