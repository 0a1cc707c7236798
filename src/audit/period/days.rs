//! Runs of whole UTC days.

use chrono::{Datelike, Days, NaiveDate, NaiveTime};

use crate::domain::{Instant, Span};

/// Why a period is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It ends before it begins.
    #[error("the period ends ({last}) before it begins ({first}): write the earlier day after --from")]
    Backwards {
        /// First day.
        first: NaiveDate,
        /// Last day.
        last: NaiveDate,
    },
    /// A day that a calendar of four digits does not have.
    #[error("{day} is no day that an account is kept for: write a year from 1900 to 9998")]
    OutOfRange {
        /// The day.
        day: NaiveDate,
    },
    /// Its last day is not over.
    #[error(
        "{last} is not over yet, and a pack is sealed once it is written: rows of its days still come. End the \
         period on {latest} at the latest, or see how things stand with `reckon reconcile`"
    )]
    NotOver {
        /// Last day.
        last: NaiveDate,
        /// The last day that is over.
        latest: NaiveDate,
    },
}

/// From a first to a last UTC day, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    first: NaiveDate,
    last: NaiveDate,
}

/// A calendar month of a period, or the part of it that the period covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodPart {
    /// `2026-03`.
    pub name: String,
    /// The first day in the period.
    pub first: NaiveDate,
    /// The last.
    pub last: NaiveDate,
}

impl Period {
    /// The period from a first to a last day, both included.
    ///
    /// # Errors
    /// [`PeriodError`] when it ends before it begins, or lies outside the years 1900 to 9998.
    pub fn new(first: NaiveDate, last: NaiveDate) -> Result<Period, PeriodError> {
        for day in [first, last] {
            if !(1900..=9998).contains(&day.year()) {
                return Err(PeriodError::OutOfRange { day });
            }
        }
        if last < first {
            return Err(PeriodError::Backwards { first, last });
        }
        Ok(Period { first, last })
    }

    /// Refuses a period whose last day is not over: what is sealed stays as it is.
    ///
    /// # Errors
    /// [`PeriodError::NotOver`] with the last day that is.
    pub fn must_be_over(&self, now: Instant) -> Result<(), PeriodError> {
        if self.end() <= now {
            return Ok(());
        }
        Err(PeriodError::NotOver {
            last: self.last,
            latest: day_of(now).unwrap_or(self.first) - Days::new(1),
        })
    }

    /// Have two periods a day in common?
    pub fn overlaps(&self, other: &Period) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// The first day.
    pub fn first(&self) -> NaiveDate {
        self.first
    }

    /// The last day.
    pub fn last(&self) -> NaiveDate {
        self.last
    }

    /// The first instant that belongs to it.
    pub fn start(&self) -> Instant {
        midnight(self.first)
    }

    /// The first instant after it.
    pub fn end(&self) -> Instant {
        midnight(self.last + Days::new(1))
    }

    /// The last microsecond that belongs to it: what its balances are as of.
    pub fn as_of(&self) -> Instant {
        self.end().minus(Span(1))
    }

    /// Does an instant belong to it?
    pub fn contains(&self, at: Instant) -> bool {
        self.start() <= at && at < self.end()
    }

    /// The day before it.
    pub fn day_before(&self) -> NaiveDate {
        self.first - Days::new(1)
    }

    /// `2026-01-01_2026-03-31`: the name of its folder.
    pub fn name(&self) -> String {
        format!("{}_{}", self.first, self.last)
    }

    /// Its calendar months, the first and the last perhaps in part.
    pub fn months(&self) -> Vec<PeriodPart> {
        let mut parts = Vec::new();
        let mut first = self.first;
        while first <= self.last {
            let next = month_after(first);
            let last = self.last.min(next - Days::new(1));
            parts.push(PeriodPart { name: first.format("%Y-%m").to_string(), first, last });
            first = next;
        }
        parts
    }

