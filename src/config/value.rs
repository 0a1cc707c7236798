//! Texts of the configuration and their values: durations, instants, table names, fields.

use chrono::DateTime;

use super::{Field, TableName};
use crate::domain::{Instant, Span};

const UNITS: [(&str, i64); 7] = [
    ("us", 1),
    ("ms", 1_000),
    ("s", 1_000_000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
    ("w", 604_800_000_000),
];

/// Reads `2s`, `500ms`, `24h`, `5m`, `56d`, `1h30m`. Units: us, ms, s, m (minutes), h, d, w.
///
/// # Errors
/// What is wrong, and how a duration is written.
pub fn parse_duration(text: &str) -> Result<Span, String> {
    let wrong = || {
        format!(
            "\"{text}\" is no duration: write a whole number with us, ms, s, m, h, d or w, as in \"2s\" or \"56d\""
        )
    };
    let mut rest = text.trim();
    if rest.starts_with('-') {
        return Err(format!("\"{text}\" is negative: a duration here is zero or more, as in \"2s\""));
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut micros = 0_i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        micros = number.checked_mul(*size).and_then(|part| micros.checked_add(part)).ok_or_else(wrong)?;
        rest = after;
    }
    Ok(Span(micros))
}

/// Units of sizes in lower case. A bare letter is the power of 1024, as to systemd and to containers.
const SIZES: [(&str, u64); 13] = [
    ("b", 1),
    ("k", 1 << 10),
    ("kib", 1 << 10),
    ("kb", 1_000),
    ("m", 1 << 20),
    ("mib", 1 << 20),
    ("mb", 1_000_000),
    ("g", 1 << 30),
    ("gib", 1 << 30),
    ("gb", 1_000_000_000),
    ("t", 1 << 40),
    ("tib", 1 << 40),
    ("tb", 1_000_000_000_000),
];

/// Reads a number of bytes: `512MiB`, `2G`, `800 MB`.
///
/// # Errors
/// What is wrong, and how a size is written.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!(
            "\"{text}\" is no size: write a whole number above 0 with its unit, as in \"512MiB\" or \"2GiB\""
        )
    };
    let trimmed = text.trim();
    let (number, unit) = trimmed.split_at(trimmed.bytes().take_while(u8::is_ascii_digit).count());
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let (_, size) = SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    number.checked_mul(*size).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

/// Reads an RFC 3339 instant with a zone: `2026-03-01T00:00:00Z`.
///
/// # Errors
/// What is wrong, and how an instant is written.
pub fn parse_instant(text: &str) -> Result<Instant, String> {
    DateTime::parse_from_rfc3339(text.trim()).map(|at| Instant(at.timestamp_micros())).map_err(|_| {
        format!("\"{text}\" is no instant: write date, time and zone, as in \"2026-03-01T00:00:00Z\"")
    })
}

/// Reads `schema.name` or `name`; a part with other characters stands in double quotes. Case is
/// kept as written.
///
/// # Errors
/// What is wrong, and how a table is written.
pub fn parse_table(text: &str) -> Result<TableName, String> {
    let wrong = |what: &str| {
        format!("\"{text}\" is no table name ({what}): write schema.name, as in \"public.token_usage\"")
    };
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(quoted) => split_quoted(quoted).ok_or_else(|| wrong("a quote is not closed"))?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        if part.is_empty() || part.contains('\0') {
            return Err(wrong("a part is empty"));
        }
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => break,
            None => return Err(wrong("something follows the closing quote")),
        }
    }
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, None) => Ok(TableName { schema: None, name }),
        (Some(schema), Some(name), None) => Ok(TableName { schema: Some(schema), name }),
        _ => Err(wrong("more than two parts; the database is named by the connection")),
    }
}

/// The text of a quoted part, and what follows its closing quote.
fn split_quoted(quoted: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = quoted;
    loop {
        let end = rest.find('"')?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(next) => {
                part.push('"');
                rest = next;
            }
            None => return Some((part, rest)),
        }
    }
}

/// Reads a column or a path into a JSON column: `metadata.payment_intent`.
///
/// # Errors
/// What is wrong, and how a field is written.
pub fn parse_field(text: &str) -> Result<Field, String> {
    let mut parts = text.split('.').map(str::to_owned);
    let column = parts.next().unwrap_or_default();
    let path: Vec<String> = parts.collect();
    if text.contains("->") {
        return Err(format!(
            "\"{text}\" is no column: write a JSON path with dots, as in \"metadata.payment_intent\""
        ));
    }
    if column.is_empty() || path.iter().any(String::is_empty) {
        return Err(format!(
            "\"{text}\" is no column: write its name, or a JSON path as in \"metadata.payment_intent\""
        ));
    }
    Ok(Field { written: text.to_owned(), column, path })
}

/// The table that a path stands for: the file's stem without glob characters and endings, or else
/// the nearest folder with a plain name, or else `fallback`.
pub fn table_of_path(path: &str, fallback: &str) -> TableName {
    let mut parts = path.split(['/', '\\']).rev();
    let file = strip_endings(parts.next().unwrap_or_default());
    let stem = strip_glob(file);
    let plain = |part: &str| {
        !part.is_empty()
            && part.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    if let Some((schema, name)) = stem.split_once('.')
        && plain(schema)
        && plain(name)
    {
        return TableName { schema: Some(schema.to_owned()), name: name.to_owned() };
    }
    if !stem.is_empty() {
        return TableName { schema: None, name: stem };
    }
    let folder =
        parts.find(|part| !part.is_empty() && !part.contains(['*', '?', '[', ']']) && !part.starts_with('.'));
    TableName { schema: None, name: folder.unwrap_or(fallback).to_owned() }
}

fn strip_endings(file: &str) -> &str {
    let lower = file.to_lowercase();
    for ending in [".csv", ".csv.gz", ".csv.zst", ".parquet"] {
        if lower.ends_with(ending) && lower.len() == file.len() {
            return &file[..file.len() - ending.len()];
        }
    }
    file
}

/// `part-*` → `part`, `usage_[0-9]*` → `usage`.
fn strip_glob(stem: &str) -> String {
    let mut kept = String::new();
    let mut in_class = false;
    for c in stem.chars() {
        match c {
            '[' => in_class = true,
            ']' => in_class = false,
            '*' | '?' => {}
            _ if in_class => {}
            _ => kept.push(c),
        }
    }
    kept.trim_matches(['-', '_', '.', ' ']).to_owned()
}
