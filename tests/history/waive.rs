//! `reckon waive`: what it writes, what it shows, what it refuses.

use super::{World, code, migrated, missing, stderr, stdout, words};

fn day(ahead: i64) -> String {
    (chrono::Utc::now().date_naive() + chrono::TimeDelta::days(ahead)).to_string()
}

fn world() -> World {
    let world = World::new("");
    world.ledgers(&[missing("L1", "ada", 1_000), missing("L2", "ben", 5)]);
    world.night(0, &[]);
    world
}

/// Makes the checks of the cut-over, of which nothing is known of files.
fn certify(world: &World) {
    assert_eq!(code(&world.run(&["cutover", "--no-progress"])), 1);
}

#[test]
fn an_entry_is_added_and_the_rest_stays_byte_for_byte() {
    let world = world();
    certify(&world);
    let starts = ["", "# mine\r\n# \u{e9}  \n", "# no end of line", "# a\n\n"];
    for before in starts {
        world.write("waivers.toml", before);
        let id = world.finding("L1");
        let until = day(3);
        let args = [
            "waive",
            &id,
            "--reason",
            "it's \"known\",\nsee C:\\notes",
            "--owner",
            " ops ",
            "--until",
            &until,
            "--max-tokens",
            "1000",
        ];
        let output = world.run(&args);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert!(stdout(&output).contains(&format!("{id} is accepted until {until} by ops")), "{output:?}");
        let text = world.read("waivers.toml");
        let added = text.strip_prefix(before).expect("the rest stays");
        assert!(added.contains("# unmigrated, user ada, legacy 1000 tokens, effect 1000 tokens; accepted "));
        let value: toml::Value = toml::from_str(&text).unwrap();
        let entry = &value["waiver"][0];
        assert_eq!(entry["finding"].as_str(), Some(id.as_str()));
        assert_eq!(entry["reason"].as_str(), Some("it's \"known\",\nsee C:\\notes"));
        assert_eq!(entry["owner"].as_str(), Some("ops"));
        assert_eq!(entry["max_tokens"].as_integer(), Some(1_000));

        // A second one, as JSON, and a check.
        let other = world.finding("L2");
        let args = ["--format", "json", "waive", &other, "--reason", "r", "--owner", "o", "--until", &until];
        let output = world.run(&args);
        let written: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&written["schema"], &written["finding"]), (&"reckon.waiver/1".into(), &other.into()));
        let check = ["waive", "check:legacy_reads", "--reason", "r", "--owner", "o", "--until", &until];
        assert_eq!(code(&world.run(&check)), 0);
        assert!(world.read("waivers.toml").starts_with(&text), "the first stays");
        let hidden = std::fs::read_dir(world.path("."))
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
        assert_eq!(hidden.count(), 0, "nothing is left beside it");
    }
}

/// The findings of the latest run, one of them without any tokens.
fn without_size(world: &World, id: &str) -> String {
    let lines = world.read("reports/latest/findings.csv");
    let changed = lines.lines().map(|line| match line.contains(id) {
        true => line.replace(",5,", ",,"),
        false => line.to_owned(),
    });
    changed.map(|line| line + "\n").collect()
}

#[test]
fn what_cannot_be_accepted_is_refused_and_nothing_is_written() {
    let world = world();
    let id = world.finding("L1");
    let (soon, today, last, far, past) = (day(3), day(0), day(366), day(367), day(-1));
    let near = format!("{}0", &id[..15]);
    let with = |subject: &str, reason: &str, owner: &str, until: &str, more: &[&str]| {
        let args = ["waive", subject, "--reason", reason, "--owner", owner, "--until", until];
        let output = world.run(&[&args, more].concat());
        (code(&output), stderr(&output))
    };
    type Case<'a> = (&'a str, &'a str, &'a str, &'a str, &'a [&'a str], &'a str);
    let other = world.finding("L2");
    world.write("reports/latest/findings.csv", &without_size(&world, &other));
    let cases: [Case<'_>; 17] = [
        (&near, "r", "o", &soon, &[], "the nearest is "),
        ("check:legacy_read", "r", "o", &soon, &[], "the nearest is \"legacy_reads\""),
        ("check:backup", "r", "o", &soon, &["--max-tokens", "5"], "belongs to a finding"),
        ("check:backup", "r", "o", &soon, &[], "run `reckon cutover` first"),
        ("check:backup", "r", "o", &soon, &["--run", "reports/latest"], "latest holds no certificate"),
        (
            &id,
            "r",
            "o",
            &soon,
            &["--max-tokens", "999"],
            "a finding of 1000 tokens, more than --max-tokens 999",
        ),
        (&other, "r", "o", &soon, &["--max-tokens", "999"], "is not known: accept it without a cap"),
        (&id, "  ", "o", &soon, &[], "--reason is empty"),
        (&id, "r", "", &soon, &[], "--owner is empty"),
        (&id, "r", "o", &past, &[], "is over: today is "),
        (&id, "r", "o", &far, &[], "more than 366 days ahead"),
        (&id, "r", "o", "tomorrow", &[], "as in 2026-12-31"),
        (&id, "r", "o", "2026-02-30", &[], "as in 2026-12-31"),
        (&id, "r", "o", &soon, &["--max-tokens", "-1"], "-1"),
        (&id, "r", "o", &soon, &["--run", "nowhere"], "nowhere has no manifest.json"),
        (&id, "r", "o", &soon, &["--list"], "--list"),
        ("", "r", "o", &soon, &[], "has no finding"),
    ];
    for (subject, reason, owner, until, more, expected) in cases {
        let (code, said) = with(subject, reason, owner, until, more);
        assert_eq!(code, 2, "{subject} {until}: {said}");
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!world.path("waivers.toml").exists());
    for until in [&today, &last] {
        assert_eq!(with(&id, "r", "o", until, &[]).0, 0, "{until}");
        let (code, said) = with(&id, "r", "o", &soon, &[]);
        assert_eq!(code, 2);
        assert!(
            said.contains(&format!("waivers.toml:2 accepts {id} until {until}: to change that")),
            "{said}"
        );
        std::fs::remove_file(world.path("waivers.toml")).unwrap();
    }
    assert_eq!(code(&world.run(&["waive", &id, "--reason", "r"])), 2, "owner and end are needed");

    let nothing = World::new("");
    let output =
        nothing.run(&["waive", "0123456789abcdef", "--reason", "r", "--owner", "o", "--until", &soon]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("holds no run in which"), "{}", stderr(&output));
}

