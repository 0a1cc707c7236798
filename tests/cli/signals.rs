//! SIGINT and SIGTERM end the program with their own exit codes.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reckon::config;
use reckon::domain::Instant;
use reckon::run::{self, Options};
use reckon::source::{Progress, SourceError};

use super::{code, reckon, stderr};

fn kill(signal: &str, process: u32) {
    assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
}

/// A server that takes the connection and never answers: the program waits for it.
#[test]
fn a_signal_ends_a_waiting_program() {
    for (signal, expected) in [("-INT", 130), ("-TERM", 143)] {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let program = reckon(folder.path())
            .arg("init")
            .env("DATABASE_URL", format!("postgres://ada@127.0.0.1:{port}/app?sslmode=disable"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Once the connection is there, the program watches for signals.
        let connection = silent.accept().unwrap();
        kill(signal, program.id());
        let output = program.wait_with_output().unwrap();
        drop(connection);
        assert_eq!(code(&output), expected, "{}", stderr(&output));
        assert_eq!(stderr(&output), "reckon: interrupted, nothing was finished\n");
        assert!(!folder.path().join("reckon.toml").exists());
    }
}

/// What comes after reading looks at the signal too, and not only when all of it is done.
#[test]
fn a_signal_ends_the_judging_of_what_was_read() {
    let config = config::load(&super::root().join("fixtures/demo/reckon.toml")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let progress = Progress::new(false, stop.clone());
    let options = Options::to_read(None, Instant(0));
    let reads = || run::read(&config, &options, &progress).unwrap();
    assert!(run::reconcile(&config, reads(), None).is_ok());
    let reads = reads();
    stop.store(true, Ordering::Relaxed);
    let error = run::reconcile(&config, reads, None).unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(SourceError::Interrupted)), "{error:#}");
}

/// Work that never comes to look, here the reading of a pipe into which nobody writes, ends all the same.
#[test]
fn a_signal_ends_work_that_does_not_look_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("reckon.toml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let program = reckon(folder.path())
        .args(["contract", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Opens once the program reads, which then watches for signals.
    let writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    kill("-TERM", program.id());
    let output = program.wait_with_output().unwrap();
    drop(writer);
    assert_eq!(
        (code(&output), stderr(&output).as_str()),
        (143, "reckon: interrupted, nothing was finished\n")
    );
}

#[test]
fn ledgers_that_are_half_made_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    for was_there in [false, true] {
        if was_there {
            std::fs::create_dir(&out).unwrap();
        }
        let program = reckon(folder.path())
            .args(["simulate", "--users", "100000000", "--seed", "1", "--out", "out"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let table = out.join("token_usage.csv");
        let has_begun = || std::fs::metadata(&table).is_ok_and(|table| table.len() > 1_000);
        while !has_begun() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        kill("-INT", program.id());
        let output = program.wait_with_output().unwrap();
        assert_eq!(code(&output), 130, "{}", stderr(&output));
        assert_eq!(out.exists(), was_there);
        assert!(!was_there || std::fs::read_dir(&out).unwrap().next().is_none());
    }
}
