//! Errors of the configuration.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is wrong with a configuration, where, and the way out.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error(
        "there is no configuration {file}: write one with `reckon init`, or name another with --config or RECKON_CONFIG",
        file = .file.display()
    )]
    Missing {
        /// File.
        file: PathBuf,
    },
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
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong and what to do.
        message: String,
    },
}

/// A fault found at a place of the text; [`Fault::at`] makes a [`ConfigError`] of it.
#[derive(Debug)]
pub(crate) struct Fault {
    pub span: Range<usize>,
    pub message: String,
}

impl Fault {
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Fault {
        Fault { span, message: message.into() }
    }

    /// The fault with its file, line and column.
    pub fn at(self, file: &Path, text: &str) -> ConfigError {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        ConfigError::Wrong {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: match key_before(before).filter(|_| self.message.starts_with("wrong type")) {
                Some(key) => format!("{key}: {}", self.message),
                None => self.message,
            },
        }
    }
}

/// The key whose value begins behind this text, or goes on there: what stands before the last sign of equality
/// that follows a key.
fn key_before(text: &str) -> Option<&str> {
    let mut ends = text.rmatch_indices('=').map(|(at, _)| text[..at].trim_end());
    ends.find_map(|text| {
        let is_of_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let start = text.char_indices().rev().take_while(|(_, c)| is_of_key(*c)).last()?.0;
        let before = text[..start].trim_end_matches([' ', '\t']);
        (before.is_empty() || before.ends_with(['\n', '{', ','])).then(|| &text[start..])
    })
}

impl From<toml::de::Error> for Fault {
    fn from(error: toml::de::Error) -> Fault {
        let span = error.span().unwrap_or(0..0);
        Fault::new(span, explain(error.message()))
    }
}

/// What serde calls things, and what they are called in the file.
const WORDS: [(&str, &str); 7] = [
    ("invalid type", "wrong type"),
    ("wrong type: map,", "wrong type: a table,"),
    ("wrong type: sequence,", "wrong type: a list,"),
    ("expected i64", "expected a whole number"),
    ("expected a boolean", "expected true or false"),
    ("expected a sequence", "expected a list"),
    ("expected a map", "expected a section or a table { … }"),
];

/// serde's sentence in our words. An unknown key comes with the keys that are known at its place:
/// the nearest is named.
fn explain(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field ") else {
        return match message {
            "duplicate key" => "this key is written twice: remove one".to_owned(),
            "invalid type: map, expected a sequence" => {
                "this is a section of a list: write its name in two brackets, as in [[waiver]]".to_owned()
            }
            other => {
                let mut words = other.replace('\n', ", ");
                for (theirs, ours) in WORDS {
                    words = words.replace(theirs, ours);
                }
                words
            }
        };
    };
    let mut names = rest.split('`').skip(1).step_by(2);
    let written = names.next().unwrap_or_default();
    let known: Vec<&str> = names.collect();
    match nearest(written, known.iter().copied()) {
        Some(near) => format!(
            "unknown key `{written}`: the nearest known key is `{near}` (known here: {})",
            known.join(", ")
        ),
        None => format!("unknown key `{written}`: this section has no keys in this version, remove it"),
    }
}

/// The known word that is most like `written`; the first of several.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for word in known {
        let likeness = strsim::jaro_winkler(&written, &word.to_lowercase());
        if best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, word));
        }
    }
    best.map(|(_, word)| word)
}
