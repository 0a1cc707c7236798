//! Errors of the configuration.

use std::path::PathBuf;

/// What is wrong with a configuration, where, and the way out.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {file}: {cause}", file = .file.display())]
    Unreadable {
        /// File.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A key or value is wrong.
    #[error("{file}:{line}:{column}: {message}", file = .file.display())]
    Wrong {
        /// File.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong and what to do.
        message: String,
    },
}