    /// Position of an instant of the period among its months.
    pub fn month_of(&self, at: Instant) -> Option<usize> {
        let day = day_of(at).filter(|_| self.contains(at))?;
        let months = |day: NaiveDate| day.year() * 12 + day.month0() as i32;
        usize::try_from(months(day) - months(self.first)).ok()
    }
}

/// The UTC day of an instant, where the calendar has it.
fn day_of(at: Instant) -> Option<NaiveDate> {
    chrono::DateTime::from_timestamp_micros(at.0).map(|at| at.date_naive())
}

fn month_after(day: NaiveDate) -> NaiveDate {
    let (year, month) = if day.month() == 12 { (day.year() + 1, 1) } else { (day.year(), day.month() + 1) };
    NaiveDate::from_ymd_opt(year, month, 1).expect("a first of a month before the year 10000")
}

fn midnight(day: NaiveDate) -> Instant {
    Instant(day.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(first: &str, last: &str) -> Period {
        Period::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_last_day_belongs_to_it_to_the_microsecond() {
        let quarter = period("2026-01-01", "2026-03-31");
        assert_eq!(quarter.start().rfc3339(), "2026-01-01T00:00:00.000000Z");
        assert_eq!(quarter.as_of().rfc3339(), "2026-03-31T23:59:59.999999Z");
        assert!(quarter.contains(quarter.as_of()) && !quarter.contains(quarter.end()));
        assert!(!quarter.contains(quarter.start().minus(Span(1))));
        assert_eq!(quarter.name(), "2026-01-01_2026-03-31");
    }

    #[test]
    fn a_period_ends_where_the_next_begins() {
        let (leap, march) = (period("2024-02-01", "2024-02-29"), period("2024-03-01", "2024-03-31"));
        assert_eq!(leap.end(), march.start());
        assert_eq!(march.day_before(), leap.last());
    }

    #[test]
    fn a_period_is_over_with_the_last_microsecond_of_its_last_day() {
        let march = period("2026-03-01", "2026-03-31");
        assert_eq!(march.must_be_over(march.end()), Ok(()));
        let latest = "2026-03-30".parse().unwrap();
        assert_eq!(
            march.must_be_over(march.as_of()),
            Err(PeriodError::NotOver { last: march.last(), latest })
        );
    }

    #[test]
    fn periods_overlap_in_a_day() {
        let quarter = period("2026-01-01", "2026-03-31");
        let cases = [
            ("2025-12-01", "2025-12-31", false),
            ("2025-12-01", "2026-01-01", true),
            ("2026-02-01", "2026-02-28", true),
            ("2026-03-31", "2026-04-30", true),
            ("2026-04-01", "2026-04-30", false),
        ];
        for (first, last, expected) in cases {
            assert_eq!(quarter.overlaps(&period(first, last)), expected, "{first} to {last}");
        }
    }

    #[test]
    fn months_are_clipped_to_the_period() {
        let cases = [
            ("2026-01-01", "2026-03-31", "2026-01 01-31, 2026-02 01-28, 2026-03 01-31"),
            ("2025-12-15", "2026-01-02", "2025-12 15-31, 2026-01 01-02"),
            ("2026-02-03", "2026-02-03", "2026-02 03-03"),
        ];
        for (first, last, expected) in cases {
            let parts = period(first, last).months();
            let shown: Vec<String> = parts
                .iter()
                .map(|part| format!("{} {}-{}", part.name, part.first.format("%d"), part.last.format("%d")))
                .collect();
            assert_eq!(shown.join(", "), expected);
        }
        let year = period("2025-12-15", "2026-01-02");
        assert_eq!(year.month_of(year.start()), Some(0));
        assert_eq!(year.month_of(year.as_of()), Some(1));
        assert_eq!(year.month_of(year.end()), None);
    }

    #[test]
    fn what_is_no_period_is_said() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert!(matches!(
            Period::new(day("2026-02-01"), day("2026-01-31")),
            Err(PeriodError::Backwards { .. })
        ));
        assert!(matches!(
            Period::new(day("0001-01-01"), day("2026-01-31")),
            Err(PeriodError::OutOfRange { .. })
        ));
    }
}
