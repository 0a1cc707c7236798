//! Sixty nights, against a plan that says in advance in which night which grant is missing.

use std::collections::BTreeMap;

use super::{Grant, World, as_of, code, stderr, stdout, words};

const NIGHTS: u32 = 60;
const KEPT: usize = 20;

/// Is the copy of this grant missing in this night?
fn is_missing(grant: usize, night: u32) -> bool {
    match grant {
        0 => true,
        1 => (10..20).contains(&night),
        2 => (5..10).contains(&night) || (30..35).contains(&night),
        3 => night % 7 < 3,
        4 => night == 59,
        5 => night == 0 || night == 58,
        _ => false,
    }
}

const GRANTS: [(&str, &str); 8] = [
    ("L0", "ada"),
    ("L1", "ben"),
    ("L2", "cal"),
    ("L3", "dan"),
    ("L4", "eve"),
    ("L5", "fay"),
    ("L6", "gus"),
    ("L7", "hal"),
];

fn ledgers(world: &World, night: u32) {
    let grants = GRANTS.iter().enumerate().map(|(at, (id, user))| Grant {
        id,
        user,
        tokens: 1_000,
        unified: (!is_missing(at, night)).then_some(1_000),
    });
    world.ledgers(&grants.collect::<Vec<_>>());
}

/// What the plan says of a grant after a night: first and last seen, resolved at, times re-opened, state.
fn planned(grant: usize, until: u32) -> Option<[String; 5]> {
    let missing: Vec<u32> = (0..=until).filter(|night| is_missing(grant, *night)).collect();
    let (first, last) = (*missing.first()?, *missing.last()?);
    // A stretch of nights begins wherever the night before was none of them.
    let stretches = missing.iter().filter(|night| **night == 0 || !is_missing(grant, **night - 1)).count();
    let state = match (last == until, last > 0 && is_missing(grant, last - 1), stretches) {
        (false, _, _) => "resolved",
        (true, true, _) => "open",
        (true, false, 1) => "new",
        (true, false, _) => "reopened",
    };
    let resolved = if last < until { as_of(last + 1) } else { String::new() };
    Some([as_of(first), as_of(last), resolved, (stretches - 1).to_string(), state.to_owned()])
}

/// How many findings are in a state after a night; `resolved` counts those of that very night.
fn count(night: u32, wanted: &str) -> u64 {
    let mut count = 0;
    for grant in 0..GRANTS.len() {
        let Some([_, _, resolved, _, state]) = planned(grant, night) else { continue };
        count += u64::from(state == wanted && (wanted != "resolved" || resolved == as_of(night)));
    }
    count
}

