//! Ledgers with one flaw each, made here, and what `summary.json` says of its root: the cause, the
//! setting that would absorb it, pairs by tolerance. A recommended setting is then tried.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use serde_json::Value;

use super::program::{Run, reconcile};

const CONFIG: &str = r#"
as_of = "2027-01-01T00:00:00Z"
[legacy]
path = "legacy.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens"
created_at = "created_at"
reference = ["payment"]
[legacy.actions]
renewal_grant = "subscription_grant"
[unified]
path = "unified.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens"
created_at = "created_at"
reference = ["payment"]
grants = ["subscription_grant", "trial_grant", "token_pack_purchase"]
[matching]
tolerance = "2s"
window = "24h"
"#;

/// Rows of a ledger: every tenth day of a year, one user each.
const ROWS: i64 = 60;

fn at(row: i64) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 1, 2, 9, 30, 0).unwrap() + TimeDelta::days(6 * row) + TimeDelta::seconds(row)
}

/// One line a side: user, tokens, time, payment.
type Line = (String, i64, String, String);

fn line(row: i64, at: String) -> Line {
    (format!("user{row}"), 100_000, at, String::new())
}

/// With its zone: `2026-01-02T09:30:00.000Z`.
fn zoned(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// As a clock on the wall shows it.
fn wall(at: DateTime<Utc>, zone: &str) -> String {
    let zone: chrono_tz::Tz = zone.parse().unwrap();
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn run(folder: &Path, config: &str, legacy: &[Line], unified: &[Line]) -> Run {
    for (file, label, lines) in
        [("legacy.csv", "renewal_grant", legacy), ("unified.csv", "subscription_grant", unified)]
    {
        let mut text = "id,user_id,action_type,tokens,created_at,payment\n".to_owned();
        for (number, (user, tokens, at, payment)) in lines.iter().enumerate() {
            writeln!(text, "{}{number},{user},{label},{tokens},{at},{payment}", &file[..1]).unwrap();
        }
        fs::write(folder.join(file), text).unwrap();
    }
    fs::write(folder.join("reckon.toml"), config).unwrap();
    reconcile(&folder.join("reckon.toml"), &folder.join("run"), &[])
}

/// Cause, class, rows, detail.
fn causes(summary: &Value) -> Vec<(String, String, u64, String)> {
    let text = |cause: &Value, key: &str| cause[key].as_str().unwrap().to_owned();
    let causes = summary["causes"].as_array().unwrap().iter();
    let row = |cause: &Value| {
        (text(cause, "cause"), text(cause, "class"), cause["rows"].as_u64().unwrap(), text(cause, "detail"))
    };
    causes.map(row).collect()
}

fn advice(summary: &Value) -> Vec<(&str, Option<&str>, u64)> {
    let all = summary["calibration"]["recommendations"].as_array().unwrap().iter();
    all.map(|one| (one["kind"].as_str().unwrap(), one["setting"].as_str(), one["rows"].as_u64().unwrap()))
        .collect()
}

/// A setting of a section, put behind its header.
fn with_setting(setting: &str) -> String {
    let (section, line) = setting.split_once(' ').unwrap();
    CONFIG
        .lines()
        .filter(|known| {
            !(section == "[matching]" && line.starts_with(known.split(' ').next().unwrap_or("?")))
        })
        .map(|known| if known == section { format!("{section}\n{line}\n") } else { format!("{known}\n") })
        .collect()
}

#[test]
fn one_zone_explains_the_lags_of_both_seasons_and_absorbs_them() {
    let cases = [
        ("Etc/GMT+5", "lag +5 h: "),
        ("Asia/Kolkata", "lag -5 h 30 min: "),
        ("America/New_York", "lags +4 h and +5 h: "),
        ("Australia/Sydney", "lags -11 h and -10 h: "),
    ];
    for (zone, lags) in cases {
        let folder = tempfile::tempdir().unwrap();
        let legacy: Vec<Line> = (0..ROWS).map(|row| line(row, wall(at(row), zone))).collect();
        let unified: Vec<Line> = (0..ROWS).map(|row| line(row, zoned(at(row)))).collect();
        let summary = run(folder.path(), CONFIG, &legacy, &unified).summary();
        let setting = format!("[legacy] timezone = \"{zone}\"");
        let detail =
            format!("{lags}`{setting}` would absorb {}", if lags.contains("and") { "them" } else { "it" });
        let expected = ("constant_lag".to_owned(), "time_mismatch".to_owned(), ROWS as u64, detail);
        assert_eq!(causes(&summary), [expected], "{zone}");
        assert_eq!(advice(&summary), [("timezone", Some(setting.as_str()), ROWS as u64)], "{zone}");

        let after = run(folder.path(), &with_setting(&setting), &legacy, &unified).summary();
        assert_eq!(
            (&after["verdict"], after["pairs"]["exact"]["rows"].as_i64()),
            (&"clean".into(), Some(ROWS))
        );
        assert_eq!(advice(&after), [], "{zone}");
    }
}

#[test]
fn the_zone_is_that_of_the_side_whose_times_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Line> = (0..ROWS).map(|row| line(row, zoned(at(row)))).collect();
    let unified: Vec<Line> = (0..ROWS).map(|row| line(row, wall(at(row), "Europe/Berlin"))).collect();
    let summary = run(folder.path(), CONFIG, &legacy, &unified).summary();
    assert_eq!(advice(&summary), [("timezone", Some("[unified] timezone = \"Europe/Berlin\""), ROWS as u64)]);
}

#[test]
fn a_shift_of_a_few_rows_is_told_without_a_zone_that_would_spoil_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let shifted = |row: i64| if row < 10 { at(row) - TimeDelta::hours(5) } else { at(row) };
    let legacy: Vec<Line> = (0..ROWS).map(|row| line(row, wall(shifted(row), "UTC"))).collect();
    let unified: Vec<Line> = (0..ROWS).map(|row| line(row, zoned(at(row)))).collect();
    let summary = run(folder.path(), CONFIG, &legacy, &unified).summary();
    assert_eq!(advice(&summary), [("shift", None, 10)]);
    assert_eq!(causes(&summary)[0].2, 10);
}

