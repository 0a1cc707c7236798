//! With too little memory for all rows users are settled a part at a time, which changes no byte of any file:
//! not where users have nothing to do with each other, and not where a row of one reaches into another's.

use std::fs;

use proptest::prelude::*;

use super::bytes::{of_whole_files, of_whole_files_with, same};
use super::files;
use super::generate;
use super::ledger::{DAY, HOUR, Ledgers, MINUTE, Row, SECOND};
use super::town::{self, Town};

/// With so little memory no row waits in it until all users are known.
const PARTS: [&str; 2] = ["--memory", "170MiB"];

/// Every user's first grant is of this instant: together they are as many as a bulk stamp.
const TOGETHER: i64 = -3 * DAY;

/// Tokens that a quiet user used.
const USED: i64 = 3;

/// A user with every kind of row that calls for nothing.
fn quiet(ledgers: &mut Ledgers, number: usize) {
    let user = format!("quiet{number:02}");
    let at = number as i64 * MINUTE - 9 * DAY;
    let amount = 100 + number as i64;
    let mut pair = |name: &str, labels: [&str; 2], amount: i64, at: i64, lag: i64| -> usize {
        ledgers.legacy.push(Row::new(&format!("l{name}{number:02}"), &user, labels[0], amount, at));
        ledgers.unified.push(Row::new(&format!("u{name}{number:02}"), &user, labels[1], amount, at + lag));
        ledgers.unified.len() - 1
    };
    pair("exact", ["sub", "subscription_grant"], amount, TOGETHER, 0);
    pair("near", ["renewal", "subscription_grant"], 200, at, SECOND / 2);
    pair("after", ["renewal", "subscription_grant"], 200, at + HOUR, -SECOND);
    pair("taken", ["refund", "admin_deduct"], 20, at, 0);
    let linked = pair("linked", ["admin", "admin_grant"], 50, at, SECOND);
    ledgers.unified[linked].link = Some(ledgers.legacy.last().unwrap().id.clone());
    let paid = pair_of_payment(ledgers, number, &user, at);
    assert!(paid.payment);
    ledgers.unified.push(Row::new(&format!("ualone{number:02}"), &user, "admin_grant", 30, at));
    ledgers.legacy.push(Row::new(&format!("lzero{number:02}"), &user, "sub", 0, at));
    let mut failed = Row::new(&format!("ufailed{number:02}"), &user, "subscription_grant", 70, at);
    failed.failed = true;
    ledgers.unified.push(failed);
    ledgers.unified.push(Row::new(&format!("uuse{number:02}"), &user, "chat", -USED, at + DAY));
}

fn pair_of_payment(ledgers: &mut Ledgers, number: usize, user: &str, at: i64) -> Row {
    let mut legacy = Row::new(&format!("lpaid{number:02}"), user, "pack", 500, at);
    legacy.payment = true;
    legacy.refs = [format!("pay_{number:02}")].into();
    let mut unified = Row::new(&format!("upaid{number:02}"), user, "token_pack_purchase", 500, at);
    unified.payment = true;
    unified.refs.clone_from(&legacy.refs);
    ledgers.legacy.push(legacy.clone());
    ledgers.unified.push(unified);
    legacy
}

/// Something that is wrong, with a quiet user or through one.
fn reach(ledgers: &mut Ledgers, kind: u8, number: usize, nth: usize) {
    let (own, quiet) = (format!("reach{nth}"), format!("quiet{number:02}"));
    let at = number as i64 * MINUTE - 9 * DAY;
    let id = |side: char| format!("{side}reach{nth}");
    let mut unified = Row::new(&id('u'), &own, "subscription_grant", 100 + number as i64, TOGETHER);
    match kind {
        // Another user's row names a row of the quiet one, from the moment itself or from far away.
        0 => unified.link = Some(format!("lexact{number:02}")),
        1 => {
            unified.link = Some(format!("llinked{number:02}"));
            unified.at = Some(at - 20 * DAY);
        }
        // Another user's row has the payment of the quiet one.
        2 => {
            unified.refs = [format!("pay_{number:02}")].into();
            unified.label = "token_pack_purchase".to_owned();
        }
        // Another user's legacy row looks like the row that needs no partner.
        3 => {
            ledgers.legacy.push(Row::new(&id('l'), &own, "admin", 30, at));
            return;
        }
        // A copy stamped together with those of others.
        4 => ledgers.legacy.push(Row::new(&id('l'), &own, "sub", 100 + number as i64, TOGETHER - 30 * DAY)),
        // The quiet user has a row twice, or one that was never copied.
        5 => unified.user = quiet,
        6 => {
            ledgers.legacy.push(Row::new(&id('l'), &quiet, "sub", 77, at));
            return;
        }
        // The quiet user has a row that no sum counts, of as many tokens as were used: without a meaning on
        // either side, or without a time.
        7..=9 => {
            let mut uncounted =
                Row::new(&id('l'), &quiet, if kind == 9 { "sub" } else { "mystery" }, USED, at);
            if kind == 9 {
                uncounted.at = None;
            }
            let ledger = if kind == 8 { &mut ledgers.unified } else { &mut ledgers.legacy };
            ledger.push(uncounted);
            return;
        }
        // A row of the quiet user that does not count names a row that is missing: it may not be inserted.
        11 | 12 => {
            ledgers.legacy.push(Row::new(&id('l'), &own, "sub", 55, at));
            (unified.user, unified.link) = (quiet, Some(id('l')));
            if kind == 11 { unified.amount = Some(0) } else { unified.failed = true }
        }
        // The payment of the quiet user is booked again where another one's copy is missing.
        13 => {
            let at = at + HOUR;
            let mut missing = Row::new(&id('l'), &quiet, "pack", 500, at);
            missing.refs = [format!("pay_x{number}")].into();
            ledgers.legacy.push(missing);
            unified = Row::new(&id('u'), &quiet, "token_pack_purchase", 500, at);
            unified.refs = [format!("pay_{number:02}")].into();
        }
        // A row that names nothing that is there.
        _ => unified.link = Some("lnobody".to_owned()),
    }
    ledgers.unified.push(unified);
}

