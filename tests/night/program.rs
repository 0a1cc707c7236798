//! A program that is told by its standard input.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Night, eventually, signal};

fn night(script: &str, more: &str) -> Night {
    let words = serde_json::json!(["sh", "-c", script]);
    Night::new(&format!("[notify]\ncommand = {words}\n{more}"))
}

#[test]
fn the_message_is_on_standard_input_and_secrets_of_reading_are_not_in_the_environment() {
    let script = "cat > told.json; env > env.txt; echo said; echo grumbled >&2";
    let night = night(script, "")
        .with("DATABASE_URL", "postgres://ada:pass-word-1@127.0.0.1/x")
        .with("PGPASSWORD", "pass-word-2")
        .with("OTHER", "stays");
    let ran = night.run(&["reconcile", "-v"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let told = super::json(&night.path("told.json"));
    assert_eq!((&told["event"], &told["errors"]), (&Value::from("discrepancies"), &2.into()), "{told}");
    let env = std::fs::read_to_string(night.path("env.txt")).unwrap();
    assert!(env.contains("OTHER=stays") && !env.contains("pass-word"), "{env}");
    // What it grumbles about is in the log; what it says is not worth a line by default.
    assert!(ran.stderr.contains("grumbled") && !ran.stderr.contains("said"), "{ran:?}");
    assert!(ran.stderr.contains("told sh ([notify] command)"), "{ran:?}");
    std::fs::remove_file(night.path("told.json")).unwrap();
    assert_eq!(night.run(&["reconcile"]).code, 1);
    assert!(!night.path("told.json").exists(), "nothing is new: it is not run");
}

#[test]
fn a_program_that_fails_changes_nothing_and_says_who_was_not_told() {
    // script, tries, what is said
    let cases = [
        ("echo x >> tries; exit 3", 1, "[notify] command: sh: exit 3"),
        ("echo x >> tries; exit 75", 3, "exit 75, after 3 tries"),
        ("echo x >> tries; (echo one; echo no such list; echo) >&2; exit 4", 1, "sh: exit 4: no such list;"),
        ("echo x >> tries; kill -9 $$", 1, "ended by signal 9"),
        ("echo x >> tries; sleep 100", 1, "had not ended within 0.5 s and was killed"),
    ];
    for (script, tries, why) in cases {
        let night = night(script, "retries = 2\ntimeout = \"500ms\"");
        let ran = night.run(&["reconcile", "-q"]);
        assert_eq!(ran.code, 1, "{script}: {ran:?}");
        assert!(ran.stderr.contains(why) && ran.stdout.contains("unmigrated"), "{script}: {ran:?}");
        let lines = std::fs::read_to_string(night.path("tries")).unwrap();
        assert_eq!(lines.lines().count(), tries, "{script}");
    }
    let missing = Night::new("[notify]\ncommand = \"no-such-program\"");
    let ran = missing.run(&["reconcile", "-q"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("no-such-program: there is no such program in the PATH"), "{ran:?}");
    let doctor = missing.run(&["doctor"]);
    assert_eq!(doctor.code, 0, "the job itself could run");
    assert!(doctor.stdout.contains("no-such-program") && doctor.stdout.contains("warn"), "{doctor:?}");
}

fn is_running(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

#[test]
fn what_a_program_started_ends_with_it() {
    let night = night("sleep 100 & echo $! > pid; wait", "timeout = \"1s\"\ndeadline = \"30s\"");
    assert_eq!(night.run(&["reconcile", "-q"]).code, 1);
    let pid = std::fs::read_to_string(night.path("pid")).unwrap();
    eventually("the child of the child is gone", || !is_running(pid.trim()));
}

#[test]
fn what_a_program_leaves_behind_with_its_output_open_is_ended_and_what_it_said_is_kept() {
    for code in [0, 3] {
        let night = night(&format!("echo grumbled >&2; sleep 100 & echo $! > pid; exit {code}"), "");
        let began = Instant::now();
        let ran = night.run(&["reconcile"]);
        assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
        assert!(ran.code == 1 && ran.stderr.contains("grumbled"), "{ran:?}");
        let pid = std::fs::read_to_string(night.path("pid")).unwrap();
        eventually("what it left behind is gone", || !is_running(pid.trim()));
    }
}

#[test]
fn a_signal_ends_the_program_too() {
    let night =
        night("echo $$ > pid.new; mv pid.new pid; sleep 100", "timeout = \"60s\"\ndeadline = \"60s\"");
    let mut command = night.command(&["reconcile", "-q"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the program runs", || night.path("pid").exists());
    let began = Instant::now();
    signal("-INT", child.id());
    let ran = super::Ran::of(child.wait_with_output().unwrap());
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(ran.code, 1, "{ran:?}");
    let pid = std::fs::read_to_string(night.path("pid")).unwrap();
    eventually("the program is gone", || !is_running(pid.trim()));
}

#[test]
fn a_program_that_reads_nothing_and_says_much_keeps_nobody_waiting() {
    let night = night("head -c 3000000 /dev/zero | tr '\\0' x; exit 0", "timeout = \"20s\"");
    let ran = night.run(&["reconcile", "-q"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran:?}");
}

#[test]
fn doctor_sees_that_no_run_could_be_written() {
    let night = Night::new("");
    assert_eq!(night.run(&["doctor"]).code, 0);
    std::fs::write(night.path("reports"), "").unwrap();
    let doctor = night.run(&["doctor", "-q"]);
    assert_eq!(doctor.code, 2, "{doctor:?}");
    assert!(
        doctor.stdout.contains("[history] folder") && doctor.stdout.contains("is no directory"),
        "{doctor:?}"
    );
    std::fs::remove_file(night.path("reports")).unwrap();
    assert!(!night.path("reports").exists(), "a look makes no folder");
}
