//! The demo in a database, reconciled, mended, reconciled again, undone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::postgres::cluster::{Cluster, Db};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The demo's tables, with rows and labels that the real ones would refuse.
fn demo() -> Db {
    let db = Cluster::shared().database("repair_demo");
    db.file(&fixtures().join("postgres/schema.sql"));
    db.sql(
        "alter table b.token_transactions set schema public;
         alter table token_transactions alter action_type type text;
         alter table token_usage drop constraint token_usage_action_type_check;",
    );
    for table in ["token_transactions", "token_usage", "user_profiles"] {
        db.load_csv(table, &fixtures().join(format!("demo/{table}.csv")));
    }
    db
}

/// Reconciles; rows of a CSV file of the run by name of the column.
struct Run {
    folder: PathBuf,
}

impl Run {
    fn of(db: &Db, config: &Path, name: &str) -> Run {
        let folder = config.with_file_name(name);
        let output = Command::new(env!("CARGO_BIN_EXE_reckon"))
            .args(["reconcile", "--no-progress", "--config"])
            .arg(config)
            .arg("--out")
            .arg(&folder)
            .env("DATABASE_URL", db.url())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        Run { folder }
    }

    fn rows(&self, file: &str) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::Reader::from_path(self.folder.join(file)).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }

    fn column(&self, file: &str, column: &str) -> Vec<String> {
        self.rows(file).into_iter().map(|row| row[column].clone()).collect()
    }
}

#[test]
fn after_the_files_only_what_is_for_a_person_is_left_and_undo_brings_back_the_start() {
    let db = demo();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("reckon.toml");
    let toml = std::fs::read_to_string(fixtures().join("demo/reckon.toml")).unwrap();
    let toml: String = toml
        .lines()
        .filter(|line| !line.starts_with("path = "))
        .map(|line| line.replace("path = \"user_profiles.csv\"", "table = \"public.user_profiles\"") + "\n")
        .collect();
    std::fs::write(&config, toml).unwrap();

    let before = db.digest("token_usage");
    let first = Run::of(&db, &config, "first");
    assert!(first.column("findings.csv", "repair").contains(&"backfill".to_owned()));
    for _ in 0..2 {
        for file in ["backfill.sql", "repair.sql", "dedupe.sql"] {
            db.file(&first.folder.join(file));
        }
    }
    let verified = db.try_file(&first.folder.join("verify.sql")).unwrap();
    assert!(verified.contains(" t\n") && !verified.contains(" f\n"), "{verified}");

    let second = Run::of(&db, &config, "second");
    let left = second.rows("findings.csv");
    assert!(!left.is_empty());
    let known = first.column("findings.csv", "finding_id");
    for finding in left {
        assert!(["review", "none"].contains(&finding["repair"].as_str()), "{finding:?}");
        assert!(known.contains(&finding["finding_id"]), "nothing new: {finding:?}");
    }
    assert_eq!(first.column("balances.csv", "corrected"), second.column("balances.csv", "recomputed"));

    for _ in 0..2 {
        db.file(&first.folder.join("undo.sql"));
        assert_eq!(db.digest("token_usage"), before);
    }
}
