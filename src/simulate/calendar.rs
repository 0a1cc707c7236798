//! Times that all users share, and when in a week people do things.

use super::random::Random;

pub(super) const SECOND: i64 = 1_000_000;
pub(super) const HOUR: i64 = 3_600 * SECOND;
pub(super) const DAY: i64 = 24 * HOUR;

/// Of 64 things, how many happen in each hour of the day (UTC).
const HOURS: [u8; 24] = [1, 1, 1, 1, 1, 1, 1, 2, 3, 3, 4, 4, 3, 3, 4, 4, 4, 3, 3, 4, 4, 4, 3, 2];

/// The hour of each of the 64.
const HOUR_OF: [u8; 64] = spread();

const fn spread() -> [u8; 64] {
    let mut table = [0; 64];
    let (mut at, mut hour) = (0, 0);
    while hour < 24 {
        let mut count = 0;
        while count < HOURS[hour] {
            table[at] = hour as u8;
            at += 1;
            count += 1;
        }
        hour += 1;
    }
    table
}

/// Times that all users share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    /// First day of the ledger.
    pub(super) start: i64,
    /// `as_of` of the configuration.
    pub(super) as_of: i64,
    /// Since then both tables are written by the application; before, rows were copied.
    pub(super) dual_write: i64,
    /// When the bulk copy was made.
    pub(super) stamp: i64,
    months: i64,
}

impl Calendar {
    pub(super) fn new(months: u32, as_of: i64) -> Calendar {
        let span = i64::from(months) * 30 * DAY;
        let start = as_of - span;
        let stamp = as_of - 20 * DAY + 7 * HOUR + 123_456;
        Calendar { start, as_of, dual_write: start + span * 6 / 10, stamp, months: i64::from(months) }
    }

    /// Are amounts of this time stored negative? They were, then they were not, then they were again.
    pub(super) fn is_negative_era(&self, at: i64) -> bool {
        self.era(at) != 1
    }

    /// 0 is the latest third of the ledger, 2 the first.
    pub(super) fn era(&self, at: i64) -> i64 {
        let before = month_of(self.as_of) - month_of(at);
        (before * 3 / self.months).clamp(0, 2)
    }

    /// When a user signs up: more do every month.
    pub(super) fn sign_up(&self, random: &mut Random) -> i64 {
        let end = (self.as_of - 40 * DAY).max(self.start + DAY);
        let first = moment(random, self.start, end);
        // The later of two is twice as likely to be late.
        if random.chance(0.7) { first.max(moment(random, self.start, end)) } else { first }
    }
}

/// A time from `from` up to `to`, as people have them: by day rather than by night, at the weekend
/// half as often.
pub(super) fn moment(random: &mut Random, from: i64, to: i64) -> i64 {
    let (first, end) = (from.div_euclid(DAY), (to - 1).div_euclid(DAY) + 1);
    for _ in 0..4 {
        let day = random.between(first, end);
        // 1970-01-01 was a Thursday.
        let is_weekend = (day + 3).rem_euclid(7) >= 5;
        if is_weekend && random.chance(0.5) {
            continue;
        }
        let hour = i64::from(HOUR_OF[random.between(0, 64) as usize]);
        let at = day * DAY + hour * HOUR + random.between(0, HOUR);
        if (from..to).contains(&at) {
            return at;
        }
    }
    random.between(from, to)
}

/// Month of a time, counted from year 0.
pub(super) fn month_of(at: i64) -> i64 {
    let (year, month, _) = civil(at.div_euclid(DAY));
    year * 12 + month - 1
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_those_of_the_calendar() {
        for month in [1970 * 12, 2000 * 12 + 1, 2024 * 12 + 2, 2026 * 12 + 11] {
            assert_eq!(civil(first_of_month(month)), (month / 12, month % 12 + 1, 1));
        }
    }

    #[test]
    fn a_moment_lies_in_its_range_and_seldom_at_night_or_at_the_weekend() {
        let mut random = Random::of_part(5, 0);
        let (from, to) = (20_000 * DAY + HOUR, 20_070 * DAY + 5 * HOUR);
        let all: Vec<i64> = (0..10_000).map(|_| moment(&mut random, from, to)).collect();
        assert!(all.iter().all(|at| (from..to).contains(at)));
        let nights = all.iter().filter(|at| at.rem_euclid(DAY) < 6 * HOUR).count();
        let weekends = all.iter().filter(|at| (at.div_euclid(DAY) + 3).rem_euclid(7) >= 5).count();
        assert!((500..1_500).contains(&nights), "{nights}");
        assert!((1_000..2_200).contains(&weekends), "{weekends}");
    }

    #[test]
    fn a_range_of_a_microsecond_has_its_moment() {
        assert_eq!(moment(&mut Random::of_part(1, 1), 77, 78), 77);
    }
}
