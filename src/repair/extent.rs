//! What a type of the server can hold, as far as its name tells.

use chrono_tz::Tz;

use crate::domain::Instant;
use crate::normalise::{from_wall_micros, to_wall_micros};

const DAY_MICROS: i64 = 86_400_000_000;

/// The limits of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// None is known.
    Any,
    /// Whole numbers, from the least to the most.
    Whole(i64, i64),
    /// `numeric(p,s)`: so many digits, and how many of them stand behind the point. Below zero so many before
    /// it are rounded away.
    Decimal(i32, i32),
    /// Numbers of so many bits, followed by as many zeros as it takes.
    Floating(u32),
    /// Texts of so many characters at most.
    Text(usize),
    /// The same, filled up with blanks: nobody knows which of them were given.
    Padded(usize),
    /// Days of the configured zone.
    Days,
    /// Clock times of the configured zone, in steps of so many microseconds.
    Wall(i64),
    /// Instants, in such steps.
    Instants(i64),
}

impl Extent {
    /// Reads the name of a type as `format_type` prints it.
    pub fn of(type_name: &str) -> Extent {
        let (name, numbers) = match type_name.split_once('(') {
            Some((before, rest)) => {
                let (numbers, behind) = rest.split_once(')').unwrap_or((rest, ""));
                (format!("{before}{behind}"), numbers)
            }
            None => (type_name.to_owned(), ""),
        };
        let numbers: Vec<i32> = numbers.split(',').filter_map(|number| number.trim().parse().ok()).collect();
        let length = |number: i32| usize::try_from(number).unwrap_or(usize::MAX);
        let step = || match numbers.as_slice() {
            [digits @ 0..=5] => 10i64.pow(digits.abs_diff(6)),
            _ => 1,
        };
        match (name.as_str(), numbers.as_slice()) {
            ("smallint", _) => Extent::Whole(i64::from(i16::MIN), i64::from(i16::MAX)),
            ("integer", _) => Extent::Whole(i64::from(i32::MIN), i64::from(i32::MAX)),
            ("numeric", &[precision, scale]) => Extent::Decimal(precision, scale),
            ("real", _) => Extent::Floating(24),
            ("double precision", _) => Extent::Floating(53),
            ("character varying", &[most]) => Extent::Text(length(most)),
            ("character", &[most]) => Extent::Padded(length(most)),
            ("date", _) => Extent::Days,
            ("timestamp without time zone", _) => Extent::Wall(step()),
            ("timestamp with time zone", _) => Extent::Instants(step()),
            _ => Extent::Any,
        }
    }

    /// The number would be read back as it is.
    pub fn holds_number(self, number: i64) -> bool {
        let magnitude = number.unsigned_abs();
        match self {
            Extent::Whole(least, most) => (least..=most).contains(&number),
            Extent::Decimal(precision, scale) => {
                // Beyond the powers of 64 bits every number lies below, and none but zero is a multiple.
                let power = |exponent: i32| 10u64.checked_pow(exponent.unsigned_abs());
                let (before, rounded) = (precision - scale, scale.min(0));
                let is_below = if before < 0 {
                    number == 0
                } else {
                    power(before).is_none_or(|limit| magnitude < limit)
                };
                is_below && power(rounded).map_or(number == 0, |step| magnitude.is_multiple_of(step))
            }
            Extent::Floating(bits) => {
                number == 0 || 64 - magnitude.leading_zeros() - magnitude.trailing_zeros() <= bits
            }
            Extent::Text(_) | Extent::Padded(_) => self.holds_text(&number.to_string()),
            Extent::Any | Extent::Days | Extent::Wall(_) | Extent::Instants(_) => true,
        }
    }

    /// The text would be read back as it is. Blanks beyond the length are cut off without a word.
    pub fn holds_text(self, text: &str) -> bool {
        match self {
            Extent::Text(most) => text.chars().count() <= most,
            Extent::Padded(most) => text.chars().count() <= most && !text.ends_with(' '),
            _ => true,
        }
    }

