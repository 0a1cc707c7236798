//! A product whose legacy table may go: both ledgers tie out, balances too, the writer writes the
//! unified table alone. What a test plants is then the only thing in the way.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::postgres::cluster::{Cluster, Db};

pub const USER: &str = "10000000-0000-4000-8000-000000000001";

/// One grant in both tables, long ago, and the balance that it makes.
const ROWS: &str = "
insert into a.token_transactions (id, user_id, transaction_type, token_amount, source, created_at) values
  ('00000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'grant', 1000, 'subscription', '2025-01-05 08:00:00+00');
insert into public.token_usage (user_id, action_type, model_used, tokens_used, metadata, created_at) values
  ('10000000-0000-4000-8000-000000000001', 'subscription_grant', 'migration', 1000,
   '{\"legacy_id\": \"00000000-0000-4000-8000-000000000001\", \"migrated_from\": \"token_transactions\"}', '2025-01-05 08:00:00+00');
insert into public.user_profiles values ('10000000-0000-4000-8000-000000000001', 1000);
create function public.grant_tokens(p_user_id uuid) returns void language sql as $$
  insert into public.token_usage (user_id, action_type, model_used, tokens_used)
  values (p_user_id, 'subscription_grant', 'none', 1000)
$$;
";

/// What the gate asks for, as little as it can.
const ASKED: &str = "
[balances]
stored = { table = \"public.user_profiles\", user = \"user_id\", balance = \"vibe_assistant_tokens_remaining\" }
[cutover]
clean_nights = 0
quiet = \"0s\"
writers = [\"grant_tokens\"]
";

/// A database and a folder with a configuration and a history.
pub struct World {
    pub db: Db,
    pub folder: tempfile::TempDir,
    url: String,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/postgres").join(name)
}

impl World {
    /// On the shared server.
    pub fn new(name: &str) -> World {
        World::on(Cluster::shared(), name)
    }

    /// On a server of its own.
    pub fn on(cluster: &'static Cluster, name: &str) -> World {
        let db = cluster.database(name);
        db.file(&fixture("schema.sql"));
        db.sql(ROWS);
        let url = db.url();
        let world = World { db, folder: tempfile::tempdir().unwrap(), url };
        world.configure(ASKED);
        world
    }

    /// Reads as another role.
    pub fn read_as(&mut self, role: &str) {
        self.url = self.db.url_as(role);
    }

    /// Reads from another server.
    pub fn read_at(&mut self, url: String) {
        self.url = url;
    }

    /// Reads another database from now on; gives back what it read before.
    pub fn read_from(&mut self, url: String) -> String {
        std::mem::replace(&mut self.url, url)
    }

    /// Writes the configuration anew: the product's, and `more`.
    pub fn configure(&self, more: &str) {
        let text = std::fs::read_to_string(fixture("shape_a.toml")).unwrap();
        std::fs::write(self.folder.path().join("reckon.toml"), format!("{text}\n{more}\n")).unwrap();
    }

    /// The configuration with a line of `[cutover]` changed: `clean_nights = 0` for `clean_nights = 2`.
    pub fn change(&self, from: &str, to: &str) {
        assert!(ASKED.contains(from), "{from}");
        self.configure(&ASKED.replace(from, to));
    }

    /// Runs the program.
    pub fn reckon(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_reckon"))
            .current_dir(self.folder.path())
            .env("DATABASE_URL", &self.url)
            .env_remove("RUST_LOG")
            .args(arguments)
            .arg("--no-progress")
            .output()
            .unwrap()
    }

    /// Starts the program and does not wait for it.
    pub fn start(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_reckon"))
            .current_dir(self.folder.path())
            .env("DATABASE_URL", &self.url)
            .env_remove("RUST_LOG")
            .args(arguments)
            .arg("--no-progress")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// A night of the history, to compare the counters with.
    pub fn reconcile(&self) {
        let output = self.reckon(&["reconcile"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().unwrap() < 2, "{said}");
    }

    /// Exit code and certificate of the gate.
    pub fn gate_with(&self, arguments: &[&str]) -> Gate {
        let mut all = vec!["cutover", "--format", "json", "--out", "gate"];
        all.extend(arguments);
        let output = self.reckon(&all);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code().unwrap();
        assert!(code < 2, "{said}");
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let written = std::fs::read(self.folder.path().join("gate/cutover.json")).unwrap();
        assert_eq!(printed, serde_json::from_slice::<Value>(&written).unwrap(), "printed and written");
        Gate { code, certificate: printed }
    }

    /// The same without further flags.
    pub fn gate(&self) -> Gate {
        self.gate_with(&[])
    }

    /// After a fresh night, so that nothing of the past is in the way.
    pub fn fresh_gate(&self) -> Gate {
        self.reconcile();
        self.gate()
    }
}

/// What the gate said.
pub struct Gate {
    pub code: i32,
    pub certificate: Value,
}

impl Gate {
    /// A check.
    pub fn check(&self, name: &str) -> &Value {
        let checks = self.certificate["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("no check {name}"))
    }

    /// `true`, `false` or `not_tested`.
    pub fn ok(&self, name: &str) -> String {
        match &self.check(name)["ok"] {
            Value::Bool(ok) => ok.to_string(),
            other => other.as_str().unwrap().to_owned(),
        }
    }

    /// The checks in the way.
    pub fn reasons(&self) -> Vec<&str> {
        self.certificate["reasons"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
    }

    /// `kind name certainty` of the evidence of a check.
    pub fn evidence(&self, name: &str) -> Vec<String> {
        let list = self.check(name)["evidence"].as_array().unwrap();
        let line = |found: &Value| {
            let [kind, name, certainty] =
                ["kind", "name", "certainty"].map(|key| found[key].as_str().unwrap().to_owned());
            format!("{kind} {name} {certainty}")
        };
        list.iter().map(line).collect()
    }

    /// GO, and so is the exit code.
    pub fn must_be_go(&self) {
        let why = serde_json::to_string_pretty(&self.certificate["checks"]).unwrap();
        assert_eq!(self.reasons(), Vec::<&str>::new(), "{why}");
        assert_eq!((self.code, self.certificate["verdict"].as_str()), (0, Some("go")));
    }
}