#[test]
fn copies_of_one_instant_are_one_cause_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let stamp = "2026-12-24T00:00:00Z";
    let legacy: Vec<Line> = (0..ROWS).map(|row| line(row, zoned(at(row)))).collect();
    let unified: Vec<Line> = (0..ROWS).map(|row| line(row, stamp.to_owned())).collect();
    let summary = run(folder.path(), CONFIG, &legacy, &unified).summary();
    let stamped = causes(&summary).into_iter().find(|cause| cause.0 == "bulk_stamp").unwrap();
    assert_eq!(stamped.3, format!("{} copies stamped 2026-12-24T00:00:00.000000Z", stamped.2));
    assert!(advice(&summary).contains(&("bulk_stamp", Some("[repair] time = true"), stamped.2)));
}

#[test]
fn a_payment_booked_again_is_a_replay_on_either_side() {
    let folder = tempfile::tempdir().unwrap();
    let paid = |row: i64, days: i64| {
        let at = zoned(at(row) + TimeDelta::days(days));
        (format!("user{row}"), 100_000, at, format!("pi_{row}"))
    };
    let again =
        |from: i64, to: i64| (0..ROWS).map(|row| paid(row, 0)).chain((from..to).map(|row| paid(row, 40)));
    let (legacy, unified): (Vec<Line>, Vec<Line>) = (again(0, 4).collect(), again(10, 19).collect());
    let summary = run(folder.path(), CONFIG, &legacy, &unified).summary();
    let found: Vec<_> = causes(&summary).into_iter().filter(|cause| cause.0 == "replay").collect();
    let found: Vec<_> = found.iter().map(|cause| (cause.1.as_str(), cause.2)).collect();
    assert_eq!(found, [("duplicate", 9), ("source_duplicate", 4)]);
}

#[test]
fn a_tolerance_is_recommended_up_to_the_gap_and_never_over_two_candidates() {
    // (lag of a row in milliseconds, a second grant of the user that far after the first)
    type Case = (fn(i64) -> i64, Option<i64>, Option<&'static str>);
    let cases: [Case; 4] = [
        (|row| row * 3_100 / (ROWS - 1), None, Some("[matching] tolerance = \"3100ms\"")),
        (|row| row * 1_900 / (ROWS - 1), None, None),
        // Each grant has another one of the same amount within reach: a wider tolerance would guess.
        (|row| row * 3_100 / (ROWS - 1), Some(3_000), None),
        // Hours are no drift.
        (|row| row * 7_200_000 / (ROWS - 1), None, None),
    ];
    for (number, (lag, second, expected)) in cases.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let starts = || {
            let twice = (0..ROWS).filter_map(|row| Some((row, at(row) + TimeDelta::milliseconds(second?))));
            (0..ROWS).map(|row| (row, at(row))).chain(twice)
        };
        let legacy: Vec<Line> = starts().map(|(row, at)| line(row, zoned(at))).collect();
        let late = |row: i64, at: DateTime<Utc>| zoned(at + TimeDelta::milliseconds(lag(row)));
        let unified: Vec<Line> = starts().map(|(row, at)| line(row, late(row, at))).collect();
        let summary = run(folder.path(), CONFIG, &legacy, &unified).summary();
        let found: Vec<&str> =
            advice(&summary).into_iter().filter(|one| one.0 == "tolerance").filter_map(|one| one.1).collect();
        assert_eq!(found, expected.as_slice(), "case {number}");
    }
}

