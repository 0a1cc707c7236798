//! Runs the program as a person would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::table::Table;

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    /// Exit code; −1 when it ended by a signal.
    pub code: i32,
    /// Log and errors.
    pub stderr: String,
    /// The run directory.
    pub out: PathBuf,
}

/// `reckon reconcile --config … --out …` from the project's root, apart from whatever the
/// environment of the tests says.
pub fn reconcile(config: &Path, out: &Path, more: &[(&str, &str)]) -> Run {
    reconcile_with(config, out, &[], more)
}

/// The same with further arguments.
pub fn reconcile_with(config: &Path, out: &Path, further: &[&str], more: &[(&str, &str)]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_reckon"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RECKON_CONFIG")
        .env_remove("DATABASE_URL")
        .env_remove("RUST_LOG")
        .envs(more.iter().copied())
        .args(["reconcile", "--no-progress", "--config"])
        .arg(config)
        .arg("--out")
        .arg(out)
        .args(further)
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        out: out.to_owned(),
    }
}

impl Run {
    /// A file of the run directory.
    pub fn bytes(&self, file: &str) -> Vec<u8> {
        let path = self.out.join(file);
        fs::read(&path).unwrap_or_else(|cause| {
            panic!("{}: {cause}; exit code {}\n{}", path.display(), self.code, self.stderr)
        })
    }

    /// A CSV file of the run directory.
    pub fn table(&self, file: &str) -> Table {
        Table::parse(&self.bytes(file), file)
    }

    /// `summary.json`.
    pub fn summary(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes("summary.json")).unwrap()
    }
}
