//! Small tables of one legacy column: the rows, and what is said of them.

use std::path::Path;

use super::*;
use crate::config::parse;
use crate::domain::{
    ActionNo, Bystander, Entry, Kind, Ledger, Marks, Population, PopulationClass, Roster, Total, UserUsage,
};

const CONFIG: &str = r#"
[legacy]
path = "l.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
balance_after = "tokens_remaining"
[legacy.actions]
grant = "grant"
[unified]
path = "u.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
grants = ["grant"]
"#;

const LABELS: [&str; 5] = ["d", "g", "h", "i", "u"];

/// `hour user label change value`: `g` and `h` grant, `d` deducts, `u` is use, `i` is ignored.
fn column(text: &str) -> SnapshotColumn {
    let (mut entries, mut bystanders) = (Vec::new(), Vec::new());
    let mut users: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    users.sort_unstable();
    users.dedup();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    for (at, line) in lines.enumerate() {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [hour, user, label, change, value] = cells[..] else { panic!("five cells: {line:?}") };
        let id = RowId::parse(&format!("L{:03}", at + 1));
        let user = UserNo(users.binary_search(&user).unwrap() as u32);
        let moment = Instant(hour.parse::<i64>().unwrap() * 3_600_000_000);
        let number = LABELS.binary_search(&label).unwrap() as u16;
        let tokens: i64 = change.parse().unwrap();
        let balance_after = (value != "-").then(|| value.parse().unwrap());
        let class = match label {
            "u" => PopulationClass::Usage,
            "i" => PopulationClass::Ignored,
            "d" => PopulationClass::Deductions,
            _ => PopulationClass::Grants,
        };
        match label {
            "u" | "i" => bystanders.push(Bystander {
                id,
                user,
                label: number,
                raw_tokens: tokens,
                at: moment,
                class,
                balance_after,
            }),
            _ => entries.push(Entry {
                id,
                user,
                label: number,
                action: ActionNo(0),
                kind: if label == "d" { Kind::Deduction } else { Kind::Grant },
                tokens,
                negative: false,
                minority_sign: false,
                at: moment,
                references: Box::new([]),
                paid: false,
                payments: None,
                link: None,
                migrated: false,
                expires_at: None,
                balance_after,
                succeeded: true,
                class,
            }),
        }
    }
    let books = Books {
        roster: Roster::new(users.iter().map(|user| RowId::parse(user)).collect()),
        actions: vec!["grant".into()],
        references: Vec::new(),
        legacy: ledger(Side::Legacy, entries, bystanders),
        unified: ledger(Side::Unified, Vec::new(), Vec::new()),
        usage: vec![UserUsage::default(); users.len()],
        usage_by_day: Vec::new(),
        settled: Default::default(),
        as_of: Instant(i64::MAX),
    };
    let config = parse(Path::new("reckon.toml"), CONFIG).unwrap();
    snapshot_columns(&books, &config).remove(0)
}

fn ledger(side: Side, entries: Vec<Entry>, bystanders: Vec<Bystander>) -> Ledger {
    Ledger {
        side,
        entries,
        bystanders,
        rejected: Vec::new(),
        labels: LABELS.map(Box::from).to_vec(),
        folded: Total::default(),
        control: Total::default(),
        population: Population::default(),
        has_wall_times: false,
        signs: Vec::new(),
        unreadable_balances: 0,
        unreadable_ends: Vec::new(),
        any: Marks::default(),
    }
}

/// `label meaning from-to`, hours.
fn periods(column: &SnapshotColumn) -> Vec<String> {
    let hour = |at: Instant| at.0 / 3_600_000_000;
    let of_label = |label: &LabelPeriods| {
        let name = label.label.clone();
        let period = move |period: &Period| {
            format!("{name} {} {}-{}", period.meaning.name(), hour(period.from), hour(period.to))
        };
        label.periods.iter().map(period).collect::<Vec<_>>()
    };
    column.labels.iter().flat_map(of_label).collect()
}

fn breaks(column: &SnapshotColumn) -> Vec<String> {
    column.breaks.iter().map(|found| format!("{} {} {}", found.row, found.expected, found.found)).collect()
}

#[test]
fn each_meaning_is_told_from_the_others() {
    let cases = [
        ("1 a g 50 50\n2 a g 70 120\n3 a d 20 100\n4 a g 10 110", vec!["d after 3-3", "g after 1-4"]),
        ("1 a g 50 0\n2 a g 70 50\n3 a g 20 120\n4 a g 10 140", vec!["g before 1-4"]),
        ("1 a g 50 50\n2 a g 70 70\n3 a g 20 20\n4 a g 10 10", vec!["g size 1-4"]),
        ("1 a g 50 7\n2 a g 70 8\n3 a g 20 9\n4 a g 10 77", vec!["g broken 1-4"]),
        // One grant a user: the balance after it is its size.
        ("1 a g 50 50\n2 b g 70 70\n3 c g 20 20", vec!["g unknown 1-3"]),
        // No value, nothing to say.
        ("1 a g 50 -\n2 a g 70 -", vec![]),
    ];
    for (rows, expected) in cases {
        assert_eq!(periods(&column(rows)), expected, "{rows}");
    }
}

