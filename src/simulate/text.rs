//! Ids, numbers and times as text.

use super::calendar::{DAY, civil};

/// A UUID as text.
pub(super) fn uuid(id: u128, out: &mut Vec<u8>) {
    let mut buffer = [0; 36];
    out.extend_from_slice(uuid::Uuid::from_u128(id).hyphenated().encode_lower(&mut buffer).as_bytes());
}

/// Several with semicolons between them.
pub(super) fn uuids(ids: &[u128], out: &mut Vec<u8>) {
    for (at, &id) in ids.iter().enumerate() {
        if at > 0 {
            out.push(b';');
        }
        uuid(id, out);
    }
}

/// A number in decimal.
pub(super) fn number(number: i64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// A time as PostgreSQL writes it: `2026-01-02 03:04:05.000006+00`.
pub(super) fn time(at: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(at.div_euclid(DAY));
    let micros = at.rem_euclid(DAY);
    let seconds = micros / 1_000_000;
    let parts = [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b' '),
        (seconds / 3_600, 2, b':'),
        (seconds / 60 % 60, 2, b':'),
        (seconds % 60, 2, b'.'),
        (micros % 1_000_000, 6, b'+'),
        (0, 2, b' '),
    ];
    for (number, width, after) in parts {
        let mut scale = 10i64.pow(width - 1);
        while scale > 0 {
            out.push(b'0' + (number / scale % 10) as u8);
            scale /= 10;
        }
        out.push(after);
    }
    out.pop();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let cases = [
            ("1970-01-01 00:00:00.000000+00", 0),
            ("2024-02-29 23:59:59.999999+00", 1_709_251_199_999_999),
            ("2026-09-01 00:00:00.000000+00", 1_788_220_800_000_000),
        ];
        for (text, at) in cases {
            let mut out = Vec::new();
            time(at, &mut out);
            assert_eq!(String::from_utf8(out).ok().as_deref(), Some(text));
        }
    }
}
