//! Findings over time, by class: when it went wrong.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, Utc};

use crate::domain::{Class, Finding, Instant};

use super::super::figures::counted;
use super::super::model::Model;
use super::chart::{Chart, Column, stacked};
use super::view::number;

/// So many classes have a colour of their own; the others share one.
const OWN_COLORS: [&str; 6] = ["s1", "s2", "s3", "s4", "s5", "s6"];
const SHARED_COLOR: &str = "s0";

/// Columns that a chart can show well.
const MOST_COLUMNS: i64 = 62;

/// Times further from as-of are counted beside the chart: a single row of 1970 would leave nothing to
/// see of the others.
const YEARS_BEFORE: u32 = 30;
const YEARS_AFTER: u32 = 1;

/// The section.
pub struct Timeline {
    pub chart: Chart,
    pub unit: &'static str,
    /// What is not in the chart.
    pub left_out: String,
}

/// The length of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    /// The shortest that shows the days in few enough columns.
    fn fitting(first: NaiveDate, last: NaiveDate) -> Unit {
        let days = (last - first).num_days() + 1;
        [(Unit::Day, 1), (Unit::Week, 7), (Unit::Month, 30), (Unit::Quarter, 91)]
            .into_iter()
            .find(|(unit, length)| {
                let most = if *unit == Unit::Week { MOST_COLUMNS / 2 } else { MOST_COLUMNS };
                days / length < most
            })
            .map_or(Unit::Year, |(unit, _)| unit)
    }

    fn name(self) -> &'static str {
        match self {
            Unit::Day => "day",
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Quarter => "quarter",
            Unit::Year => "year",
        }
    }

    /// The first day of the column that a day belongs to.
    fn start(self, day: NaiveDate) -> NaiveDate {
        let first = |month| NaiveDate::from_ymd_opt(day.year(), month, 1).unwrap_or(day);
        match self {
            Unit::Day => day,
            Unit::Week => {
                day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into())).unwrap_or(day)
            }
            Unit::Month => first(day.month()),
            Unit::Quarter => first((day.month() - 1) / 3 * 3 + 1),
            Unit::Year => first(1),
        }
    }

    fn next(self, start: NaiveDate) -> Option<NaiveDate> {
        match self {
            Unit::Day => start.checked_add_days(Days::new(1)),
            Unit::Week => start.checked_add_days(Days::new(7)),
            Unit::Month => start.checked_add_months(Months::new(1)),
            Unit::Quarter => start.checked_add_months(Months::new(3)),
            Unit::Year => start.checked_add_months(Months::new(12)),
        }
    }

    fn label(self, start: NaiveDate) -> String {
        match self {
            Unit::Day | Unit::Week => start.format("%d %b").to_string(),
            Unit::Month => start.format("%b %y").to_string(),
            Unit::Quarter => format!("Q{} {}", start.month0() / 3 + 1, start.format("%y")),
            Unit::Year => start.format("%Y").to_string(),
        }
    }

    fn title(self, start: NaiveDate) -> String {
        match self {
            Unit::Day => start.format("%Y-%m-%d").to_string(),
            Unit::Week => start.format("week of %Y-%m-%d").to_string(),
            Unit::Month => start.format("%Y-%m").to_string(),
            Unit::Quarter => format!("{} Q{}", start.format("%Y"), start.month0() / 3 + 1),
            Unit::Year => start.format("%Y").to_string(),
        }
    }
}

/// Builds the section; nothing where no finding has a time.
pub fn view(model: &Model<'_>) -> Option<Timeline> {
    let as_of = day(model.as_of)?;
    let earliest = as_of.checked_sub_months(Months::new(12 * YEARS_BEFORE))?;
    let latest = as_of.checked_add_months(Months::new(12 * YEARS_AFTER))?;
    let mut by_day = BTreeMap::<NaiveDate, [u64; Class::ALL.len()]>::new();
    let (mut timeless, mut far) = (0, 0);
    for finding in model.findings {
        match at(finding).map(day) {
            None => timeless += 1,
            Some(Some(day)) if (earliest..=latest).contains(&day) => {
                by_day.entry(day).or_default()[finding.class as usize] += 1;
            }
            Some(_) => far += 1,
        }
    }
    let (first, last) = (*by_day.first_key_value()?.0, *by_day.last_key_value()?.0);
    let unit = Unit::fitting(first, last);
    let classes = classes(&by_day);
    let columns = columns(&by_day, unit, unit.start(first), last, &classes);
    let mut series: Vec<(String, &str)> =
        classes.iter().zip(OWN_COLORS).map(|(class, color)| (class.title().to_owned(), color)).collect();
    if columns.iter().any(|column| column.values.len() > series.len()) {
        series.push(("All other classes".to_owned(), SHARED_COLOR));
    }
    let summary = summary(&columns, unit);
    Some(Timeline {
        chart: stacked(&columns, &series, summary),
        unit: unit.name(),
        left_out: left_out(timeless, far),
    })
}

