//! A bound on memory: kept without a trace, or the run ends and says so.

use super::Night;
use super::hook::{Answer, Hook};

#[test]
fn within_its_bound_a_run_is_what_it_is_without_one() {
    let night = Night::new("");
    let plain = night.run(&["reconcile", "--out", "plain"]);
    let bounded = night.run(&["reconcile", "--out", "bounded", "--memory", "2GiB"]);
    assert_eq!((plain.code, bounded.code), (1, 1), "{bounded:?}");
    let files = |run: &str| super::json(&night.path(run).join("manifest.json"))["files"].clone();
    assert_eq!(files("plain"), files("bounded"));
}

#[test]
fn beyond_its_bound_nothing_is_written_and_people_are_told() {
    let hook = Hook::new(&[Answer::Status("200 OK")]);
    let night = Night::new(&format!("[notify]\nwebhook = \"http://127.0.0.1:{}/\"", hook.port()));
    let ran = night.run(&["reconcile", "--memory", "1MiB"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let said = "reckon: the run needs more than the 1 MiB that --memory allows, so it was ended";
    assert!(ran.stderr.starts_with(said), "{ran:?}");
    assert_eq!(ran.stdout, "");
    let told = hook.came();
    assert_eq!((told.len(), told[0].body["event"].as_str()), (1, Some("failed")));
    assert!(!night.path("reports/latest").exists());
    assert_eq!(night.run(&["reconcile", "-q"]).code, 1, "the next run has the folder to itself");
}

/// The simulated ledgers take more than the program itself, which is seen while the run is at work.
#[test]
fn a_run_that_grows_beyond_its_bound_leaves_nothing_behind() {
    let night = Night::new("");
    let made = night.run(&["simulate", "--out", "large", "--users", "30000", "--seed", "7"]);
    assert_eq!(made.code, 0, "{made:?}");
    let run = |memory: &str| {
        night.run(&["reconcile", "-q", "--config", "large/reckon.toml", "--out", "run", "--memory", memory])
    };
    let small = night.run(&["reconcile", "-q", "--out", "small", "--memory", "72MiB"]);
    assert_eq!(small.code, 1, "the program itself needs less: {small:?}");
    let ran = run("72MiB");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("more than the 72 MiB"), "{ran:?}");
    assert!(!night.path("run").exists());
    assert_eq!(run("4GiB").code, 1);
    let hidden = std::fs::read_dir(night.path("")).unwrap();
    let names: Vec<String> = hidden.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| !name.starts_with(".")), "{names:?}");
}

/// So little that no row waits in memory until all users are known.
const PARTS: &str = "170MiB";

#[test]
fn rows_that_can_be_kept_nowhere_end_the_run() {
    let night = Night::new("").with("TMPDIR", "/nowhere");
    let ran = night.run(&["reconcile", "--out", "run", "--memory", PARTS]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("legacy: rows could not be kept in a temporary file in /nowhere"), "{ran:?}");
    assert!(ran.stderr.contains("or set TMPDIR to a folder with more"), "{ran:?}");
    assert!(!night.path("run").exists());
}

#[test]
fn nothing_stays_where_rows_were_kept() {
    let night = Night::new("");
    let kept = night.path("kept");
    std::fs::create_dir(&kept).unwrap();
    let night = night.with("TMPDIR", kept.to_str().unwrap());
    let ran = night.run(&["reconcile", "--out", "run", "--memory", PARTS]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0);
}
