//! Laws of the program, whatever the ledger: what must not change anything, and what must tie out.

use proptest::prelude::*;

use super::files::{self, Run};
use super::generate::{self, Mood};
use super::ledger::{DAY, Row, Said};
use super::notation;
use super::transform;

fn with_extra(said: &[Said], other: &[Said]) -> Vec<String> {
    let mut lines: Vec<String> = said.iter().chain(other).map(Said::line).collect();
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(generate::config(12))]

    #[test]
    fn each_user_alone_is_told_the_same(ledgers in generate::ledgers(Mood::Everything)) {
        let ledgers = transform::without_ties_between_users(ledgers);
        let whole = files::run(&ledgers, &[]);
        let parts: Vec<Run> = transform::by_user(&ledgers).iter().map(|part| files::run(part, &[])).collect();
        let said: Vec<Said> = parts.iter().flat_map(|part| part.said.clone()).collect();
        prop_assert_eq!(with_extra(&whole.said, &[]), with_extra(&said, &[]), "{}", notation::text(&ledgers));
        let balances: Vec<String> = parts.iter().flat_map(|part| part.balances.clone()).collect();
        prop_assert_eq!(&whole.balances, &balances, "{}", notation::text(&ledgers));
        let mut dispositions = std::collections::BTreeMap::new();
        parts.iter().for_each(|part| dispositions.extend(part.dispositions.clone()));
        prop_assert_eq!(&whole.dispositions, &dispositions, "{}", notation::text(&ledgers));
    }

    #[test]
    fn a_good_pair_far_away_changes_nothing_else(ledgers in generate::ledgers(Mood::Everything)) {
        let before = files::run(&ledgers, &[]);
        for user in ["ann", "zoe"] {
            let mut more = ledgers.clone();
            more.legacy.push(Row::new("lzz", user, "sub", 777, -40 * DAY));
            more.unified.push(Row::new("uzz", user, "subscription_grant", 777, -40 * DAY));
            let after = files::run(&more, &[]);
            // A label of which one row was copied is no longer one that never was.
            let findings = |run: &Run| run.findings.replace(",never_copied,", ",writer_silent,");
            prop_assert_eq!(findings(&before), findings(&after), "{}", notation::text(&more));
            // The SQL knows how many rows a user had that it touches.
            prop_assert!(user == "ann" || before.sql == after.sql, "{}", notation::text(&more));
            let of_others = |run: &Run| -> Vec<String> {
                let start = format!("{user},");
                run.balances.iter().filter(|line| !line.starts_with(&start)).cloned().collect()
            };
            prop_assert_eq!(of_others(&before), of_others(&after));
            let mut dispositions = after.dispositions.clone();
            for (side, id) in [("legacy", "lzz"), ("unified", "uzz")] {
                let outcome = dispositions.remove(&(side.to_owned(), id.to_owned()));
                prop_assert_eq!(outcome.as_deref(), Some("paired"));
            }
            prop_assert_eq!(&before.dispositions, &dispositions);
        }
    }

    #[test]
    fn what_is_for_people_is_never_executable(ledgers in generate::ledgers(Mood::Everything)) {
        let run = files::run(&ledgers, &[]);
        let [backfill, repair, dedupe] = &run.sql[..] else { panic!("three files") };
        let names = |sql: &str, id: &str| sql.contains(&format!("'{id}'"));
        let is_for_people = |said: &&Said| {
            said.verdict == "contested" || ["review", "none"].contains(&said.repair.as_str())
        };
        for said in run.said.iter().filter(is_for_people) {
            prop_assert!(!["backfill", "update", "dedupe"].contains(&said.repair.as_str()), "{}", said.line());
            let text = format!("{}\n{}", said.line(), notation::text(&ledgers));
            if said.class.starts_with("unmigrated") {
                prop_assert!(!names(backfill, &said.legacy[0]), "{}", text);
            }
            // An orphan may be the row that is kept.
            if said.class == "duplicate" {
                prop_assert!(!names(dedupe, &said.unified[0]), "{}", text);
            }
            if said.class.ends_with("mismatch") {
                prop_assert!(!names(repair, &said.unified[0]), "{}", text);
            }
        }
    }

    #[test]
    fn everything_that_comes_in_goes_out(ledgers in generate::ledgers(Mood::Everything)) {
        let run = files::run(&ledgers, &[]);
        for (side, rows) in [("legacy", &ledgers.legacy), ("unified", &ledgers.unified)] {
            let expected = (rows.len() as i64, rows.iter().filter_map(|row| row.amount).sum::<i64>());
            let sums = &run.summary["conservation"][side];
            for (rows, tokens) in [("rows_in", "tokens_in"), ("rows_out", "tokens_out")] {
                let got = (sums[rows].as_i64().unwrap(), sums[tokens].as_i64().unwrap());
                prop_assert_eq!(got, expected, "{} {}\n{}", side, rows, notation::text(&ledgers));
            }
            let classes = ["grants", "deductions", "usage", "ignored", "unmapped", "rejected", "zero", "failed",
                "pending", "after_as_of"];
            let population = &run.summary["population"][side];
            let counted: i64 = classes.iter().map(|class| population[class]["rows"].as_i64().unwrap()).sum();
            prop_assert_eq!(counted, expected.0, "{} population\n{}", side, notation::text(&ledgers));
        }
        prop_assert_eq!(&run.summary["conservation"]["holds"], true);
        let listed = run.dispositions.keys().filter(|(side, _)| side == "legacy").count();
        prop_assert_eq!(listed, ledgers.legacy.len(), "every legacy row has one disposition");
    }

    #[test]
    fn swapped_sides_mirror_what_is_missing(ledgers in generate::ledgers(Mood::Crowd)) {
        let plain = transform::without_marks(ledgers);
        let (here, there) = (files::run(&plain, &[]), files::run(&transform::swapped(&plain), &[]));
        let left = |run: &Run, classes: &[&str]| {
            run.said.iter().filter(|said| classes.contains(&said.class.as_str())).count()
        };
        let extra = ["orphan", "duplicate"];
        prop_assert_eq!(left(&here, &["unmigrated"]), left(&there, &extra), "{}", notation::text(&plain));
        prop_assert_eq!(left(&here, &extra), left(&there, &["unmigrated"]), "{}", notation::text(&plain));
        let apart = ["time_mismatch"];
        prop_assert_eq!(left(&here, &apart), left(&there, &apart), "{}", notation::text(&plain));
    }
}
