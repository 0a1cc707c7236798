//! Writing the result to stdout: a reader that has gone away is an error, not a panic.

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

/// The sentence about a stdout that cannot be written.
pub(super) fn error(cause: io::Error) -> anyhow::Error {
    anyhow::anyhow!("cannot write the result to stdout: {cause}")
}
