//! Writing the result to stdout: a reader that has gone away is no panic and no complaint, only an exit code.

use std::io::{self, BufWriter, Write};

/// Writes a text to stdout.
///
/// # Errors
/// When stdout is closed or full.
pub fn print(text: &str) -> anyhow::Result<()> {
    with(|out| out.write_all(text.as_bytes()))
}

/// Gives `write` a buffered stdout, and flushes it.
///
/// # Errors
/// When stdout is closed or full.
pub fn with(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    write(&mut out).and_then(|()| out.flush()).map_err(error)
}

/// Why stdout cannot be written.
#[derive(Debug)]
struct NotWritten(io::Error);

impl std::fmt::Display for NotWritten {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot write the result to stdout: {}", self.0)
    }
}

impl std::error::Error for NotWritten {}

/// The error about a stdout that cannot be written.
pub(super) fn error(cause: io::Error) -> anyhow::Error {
    anyhow::Error::new(NotWritten(cause))
}

/// The reader of stdout has gone, as `head` does when it has seen enough: there is nobody to complain to.
pub(super) fn is_unread(error: &anyhow::Error) -> bool {
    let written = error.downcast_ref::<NotWritten>();
    written.is_some_and(|NotWritten(cause)| cause.kind() == io::ErrorKind::BrokenPipe)
}