#[test]
fn a_change_of_meaning_is_located_across_users() {
    let rows = "
        1 a g 50 50
        2 b g 30 30
        3 a g 40 90
        4 b g 20 50
        5 b g 15 65
        6 a g 10 90
        7 b g 60 65
        8 a g 80 100
        9 b g 30 125
        10 a g 50 50
        11 b g 35 35
        12 a g 55 55
        13 b g 25 25";
    assert_eq!(periods(&column(rows)), ["g after 1-5", "g before 6-9", "g size 10-13"]);
    assert!(column(rows).breaks.is_empty());
}

#[test]
fn labels_of_one_table_may_mean_different_things() {
    // Use carries the balance after it, grants carry their size.
    let rows = "
        1 a g 50 50
        2 a u 5 45
        3 a g 60 60
        4 a u 5 100
        5 a g 70 70
        6 a u 5 165
        7 a u 5 160
        8 a g 90 90
        9 a u 5 245";
    let column = column(rows);
    assert_eq!(periods(&column), ["g size 1-8", "u after 2-9"]);
    assert!(column.breaks.is_empty(), "{:?}", breaks(&column));
}

#[test]
fn a_break_is_located_with_what_was_expected_and_the_chain_goes_on_behind_it() {
    let rows = "
        1 a g 50 50
        2 a g 70 120
        3 a u 20 100
        4 a g 10 360
        5 a g 10 370
        6 a u 70 300
        7 b g 10 10
        8 b g 10 20";
    assert_eq!(breaks(&column(rows)), ["L004 110 360"]);
    let before = "1 a g 50 0\n2 a g 70 50\n3 a g 10 120\n4 a g 10 30\n5 a g 10 40\n6 a g 10 50";
    assert_eq!(breaks(&column(before)), ["L004 130 30"]);
}

#[test]
fn what_moves_the_balance_unseen_is_no_break() {
    // `i` is left out by configuration: nobody knows what it did to the balance.
    let rows = "1 a g 50 50\n2 a g 70 120\n3 a i 33 -\n4 a g 10 97\n5 a g 10 107\n6 a i 9 500\n7 a g 1 501";
    let column = column(rows);
    assert_eq!(periods(&column), ["g after 1-7", "i unknown 6-6"]);
    assert_eq!(breaks(&column), [""; 0]);
}

#[test]
fn an_opening_balance_without_a_row_is_no_break() {
    assert_eq!(breaks(&column("1 a g 50 150\n2 a g 70 220\n3 a g 1 221")), [""; 0]);
}

#[test]
fn rows_of_one_instant_are_read_in_the_order_that_their_values_give() {
    let cases = [
        "1 a g 50 50\n2 a g 10 130\n2 a g 70 120\n3 a g 5 135\n4 a g 5 140",
        // The balance before each: the fifth row came before the fourth.
        "1 a g 30 100\n2 a g 20 130\n3 a g 7 150\n4 a g 9 162\n4 a g 5 157\n5 a g 1 171",
        "1 a g 30 100\n2 a g 20 130\n3 a g 7 150\n4 a g 5 157\n4 a g 9 162\n5 a g 1 171",
        // Who takes the first row that follows is left with two that do not.
        "1 a g 100 100\n2 a d 10 90\n2 a d 10 100\n2 a g 10 110\n3 a g 5 95\n4 a g 5 100",
        "1 a g 40 60\n2 a d 10 100\n2 a d 10 110\n2 a g 10 100\n3 a g 5 90\n4 a g 5 95",
        // The first rows of a user: which of them came first is told by the one behind them.
        "1 a g 50 150\n1 a d 50 100\n2 a g 5 155\n3 a g 5 160\n4 a g 7 167",
        // A row without a value stands wherever it has to.
        "1 a g 50 50\n2 a g 10 -\n2 a g 70 120\n2 a g 7 137\n3 a g 5 142\n4 a g 5 147",
    ];
    for rows in cases {
        let column = column(rows);
        assert_eq!(breaks(&column), [""; 0], "{rows}: {:?}", periods(&column));
    }
}

#[test]
fn a_break_among_rows_of_one_instant_is_told_once() {
    let cases = [
        ("1 a g 50 50\n2 a g 10 230\n2 a g 70 220\n3 a g 5 235\n4 a g 5 240", "L003 120 220"),
        ("1 a g 50 50\n2 a g 10 160\n2 a g 70 120\n3 a g 5 165\n4 a g 5 170", "L002 130 160"),
        (
            "1 a g 5 9\n2 a g 30 14\n3 a g 20 44\n4 a g 7 64\n5 a g 9 99\n5 a g 5 71\n6 a g 1 108",
            "L005 76 99",
        ),
    ];
    for (rows, expected) in cases {
        let column = column(rows);
        assert_eq!(breaks(&column), [expected], "{rows}: {:?}", periods(&column));
    }
}

#[test]
fn of_more_rows_at_one_instant_than_can_be_put_in_order_no_break_is_told() {
    // A hundred at once, none of them where the order of ids would have it.
    let tied: String = (0..100).map(|at| format!("5 a g 10 {}\n", 70 + 10 * (at * 37 % 100))).collect();
    let rows = format!("1 a g 50 50\n2 a g 5 55\n3 a g 5 60\n{tied}6 a g 5 1065\n7 a g 5 1070\n8 a g 1 99");
    let column = column(&rows);
    assert_eq!(periods(&column), ["g after 1-8"]);
    assert_eq!(breaks(&column), ["L106 1071 99"]);
}