#[test]
fn the_curve_tells_how_many_rows_each_tolerance_pairs() {
    let folder = tempfile::tempdir().unwrap();
    // Lags of 0, 1.5, 20 and 7,200 s, fifteen times each; three rows have no partner at all.
    let lag = |row: i64| [0, 1_500, 20_000, 7_200_000][row as usize % 4];
    let legacy: Vec<Line> = (0..ROWS + 3).map(|row| line(row, zoned(at(row)))).collect();
    let unified: Vec<Line> =
        (0..ROWS).map(|row| line(row, zoned(at(row) + TimeDelta::milliseconds(lag(row))))).collect();
    let run = run(folder.path(), &CONFIG.replace("2027", "2028"), &legacy, &unified);
    let summary = run.summary();
    let curve = summary["calibration"]["pairs_by_tolerance"].as_array().unwrap();
    let of = |seconds: f64| curve.iter().find(|point| point["tolerance_seconds"] == seconds).unwrap();
    for (seconds, rows, time_mismatch) in
        [(0.0, 15, 45), (1.0, 15, 45), (2.0, 30, 30), (10.0, 30, 30), (30.0, 45, 15), (21_600.0, 60, 0)]
    {
        let point = of(seconds);
        let found = (point["rows"].as_i64(), point["time_mismatch"].as_i64(), point["unmigrated"].as_i64());
        assert_eq!(found, (Some(rows), Some(time_mismatch), Some(3)), "{seconds} s");
    }
    let configured: Vec<f64> = curve
        .iter()
        .filter(|point| point["configured"] == true)
        .map(|point| point["tolerance_seconds"].as_f64().unwrap())
        .collect();
    assert_eq!(configured, [2.0]);
    let pairs = &summary["pairs"];
    let now = pairs["exact"]["rows"].as_i64().unwrap() + pairs["near"]["rows"].as_i64().unwrap();
    assert_eq!(of(2.0)["rows"].as_i64(), Some(now));
    let lags = &summary["calibration"]["lags"];
    assert_eq!((&lags["all"]["rows"], &lags["all"]["max_seconds"]), (&60.into(), &7_200.0.into()));
    let buckets = lags["buckets"].as_array().unwrap().iter();
    assert_eq!(buckets.map(|bucket| bucket["rows"].as_u64().unwrap()).sum::<u64>(), 60);
}

#[test]
fn a_shift_beyond_the_window_is_recommended_not_paired() {
    let folder = tempfile::tempdir().unwrap();
    let legacy: Vec<Line> = (0..ROWS).map(|row| line(row, zoned(at(row)))).collect();
    let unified: Vec<Line> = (0..ROWS).map(|row| line(row, zoned(at(row) + TimeDelta::hours(30)))).collect();
    let summary = run(folder.path(), CONFIG, &legacy, &unified).summary();
    assert_eq!(summary["findings"]["unmigrated"]["count"], ROWS);
    assert!(advice(&summary).contains(&("window", Some("[matching] window = \"31h\""), ROWS as u64)));
}

#[test]
fn what_amounts_and_writers_share_is_their_cause() {
    let folder = tempfile::tempdir().unwrap();
    let mut legacy: Vec<Line> = (0..ROWS).map(|row| line(row, zoned(at(row)))).collect();
    // Rows 50 and later never arrive; 0 to 3 became 150,000; 4 to 9 are a tenth, of three amounts.
    let mut unified: Vec<Line> = legacy[..50].to_vec();
    unified[..4].iter_mut().for_each(|line| line.1 = 150_000);
    for (row, amount) in (4..10).zip([30_000, 50_000, 70_000].into_iter().cycle()) {
        legacy[row].1 = amount;
        unified[row].1 = amount / 10;
    }
    let summary = run(folder.path(), CONFIG, &legacy, &unified).summary();
    let found = causes(&summary);
    let found: Vec<_> = found.iter().map(|cause| (cause.0.as_str(), cause.2, cause.3.as_str())).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!((found[0].0, found[0].1), ("writer_silent", 10));
    assert!(found[0].2.contains("\"renewal_grant\" arrived since 2026-10-29T09:30:50"), "{}", found[0].2);
    assert_eq!(found[1], ("constant_factor", 6, "amounts of 6 rows changed as 10 : 1"));
    assert_eq!(found[2], ("plan_change", 4, "100,000 tokens became 150,000 on 4 rows"));
}
