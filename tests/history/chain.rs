//! Which run the next one follows, whatever became of the link, the files and the folder.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};

use super::{World, as_of, code, copy, forge, migrated, missing, stderr, words};

/// Nights with the same two errors.
fn world(nights: u32) -> World {
    let world = World::new("");
    world.ledgers(&[missing("L1", "ada", 1_000), missing("L2", "ben", 5)]);
    for night in 0..nights {
        world.night(night, &[]);
    }
    world
}

fn link(world: &World) -> PathBuf {
    world.path("reports/latest")
}

fn reconcile(world: &World, night: u32, more: &[&str]) -> (i32, String) {
    let output = world.run(&[&["reconcile", "--no-progress", "--as-of", &as_of(night)], more].concat());
    (code(&output), words(&stderr(&output)))
}

fn previous(world: &World) -> String {
    world.json("reports/latest/summary.json")["history"]["previous"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_history_goes_on_where_its_link_was_lost_or_not_yet_set() {
    type Harm = fn(&World, &[String]);
    let cases: [(&str, Harm); 3] = [
        ("is missing", |_, _| {}),
        ("points at a run that is not there", |world, _| {
            symlink("20260101T000000Z-00000000", link(world)).unwrap()
        }),
        // As after a kill between the move of the third run and the link to it.
        ("before it could set the link", |world, names| symlink(&names[1], link(world)).unwrap()),
    ];
    for (told, harm) in cases {
        let world = world(3);
        let names = world.names();
        std::fs::remove_file(link(&world)).unwrap();
        harm(&world, &names);
        let (code, said) = reconcile(&world, 3, &["--fail-on", "new"]);
        assert_eq!(code, 0, "what stood before is not new: {said}");
        assert!(said.contains(told) && said.contains(&names[2]), "{told}: {said}");
        assert_eq!(previous(&world), names[2], "{told}");
        assert_eq!(world.runs()["warnings"].to_string(), "[]", "{told}");
    }
}

#[test]
fn a_run_between_that_was_removed_makes_no_second_end() {
    let world = world(3);
    let names = world.names();
    std::fs::remove_dir_all(world.path("reports").join(&names[1])).unwrap();
    std::fs::remove_file(link(&world)).unwrap();
    assert_eq!(reconcile(&world, 3, &["--fail-on", "new"]).0, 0);
    assert_eq!(previous(&world), names[2]);
}

#[test]
fn where_the_newest_run_is_not_to_be_told_nothing_is_read() {
    // Two runs that nothing follows.
    let forked = world(2);
    let names = forked.names();
    let other = forked.path("reports/20260103T120000Z-00000000");
    copy(&forked.path("reports").join(&names[1]), &other);
    forge(&other, "metrics.prom", "# EOF", "# eof");
    std::fs::remove_file(link(&forked)).unwrap();
    let (code, said) = reconcile(&forked, 4, &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("ln -sfn") && said.contains(&names[1]), "{said}");

    // None is left.
    let gone = world(1);
    std::fs::remove_dir_all(gone.path("reports").join(&gone.names()[0])).unwrap();
    let (code, said) = reconcile(&gone, 1, &[]);
    assert!(code == 2 && said.contains("remove the link"), "{said}");

    // A copy that followed links.
    let copied = world(1);
    let name = copied.names()[0].clone();
    std::fs::remove_file(link(&copied)).unwrap();
    copy(&copied.path("reports").join(&name), &link(&copied));
    copied.write("legacy.csv", "not even read");
    let (code, said) = reconcile(&copied, 1, &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains(&format!("remove it: the same run stands beside it as {name}")), "{said}");
}

#[test]
fn a_run_that_was_damaged_is_not_built_on() {
    for file in ["lifecycle.csv", "runs.csv", "findings.csv", "summary.json", "balances.csv"] {
        let world = world(2);
        let path = world.path("reports/latest").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}\n")).unwrap();
        let (code, said) = reconcile(&world, 2, &[]);
        assert_eq!(code, 2, "{file}: {said}");
        assert!(said.contains(file) && said.contains("reckon verify"), "{file}: {said}");
        // The way out that is named: the run goes elsewhere, and the one before it is gone on from.
        let names = world.names();
        std::fs::rename(world.path("reports").join(&names[1]), world.path("elsewhere")).unwrap();
        assert_eq!(reconcile(&world, 2, &["--fail-on", "new"]).0, 0, "{file}");
        assert_eq!(previous(&world), names[0]);
    }
}

#[test]
fn a_run_with_out_replaces_no_night_and_is_none() {
    let world = world(2);
    let names = world.names();
    for out in ["reports/latest".to_owned(), format!("reports/{}", names[0])] {
        let (code, said) = reconcile(&world, 2, &["--out", &out]);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("run of the history") && said.contains("--out"), "{said}");
    }
    for _ in 0..2 {
        assert!(
            reconcile(&world, 3, &["--out", "reports/look"]).0 < 2,
            "a run that is no night is exchanged"
        );
    }
    let runs = world.runs();
    let told: Vec<&str> =
        runs["runs"].as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap()).collect();
    assert_eq!(told, names);
    assert_eq!(runs["warnings"].to_string(), "[]");
}

#[test]
fn a_night_out_of_its_order_is_told_with_the_way_out() {
    let world = world(3);
    let (_, said) = reconcile(&world, 1, &[]);
    assert!(said.contains("before the newest run") && said.contains("--out"), "{said}");
    let (_, said) = reconcile(&world, 40_000, &[]);
    assert!(said.contains("still to come") && said.contains("--out"), "{said}");
    let (_, said) = reconcile(&world, 1, &["--out", "elsewhere"]);
    assert!(!said.contains("before the newest run"), "{said}");
}