fn at(finding: &Finding) -> Option<Instant> {
    finding.created_at_legacy.or(finding.created_at_unified)
}

fn day(at: Instant) -> Option<NaiveDate> {
    Some(DateTime::<Utc>::from_timestamp_micros(at.0)?.date_naive())
}

/// The classes with a colour of their own: the most frequent, in order of the classes.
fn classes(by_day: &BTreeMap<NaiveDate, [u64; Class::ALL.len()]>) -> Vec<Class> {
    let count = |class: &Class| by_day.values().map(|counts| counts[*class as usize]).sum::<u64>();
    let mut found: Vec<Class> = Class::ALL.into_iter().filter(|class| count(class) > 0).collect();
    found.sort_by_key(|class| std::cmp::Reverse(count(class)));
    found.truncate(OWN_COLORS.len());
    found
}

/// Without a hole: a column that has nothing is shown with nothing.
fn columns(
    by_day: &BTreeMap<NaiveDate, [u64; Class::ALL.len()]>,
    unit: Unit,
    first: NaiveDate,
    last: NaiveDate,
    classes: &[Class],
) -> Vec<Column> {
    let has_others = by_day
        .values()
        .any(|counts| Class::ALL.iter().any(|class| !classes.contains(class) && counts[*class as usize] > 0));
    let mut columns = Vec::new();
    let mut start = Some(first);
    while let Some(from) = start.filter(|from| *from <= last) {
        let next = unit.next(from);
        let days = by_day.range(from..next.unwrap_or(NaiveDate::MAX));
        let mut counts = [0; Class::ALL.len()];
        for (_, day) in days {
            counts.iter_mut().zip(day).for_each(|(sum, count)| *sum += count);
        }
        let mut values: Vec<u64> = classes.iter().map(|class| counts[*class as usize]).collect();
        if has_others {
            values.push(counts.iter().sum::<u64>() - values.iter().sum::<u64>());
        }
        columns.push(Column { label: unit.label(from), title: unit.title(from), values });
        start = next;
    }
    columns
}

fn summary(columns: &[Column], unit: Unit) -> String {
    let total = |column: &Column| column.values.iter().sum::<u64>();
    let all: u64 = columns.iter().map(total).sum();
    // The first of the highest.
    let peak = columns.iter().rev().max_by_key(|column| total(column));
    let peak = peak.map(|column| format!("; most in {}: {}", column.title, number(total(column))));
    format!(
        "{} by {} of their rows, {} to {}{}.",
        counted(all, "finding", "findings"),
        unit.name(),
        columns.first().map_or("", |column| &column.title),
        columns.last().map_or("", |column| &column.title),
        peak.unwrap_or_default()
    )
}

fn left_out(timeless: u64, far: u64) -> String {
    let mut parts = Vec::new();
    if timeless > 0 {
        let verb = if timeless == 1 { "has" } else { "have" };
        parts.push(format!("{} {verb} no time", counted(timeless, "finding", "findings")));
    }
    if far > 0 {
        parts.push(format!(
            "{} over {YEARS_BEFORE} years before as-of or over {YEARS_AFTER} year after it",
            counted(far, "finding lies", "findings lie")
        ));
    }
    if parts.is_empty() { String::new() } else { format!("Not in the chart: {}.", parts.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_range_decides_the_length_of_a_column() {
        let cases = [
            ("2026-03-01", "2026-03-01", Unit::Day),
            ("2026-01-01", "2026-02-28", Unit::Day),
            ("2026-01-01", "2026-05-31", Unit::Week),
            ("2025-01-01", "2026-12-31", Unit::Month),
            ("2018-01-01", "2026-12-31", Unit::Quarter),
            ("1996-01-01", "2026-12-31", Unit::Year),
        ];
        for (first, last, expected) in cases {
            assert_eq!(Unit::fitting(date(first), date(last)), expected, "{first} to {last}");
        }
    }

    #[test]
    fn a_day_belongs_to_the_column_that_it_says() {
        let cases = [
            (Unit::Week, "2026-03-01", "2026-02-23", "week of 2026-02-23"),
            (Unit::Month, "2026-02-28", "2026-02-01", "2026-02"),
            (Unit::Quarter, "2026-06-30", "2026-04-01", "2026 Q2"),
            (Unit::Year, "2026-12-31", "2026-01-01", "2026"),
        ];
        for (unit, day, start, title) in cases {
            assert_eq!(unit.start(date(day)), date(start));
            assert_eq!(unit.title(date(start)), title);
        }
    }
}
