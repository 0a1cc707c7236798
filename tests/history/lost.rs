//! Stored balances and pools that the run before had and this one has not: what they told of is not
//! resolved by that.

use super::{World, as_of, code, migrated, stderr, stdout, words};

const SOURCES: &str = r#"
[balances]
stored = { path = "stored.csv", user = "user_id", balance = "balance" }
[balances.pools]
path = "pools.csv"
pool = "pool"
user = "user_id"
"#;

/// Users and their stored balances; 100 tokens each are in the tables.
type Stored<'a> = &'a [(&'a str, &'a str)];

const ALL: Stored<'_> = &[("ada", "100"), ("ben", "100"), ("eve", "900")];

fn world() -> World {
    let world = World::new(SOURCES);
    world.ledgers(&[migrated("L1", "ada", 100), migrated("L2", "ben", 100), migrated("L3", "eve", 100)]);
    world
}

fn night(world: &World, number: u32, stored: Stored<'_>, pools: &[&str]) -> (i32, String, String) {
    let lines = stored.iter().map(|(user, balance)| format!("{user},{balance}\n"));
    world.write("stored.csv", &format!("user_id,balance\n{}", lines.collect::<String>()));
    let lines = pools.iter().map(|user| format!("{user},{user}\n"));
    world.write("pools.csv", &format!("user_id,pool\n{}", lines.collect::<String>()));
    let args = ["reconcile", "--no-progress", "-q", "--fail-on", "new", "--as-of", &as_of(number)];
    let output = world.run(&args);
    (code(&output), words(&stdout(&output)), stderr(&output))
}

