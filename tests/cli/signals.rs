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
        let sent = Command::new("kill").args([signal, &program.id().to_string()]).status().unwrap();
        assert!(sent.success());
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