    /// What would be read back where a time is written.
    pub fn kept(self, at: Instant, zone: Tz) -> Instant {
        let rounded = |micros: i64, step: i64| match micros.checked_add(step / 2) {
            Some(micros) => micros.div_euclid(step) * step,
            None => micros,
        };
        let by_clock = |read: &dyn Fn(i64) -> i64| {
            to_wall_micros(at, zone).and_then(|wall| from_wall_micros(read(wall), zone)).unwrap_or(at)
        };
        match self {
            Extent::Days => by_clock(&|wall| wall.div_euclid(DAY_MICROS) * DAY_MICROS),
            Extent::Wall(step) => by_clock(&|wall| rounded(wall, step)),
            Extent::Instants(step) => Instant(rounded(at.0, step)),
            _ => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_fits_where_it_would_be_read_back() {
        // type · number · fits
        let cases = [
            ("smallint", 32_767, true),
            ("smallint", -32_769, false),
            ("integer", 2_147_483_648, false),
            ("bigint", i64::MIN, true),
            ("numeric", i64::MAX, true),
            ("numeric(3,0)", 999, true),
            ("numeric(3,0)", -1_000, false),
            ("numeric(5,2)", 999, true),
            ("numeric(5,2)", 1_000, false),
            ("numeric(4,-2)", 70, false),
            ("numeric(4,-2)", 999_900, true),
            ("numeric(4,-2)", 1_000_000, false),
            ("numeric(2,4)", 0, true),
            ("numeric(2,4)", 1, false),
            ("numeric(30,0)", i64::MIN, true),
            ("numeric(30,-25)", 100, false),
            ("numeric(30,-25)", 0, true),
            ("real", 16_777_216, true),
            ("real", 16_777_217, false),
            ("real", 33_554_434, false),
            ("real", 33_554_436, true),
            ("double precision", 9_007_199_254_740_993, false),
            ("character varying(3)", 999, true),
            ("character varying(3)", -999, false),
            ("text", i64::MAX, true),
        ];
        for (type_name, number, fits) in cases {
            assert_eq!(Extent::of(type_name).holds_number(number), fits, "{number} in {type_name}");
        }
    }

    #[test]
    fn a_text_fits_by_its_characters_and_blanks_at_the_end_are_none_of_a_filled_up_one() {
        let cases = [
            ("character varying(3)", "äöü", true),
            ("character varying(3)", "äöü ", false),
            ("character varying(3)", "ab ", true),
            ("character varying", "abcd", true),
            ("character(3)", "ab", true),
            ("character(3)", "ab ", false),
            ("character(3)", "abcd", false),
            ("bpchar", "abcd", true),
            ("character varying(3)[]", "abcd", true),
            ("public.citext", "abcd", true),
        ];
        for (type_name, text, fits) in cases {
            assert_eq!(Extent::of(type_name).holds_text(text), fits, "{text:?} in {type_name}");
        }
    }

    #[test]
    fn a_time_is_read_back_as_the_column_keeps_it() {
        let berlin = chrono_tz::Europe::Berlin;
        // type · zone · written · read back
        let cases = [
            ("date", Tz::UTC, "2026-05-01T10:00:00.000000Z", "2026-05-01T00:00:00.000000Z"),
            ("date", Tz::UTC, "1969-05-01T10:00:00.000000Z", "1969-05-01T00:00:00.000000Z"),
            ("date", berlin, "2026-05-01T22:30:00.000000Z", "2026-05-01T22:00:00.000000Z"),
            (
                "timestamp(0) with time zone",
                berlin,
                "2026-05-01T10:00:00.500000Z",
                "2026-05-01T10:00:01.000000Z",
            ),
            (
                "timestamp(3) with time zone",
                Tz::UTC,
                "2026-05-01T10:00:00.123456Z",
                "2026-05-01T10:00:00.123000Z",
            ),
            (
                "timestamp(6) with time zone",
                Tz::UTC,
                "2026-05-01T10:00:00.123456Z",
                "2026-05-01T10:00:00.123456Z",
            ),
            (
                "timestamp with time zone",
                Tz::UTC,
                "2026-05-01T10:00:00.123456Z",
                "2026-05-01T10:00:00.123456Z",
            ),
            (
                "timestamp without time zone",
                berlin,
                "2026-05-01T10:00:00.123456Z",
                "2026-05-01T10:00:00.123456Z",
            ),
            // The hour that stands twice on the clock is read as the second of the two.
            (
                "timestamp without time zone",
                berlin,
                "2026-10-25T00:30:00.000000Z",
                "2026-10-25T01:30:00.000000Z",
            ),
            (
                "timestamp(2) without time zone",
                berlin,
                "2026-05-01T10:00:00.129000Z",
                "2026-05-01T10:00:00.130000Z",
            ),
            ("text", berlin, "2026-05-01T10:00:00.123456Z", "2026-05-01T10:00:00.123456Z"),
        ];
        for (type_name, zone, written, read) in cases {
            let at = chrono::DateTime::parse_from_rfc3339(written).unwrap().timestamp_micros();
            assert_eq!(
                Extent::of(type_name).kept(Instant(at), zone).rfc3339(),
                read,
                "{written} in {type_name}"
            );
        }
    }
}
