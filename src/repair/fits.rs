//! Can the table hold a value? One row that it cannot hold would stop a whole file, so such a row is
//! left to a person instead.

use crate::domain::{Instant, RowId, Span};

use super::columns::{Layout, Slot};
use super::plan::Values;

/// The years 1 to 9999: those that every notation of a timestamp agrees on.
const YEARS: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;

/// The values fit the columns of the layout.
///
/// # Errors
/// Why not, for people.
pub(super) fn values(layout: &Layout, values: &Values<'_>) -> Result<(), String> {
    id(&layout.user, values.user)?;
    text(values.action)?;
    instant(values.at)?;
    let amount = &layout.amount;
    match amount.extent().holds_number(values.raw_tokens) {
        true => Ok(()),
        false => Err(format!("{} tokens do not fit the column {}", values.raw_tokens, typed(amount))),
    }
}

/// A column with its type.
fn typed(slot: &Slot) -> String {
    format!("{} ({})", slot.column, slot.type_name().unwrap_or_default())
}

/// The id fits a plain column; inside JSON every text does.
pub(super) fn id(slot: &Slot, id: &RowId) -> Result<(), String> {
    id.with_text(|printed| {
        text(printed)?;
        let fits = match slot.type_name().filter(|_| slot.is_plain()) {
            Some("uuid") => matches!(id, RowId::Uuid(_)),
            Some("smallint") => printed.parse::<i16>().is_ok(),
            Some("integer") => printed.parse::<i32>().is_ok(),
            Some("bigint") => printed.parse::<i64>().is_ok(),
            _ => slot.extent().holds_text(printed),
        };
        if fits { Ok(()) } else { Err(format!("{printed} does not fit the column {}", typed(slot))) }
    })
}

/// PostgreSQL cannot hold the character NUL in any text.
pub(super) fn text(text: &str) -> Result<(), String> {
    match text.contains('\0') {
        true => Err("a value holds the character NUL, which PostgreSQL cannot store".to_owned()),
        false => Ok(()),
    }
}

/// What the column would say of a new time lies within tolerance of it: the next run would find it again
/// otherwise, and so on for ever.
pub(super) fn time(layout: &Layout, at: Instant, tolerance: Span) -> Result<(), String> {
    let slot = &layout.created_at;
    let kept = slot.extent().kept(at, layout.zone);
    if kept.since(at).abs() <= tolerance {
        return Ok(());
    }
    Err(format!("the column {} would say {} instead of {}", typed(slot), kept.rfc3339(), at.rfc3339()))
}

/// The instant lies in the years 1 to 9999.
pub(super) fn instant(at: Instant) -> Result<(), String> {
    if YEARS.contains(&at.0) {
        Ok(())
    } else {
        Err(format!("{} lies outside the years 1 to 9999", at.rfc3339()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_outside_of_four_digit_years_are_left_to_a_person() {
        for (micros, fits) in
            [(YEARS.start - 1, false), (YEARS.start, true), (YEARS.end - 1, true), (YEARS.end, false)]
        {
            assert_eq!(instant(Instant(micros)).is_ok(), fits, "{micros}");
        }
        assert_eq!(Instant(YEARS.start).rfc3339(), "0001-01-01T00:00:00.000000Z");
        assert_eq!(Instant(YEARS.end - 1).rfc3339(), "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn the_character_nul_fits_no_text() {
        assert!(text("a\0b").is_err() && text("a b").is_ok());
    }
}
