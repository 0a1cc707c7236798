//! Instants from text and from wall-clock times.

use chrono::offset::LocalResult;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::domain::Instant;

/// Microseconds since 1970-01-01 of the years 1 to 9999. A time outside of them is not readable, whatever
/// source it comes from: text has no agreed form for it, and a row of the year 20260 is no row of the future.
pub(super) const READABLE: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;

/// Reads a timestamp: RFC 3339 and the forms that PostgreSQL and data frames write. Without a zone
/// it is a wall-clock time in `zone`. Digits beyond microseconds are rounded, as PostgreSQL does.
pub(super) fn parse_instant(text: &str, zone: Tz) -> Option<Instant> {
    let text = text.trim_ascii();
    if let Some(utc) = text.strip_suffix(" UTC").or_else(|| text.strip_suffix('Z')) {
        return parse_naive(utc)
            .and_then(|naive| micros(naive.and_utc().timestamp(), naive.and_utc().timestamp_subsec_nanos()));
    }
    // The offset starts at the last sign behind the time of day.
    if let Some(at) = text.get(11..).and_then(|rest| rest.rfind(['+', '-'])).map(|at| at + 11) {
        let naive = parse_naive(text[..at].trim_end())?;
        let offset = parse_offset(&text[at..])?;
        return micros(naive.and_utc().timestamp() - offset, naive.and_utc().timestamp_subsec_nanos());
    }
    from_wall_clock(parse_naive(text)?, zone)
}

/// The instant of a wall-clock time. Where clocks were put back, the second of the two (standard
/// time); where they were put forward, the time by the clock before the change. PostgreSQL does
/// the same.
pub(super) fn from_wall_clock(naive: NaiveDateTime, zone: Tz) -> Option<Instant> {
    let utc = match zone.from_local_datetime(&naive) {
        LocalResult::Single(at) | LocalResult::Ambiguous(_, at) => at.naive_utc(),
        LocalResult::None => {
            let before = naive.checked_sub_signed(chrono::TimeDelta::hours(3))?;
            let offset = zone.from_local_datetime(&before).latest()?.offset().fix();
            naive.checked_sub_offset(offset)?
        }
    };
    micros(utc.and_utc().timestamp(), utc.and_utc().timestamp_subsec_nanos())
}

/// The instant of wall-clock microseconds (PostgreSQL's and Arrow's `timestamp` without zone).
pub(crate) fn from_wall_micros(wall_micros: i64, zone: Tz) -> Option<Instant> {
    if !READABLE.contains(&wall_micros) {
        return None;
    }
    if zone == Tz::UTC {
        return Some(Instant(wall_micros));
    }
    from_wall_clock(DateTime::from_timestamp_micros(wall_micros)?.naive_utc(), zone)
}

/// Wall-clock microseconds in a zone: what [`from_wall_micros`] reads.
pub(crate) fn to_wall_micros(at: Instant, zone: Tz) -> Option<i64> {
    if zone == Tz::UTC {
        return Some(at.0);
    }
    let local = zone.from_utc_datetime(&DateTime::from_timestamp_micros(at.0)?.naive_utc()).naive_local();
    Some(local.and_utc().timestamp_micros())
}

/// A time that is not [`READABLE`], as PostgreSQL writes it, so that it reads alike from every source.
pub(super) fn unreadable(micros: i64, has_zone: bool) -> String {
    let Some(at) = DateTime::from_timestamp_micros(micros) else {
        return format!("{micros} us since 1970");
    };
    let (year, era) = if at.year() > 0 { (at.year(), "") } else { (1 - at.year(), " BC") };
    let rest = at.format("%m-%d %H:%M:%S%.6f").to_string();
    let rest = rest.trim_end_matches('0').trim_end_matches('.');
    format!("{year:04}-{rest}{}{era}", if has_zone { "+00" } else { "" })
}

/// The text names a zone or an offset of its own.
pub(super) fn has_zone(text: &str) -> bool {
    let text = text.trim_ascii();
    text.ends_with('Z')
        || text.ends_with(" UTC")
        || text.get(11..).is_some_and(|rest| rest.contains(['+', '-']))
}

fn micros(seconds: i64, nanos: u32) -> Option<Instant> {
    let rounded = (i64::from(nanos) + 500) / 1_000;
    let at = seconds.checked_mul(1_000_000)?.checked_add(rounded)?;
    READABLE.contains(&at).then_some(Instant(at))
}

fn parse_naive(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim_end();
    // A year of two digits is a day, or a year of this century or the last: nobody knows.
    let (year, _) = text.split_once('-')?;
    if year.len() != 4 || year == "0000" || !year.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(naive) = NaiveDateTime::parse_from_str(text, format) {
            return Some(naive);
        }
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)
}

