//! What has been accepted: in force, lapsed, and what a run says of it.

use super::{World, as_of, code, migrated, missing, stderr, stdout, words};

/// Two grants never migrated, one of them accepted in night 0.
fn world(more: &[&str]) -> World {
    let world = World::new("");
    world.ledgers(&[missing("L1", "ada", 1_000), migrated("L2", "ben", 5)]);
    assert_eq!(world.night(0, &[]), 1);
    accept(&world, "L1", more);
    world
}

/// Writes a waiver as a person does, ending with the tenth night (2026-01-10), whatever today is.
fn accept(world: &World, legacy: &str, more: &[&str]) {
    let id = world.finding(legacy);
    let today = chrono::Utc::now().date_naive().to_string();
    let args = ["waive", &id, "--reason", "settled by hand", "--owner", "ops", "--until", &today];
    let output = world.run(&[&args, more].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let until = format!("until = {today}");
    let text = world.read("waivers.toml");
    assert!(text.contains(&until), "{text}");
    world.write("waivers.toml", &text.replace(&until, "until = 2026-01-10"));
}

fn status(world: &World) -> Vec<Vec<String>> {
    world.table("reports/latest/findings.csv", &["user_id", "status"])
}

fn states(world: &World) -> Vec<String> {
    let summary = world.json("reports/latest/summary.json");
    let waivers = summary["waivers"].as_array().unwrap();
    waivers.iter().map(|waiver| waiver["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_accepted_does_not_block_and_stays_in_every_report() {
    let world = world(&["--max-tokens", "1000"]);
    assert_eq!(world.night(1, &[]), 0);
    assert_eq!(status(&world), [["ada", "waived"]]);
    let summary = world.json("reports/latest/summary.json");
    assert_eq!(summary["verdict"], "clean");
    assert_eq!(summary["findings"]["unmigrated"]["waived"], 1);
    assert_eq!(summary["blocking"], 0);
    assert_eq!(
        summary["waivers"],
        serde_json::json!([{
            "finding": world.finding("L1"), "check": null, "owner": "ops", "reason": "settled by hand",
            "until": "2026-01-10", "max_tokens": 1000, "state": "in_force"
        }])
    );
    let lives = world.table("reports/latest/lifecycle.csv", &["user_id", "first_seen", "state"]);
    assert_eq!(lives, [["ada", &as_of(0), "waived"]]);
    // What was accepted is left as it is: no SQL mends it, and the balances don't count on it.
    assert_eq!(
        world.table("reports/latest/balances.csv", &["user_id", "recomputed", "corrected"]),
        [["ada", "0", "0"], ["ben", "5", "5"]]
    );
    let sql = summary["sql"].as_array().unwrap();
    assert!(sql.iter().all(|file| file["rows"] == 0), "{sql:?}");
    let page = world.read("reports/latest/report.html");
    let section = &page[page.find("<section id=\"waivers\"").unwrap()..];
    let section = &section[..section.find("</section>").unwrap()];
    for text in ["ops", "settled by hand", "2026-01-10", "1,000", "in force", &world.finding("L1")] {
        assert!(section.contains(text), "{text}: {section}");
    }
    let metrics = world.read("reports/latest/metrics.prom");
    for line in [
        "reckon_findings_waived{class=\"unmigrated\"} 1\n",
        "reckon_waivers{state=\"in_force\"} 1\n",
        "reckon_history_findings{state=\"waived\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line}");
    }
    let manifest = world.json("reports/latest/manifest.json");
    assert_eq!(manifest["configuration"]["waivers_sha256"].as_str().map(str::len), Some(64));
    let said = words(&stdout(&world.run(&["reconcile", "--as-of", &as_of(2)])));
    assert!(said.contains("✓ CLEAN") && said.contains("0 resolved, 1 waived."), "{said}");
    assert!(said.contains("1 finding remains for the record, waived"), "{said}");
    let (code, checks) = world.verify("reports/latest");
    assert_eq!(code, 0, "{checks:#?}");
    assert!(checks.iter().all(|check| check[1] == "ok"), "{checks:#?}");
    assert_eq!(world.runs()["runs"][2]["waived"], 1);
}

#[test]
fn a_waiver_counts_with_out_too_and_in_the_pack() {
    let world = world(&[]);
    assert_eq!(world.night(1, &["--out", "elsewhere"]), 0);
    assert_eq!(world.table("elsewhere/findings.csv", &["status"]), [["waived"]]);
    assert!(!world.path("elsewhere/lifecycle.csv").exists() && !world.path("elsewhere/runs.csv").exists());
    let args = ["audit", "--from", "2025-11-01", "--to", "2025-11-30", "--out", "pack"];
    let output = world.run(&args);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let rows = world.table("pack/exceptions.csv", &["status", "disposition", "waiver"]);
    let waiver = "waived by ops until 2026-01-10: settled by hand";
    assert_eq!(rows, [["waived", "accepted by a waiver", waiver]]);
    let said = words(&stdout(&output));
    assert!(
        said.contains("1 error is accepted, none stands.") && !said.contains("none is an error"),
        "{said}"
    );
}

#[test]
fn a_waiver_lapses_after_its_last_day_and_alarms_once() {
    let world = world(&[]);
    // Night 9 is 2026-01-10.
    for night in [1, 2, 9] {
        assert_eq!(world.night(night, &["--fail-on", "new"]), 0, "night {night}");
    }
    let warning = |text: &str| {
        let summary = world.json("reports/latest/summary.json");
        summary["warnings"].as_array().unwrap().iter().any(|said| said.as_str().unwrap().contains(text))
    };
    assert!(warning("ends today, on 2026-01-10"));
    assert_eq!(world.night(10, &["--fail-on", "new"]), 1, "it counts again, and nobody had been told");
    assert_eq!(status(&world), [["ada", "open"]]);
    assert_eq!(states(&world), ["lapsed_date"]);
    assert!(warning("has lapsed: it was in force until 2026-01-10"));
    assert_eq!(world.json("reports/latest/summary.json")["history"]["lapsed"], 1);
    assert_eq!(world.night(11, &["--fail-on", "new"]), 0, "now it is known");
    assert_eq!(world.night(12, &[]), 1);
    let (code, checks) = world.verify("reports/latest");
    assert_eq!(code, 0, "{checks:#?}");
}

#[test]
fn a_waiver_warns_in_its_last_seven_days() {
    let world = world(&[]);
    for (night, expected) in [(2, None), (3, Some("in 6 days")), (8, Some("tomorrow")), (9, Some("today"))] {
        world.night(night, &[]);
        let warnings = world.json("reports/latest/summary.json")["warnings"].to_string();
        assert_eq!(warnings.contains("ends"), expected.is_some(), "night {night}: {warnings}");
        assert!(warnings.contains(expected.unwrap_or("")), "night {night}: {warnings}");
    }
}

#[test]
fn a_waiver_lapses_when_the_row_changes_or_is_too_large() {
    // Content: the legacy row says another amount under the same id.
    let changed = world(&[]);
    assert_eq!(changed.night(1, &[]), 0);
    changed.ledgers(&[missing("L1", "ada", 1_001), migrated("L2", "ben", 5)]);
    assert_eq!(changed.night(2, &["--fail-on", "new"]), 1);
    assert_eq!(states(&changed), ["lapsed_content"]);
    assert_eq!(changed.night(3, &["--fail-on", "new"]), 0, "now it is known");
    changed.ledgers(&[missing("L1", "ada", 1_000), migrated("L2", "ben", 5)]);
    assert_eq!(changed.night(4, &[]), 0, "it says again what was accepted");

    // A cap below the finding, written by hand: the program refuses to.
    let large = world(&["--max-tokens", "1000"]);
    large.write("waivers.toml", &large.read("waivers.toml").replace("max_tokens = 1000", "max_tokens = 999"));
    assert_eq!(large.night(1, &[]), 1);
    assert_eq!(states(&large), ["lapsed_amount"]);

    // The finding is gone: the waiver waits, and nothing is said.
    let gone = world(&[]);
    gone.ledgers(&[migrated("L1", "ada", 1_000), migrated("L2", "ben", 5)]);
    assert_eq!(gone.night(1, &[]), 0);
    assert_eq!(states(&gone), ["unmatched"]);
    assert!(!gone.json("reports/latest/summary.json")["warnings"].to_string().contains("waiver"));

    // Accepted, resolved, and back: still accepted, so no alarm.
    gone.ledgers(&[missing("L1", "ada", 1_000), migrated("L2", "ben", 5)]);
    assert_eq!(gone.night(2, &["--fail-on", "new"]), 0);
    assert_eq!(status(&gone), [["ada", "waived"]]);
    let lives = gone.table("reports/latest/lifecycle.csv", &["state", "times_reopened"]);
    assert_eq!(lives, [["waived", "1"]]);
}

/// A balance of a user who is owed 1,000 tokens.
fn stored(world: &World, tokens: i64) {
    world.write("profiles.csv", &format!("user_id,balance\nada,{tokens}\n"));
}

#[test]
fn a_waiver_of_a_gap_lapses_when_the_gap_grows() {
    let config =
        "[balances]\nstored = { path = \"profiles.csv\", user = \"user_id\", balance = \"balance\" }\n";
    // Today: only a run of now compares stored balances.
    let until = (chrono::Utc::now().date_naive() + chrono::Days::new(3)).to_string();
    for cap in [None, Some("777")] {
        let world = World::new(config);
        world.ledgers(&[migrated("L1", "ada", 1_000)]);
        stored(&world, 1_777);
        assert_eq!(code(&world.run(&["reconcile"])), 1);
        let id = &world.table("reports/latest/findings.csv", &["finding_id", "class"])[0];
        assert_eq!(id[1], "balance_gap");
        let mut args = vec!["waive", &id[0], "--reason", "a refund", "--owner", "ops", "--until", &until];
        args.extend(cap.iter().flat_map(|cap| ["--max-tokens", cap]));
        assert_eq!(code(&world.run(&args)), 0);
        assert_eq!(code(&world.run(&["reconcile"])), 0, "accepted, cap {cap:?}");
        assert_eq!(states(&world), ["in_force"]);
        stored(&world, 1_778);
        let grown = world.run(&["reconcile", "--fail-on", "new"]);
        assert_eq!(code(&grown), 1, "grown, cap {cap:?}: {}", stdout(&grown));
        assert_eq!(status(&world), [["ada", "open"]]);
        assert_eq!(states(&world), ["lapsed_content"]);
    }
}

#[test]
fn a_waiver_of_a_wrong_user_lapses_when_it_is_another_one() {
    let world = World::new("");
    let ledgers = |user: &str| {
        world.ledgers(&[migrated("L1", "ada", 1_000)]);
        world.write("unified.csv", &world.read("unified.csv").replace(",ada,", &format!(",{user},")));
    };
    ledgers("bob");
    assert_eq!(world.night(0, &[]), 1);
    accept(&world, "L1", &[]);
    assert_eq!(world.night(1, &[]), 0);
    ledgers("eve");
    assert_eq!(world.night(2, &["--fail-on", "new"]), 1);
    assert_eq!(states(&world), ["lapsed_content"]);
}

#[test]
fn another_finding_still_blocks_beside_an_accepted_one() {
    let world = world(&[]);
    world.ledgers(&[missing("L1", "ada", 1_000), missing("L2", "ben", 5)]);
    assert_eq!(world.night(1, &["--fail-on", "new"]), 1);
    assert_eq!(status(&world), [["ada", "waived"], ["ben", "new"]]);
    assert_eq!(world.night(2, &["--fail-on", "new"]), 0);
    assert_eq!(world.night(3, &[]), 1);
}

#[test]
fn a_file_of_waivers_that_is_wrong_or_missing_is_2() {
    let world = world(&[]);
    let good = world.read("waivers.toml");
    let line = good.lines().position(|line| line.starts_with("owner")).unwrap() + 1;
    let place = format!("waivers.toml:{line}:");
    let cases = [
        (good.replace("owner = \"ops\"", "owner = \"\""), place.as_str(), "owner is empty"),
        (good.replace("owner = ", "owners = "), place.as_str(), "the nearest known key is `owner`"),
        (good.replace("until = 2026-01-10", "until = 2026-01-32"), "waivers.toml:", ""),
        (good.repeat(2), "waivers.toml:", "does not: remove one"),
        ("[[waiver]\n".to_owned(), "waivers.toml:1:", ""),
    ];
    for (text, place, expected) in cases {
        world.write("waivers.toml", &text);
        for args in [&["reconcile"][..], &["reconcile", "--out", "x"], &["waive", "--list"]] {
            let output = world.run(args);
            let said = stderr(&output);
            assert_eq!((code(&output), stdout(&output).as_str()), (2, ""), "{args:?}: {said}");
            assert!(said.contains(place) && said.contains(expected), "{args:?}: {said}");
        }
    }
    assert_eq!(world.names().len(), 1, "nothing was written");

    let named = World::new("[history]\nwaivers = \"accepted.toml\"\n");
    named.ledgers(&[migrated("L1", "ada", 1_000)]);
    let output = named.run(&["reconcile"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("there is no accepted.toml"), "{}", stderr(&output));
    named.write("accepted.toml", "");
    assert_eq!(named.night(0, &[]), 0);
}

#[test]
fn a_redacted_run_accepts_nothing_and_says_so() {
    let world = world(&[]);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_reckon"));
    let output = command
        .current_dir(world.path("."))
        .env("RECKON_REDACT_KEY", "0123456789abcdef0123456789abcdef")
        .args(["reconcile", "--redact", "--out", "redacted", "--as-of", &as_of(1)])
        .output()
        .unwrap();
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(words(&stdout(&output)).contains("none is in force in this report (--redact)"));
}
