//! Errors of reading.

/// Why rows could not be read. The message names the file, table, column or role, and the way out.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file cannot be opened or read.
    #[error("cannot read {file}: {cause}")]
    Io {
        /// File.
        file: String,
        /// Why.
        cause: std::io::Error,
    },
    /// What was read could not be written down.
    #[error("cannot write the archive: {cause}; free space there or name another folder with --archive")]
    NotWritten {
        /// Why.
        cause: std::io::Error,
    },
    /// The contents of a file are not what they should be.
    #[error("{place}: {message}")]
    Malformed {
        /// File with line or column.
        place: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// The database said no, or went away.
    #[error("{message}")]
    Database {
        /// Role, table, what happened, the way out. Never a secret.
        message: String,
        /// May pass by itself: connection lost, standby conflict, too many connections.
        transient: bool,
    },
    /// No server could be reached: nothing listens there, nobody knows the name, nobody answers. It may
    /// be starting again, or its address may be wrong.
    #[error("{message}")]
    Unreachable {
        /// Role, server, what happened, the way out. Never a secret.
        message: String,
    },
    /// No server could be reached, and nothing says where one should be.
    #[error(
        "no database is named: neither DATABASE_URL nor PGHOST, PGPORT, PGDATABASE or PGSERVICE is set, and no \
         server is where one usually is ({tried}); set DATABASE_URL, or, where the rows are in files, write `path` \
         instead of `table`"
    )]
    Unnamed {
        /// Role, database and server that were tried.
        tried: String,
    },
    /// Interrupted by a signal.
    #[error("interrupted")]
    Interrupted,
}