/// As after a kill between the move of the newest run and the link to it: `latest` points at the one
/// before.
fn killed(world: &World) -> String {
    let newest = std::fs::canonicalize(link(world)).unwrap();
    let before = previous(world);
    std::fs::remove_file(link(world)).unwrap();
    symlink(before, link(world)).unwrap();
    newest.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn the_newest_run_is_the_same_for_all_who_ask() {
    let world = World::new("[cutover]\nclean_nights = 1\n");
    let now = |grants: &[super::Grant]| {
        world.ledgers(grants);
        assert!(code(&world.run(&["reconcile", "--no-progress"])) < 2);
    };
    now(&[migrated("L1", "ada", 5)]);
    now(&[missing("L1", "ada", 5)]);
    let late = world.finding("L1");
    let newest = killed(&world);
    assert_eq!(world.runs()["newest"], newest.as_str());
    let day = (chrono::Utc::now().date_naive() + chrono::Days::new(9)).to_string();
    let waive = ["waive", &late, "--reason", "known", "--owner", "ops", "--until", &day];
    let output = world.run(&waive);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    std::fs::remove_file(world.path("waivers.toml")).unwrap();
    now(&[migrated("L1", "ada", 5)]);
    killed(&world);
    world.run(&["cutover", "--no-progress", "--out", "gate"]);
    let checks = world.json("gate/cutover.json")["checks"].as_array().unwrap().clone();
    let check = checks.iter().find(|check| check["check"] == "clean_nights").unwrap();
    assert_eq!(check["ok"], true, "{check}");
}

#[test]
fn a_run_that_was_moved_to_another_disk_is_part_of_its_history() {
    let world = world(3);
    let names = world.names();
    let disk = tempfile::tempdir().unwrap();
    for name in &names[1..] {
        let (here, there) = (world.path("reports").join(name), disk.path().join(name));
        copy(&here, &there);
        std::fs::remove_dir_all(&here).unwrap();
        symlink(&there, &here).unwrap();
    }
    // Links under other names are somebody's own.
    symlink(disk.path().join(&names[1]), world.path("reports/before-the-move")).unwrap();
    for run in ["reports/latest".to_owned(), format!("reports/{}", names[1])] {
        let (code, checks) = world.verify(&run);
        assert_eq!(code, 0, "{run}: {checks:#?}");
        let chain = checks.iter().find(|check| check[0] == "chain").unwrap();
        assert_eq!(chain[1], "ok", "{chain:?}");
    }
    world.write("reckon.toml", &format!("{}[history]\nkeep = 1\n", world.read("reckon.toml")));
    assert_eq!(reconcile(&world, 3, &["--fail-on", "new"]).0, 0);
    assert_eq!(previous(&world), names[2]);
    let runs = world.runs();
    assert_eq!(runs["warnings"].to_string(), "[]");
    assert_eq!(runs["runs"].as_array().unwrap().len(), 4);
    for name in &names[1..] {
        assert!(disk.path().join(name).join("manifest.json").exists(), "what lies elsewhere is kept: {name}");
    }
    // The same run again goes beside the link, not through it.
    assert!(reconcile(&world, 2, &[]).0 < 2);
    assert!(disk.path().join(&names[2]).join("manifest.json").exists());
}

#[test]
fn a_run_that_was_changed_deep_in_the_chain_is_named() {
    let world = world(4);
    let names = world.names();
    forge(&world.path("reports").join(&names[1]), "metrics.prom", "# EOF", "# eof");
    let (code, checks) = world.verify("reports/latest");
    let chain = checks.iter().find(|check| check[0] == "chain").unwrap();
    assert_eq!((code, chain[1].as_str()), (1, "fail"), "{checks:#?}");
    assert!(chain[2].contains(&format!("{} was changed", names[1])), "{chain:?}");
}

#[test]
fn a_run_that_is_refused_touches_nothing() {
    let world = world(1);
    let staged = world.path("reports/.run.tmp-1");
    std::fs::create_dir(&staged).unwrap();
    let lock = std::fs::File::open(world.path("reports/.reckon.lock")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    let (code, said) = reconcile(&world, 1, &[]);
    assert!(code == 2 && said.contains("is at work on"), "{said}");
    assert!(staged.exists(), "whose it is only the one with the lock may ask");
    drop(lock);
    assert!(reconcile(&world, 1, &[]).0 < 2);
    assert!(!staged.exists());
}

#[test]
fn what_has_gone_is_told_of_the_runs_that_are_shown() {
    let world = world(1);
    world.ledgers(&[missing("L1", "ada", 1_000), missing("L2", "ben", 2)]);
    let (_, said) = reconcile(&world, 1, &[]);
    let summary = world.read("reports/latest/summary.json");
    assert!(summary.contains("\"tokens\": 3"), "{said} {summary}");
    let warned = world.json("reports/latest/summary.json").to_string() + &said;
    assert!(!warned.contains("0 rows and"), "{warned}");
    world.night(2, &[]);
    world.night(3, &[]);
    let told = |args: &[&str]| words(&super::stdout(&world.run(&[&["runs"], args].concat())));
    assert!(told(&[]).contains("had less than the run before"));
    assert!(!told(&["--last", "2"]).contains("had less than the run before"));
}