/// `+02`, `+0200`, `+02:00`, `-03:30:15` → seconds east of UTC.
fn parse_offset(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: Vec<i64> = text[1..]
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(10).map(i64::from))
        .collect::<Option<_>>()?;
    let pair = |at: usize| digits.get(at).zip(digits.get(at + 1)).map(|(tens, ones)| tens * 10 + ones);
    let hours = pair(0)?;
    let (minutes, seconds) = match digits.len() {
        2 => (0, 0),
        4 => (pair(2)?, 0),
        6 => (pair(2)?, pair(4)?),
        _ => return None,
    };
    (hours < 16 && minutes < 60 && seconds < 60).then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Date32Array, StringArray, TimestampMicrosecondArray, TimestampSecondArray};

    use super::super::columns::{Moment, TimeColumn};
    use super::*;

    #[test]
    fn every_usual_form_is_read() {
        let new_york = chrono_tz::America::New_York;
        let cases = [
            ("2026-03-01T09:30:00Z", Tz::UTC, Some("2026-03-01T09:30:00.000000Z")),
            ("2026-03-01T09:30:00.1234567Z", Tz::UTC, Some("2026-03-01T09:30:00.123457Z")),
            ("2026-03-01 09:30:00+00", Tz::UTC, Some("2026-03-01T09:30:00.000000Z")),
            ("2026-03-01 09:30:00.5-05:00", Tz::UTC, Some("2026-03-01T14:30:00.500000Z")),
            ("2026-03-01 09:30:00+0530", Tz::UTC, Some("2026-03-01T04:00:00.000000Z")),
            ("2026-03-01 09:30:00 UTC", new_york, Some("2026-03-01T09:30:00.000000Z")),
            ("2026-03-01 09:30:00", new_york, Some("2026-03-01T14:30:00.000000Z")),
            ("2026-03-01", Tz::UTC, Some("2026-03-01T00:00:00.000000Z")),
            ("2026-03-01 09:30", Tz::UTC, Some("2026-03-01T09:30:00.000000Z")),
            // Clocks forward: 02:30 does not exist; by the clock before, it is 07:30 UTC.
            ("2026-03-08 02:30:00", new_york, Some("2026-03-08T07:30:00.000000Z")),
            // Clocks back: 01:30 happens twice; standard time is taken.
            ("2026-11-01 01:30:00", new_york, Some("2026-11-01T06:30:00.000000Z")),
            ("", Tz::UTC, None),
            ("infinity", Tz::UTC, None),
            ("yesterday", Tz::UTC, None),
            ("2026-13-01", Tz::UTC, None),
            ("26-03-01", Tz::UTC, None),
            ("10-02-26 09:00", Tz::UTC, None),
            ("-2026-03-01", Tz::UTC, None),
            ("+2026-03-01", Tz::UTC, None),
            ("02026-03-01", Tz::UTC, None),
            ("0026-03-01", Tz::UTC, Some("0026-03-01T00:00:00.000000Z")),
            ("2026-03-01T09:30:00+99", Tz::UTC, None),
            ("0000-12-31 23:30:00-05", Tz::UTC, None),
            ("20260-03-01 09:30:00+00", Tz::UTC, None),
            ("0044-03-15 00:00:00+00 BC", Tz::UTC, None),
        ];
        for (text, zone, expected) in cases {
            assert_eq!(parse_instant(text, zone).map(Instant::rfc3339).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_time_outside_of_the_years_1_to_9999_is_unreadable_in_columns_of_every_type() {
        let new_york = chrono_tz::America::New_York;
        let utc = |micros: i64| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC"))
        };
        let wall = |micros: i64| -> ArrayRef { Arc::new(TimestampMicrosecondArray::from(vec![micros])) };
        let seconds = |seconds: i64| -> ArrayRef { Arc::new(TimestampSecondArray::from(vec![seconds])) };
        let day = |days: i32| -> ArrayRef { Arc::new(Date32Array::from(vec![days])) };
        let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
        let (first, end) = (READABLE.start, READABLE.end);
        let cases = [
            (utc(first), Tz::UTC, Ok("0001-01-01T00:00:00.000000Z")),
            (utc(end - 1), Tz::UTC, Ok("9999-12-31T23:59:59.999999Z")),
            (utc(first - 1), Tz::UTC, Err("0001-12-31 23:59:59.999999+00 BC")),
            (utc(end), Tz::UTC, Err("10000-01-01 00:00:00+00")),
            (utc(-63_517_824_000_000_000), Tz::UTC, Err("0044-03-15 00:00:00+00 BC")),
            (utc(577_176_624_000_500_000), Tz::UTC, Err("20260-01-01 00:00:00.5+00")),
            (utc(i64::MAX), Tz::UTC, Err("infinity")),
            (wall(first), Tz::UTC, Ok("0001-01-01T00:00:00.000000Z")),
            (wall(end), Tz::UTC, Err("10000-01-01 00:00:00")),
            (wall(end - 1), new_york, Err("9999-12-31 23:59:59.999999")),
            (wall(first - 1), new_york, Err("0001-12-31 23:59:59.999999 BC")),
            (seconds(end / 1_000_000), Tz::UTC, Err("10000-01-01 00:00:00")),
            (day(2_932_896), Tz::UTC, Ok("9999-12-31T00:00:00.000000Z")),
            (day(2_932_897), Tz::UTC, Err("10000-01-01 00:00:00")),
            (text("9999-12-31 23:59:59.9999999"), Tz::UTC, Err("9999-12-31 23:59:59.9999999")),
            (text("20260-01-01 00:00:00+00"), Tz::UTC, Err("20260-01-01 00:00:00+00")),
        ];
        for (array, zone, expected) in &cases {
            let column = TimeColumn::of(array.as_ref(), *zone).unwrap();
            let found = match column.get(0) {
                Moment::At(at) => Ok(at.rfc3339()),
                Moment::Missing => panic!("{expected:?} is missing"),
                Moment::Unreadable(text) => Err(text),
            };
            assert_eq!(found.as_ref().map(String::as_str).map_err(String::as_str), *expected);
            // The quick look at a whole column says the same.
            assert!(expected.is_ok() || column.all().is_none(), "{expected:?}");
        }
    }
}
