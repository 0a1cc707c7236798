//! Runs after runs: what becomes of findings, which runs stay, and what has been accepted.

mod chain;
mod ids;
mod keep;
mod lost;
mod nights;
mod tampered;
mod waive;
mod waivers;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CONFIG: &str = r#"
[legacy]
path = "legacy.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
[legacy.actions]
renewal_grant = "subscription_grant"
[unified]
path = "unified.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
link = "legacy_id"
grants = ["subscription_grant"]
"#;

/// A grant of the legacy table, and whether it stands in the unified one.
#[derive(Debug, Clone, Copy)]
struct Grant {
    id: &'static str,
    user: &'static str,
    tokens: i64,
    /// Tokens of the unified row; `None`: it was never migrated.
    unified: Option<i64>,
}

const fn migrated(id: &'static str, user: &'static str, tokens: i64) -> Grant {
    Grant { id, user, tokens, unified: Some(tokens) }
}

const fn missing(id: &'static str, user: &'static str, tokens: i64) -> Grant {
    Grant { id, user, tokens, unified: None }
}

/// A folder with two small ledgers and a configuration.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// With more lines in the configuration.
    fn new(more: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("reckon.toml"), format!("{CONFIG}{more}")).unwrap();
        World { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn ledgers(&self, grants: &[Grant]) {
        let mut legacy = "id,user_id,action_type,tokens_used,created_at\n".to_owned();
        let mut unified = "id,user_id,action_type,tokens_used,created_at,legacy_id\n".to_owned();
        for (at, grant) in grants.iter().enumerate() {
            let Grant { id, user, tokens, unified: copy } = grant;
            let time = format!("2025-11-{:02}T09:00:00Z", at + 1);
            legacy.push_str(&format!("{id},{user},renewal_grant,{tokens},{time}\n"));
            if let Some(tokens) = copy {
                unified.push_str(&format!("U{id},{user},subscription_grant,{tokens},{time},{id}\n"));
            }
        }
        self.write("legacy.csv", &legacy);
        self.write("unified.csv", &unified);
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reckon"));
        for name in ["RUST_LOG", "RECKON_CONFIG", "DATABASE_URL", "NO_COLOR", "COLUMNS"] {
            command.env_remove(name);
        }
        command.current_dir(self.folder.path()).args(args).output().unwrap()
    }

    /// Reconciles as of noon of a night (0: 2026-01-01). Gives back the exit code.
    fn night(&self, night: u32, more: &[&str]) -> i32 {
        let as_of = as_of(night);
        let output = self.run(&[&["reconcile", "--no-progress", "--as-of", &as_of], more].concat());
        let code = code(&output);
        assert!(code < 2, "night {night}: {}", stderr(&output));
        code
    }

    fn json(&self, file: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(file)).unwrap()
    }

    /// A CSV file: each row as its cells of these columns.
    fn table(&self, file: &str, columns: &[&str]) -> Vec<Vec<String>> {
        let text = self.read(file);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        let place = |column: &&str| header.iter().position(|name| name == *column).unwrap();
        let places: Vec<usize> = columns.iter().map(place).collect();
        let rows = reader.records().map(|row| row.unwrap());
        rows.map(|row| places.iter().map(|at| row[*at].to_owned()).collect()).collect()
    }

    /// The id of the finding about a legacy row in the newest run.
    fn finding(&self, legacy: &str) -> String {
        let rows = self.table("reports/latest/findings.csv", &["finding_id", "legacy_ids"]);
        let found = rows.iter().find(|row| row[1] == legacy);
        found.unwrap_or_else(|| panic!("no finding about {legacy}: {rows:?}"))[0].clone()
    }

    /// `reckon runs` as JSON.
    fn runs(&self) -> serde_json::Value {
        let output = self.run(&["runs", "--format", "json"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Names in the folder of the runs, without `latest` and the lock, ascending.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path("reports")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter(|name| name != "latest" && name != ".reckon.lock").collect();
        names.sort();
        names
    }

    /// Exit code of `reckon verify`, and its checks: name, state, words.
    fn verify(&self, run: &str) -> (i32, Vec<[String; 3]>) {
        let output = self.run(&["--format", "json", "verify", run]);
        let found: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let checks = found["checks"].as_array().unwrap().iter();
        let checks = checks.map(|check| ["check", "state", "detail"].map(|key| text(&check[key])));
        (code(&output), checks.collect())
    }
}

/// Noon of a night; night 0 is 2026-01-01.
fn as_of(night: u32) -> String {
    let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + chrono::Days::new(night.into());
    format!("{day}T12:00:00.000000Z")
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

/// The words with one blank between them, however lines were broken.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Copies the files of a run into a new directory.
fn copy(run: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Replaces text in a file of a run and, as a careful forger would, brings the manifest up to date.
fn forge(run: &Path, file: &str, from: &str, to: &str) {
    use sha2::{Digest, Sha256};
    let path = run.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from:?}:\n{text}");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = run.join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for listed in manifest["files"].as_array_mut().unwrap() {
        if listed["name"] == file {
            listed["bytes"] = bytes.len().into();
            listed["sha256"] = digest.clone().into();
        }
    }
    std::fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}