#[test]
fn a_check_is_accepted_as_the_newest_certificate_has_it() {
    let world = world();
    certify(&world);
    let soon = day(3);
    let accept = |subject: &str| {
        let args = ["waive", subject, "--reason", "r", "--owner", "o", "--until", &soon];
        let output = world.run(&args);
        (code(&output), stderr(&output))
    };
    for (subject, expected) in [
        ("check:backup", "is ok, so there is nothing to accept"),
        ("check:findings", "rests on what is certain"),
    ] {
        let (code, said) = accept(subject);
        assert_eq!(code, 2, "{subject}");
        assert!(said.contains(expected), "{said}");
    }
    assert!(!world.path("waivers.toml").exists(), "nothing was written");
    assert_eq!(accept("check:views").0, 0, "files have no catalogue");
    assert!(accept("check:views").1.contains("accepts check:views until"));
}

#[test]
fn a_day_beyond_a_year_that_was_written_by_hand_is_said() {
    let world = world();
    let (id, until) = (world.finding("L1"), day(3));
    let args = ["waive", &id, "--reason", "r", "--owner", "o", "--until", &until];
    assert_eq!(code(&world.run(&args)), 0);
    world.write("waivers.toml", &world.read("waivers.toml").replace(&until, "9999-12-31"));
    world.night(1, &[]);
    let warnings = world.json("reports/latest/summary.json")["warnings"].to_string();
    assert!(warnings.contains("until 9999-12-31, more than 366 days after as-of"), "{warnings}");
}

#[test]
fn a_lapsed_waiver_is_renewed_by_another_entry() {
    let world = world();
    let id = world.finding("L1");
    let until = day(3);
    let args = ["waive", &id, "--reason", "r", "--owner", "o", "--until", &until];
    assert_eq!(code(&world.run(&args)), 0);
    let old = world.read("waivers.toml").replace(&until, "2025-12-31");
    world.write("waivers.toml", &old);
    assert_eq!(code(&world.run(&args)), 0, "what has lapsed can be accepted again");
    assert!(world.read("waivers.toml").starts_with(&old));
    world.night(1, &[]);
    let status = world.table("reports/latest/findings.csv", &["user_id", "status"]);
    assert_eq!(status, [["ada", "waived"], ["ben", "open"]]);
    let summary = world.json("reports/latest/summary.json");
    assert_eq!(summary["waivers"].as_array().unwrap().len(), 1, "the entry that counts");
}

#[test]
fn a_finding_is_looked_up_in_the_run_that_is_named() {
    let world = world();
    world.night(1, &["--out", "elsewhere"]);
    world.ledgers(&[migrated("L1", "ada", 1_000), migrated("L2", "ben", 5)]);
    let id = world.finding("L1");
    world.night(2, &[]);
    let until = day(3);
    let args = ["waive", &id, "--reason", "r", "--owner", "o", "--until", &until];
    assert_eq!(code(&world.run(&args)), 2, "the latest run has it no more");
    assert_eq!(code(&world.run(&[&args[..], &["--run", "elsewhere"]].concat())), 0);
}

#[test]
fn the_list_says_of_each_whether_it_holds() {
    let world = world();
    let unknown = words(&stdout(&world.run(&["waive", "--list"])));
    assert!(unknown.contains("waivers.toml 0 waivers"), "{unknown}");
    let until = day(3);
    certify(&world);
    for subject in [world.finding("L1"), world.finding("L2"), "check:views".to_owned()] {
        let args = ["waive", &subject, "--reason", "because", "--owner", "ops", "--until", &until];
        assert_eq!(code(&world.run(&args)), 0);
    }
    world.ledgers(&[missing("L1", "ada", 1_000), migrated("L2", "ben", 5)]);
    world.night(1, &[]);
    let text = stdout(&world.run(&["waive", "--list"]));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for expected in ["in force", "unmatched", "check:views", "ops: because"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&world.run(&["--format", "json", "waive", "--list"]).stdout).unwrap();
    let states: Vec<&str> =
        json["waivers"].as_array().unwrap().iter().map(|waiver| waiver["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["in_force", "unmatched", "in_force"]);

    std::fs::remove_dir_all(world.path("reports")).unwrap();
    let json: serde_json::Value =
        serde_json::from_slice(&world.run(&["--format", "json", "waive", "--list"]).stdout).unwrap();
    assert!(json["waivers"].as_array().unwrap().iter().all(|waiver| waiver["state"].is_null()), "{json}");
}