#[test]
fn balances_that_are_not_read_any_more_resolve_nothing_in_silence() {
    let fewer = |rows: u32, what: &str| {
        let rows = format!("{rows} row{}", if rows == 1 { "" } else { "s" });
        format!("the source of the {what} has {rows} fewer than in the run")
    };
    let without = |users: &str| format!("none now, so no gap can be seen there: {users}");
    let ada: &[&str] = &["ada"];
    // Stored balances of the second night, pools, rows of both that are gone, and what is said.
    type Case<'a> = (&'a str, Stored<'a>, &'a [&'a str], u64, Vec<String>);
    let cases: [Case<'_>; 6] = [
        ("the same", ALL, ada, 0, vec![]),
        ("smaller", &[("ada", "0"), ("ben", "1"), ("eve", "900")], ada, 0, vec![]),
        ("one row fewer", &ALL[..2], ada, 1, vec![fewer(1, "stored balances"), without("eve")]),
        ("none of them", &[], ada, 3, vec![fewer(3, "stored balances"), without("ada, ben, eve")]),
        (
            "as many, of another",
            &[("ada", "100"), ("ben", "100"), ("new", "0")],
            ada,
            1,
            vec![without("eve")],
        ),
        ("a pool", ALL, &[], 1, vec![fewer(1, "pools")]),
    ];
    for (name, stored, pools, gone, expected) in cases {
        let world = world();
        let (code, _, said) = night(&world, 0, ALL, &["ada"]);
        assert_eq!(code, 1, "{name}: {said}");
        let (_, shown, said) = night(&world, 1, stored, pools);
        assert_eq!(said, "", "{name}");
        let history = world.json("reports/latest/summary.json")["history"].clone();
        assert_eq!(history["shrunk"].as_array().unwrap().is_empty(), !expected.join("").contains("fewer"));
        let page = words(&world.read("reports/latest/report.html"));
        for sentence in &expected {
            assert!(shown.contains(sentence), "{name}: {sentence}: {shown}");
            assert!(page.contains(sentence), "{name}: {sentence}");
        }
        assert_eq!(
            shown.contains("fewer than") || shown.contains("none now"),
            !expected.is_empty(),
            "{name}"
        );
        night(&world, 2, stored, pools);
        let runs = world.runs();
        assert_eq!(runs["runs"][1]["gone"]["balance_rows"], gone, "{name}");
        assert_eq!(runs["runs"][2]["gone"]["balance_rows"], 0, "{name}");
        assert_eq!(runs["warnings"].as_array().unwrap().len(), usize::from(gone > 0), "{name}: {runs:#}");
        let (code, checks) = world.verify("reports/latest");
        assert_eq!(code, 0, "{name}: {checks:#?}");
    }
}

/// Writes both ledgers from `id amount` words: legacy rows, and unified rows as `id amount link`. All
/// rows of a user lie at one time, and the user is the number in the id.
fn rows(world: &World, legacy: &[&str], unified: &[&str]) {
    let mut tables = [
        "id,user_id,action_type,tokens_used,created_at\n".to_owned(),
        "id,user_id,action_type,tokens_used,created_at,legacy_id\n".to_owned(),
    ];
    for (table, rows, action) in [(0, legacy, "renewal_grant"), (1, unified, "subscription_grant")] {
        for row in rows {
            let cells: Vec<&str> = row.split(' ').collect();
            let user: String = cells[0].chars().filter(char::is_ascii_digit).collect();
            let link = if table == 1 { format!(",{}", cells[2]) } else { String::new() };
            let (id, tokens) = (cells[0], cells[1]);
            tables[table]
                .push_str(&format!("{id},u{user},{action},{tokens},2025-11-0{user}T09:00:00Z{link}\n"));
        }
    }
    world.write("legacy.csv", &tables[0]);
    world.write("unified.csv", &tables[1]);
}

#[test]
fn rows_that_go_when_repairs_are_applied_are_told() {
    let legacy = ["L1 100", "L2 70", "L3 30", "L4 50"];
    // L1 was never copied, U2 is too small, U3 is too large.
    let unified = ["U2 60 L2", "U3 40 L3", "U4 50 L4"];
    let mended = ["N1 100 L1", "U2 70 L2", "U3 30 L3"];
    let row = "of the unified grants and deductions of the run";
    let less = "amounts of unified grants and deductions of the run";
    // Both tables in the next night, and what is said of the unified one.
    type Case<'a> = (&'a str, Vec<&'a str>, Vec<&'a str>, Option<(&'a str, &'a str)>);
    let all = |more: &[&'static str]| [&mended[..], more].concat();
    let cases: [Case<'_>; 9] = [
        ("mended", legacy.to_vec(), all(&["U4 50 L4"]), None),
        ("mended, and a row goes", legacy[..3].to_vec(), all(&[]), Some((row, "1 row and 50 tokens"))),
        (
            "mended, and one is smaller",
            [&legacy[..3], &["L4 35"]].concat(),
            all(&["U4 35 L4"]),
            Some((less, "by 15")),
        ),
        ("nothing mended", legacy.to_vec(), unified.to_vec(), None),
        (
            "nothing mended, and a row goes",
            legacy[..3].to_vec(),
            unified[..2].to_vec(),
            Some((row, "1 row and 50")),
        ),
        ("with another amount", legacy.to_vec(), vec!["N1 90 L1", "U2 65 L2", "U3 30 L3", "U4 50 L4"], None),
        ("in two rows", legacy.to_vec(), vec!["N1 60 ", "M1 40 ", "U2 70 L2", "U3 30 L3", "U4 50 L4"], None),
        ("the legacy row goes", legacy[1..].to_vec(), vec!["U2 70 L2", "U3 30 L3", "U4 50 L4"], None),
        (
            "the small row by another",
            legacy.to_vec(),
            vec!["N1 100 L1", "N2 70 L2", "U3 30 L3", "U4 50 L4"],
            None,
        ),
    ];
    for (name, legacy_now, unified_now, expected) in cases {
        let world = World::new("");
        rows(&world, &legacy, &unified);
        world.night(0, &[]);
        rows(&world, &legacy_now, &unified_now);
        let output = world.run(&["reconcile", "--no-progress", "--as-of", &as_of(1)]);
        let said = words(&stdout(&output));
        match expected {
            Some((what, how_many)) => {
                assert!(said.contains(what) && said.contains(how_many), "{name}: {said}");
            }
            None => assert!(!said.contains(row) && !said.contains(less), "{name}: {said}"),
        }
    }
}

#[test]
fn rows_that_go_where_other_files_are_read_are_told_with_the_way_out() {
    let world = World::new("");
    rows(&world, &["L1 100", "L2 70"], &["U1 100 L1", "U2 70 L2"]);
    world.night(0, &[]);
    let said = |night: u32| {
        let output = world.run(&["reconcile", "--no-progress", "--as-of", &as_of(night)]);
        words(&stdout(&output))
    };
    let config = world.read("reckon.toml").replace("\"legacy.csv\"", "\"legacy-2.csv\"");
    world.write("reckon.toml", &config);
    let both = world.read("legacy.csv");
    world.write("legacy-2.csv", &both);
    let told = said(1);
    assert!(!told.contains("[history] folder"), "as many rows by another name: {told}");
    world.write("reckon.toml", &config.replace("legacy-2.csv", "legacy-3.csv"));
    world.write("legacy-3.csv", both.rsplit_once("L2").unwrap().0);
    let told = said(2);
    assert!(
        told.contains("read legacy-2.csv and unified.csv, this one legacy-3.csv and unified.csv"),
        "{told}"
    );
    assert!(told.contains("give them a [history] folder of their own"), "{told}");
    let tables = world.table("reports/latest/runs.csv", &["tables"]);
    assert_eq!(tables, [["files"], ["files"]]);
}
