//! The CSV files of earlier runs and packs, read back: cells by the name of their column.

use std::path::Path;

use crate::domain::Instant;

/// Would a spreadsheet run this cell? A whole number is none, so that ids below zero stay as they are.
pub fn is_formula(text: &str) -> bool {
    // One that already begins with the mark gets a second, so that the text can be told back.
    let text = text.trim_start_matches('\'');
    match text.as_bytes() {
        [b'=' | b'+' | b'@' | b'\t' | b'\r' | b'\n', ..] => true,
        [b'-', digits @ ..] => digits.is_empty() || !digits.iter().all(u8::is_ascii_digit),
        _ => text.starts_with(['＝', '＋', '－', '＠']),
    }
}

/// A cell of text as it was before it was kept from being run by a spreadsheet.
pub fn original(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

/// An instant as files have it.
pub fn instant(text: &str) -> Option<Instant> {
    match text.strip_prefix('@').and_then(|text| text.strip_suffix("us")) {
        Some(micros) => micros.parse().ok().map(Instant),
        None => chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| Instant(at.timestamp_micros())),
    }
}

/// One row of a table.
pub(super) struct Row<'a> {
    pub header: &'a csv::StringRecord,
    pub cells: &'a csv::StringRecord,
}

impl Row<'_> {
    /// A cell as it stands.
    pub fn plain(&self, column: &str) -> Result<&str, String> {
        let at = self.header.iter().position(|name| name == column);
        at.and_then(|at| self.cells.get(at)).ok_or_else(|| format!("it has no column {column}"))
    }

    /// A text, without the sign that keeps a spreadsheet from running it.
    pub fn text(&self, column: &str) -> Result<&str, String> {
        self.plain(column).map(original)
    }

    /// A whole number.
    pub fn number<T: std::str::FromStr>(&self, column: &str) -> Result<T, String> {
        let text = self.plain(column)?;
        text.parse().map_err(|_| format!("{column} {text:?} is no whole number"))
    }

    /// A whole number that may be unknown.
    pub fn known<T: std::str::FromStr>(&self, column: &str) -> Result<Option<T>, String> {
        if self.plain(column)?.is_empty() { Ok(None) } else { self.number(column).map(Some) }
    }

    /// An instant.
    pub fn instant(&self, column: &str) -> Result<Instant, String> {
        let text = self.plain(column)?;
        instant(text).ok_or_else(|| format!("{column} {text:?} is no time"))
    }

    /// One of a few words.
    pub fn word<T: Copy>(&self, column: &str, words: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
        let text = self.plain(column)?;
        let found = words.iter().copied().find(|word| name(*word) == text);
        found.ok_or_else(|| format!("{column} {text:?} is unknown to this version"))
    }
}

/// Goes through a file row by row, without holding it.
pub(super) fn each_row(
    file: &Path,
    mut row: impl FnMut(&Row<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader = csv::Reader::from_path(file).map_err(|cause| cause.to_string())?;
    let header = reader.headers().map_err(|cause| cause.to_string())?.clone();
    let mut cells = csv::StringRecord::new();
    while reader.read_record(&mut cells).map_err(|cause| cause.to_string())? {
        row(&Row { header: &header, cells: &cells })
            .map_err(|cause| format!("line {}: {cause}", cells.position().map_or(0, csv::Position::line)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_a_spreadsheet_would_run_are_known() {
        let cases = [
            ("=1+1", true),
            ("+1", true),
            ("-1+1", true),
            ("-", true),
            ("@SUM(A1)", true),
            ("\t=1", true),
            ("\r=1", true),
            ("\n=1", true),
            ("＝1", true),
            ("'=1", true),
            ("'a", false),
            ("-5", false),
            ("5", false),
            ("", false),
            ("a=1", false),
            ("subscription_grant", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_formula(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_guard_is_taken_off_once() {
        for (cell, expected) in [("'=1", "=1"), ("''=1", "'=1"), ("'a", "'a"), ("'-5", "'-5"), ("-5", "-5")] {
            assert_eq!(original(cell), expected, "{cell:?}");
        }
    }

    #[test]
    fn instants_are_read_as_they_are_written() {
        for micros in [0, -1, 1_772_357_400_000_001, i64::MAX] {
            assert_eq!(instant(&Instant(micros).rfc3339()), Some(Instant(micros)));
        }
        assert_eq!(instant("yesterday"), None);
    }
}
