//! Rows of the two tables and what is true of them.

use crate::domain::{Class, RepairKind, Severity};

/// What a grant or deduction is called on the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Movement {
    Trial,
    Renewal,
    Annual,
    Pack,
    Adjustment,
    Deduction,
}

impl Movement {
    pub(super) fn label(self) -> &'static str {
        match self {
            Movement::Trial => "trial_grant",
            Movement::Renewal => "renewal_grant",
            Movement::Annual => "subscription_grant",
            Movement::Pack => "pack_purchase",
            Movement::Adjustment => "manual_adjustment",
            Movement::Deduction => "admin_deduct",
        }
    }

    pub(super) fn action(self) -> &'static str {
        match self {
            Movement::Trial => "trial_grant",
            Movement::Renewal | Movement::Annual => "subscription_grant",
            Movement::Pack => "token_pack_purchase",
            Movement::Adjustment => "admin_grant",
            Movement::Deduction => "admin_deduct",
        }
    }

    /// The tokens in the direction of the movement.
    pub(super) fn signed(self, tokens: i64) -> i64 {
        if self == Movement::Deduction { -tokens } else { tokens }
    }
}

/// A row of the legacy table.
#[derive(Debug, Clone)]
pub(super) struct LegacyRow {
    pub(super) id: u128,
    pub(super) label: &'static str,
    /// Magnitude; none is written as text that is no number.
    pub(super) tokens: Option<i64>,
    /// UTC microseconds.
    pub(super) at: Option<i64>,
    pub(super) payment: Option<u64>,
    /// Stored with the sign that its era does not have.
    pub(super) contrary_sign: bool,
}

/// A row of the unified table.
#[derive(Debug, Clone)]
pub(super) struct UnifiedRow {
    pub(super) id: u128,
    /// The other user, where it is not the user's own.
    pub(super) other_user: Option<u128>,
    pub(super) action: &'static str,
    pub(super) tokens: i64,
    /// UTC microseconds.
    pub(super) at: i64,
    pub(super) failed: bool,
    pub(super) migrated: bool,
    pub(super) link: Option<u128>,
    pub(super) payment: Option<u64>,
    /// No legacy row is meant to stand for it.
    pub(super) alone: bool,
}

/// A finding that must be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) class: Class,
    pub(super) severity: Severity,
    pub(super) legacy: Vec<u128>,
    pub(super) unified: Vec<u128>,
    pub(super) repair: RepairKind,
    pub(super) defect: &'static str,
}

/// A UUID as text.
pub(super) fn uuid_text(id: u128, out: &mut Vec<u8>) {
    let mut buffer = [0; 36];
    out.extend_from_slice(uuid::Uuid::from_u128(id).hyphenated().encode_lower(&mut buffer).as_bytes());
}

/// A number in decimal.
pub(super) fn number_text(number: i64, out: &mut Vec<u8>) {
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

/// Year, month and day of days since 1970 (proleptic Gregorian; H. Hinnant's `civil_from_days`).
pub(super) fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Days since 1970 of the first day of a month, counted from year 0.
pub(super) fn first_of_month(month: i64) -> i64 {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let shifted_year = year - i64::from(month <= 2);
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// A time as PostgreSQL writes it: `2026-01-02 03:04:05.000006+00`.
pub(super) fn time_text(at: i64, out: &mut Vec<u8>) {
    const DAY: i64 = 86_400_000_000;
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

/// The payment id of a number.
pub(super) fn payment_text(payment: u64) -> String {
    format!("pi_{payment:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_months_are_those_of_the_calendar() {
        let cases = [
            ("1970-01-01 00:00:00.000000+00", 0),
            ("2024-02-29 23:59:59.999999+00", 1_709_251_199_999_999),
            ("2026-09-01 00:00:00.000000+00", 1_788_220_800_000_000),
        ];
        for (text, at) in cases {
            let mut out = Vec::new();
            time_text(at, &mut out);
            assert_eq!(String::from_utf8(out).ok().as_deref(), Some(text));
        }
        for month in [1970 * 12, 2000 * 12 + 1, 2024 * 12 + 2, 2026 * 12 + 11] {
            assert_eq!(civil(first_of_month(month)), (month / 12, month % 12 + 1, 1));
        }
    }
}
