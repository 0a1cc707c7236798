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
