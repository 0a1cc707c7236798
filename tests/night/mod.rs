//! The job that nobody watches: who is told, two runs at once, what fails and passes.

mod at_once;
mod database;
mod hook;
mod killed;
mod memory;
mod metrics;
mod program;
mod webhook;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with a small pair of ledgers and a configuration: two legacy grants were never migrated.
struct Night {
    folder: tempfile::TempDir,
    /// Further environment of the program.
    env: Vec<(String, String)>,
}

impl Night {
    /// `more` is added to the configuration; `{folder}` in it is the folder.
    fn new(more: &str) -> Night {
        let folder = tempfile::tempdir().unwrap();
        let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases/07-never-migrated");
        for file in ["legacy.csv", "unified.csv", "reckon.toml"] {
            std::fs::copy(case.join(file), folder.path().join(file)).unwrap();
        }
        let night = Night { folder, env: Vec::new() };
        let more = more.replace("{folder}", night.path("").to_str().unwrap());
        night.append("reckon.toml", &format!("\n{more}\n"));
        night
    }

    fn with(mut self, name: &str, value: &str) -> Night {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn append(&self, file: &str, text: &str) {
        let path = self.path(file);
        let before = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{before}{text}")).unwrap();
    }

    /// One more legacy grant that was never migrated.
    fn lose_a_grant(&self, id: &str) {
        self.append("legacy.csv", &format!("{id},ada,renewal_grant,1000,2026-02-20T09:00:00Z,\n"));
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reckon"));
        command.current_dir(self.folder.path()).args(args).stdin(Stdio::null());
        for (name, _) in std::env::vars() {
            if name.starts_with("PG") || name.to_lowercase().ends_with("_proxy") {
                command.env_remove(name);
            }
        }
        for name in ["RUST_LOG", "RECKON_CONFIG", "DATABASE_URL", "SSL_CERT_FILE", "SSL_CERT_DIR"] {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }
}

/// How a command ended.
#[derive(Debug)]
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn of(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// What people read about all this.
fn document() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/nightly.md")).unwrap()
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Sends a signal to a process.
fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits until something is so.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed().as_secs() < 60, "it never came about that {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