fn with_quiet(mut town: Town, users: usize, reaches: &[(u8, usize)]) -> Town {
    (0..users).for_each(|number| quiet(&mut town.ledgers, number));
    for (nth, (kind, number)) in reaches.iter().enumerate() {
        reach(&mut town.ledgers, *kind, number % users, nth);
    }
    // Some of them have a stored balance that is right, and some one that is not: by what was used, or by what
    // nothing explains.
    for number in (0..users).step_by(2) {
        let right = 100 + number as i64 + 200 + 200 - 20 + 50 + 500 + 30 - USED;
        let stored = right + [0, 5, 0, USED][number / 2 % 4];
        town.stored.push((format!("quiet{number:02}"), Some(stored)));
    }
    town
}

proptest! {
    #![proptest_config(generate::config(24))]

    #[test]
    fn rows_that_were_settled_before_change_no_byte(
        town in town::towns(3),
        users in 1usize..24,
        reaches in prop::collection::vec((0u8..14, 0usize..24), 0..5),
    ) {
        let town = with_quiet(town, users, &reaches);
        let whole = of_whole_files(&town, "2", true);
        same(&town, &whole, &of_whole_files_with(&town, &PARTS, true), "a part at a time")?;
    }
}

#[test]
fn a_row_that_no_sum_counts_may_explain_the_gap_of_a_user_with_nothing_else() {
    for kind in [7, 8, 9] {
        let town = with_quiet(Town::default(), 8, &[(kind, 6)]);
        let whole = of_whole_files(&town, "2", true);
        same(&town, &whole, &of_whole_files_with(&town, &PARTS, true), "a part at a time").unwrap();
    }
}

/// Ledgers of quiet users alone, and what the program does with them.
fn settle(change: impl FnOnce(&mut Ledgers)) -> (i32, String) {
    let mut ledgers = Ledgers::default();
    (0..12).for_each(|number| quiet(&mut ledgers, number));
    change(&mut ledgers);
    let folder = tempfile::tempdir().unwrap();
    files::write(&ledgers, folder.path());
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_reckon"))
        .current_dir(folder.path())
        .env("RUST_LOG", "reckon=debug")
        .env_remove("RECKON_CONFIG")
        .env_remove("DATABASE_URL")
        .args(["reconcile", "--out", "out", "--as-of", &files::instant(ledgers.rules.as_of)])
        .args(PARTS)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code() == Some(2), !fs::exists(folder.path().join("out")).unwrap());
    (output.status.code().unwrap_or(-1), said)
}

#[test]
fn quiet_users_leave_the_memory() {
    let (code, said) = settle(|_| ());
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("12 of 12 users settled, 0 rows left"), "{said}");
}

#[test]
fn an_open_user_stays_with_all_rows() {
    let (code, said) = settle(|ledgers| reach(ledgers, 6, 3, 0));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("11 of 12 users settled, 16 rows left"), "{said}");
}

#[test]
fn an_id_that_stands_twice_is_refused_wherever_its_rows_are() {
    let twice = |ledgers: &mut Ledgers, id: &str, user: &str| {
        ledgers.legacy.push(Row::new(id, user, "sub", 9, 0));
    };
    // Two rows of quiet users; one of a quiet and one of an open user.
    type Change<'c> = &'c dyn Fn(&mut Ledgers);
    let both_quiet = |ledgers: &mut Ledgers| {
        twice(ledgers, "lexact03", "quiet07");
        ledgers.unified.push(Row::new("unew", "quiet07", "subscription_grant", 9, 0));
    };
    let one_open = |ledgers: &mut Ledgers| twice(ledgers, "lexact03", "somebody");
    let bystander = |ledgers: &mut Ledgers| ledgers.legacy.push(Row::new("lexact03", "quiet07", "old", 9, 0));
    let unreadable = |ledgers: &mut Ledgers| {
        twice(ledgers, "lexact03", "quiet07");
        ledgers.legacy.last_mut().unwrap().at = None;
    };
    let changes: [Change<'_>; 4] = [&both_quiet, &one_open, &bystander, &unreadable];
    for change in changes {
        let (code, said) = settle(change);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("the id lexact03 stands on more than one row"), "{said}");
    }
}
