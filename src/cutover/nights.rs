//! Clean nights in a row.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Instant;

const DAY_MICROS: i64 = 86_400_000_000;

/// A run of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Night {
    /// The instant of its reconciliation.
    pub as_of: Instant,
    /// When it was made.
    pub started: Instant,
    /// It was clean.
    pub is_clean: bool,
    /// Its figures are not those that it wrote, its as-of among them.
    pub is_altered: bool,
    /// It lies on the chain that ends in the latest run.
    pub in_chain: bool,
    /// Nothing shows that it read other tables.
    pub of_these_tables: bool,
}

impl Night {
    /// Why it is no night of this history; `None`: it is one. Rows of yesterday, read today, are not
    /// what was there yesterday.
    fn fault(&self) -> Option<&'static str> {
        if !self.of_these_tables {
            Some("of other tables")
        } else if !self.in_chain {
            Some("outside the chain of runs that ends in latest")
        } else if self.started.utc_day() != self.as_of.utc_day() && !self.is_altered {
            Some("made on another day than that of its as-of")
        } else {
            None
        }
    }
}

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
pub(super) fn clean_nights(runs: &[Night], now: Instant) -> Nights {
    let mut days: BTreeMap<i32, bool> = BTreeMap::new();
    let mut faults: BTreeMap<i32, &'static str> = BTreeMap::new();
    // Which was the last of its day such a run does not say: no run of that day counts.
    let mut altered: BTreeSet<i32> = BTreeSet::new();
    for run in runs {
        match run.fault() {
            None if run.is_altered => drop(altered.insert(run.started.utc_day())),
            None => drop(days.insert(run.as_of.utc_day(), run.is_clean)),
            Some(fault) => drop(faults.insert(run.as_of.utc_day(), fault)),
        }
    }
    let today = now.utc_day();
    let is_of_today = days.contains_key(&today) || altered.contains(&today);
    let newest = if is_of_today { today } else { today - 1 };
    let mut clean = 0;
    for day in (i32::MIN..=newest).rev() {
        let date = Instant(i64::from(day) * DAY_MICROS).rfc3339();
        let date = date.split('T').next().unwrap_or_default().to_owned();
        let end = match (days.get(&day), faults.get(&day)) {
            _ if altered.contains(&day) => format!(
                "a run of {date} is not as it was written, so nothing can be told by it: \
                 `reckon runs` names it"
            ),
            (Some(true), _) => {
                clean += 1;
                continue;
            }
            (Some(false), _) => format!("the last run of {date} was not clean"),
            (None, Some(fault)) => format!("the run of {date} does not count, it was {fault}"),
            (None, None) => format!("there is no run of {date}"),
        };
        return Nights { clean, end };
    }
    Nights { clean, end: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_instant;

    fn at(hour: &str) -> Instant {
        parse_instant(&format!("2026-07-{hour}:00:00Z")).expect("an instant")
    }

    fn night(hour: &str, is_clean: bool) -> Night {
        let (as_of, started) = (at(hour), at(hour));
        Night { as_of, started, is_clean, is_altered: false, in_chain: true, of_these_tables: true }
    }

    #[test]
    fn only_days_in_a_row_up_to_now_count() {
        // Day and hour of July, clean; now is 2026-07-10 14:00.
        type Runs<'a> = &'a [(&'a str, bool)];
        let cases: [(Runs<'_>, u32, &str); 8] = [
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
            let list: Vec<Night> = runs.iter().map(|(hour, clean)| night(hour, *clean)).collect();
            let nights = clean_nights(&list, at("10T14"));
            assert_eq!((nights.clean, nights.end.as_str()), (clean, end), "{runs:?}");
        }
    }

    #[test]
    fn a_run_that_was_not_made_that_night_here_and_of_these_tables_is_no_night() {
        let cases = [
            (
                Night { started: at("11T12"), ..night("09T02", true) },
                "made on another day than that of its as-of",
            ),
            (
                Night { in_chain: false, ..night("09T02", true) },
                "outside the chain of runs that ends in latest",
            ),
            (Night { of_these_tables: false, ..night("09T02", true) }, "of other tables"),
        ];
        for (run, fault) in cases {
            // Nor does it spoil the night of another run.
            let spoilt = Night { as_of: at("10T03"), is_clean: false, ..run };
            let nights =
                clean_nights(&[night("08T02", true), run, night("10T02", true), spoilt], at("10T14"));
            let end = format!("the run of 2026-07-09 does not count, it was {fault}");
            assert_eq!((nights.clean, nights.end), (1, end));
        }
    }

    #[test]
    fn a_run_that_was_altered_spoils_the_day_on_which_it_was_made() {
        let of_today = night("10T02", true);
        let cases = [
            Night { is_altered: true, ..night("09T02", true) },
            Night { is_altered: true, as_of: at("01T02"), ..night("09T02", true) },
            Night { is_altered: true, as_of: at("12T02"), ..night("09T02", false) },
        ];
        for run in cases {
            let mut runs = [night("08T02", true), night("09T12", true), of_today, run];
            runs.sort_by_key(|run| run.as_of);
            let nights = clean_nights(&runs, at("10T14"));
            assert_eq!(nights.clean, 1, "{run:?}");
            assert!(nights.end.contains("a run of 2026-07-09 is not as it was written"), "{}", nights.end);
        }
    }
}
