//! Laws of the program, whatever the ledger: what must not change anything, and what must tie out.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::files::{self, Run};
use super::generate::{self, Mood};
use super::ledger::{DAY, Ledgers, Row, Said};
use super::notation;
use super::transform;

/// Everything that a run decides, but for where its rows came from.
fn decided(run: &Run) -> (&str, &[files::Disposition], &serde_json::Value) {
    (&run.findings, &run.dispositions_in_order, &run.summary)
}

fn same(ledgers: &Ledgers, one: &Run, other: &Run, what: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(decided(one), decided(other), "{}\n{}", what, notation::text(ledgers));
    Ok(())
}

fn with_extra(said: &[Said], other: &[Said]) -> Vec<String> {
    let mut lines: Vec<String> = said.iter().chain(other).map(Said::line).collect();
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(generate::config(12))]

    #[test]
    fn the_order_of_rows_changes_nothing(ledgers in generate::ledgers(Mood::Everything), turn in 1usize..6) {
        let run = files::run(&ledgers, &[]);
        let other = files::run(&transform::turned(ledgers.clone(), turn), &[]);
        same(&ledgers, &run, &other, "rows in another order")?;
    }

    #[test]
    fn the_number_of_threads_changes_nothing(ledgers in generate::ledgers(Mood::Everything)) {
        let run = files::run(&ledgers, &["--threads", "1"]);
        for threads in ["2", "5"] {
            same(&ledgers, &run, &files::run(&ledgers, &["--threads", threads]), threads)?;
        }
    }

    #[test]
    fn each_user_alone_is_told_the_same(ledgers in generate::ledgers(Mood::Everything)) {
        let ledgers = transform::without_ties_between_users(ledgers);
        let whole = files::run(&ledgers, &[]);
        let parts: Vec<Said> = transform::by_user(&ledgers)
            .iter()
            .flat_map(|part| files::run(part, &[]).said)
            .collect();
        prop_assert_eq!(with_extra(&whole.said, &[]), with_extra(&parts, &[]), "{}", notation::text(&ledgers));
    }

    #[test]
    fn a_good_pair_far_away_changes_nothing_else(ledgers in generate::ledgers(Mood::Everything)) {
        let before = files::run(&ledgers, &[]);
        for user in ["ann", "zoe"] {
            let mut more = ledgers.clone();
            more.legacy.push(Row::new("lzz", user, "sub", 777, -40 * DAY));
            more.unified.push(Row::new("uzz", user, "subscription_grant", 777, -40 * DAY));
            let after = files::run(&more, &[]);
            prop_assert_eq!(&before.said, &after.said, "{}", notation::text(&more));
            prop_assert_eq!(after.dispositions.len(), before.dispositions.len() + 2);
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
