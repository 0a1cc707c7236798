//! What is shipped to install the job: the role, the units, the container, the examples.

mod files;
mod role;
mod trace;
mod writes;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::postgres::cluster::{Cluster, Db};

/// A user with grants in both tables.
const USER: &str = "10000000-0000-4000-8000-000000000001";

/// Every right and policy of a database, one row each.
const STATE: &str = include_str!("state.sql");

/// The job's role by password, everybody else freely.
const HBA: &str = "\
host all reckon 127.0.0.1/32 scram-sha-256
local all all trust
host all all 127.0.0.1/32 trust
";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a shipped file.
fn shipped(name: &str) -> String {
    let file: PathBuf = root().join("deploy").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|cause| panic!("{}: {cause}", file.display()))
}

/// Replaces what stands there exactly once.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from} stands once in\n{text}");
    text.replace(from, to)
}

/// The product's database with a mixed-up migration behind it and row-level security on every table,
/// and the role of the job by name.
struct Product {
    db: Db,
    job: String,
}

impl Product {
    fn new(cluster: &'static Cluster, name: &str, job: &str) -> Product {
        Product::owned(cluster, name, job, "postgres")
    }

    /// With another owner of everything.
    fn owned(cluster: &'static Cluster, name: &str, job: &str, owner: &str) -> Product {
        let db = cluster.database(name);
        db.sql(&format!(
            "grant create on schema public to {owner}; alter database {} owner to {owner};",
            db.name
        ));
        let mut script = format!("set role {owner};\n");
        for file in ["schema.sql", "functions.sql", "history.sql", "migration_flawed.sql"] {
            script += &std::fs::read_to_string(root().join("fixtures/postgres").join(file)).unwrap();
        }
        script += include_str!("secured.sql");
        db.sql(&script);
        Product { db, job: job.to_owned() }
    }

    /// A shipped script as its user fills it in: the role, and the legacy table of shape A.
    fn script(&self, name: &str) -> String {
        let text = replaced(&shipped(name), "'reckon'", &format!("'{}'", self.job));
        match name {
            "role.sql" => replaced(&text, "'public.token_transactions',", "'a.token_transactions',"),
            _ => text,
        }
    }

    fn apply(&self, name: &str) {
        self.db.sql(&self.script(name));
    }

    /// Where the database is for another role.
    fn url_as(&self, role: &str) -> String {
        self.db.url_as(role)
    }

    /// Runs commands in one session, each as a web editor sends it: one message, one transaction.
    fn psql(&self, url: &str, commands: &[&str]) -> Output {
        let mut psql = Command::new(self.db.cluster.program("psql"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG")) {
            psql.env_remove(name);
        }
        psql.args(["--no-psqlrc", "--quiet", "--csv", "--tuples-only", "--dbname", url]);
        psql.args(["--set", "ON_ERROR_STOP=1", "--set", "VERBOSITY=verbose"]);
        commands.iter().for_each(|command| {
            psql.args(["--command", command]);
        });
        psql.output().unwrap()
    }

    /// Rights that the role has: (needed, what, on what, way out).
    fn rights(&self) -> Vec<[String; 4]> {
        let rows = self.db.query(&self.script("role_check.sql"));
        rows.into_iter().map(|row| row.try_into().unwrap()).collect()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
