//! UTC months.

use crate::domain::Instant;

/// A UTC month: months since January of year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// The UTC month of an instant.
    pub fn of(at: Instant) -> Month {
        // Days → civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let days = at.0.div_euclid(86_400_000_000) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let (month, carry) = if shifted < 10 { (shifted + 3, 0) } else { (shifted - 9, 1) };
        let year = year_of_era + era * 400 + carry;
        Month(i32::try_from(year * 12 + month - 1).unwrap_or(i32::MAX))
    }

    /// `2026-03`.
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        let cases = [
            ("1970-01-01T00:00:00Z", "1970-01"),
            ("1969-12-31T23:59:59.999999Z", "1969-12"),
            ("2024-02-29T23:59:59.999999Z", "2024-02"),
            ("2024-03-01T00:00:00Z", "2024-03"),
            ("2026-12-31T23:59:59Z", "2026-12"),
            ("2000-02-29T00:00:00Z", "2000-02"),
            ("0001-01-01T00:00:00Z", "0001-01"),
        ];
        for (text, expected) in cases {
            let at = chrono::DateTime::parse_from_rfc3339(text).unwrap();
            assert_eq!(Month::of(Instant(at.timestamp_micros())).name(), expected, "{text}");
        }
    }
}
