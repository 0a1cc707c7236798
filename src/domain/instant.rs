//! Points in time and distances between them, in microseconds.

use chrono::{DateTime, SecondsFormat, Utc};

/// A point in time: microseconds since 1970-01-01T00:00:00Z. What PostgreSQL's `timestamptz` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

/// A distance between two instants, in microseconds; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub i64);

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Days since 1970-01-01 of the years 0 to 9999.
const FOUR_DIGIT_DAYS: std::ops::Range<i64> = -719_528..2_932_897;

impl Instant {
    /// Before everything.
    pub const MIN: Instant = Instant(i64::MIN);

    /// The instant as RFC 3339 in UTC with six decimals: `2026-03-01T09:30:00.000000Z`.
    pub fn rfc3339(self) -> String {
        let mut text = String::with_capacity(27);
        self.push_rfc3339(&mut text);
        text
    }

    /// Adds [`Instant::rfc3339`] to a text: a report of a million rows writes several million of them, so
    /// the years of four digits are written digit by digit.
    pub fn push_rfc3339(self, text: &mut String) {
        let (days, micros) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        if !FOUR_DIGIT_DAYS.contains(&days) {
            return text.push_str(&self.rfc3339_of_any_year());
        }
        // The civil calendar from the days since 0000-03-01, in eras of 400 years.
        let day = days + 719_468;
        let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + i64::from(month <= 2);
        let seconds = micros / 1_000_000;
        let mut letters = *b"0000-00-00T00:00:00.000000Z";
        put_digits(&mut letters[..4], year);
        put_digits(&mut letters[5..7], month);
        put_digits(&mut letters[8..10], day);
        put_digits(&mut letters[11..13], seconds / 3_600);
        put_digits(&mut letters[14..16], seconds / 60 % 60);
        put_digits(&mut letters[17..19], seconds % 60);
        put_digits(&mut letters[20..26], micros % 1_000_000);
        text.push_str(std::str::from_utf8(&letters).expect("digits and signs are ASCII"));
    }

    fn rfc3339_of_any_year(self) -> String {
        match DateTime::<Utc>::from_timestamp_micros(self.0) {
            Some(at) => at.to_rfc3339_opts(SecondsFormat::Micros, true),
            None => format!("@{}us", self.0),
        }
    }

    /// The UTC day: days since 1970-01-01.
    pub fn utc_day(self) -> i32 {
        i32::try_from(self.0.div_euclid(86_400_000_000))
            .expect("64-bit microseconds are fewer than 2^31 days")
    }

    /// `self − earlier`, saturating at the ends of the 64-bit range.
    pub fn since(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// `self + span`, saturating.
    pub fn plus(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }

    /// `self − span`, saturating.
    pub fn minus(self, span: Span) -> Instant {
        Instant(self.0.saturating_sub(span.0))
    }
}

impl Span {
    /// The length without its sign.
    pub fn abs(self) -> Span {
        Span(self.0.saturating_abs())
    }

    /// The length for reading: `5 h`, `1 h 2 min 3 s`, `0.000250 s`.
    pub fn words(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
        let mut parts = Vec::new();
        for (unit, size) in [("d", 86_400), ("h", 3_600), ("min", 60)] {
            let count = seconds / size
                % if unit == "d" {
                    u64::MAX
                } else if unit == "h" {
                    24
                } else {
                    60
                };
            if count > 0 {
                parts.push(format!("{count} {unit}"));
            }
        }
        match (seconds % 60, rest) {
            (0, 0) if !parts.is_empty() => {}
            (seconds, 0) => parts.push(format!("{seconds} s")),
            (seconds, micros) => parts.push(format!("{seconds}.{micros:06} s")),
        }
        format!("{sign}{}", parts.join(" "))
    }

    /// Seconds with six decimals, as the column `lag_seconds` shows them: `-0.000250`.
    pub fn seconds(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

/// Puts a number that is not below zero into so many places, with zeros before it.
fn put_digits(places: &mut [u8], number: i64) {
    // Of 32 bits, divided by a constant: several times as fast.
    let mut rest = number as u32;
    for place in places.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_printed_in_utc_with_microseconds() {
        assert_eq!(Instant(0).rfc3339(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Instant(1_772_357_400_000_001).rfc3339(), "2026-03-01T09:30:00.000001Z");
        assert_eq!(Instant(-1).rfc3339(), "1969-12-31T23:59:59.999999Z");
        // Every hundredth day of eleven thousand years, and the days beside the ends of four digits.
        let days = (-730_000..3_300_000).step_by(100);
        for day in days.chain([-719_529, -719_528, -719_527, 2_932_896, 2_932_897]) {
            let at = Instant(day * DAY + (day * 7_919).rem_euclid(DAY));
            assert_eq!(at.rfc3339(), at.rfc3339_of_any_year(), "{}", at.0);
        }
    }

    #[test]
    fn spans_keep_sign_and_six_decimals() {
        for (micros, expected) in
            [(0, "0.000000"), (-250, "-0.000250"), (61_000_001, "61.000001"), (-5_000_000, "-5.000000")]
        {
            assert_eq!(Span(micros).seconds(), expected);
        }
    }
}
