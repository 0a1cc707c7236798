//! Numbers, times and lengths as people read them. Files for machines never use these.

use chrono::{DateTime, Utc};

use crate::domain::{Instant, Span};

/// A whole number with thousands separators: `1,234,567`, `-1,000`.
pub fn grouped(value: i128) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 2);
    if value < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A change with its sign: `+1,000`, `-1,000`, `0`.
pub fn signed(value: i128) -> String {
    if value > 0 { format!("+{}", grouped(value)) } else { grouped(value) }
}

/// `1 row`, `2,000 rows`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(i128::from(count)), if count == 1 { one } else { many })
}

/// Classes of a figure on a page whose value has so many letters: it is set smaller before it is broken.
pub fn size(value: &str) -> &'static str {
    match value.chars().count() {
        0..=10 => "",
        11..=14 => " long",
        15..=24 => " long longer",
        _ => " long longest",
    }
}

/// A time for reading, in UTC to the second: `2026-03-01 09:30:00 UTC`.
pub fn moment(at: Instant) -> String {
    match DateTime::<Utc>::from_timestamp_micros(at.0) {
        Some(at) => at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        None => at.rfc3339(),
    }
}

/// A time for a narrow column, in UTC to the minute: `2026-03-01 09:30`.
pub fn minute(at: Instant) -> String {
    match DateTime::<Utc>::from_timestamp_micros(at.0) {
        Some(at) => at.format("%Y-%m-%d %H:%M").to_string(),
        None => at.rfc3339(),
    }
}

/// The UTC day: `2026-03-01`.
pub fn day(at: Instant) -> String {
    match DateTime::<Utc>::from_timestamp_micros(at.0) {
        Some(at) => at.format("%Y-%m-%d").to_string(),
        None => at.rfc3339(),
    }
}

/// A time for a file name, in UTC to the second: `20260301T093000Z`.
pub fn compact_moment(at: Instant) -> String {
    match DateTime::<Utc>::from_timestamp_micros(at.0) {
        Some(at) => at.format("%Y%m%dT%H%M%SZ").to_string(),
        None => at.0.to_string(),
    }
}

/// A length of time for reading: `5 h`, `1 h 2 min 3 s`, `0.000250 s`.
pub fn length(span: Span) -> String {
    span.words()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_at_every_size() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_000, "-1,000"),
            (1_234_567, "1,234,567"),
            (i128::MAX, "170,141,183,460,469,231,731,687,303,715,884,105,727"),
            (i128::MIN, "-170,141,183,460,469,231,731,687,303,715,884,105,728"),
        ];
        for (value, expected) in cases {
            assert_eq!(grouped(value), expected);
        }
        assert_eq!((signed(5), signed(0), signed(-5)), ("+5".into(), "0".into(), "-5".into()));
    }

    #[test]
    fn lengths_name_only_the_units_they_need() {
        let cases = [
            (0, "0 s"),
            (250, "0.000250 s"),
            (-2_000_000, "-2 s"),
            (18_000_000_000, "5 h"),
            (3_723_000_000, "1 h 2 min 3 s"),
            (90_000_000_000, "1 d 1 h"),
        ];
        for (micros, expected) in cases {
            assert_eq!(length(Span(micros)), expected);
        }
    }

    #[test]
    fn times_are_utc_to_the_second() {
        let at = Instant(1_772_357_400_999_999);
        assert_eq!(moment(at), "2026-03-01 09:30:00 UTC");
        assert_eq!((minute(at), day(at)), ("2026-03-01 09:30".to_owned(), "2026-03-01".to_owned()));
        assert_eq!(compact_moment(at), "20260301T093000Z");
    }
}