#[test]
fn sixty_nights_are_told_as_they_were_planned() {
    let world = World::new(&format!("[history]\nkeep = {KEPT}\n"));
    for night in 0..NIGHTS {
        ledgers(&world, night);
        let is_new = count(night, "new") + count(night, "reopened") > 0;
        let code = world.night(night, &["--fail-on", "new", "-q"]);
        assert_eq!(code == 1, is_new, "night {night}: new and re-opened findings alarm, others do not");
        let columns = [
            "user_id",
            "first_seen",
            "last_seen",
            "resolved_at",
            "times_reopened",
            "state",
            "previous_state",
        ];
        let lives = world.table("reports/latest/lifecycle.csv", &columns);
        let lives: BTreeMap<String, Vec<String>> =
            lives.into_iter().map(|row| (row[0].clone(), row[1..].to_vec())).collect();
        for (at, (_, user)) in GRANTS.iter().enumerate() {
            let found = lives.get(*user);
            let plan = planned(at, night);
            assert_eq!(
                found.map(|row| &row[..5]),
                plan.as_ref().map(|plan| &plan[..]),
                "{user}, night {night}"
            );
            let before = night.checked_sub(1).and_then(|night| planned(at, night));
            let before = before.map(|[.., state]| state).unwrap_or_default();
            assert_eq!(found.map_or("", |row| &row[5]), before, "{user}, night {night}");
        }
    }
    assert_eq!(world.names().len(), KEPT);

    // The trend outlives its runs.
    let runs = world.runs();
    let told = runs["runs"].as_array().unwrap();
    assert_eq!(told.len(), NIGHTS as usize);
    for (night, run) in (0..NIGHTS).zip(told) {
        let missing = (0..GRANTS.len()).filter(|grant| is_missing(*grant, night)).count() as u64;
        let expected = serde_json::json!({
            "as_of": as_of(night), "blocking": missing, "verdict": "discrepancies",
            "new": count(night, "new") + count(night, "reopened"), "open": count(night, "open"),
            "resolved": count(night, "resolved"), "reopened": count(night, "reopened"), "waived": 0,
            "legacy": {"rows": 8, "tokens": 8_000},
            "unified": {"rows": 8 - missing, "tokens": 1_000 * (8 - missing)},
            "is_here": night as usize >= NIGHTS as usize - KEPT,
        });
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&run[key], value, "{key} of night {night}");
        }
    }
    // Copies that vanish are rows that are gone, whatever others are there again; else the chain holds.
    let vanish =
        |night: &u32| (0..GRANTS.len()).any(|at| is_missing(at, *night) && !is_missing(at, night - 1));
    let warnings = runs["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), (1..NIGHTS).filter(vanish).count(), "{warnings:#?}");
    assert!(warnings.iter().all(|text| text.as_str().unwrap().contains("had less than the run before")));

    let (code, checks) = world.verify("reports/latest");
    assert_eq!(code, 0, "{checks:#?}");
    let of = |name: &str| checks.iter().find(|check| check[0] == name).unwrap();
    assert_eq!(of("history")[1], "ok");
    assert_eq!(of("chain")[1], "not_tested");
    assert!(of("chain")[2].contains("19 earlier runs follow") && of("chain")[2].contains("[history] keep"));
    terminal(&world);
}

/// The table for people: 80 columns, the newest last, removed runs marked.
fn terminal(world: &World) {
    let output = world.run(&["runs"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("  ✗ ")).collect();
    assert_eq!(lines.len(), NIGHTS as usize);
    assert!(lines[0].starts_with("  ✗ 2026-01-01 12:00 ~"), "{}", lines[0]);
    assert!(lines[59].starts_with("  ✗ 2026-03-01 12:00  "), "{}", lines[59]);
    assert!(words(&text).contains("40 told by later ones"), "{text}");
    let bars = text.lines().find(|line| line.contains('█')).expect("a trend");
    assert_eq!(bars.trim().chars().count(), NIGHTS as usize);
    let last = stdout(&world.run(&["runs", "--last", "3"]));
    assert_eq!(last.lines().filter(|line| line.starts_with("  ✗ ")).count(), 3, "{last}");
    let quiet = stdout(&world.run(&["runs", "-q"]));
    assert!(quiet.contains("unmigrated"), "{quiet}");
}

#[test]
fn a_finding_that_comes_back_is_new_and_listed_as_such() {
    let world = World::new("");
    let there = super::migrated("L1", "ada", 1_000);
    let gone = super::missing("L1", "ada", 1_000);
    for (night, grant) in [gone, there, gone].into_iter().enumerate() {
        world.ledgers(&[grant, super::missing("L2", "ben", 5)]);
        let output =
            world.run(&["reconcile", "--as-of", &as_of(night as u32), "--fail-on", "new", "--no-progress"]);
        let summary = world.json("reports/latest/summary.json");
        let page = world.read("reports/latest/report.html");
        let metrics = world.read("reports/latest/metrics.prom");
        let [new, resolved, reopened] = [[2, 0, 0], [0, 1, 0], [1, 0, 1]][night];
        let history = &summary["history"];
        assert_eq!([&history["new"], &history["resolved"], &history["reopened"]], [new, resolved, reopened]);
        assert_eq!(code(&output) == 1, new > 0, "night {night}");
        assert_eq!(page.contains("<h3>Resolved findings"), resolved > 0, "night {night}");
        assert_eq!(page.contains("<h3>Re-opened findings"), reopened > 0, "night {night}");
        assert!(metrics.contains(&format!("reckon_history_findings{{state=\"reopened\"}} {reopened}\n")));
        let said = stdout(&output);
        assert_eq!(said.contains("1 new (1 of them re-opened)"), reopened > 0, "{said}");
    }
    let rows = world.table("reports/latest/findings.csv", &["user_id", "status"]);
    assert_eq!(rows, [["ada", "new"], ["ben", "open"]]);
}

#[test]
fn a_history_without_lifecycles_is_gone_on_with() {
    let world = World::new("");
    world.ledgers(&[super::missing("L1", "ada", 1_000), super::missing("L2", "ben", 5)]);
    world.night(0, &[]);
    // As an earlier version left it.
    let run = world.path("reports").join(&world.names()[0]);
    let manifest = run.join("manifest.json");
    let mut value: serde_json::Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    let is_kept =
        |file: &serde_json::Value| !["lifecycle.csv", "runs.csv"].contains(&file["name"].as_str().unwrap());
    value["files"].as_array_mut().unwrap().retain(is_kept);
    std::fs::write(&manifest, serde_json::to_vec_pretty(&value).unwrap()).unwrap();
    for file in ["lifecycle.csv", "runs.csv"] {
        std::fs::remove_file(run.join(file)).unwrap();
    }
    let text = stdout(&world.run(&["runs"]));
    assert!(words(&text).contains("an earlier version of reckon wrote it"), "{text}");

    world.ledgers(&[super::migrated("L1", "ada", 1_000), super::missing("L2", "ben", 5)]);
    world.night(1, &[]);
    let columns = ["user_id", "first_seen", "last_seen", "state"];
    let lives = world.table("reports/latest/lifecycle.csv", &columns);
    let mut lives: Vec<[String; 4]> = lives.into_iter().map(|row| row.try_into().unwrap()).collect();
    lives.sort();
    let text = |row: [&str; 4]| row.map(str::to_owned);
    let expected =
        [text(["ada", &as_of(0), &as_of(0), "resolved"]), text(["ben", &as_of(0), &as_of(1), "open"])];
    assert_eq!(lives, expected);
    let (code, checks) = world.verify("reports/latest");
    assert_eq!(code, 0, "{checks:#?}");
    assert_eq!(world.runs()["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn an_error_that_grows_alerts_again_and_stays_open() {
    let world = World::new("");
    let night = |number: u32, tokens: i64| {
        world.ledgers(&[Grant { id: "L1", user: "ada", tokens: 500, unified: Some(tokens) }]);
        world.night(number, &["--fail-on", "new"])
    };
    assert_eq!(night(0, 450), 1);
    assert_eq!(night(1, 450), 0, "the same error is known");
    assert_eq!(night(2, 900_000), 1, "it is another error now");
    let history = &world.json("reports/latest/summary.json")["history"];
    assert_eq!((&history["new"], &history["open"], &history["changed"]), (&0.into(), &1.into(), &1.into()));
    assert_eq!(night(3, 900_000), 0);
}

#[test]
fn a_quiet_night_prints_its_news_alone() {
    let world = World::new("");
    let quietly = |number: u32| {
        let output = world.run(&["reconcile", "--no-progress", "-q", "--as-of", &as_of(number)]);
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        let said = stdout(&output);
        for line in said.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        said
    };
    let old = Grant { id: "L1", user: "ada", tokens: 500, unified: Some(450) };
    world.ledgers(&[old, super::migrated("L2", "ben", 700)]);
    assert!(quietly(0).contains("amount_mismatch"), "all of the first night is new");
    assert_eq!(quietly(1), "", "nothing is new");

    world.ledgers(&[old, super::missing("L2", "ben", 700)]);
    let said = quietly(2);
    assert!(said.contains("1 finding against a clean result"), "{said}");
    let (new, known) = (world.finding("L2"), world.finding("L1"));
    let line = said.lines().find(|line| line.contains(&new)).unwrap_or_else(|| panic!("{said}"));
    assert_eq!(words(line), format!("{new} unmigrated ben +700"));
    assert!(!said.contains("amount_mismatch") && !said.contains(&known), "{said}");
}
