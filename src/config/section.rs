//! Reading the keys of one section: what is missing, what a value should be, which word is nearest.

use std::ops::Range;
use std::path::Path;

use serde_spanned::Spanned;

use super::error::{Fault, nearest};
use super::raw::{OneOrMany, RawColumns, Text};
use super::value::{parse_duration, parse_field, parse_table, table_of_path};
use super::{Columns, Field, Origin};
use crate::domain::Span;

/// The name of a section and its place, for keys that are missing in it.
pub(super) struct Section {
    pub name: &'static str,
    pub span: Range<usize>,
}

impl Section {
    pub fn needs<'a, T>(&self, key: &str, what: &str, value: Option<&'a T>) -> Result<&'a T, Fault> {
        value.ok_or_else(|| Fault::new(self.span.clone(), format!("[{}] needs `{key}`: {what}", self.name)))
    }

    pub fn field(&self, key: &str, text: &Text) -> Result<Field, Fault> {
        self.checked(key, text, parse_field)
    }

    pub fn optional_field(&self, key: &str, text: Option<&Text>) -> Result<Option<Field>, Fault> {
        text.map(|text| self.field(key, text)).transpose()
    }

    pub fn checked<T>(
        &self,
        key: &str,
        text: &Text,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Fault> {
        parse(text.get_ref()).map_err(|why| Fault::new(text.span(), format!("[{}] {key}: {why}", self.name)))
    }

    pub fn fields(&self, key: &str, value: Option<&Spanned<OneOrMany>>) -> Result<Vec<Field>, Fault> {
        match value.map(|value| (value.get_ref(), value.span())) {
            None => Ok(Vec::new()),
            Some((OneOrMany::One(text), span)) => {
                Ok(vec![self.field(key, &Spanned::new(span, text.clone()))?])
            }
            Some((OneOrMany::Many(texts), _)) => texts.iter().map(|text| self.field(key, text)).collect(),
        }
    }

    /// One of a few words.
    pub fn word<T: Copy>(&self, key: &str, text: &Text, words: &[(&str, T)]) -> Result<T, Fault> {
        let written = text.get_ref();
        if let Some((_, value)) = words.iter().find(|(word, _)| word == written) {
            return Ok(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let near = nearest(written, known.iter().copied()).unwrap_or_default();
        Err(Fault::new(
            text.span(),
            format!(
                "[{}] {key}: \"{written}\" is unknown, the nearest is \"{near}\" (known: {})",
                self.name,
                known.join(", ")
            ),
        ))
    }

    pub fn origin(&self, folder: &Path, table: Option<&Text>, path: Option<&Text>) -> Result<Origin, Fault> {
        let target = table.map(|table| self.checked("table", table, parse_table)).transpose()?;
        let Some(path) = path else {
            let what = "write `table = \"schema.name\"` for PostgreSQL or `path = \"file.csv\"` for files";
            return match target {
                Some(table) => Ok(Origin::Table(table)),
                None => Err(Fault::new(self.span.clone(), format!("[{}] has no source: {what}", self.name))),
            };
        };
        if path.get_ref().trim().is_empty() {
            return Err(Fault::new(
                path.span(),
                format!("[{}] path is empty: name a file or a glob", self.name),
            ));
        }
        let target = target.unwrap_or_else(|| table_of_path(path.get_ref(), self.name));
        Ok(Origin::Files { pattern: path.get_ref().clone(), folder: folder.to_owned(), target })
    }

    pub fn columns(&self, folder: &Path, raw: RawColumns<'_>) -> Result<Columns, Fault> {
        let what_action = "the column of the label, or a list of columns whose labels are joined with \"/\"";
        let action = self.fields("action", Some(self.needs("action", what_action, raw.action)?))?;
        if action.is_empty()
            && let Some(list) = raw.action
        {
            return Err(Fault::new(
                list.span(),
                format!("[{}] action is empty: name {what_action}", self.name),
            ));
        }
        let reference = self.fields("reference", raw.reference)?;
        let payment = match raw.payment {
            Some(payment) => self.fields("payment", Some(payment))?,
            None => reference.clone(),
        };
        let origin = self.origin(folder, raw.table, raw.path)?;
        let id = self.needs("id", "the column of the row id", raw.id)?;
        let user = self.needs("user", "the column of the user id", raw.user)?;
        let amount = self.needs("amount", "the column of the tokens", raw.amount)?;
        let created_at = self.needs("created_at", "the column of the time", raw.created_at)?;
        self.apart([("id", id), ("user", user), ("amount", amount), ("created_at", created_at)])?;
        Ok(Columns {
            origin,
            id: self.field("id", id)?,
            user: self.field("user", user)?,
            action,
            amount: self.field("amount", amount)?,
            created_at: self.field("created_at", created_at)?,
            timezone: raw.timezone.map_or(Ok(chrono_tz::Tz::UTC), |zone| self.zone(zone))?,
            reference,
            payment,
            expires_at: self.optional_field("expires_at", raw.expires_at)?,
            balance_after: self.optional_field("balance_after", raw.balance_after)?,
            success: None,
            link: None,
            migrated: None,
        })
    }

    pub fn zone(&self, text: &Text) -> Result<chrono_tz::Tz, Fault> {
        let written = text.get_ref();
        let fault = |what: String| Fault::new(text.span(), format!("[{}] timezone: {what}", self.name));
        if written.trim().is_empty() {
            return Err(fault(
                "an empty text is no zone: write one, as in \"UTC\" or \"Europe/Berlin\"".to_owned(),
            ));
        }
        written.parse().map_err(|_| {
            let no_zone = format!("\"{written}\" is no zone of the IANA database");
            if let Some(way_out) = zone_of_offset(written) {
                return fault(format!("{no_zone}, {way_out}"));
            }
            let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            let near = nearest(written, names).unwrap_or("UTC");
            fault(format!("{no_zone}, the nearest is \"{near}\""))
        })
    }

    /// Each of these columns says something of its own, so that none can be that of another.
    fn apart(&self, columns: [(&str, &Text); 4]) -> Result<(), Fault> {
        for (at, (key, text)) in columns.iter().enumerate() {
            let same = columns[..at].iter().find(|(_, other)| other.get_ref() == text.get_ref());
            if let Some((other, _)) = same {
                let message = format!(
                    "[{}] {key}: \"{}\" is the column of `{other}` already; `{key}` needs one of its own",
                    self.name,
                    text.get_ref()
                );
                return Err(Fault::new(text.span(), message));
            }
        }
        Ok(())
    }
}

/// What to write for an offset from UTC; `None`: the text is none.
fn zone_of_offset(text: &str) -> Option<String> {
    let text = text.trim();
    let offset = ["UTC", "GMT", "utc", "gmt"].iter().find_map(|name| text.strip_prefix(name)).unwrap_or(text);
    let is_east = match offset.chars().next()? {
        '+' => true,
        '-' | '\u{2212}' => false,
        _ => return None,
    };
    let digits: String = offset.chars().skip(1).filter(|c| *c != ':').collect();
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = if digits.len() > 2 { digits.split_at(digits.len() - 2) } else { (&*digits, "0") };
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    // In the database's own names of offsets the sign is that of the way back to UTC.
    let (most, sign) = if is_east { (14, '-') } else { (12, '+') };
    Some(match (hours, minutes) {
        (0, 0) => "write \"UTC\"".to_owned(),
        (hours, 0) if hours <= most => format!(
            "where this offset is \"Etc/GMT{sign}{hours}\" (the sign is turned round); a place that changes its \
             clocks has a name, as in \"Europe/Berlin\""
        ),
        _ => "which has no name for this offset: write that of a place, as in \"Asia/Kolkata\"".to_owned(),
    })
}

/// Labels that all have to be known ones.
pub(super) fn known_labels(
    key: &str,
    raw: Option<&Spanned<Vec<Text>>>,
    known: &[&str],
) -> Result<Vec<String>, Fault> {
    let mut labels = Vec::new();
    for text in raw.map(Spanned::get_ref).into_iter().flatten() {
        known_label(key, text, known)?;
        if !labels.contains(text.get_ref()) {
            labels.push(text.get_ref().clone());
        }
    }
    Ok(labels)
}

pub(super) fn known_label(key: &str, text: &Text, known: &[&str]) -> Result<(), Fault> {
    let label = text.get_ref();
    if known.contains(&label.as_str()) {
        return Ok(());
    }
    let near = nearest(label, known.iter().copied()).unwrap_or_default();
    let message = format!(
        "{key}: \"{label}\" is no configured action, the nearest is \"{near}\"; list it in [unified] grants or deductions first"
    );
    Err(Fault::new(text.span(), message))
}

pub(super) fn duration(section: &str, key: &str, text: Option<&Text>, default: Span) -> Result<Span, Fault> {
    let Some(text) = text else { return Ok(default) };
    parse_duration(text.get_ref()).map_err(|why| Fault::new(text.span(), format!("[{section}] {key}: {why}")))
}
