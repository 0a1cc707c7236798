//! The program as a user meets it: commands, streams, exit codes.

mod contract;
mod doctor;
mod document;
mod grants;
mod history;
mod init;
mod reconcile;
mod redact;
mod signals;
mod sources;
mod statement;
mod streams;
mod verify;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `reckon` in a folder, without the caller's own settings.
fn reckon(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reckon"));
    command.current_dir(folder);
    for (name, _) in std::env::vars() {
        if name.starts_with("PG") {
            command.env_remove(name);
        }
    }
    for name in ["RUST_LOG", "RECKON_CONFIG", "DATABASE_URL", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    reckon(folder).args(args).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares with a golden file; `UPDATE_GOLDEN=1` writes it anew.
fn assert_golden(name: &str, actual: &str) {
    let path = root().join("tests/cli/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
        return;
    }
    let expected =
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(actual, expected, "{}", path.display());
}
