//! Clean nights in a row.

use std::collections::BTreeMap;

use crate::domain::Instant;

const DAY_MICROS: i64 = 86_400_000_000;

/// What the history says about the last days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nights {
    /// Clean days in a row, up to today or yesterday.
    pub clean: u32,
    /// Why the day before them does not count.
    pub end: String,
}

/// Counts the days (UTC) up to `now` whose last run was clean, with no day missing between. A day
/// that is not over needs no run yet. `runs` ascend by time.
pub(super) fn clean_nights(runs: &[(Instant, bool)], now: Instant) -> Nights {
    let days: BTreeMap<i32, bool> = runs.iter().map(|(at, clean)| (at.utc_day(), *clean)).collect();
    let today = now.utc_day();
    let newest = if days.contains_key(&today) { today } else { today - 1 };
    let mut clean = 0;
    for day in (i32::MIN..=newest).rev() {
        let date = Instant(i64::from(day) * DAY_MICROS).rfc3339();
        let date = date.split('T').next().unwrap_or_default().to_owned();
        match days.get(&day) {
            Some(true) => clean += 1,
            Some(false) => return Nights { clean, end: format!("the last run of {date} was not clean") },
            None => return Nights { clean, end: format!("there is no run of {date}") },
        }
    }
    Nights { clean, end: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_instant;

    #[test]
    fn only_days_in_a_row_up_to_now_count() {
        let at = |text: &str| parse_instant(text).expect("an instant");
        // Day and hour of July, clean; now is 2026-07-10 14:00.
        type Runs = &'static [(&'static str, bool)];
        let cases: [(Runs, u32, &str); 8] = [
            (&[], 0, "there is no run of 2026-07-09"),
            (&[("10T02", true)], 1, "there is no run of 2026-07-09"),
            (&[("08T02", true), ("09T02", true)], 2, "there is no run of 2026-07-07"),
            (&[("08T02", true), ("09T02", true), ("10T02", true)], 3, "there is no run of 2026-07-07"),
            (&[("07T02", true), ("08T02", true)], 0, "there is no run of 2026-07-09"),
            (&[("08T02", false), ("09T02", true)], 1, "the last run of 2026-07-08 was not clean"),
            (&[("09T02", false), ("09T23", true)], 1, "there is no run of 2026-07-08"),
            (
                &[("08T02", true), ("09T02", true), ("10T02", false)],
                0,
                "the last run of 2026-07-10 was not clean",
            ),
        ];
        for (runs, clean, end) in cases {
            let list: Vec<(Instant, bool)> =
                runs.iter().map(|(hour, clean)| (at(&format!("2026-07-{hour}:00:00Z")), *clean)).collect();
            let nights = clean_nights(&list, at("2026-07-10T14:00:00Z"));
            assert_eq!((nights.clean, nights.end.as_str()), (clean, end), "{runs:?}");
        }
    }
}
