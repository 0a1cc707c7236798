//! A pack from PostgreSQL has the figures of one from files.

use std::path::Path;
use std::process::Command;

use crate::cases::postgres::{demo_in, without};
use crate::postgres::cluster::Cluster;

#[test]
fn the_tables_of_a_pack_are_the_same_from_a_database() {
    let db = Cluster::shared().database("audit");
    let config = demo_in(&db);
    let folder = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    let files = format!("path = \"{}/", demo.display());
    write("files.toml", without(&config, &["stored = "]).replace("path = \"", &files));
    write("tables.toml", without(&config, &["path = ", "stored = "]));
    for from in ["files", "tables"] {
        let output = Command::new(env!("CARGO_BIN_EXE_reckon"))
            .current_dir(folder.path())
            .env("DATABASE_URL", db.url())
            .args(["--config", &format!("{from}.toml"), "--no-progress", "audit"])
            .args(["--from", "2026-01-01", "--to", "2026-03-31", "--out", from])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let bytes = |from: &str, name: &str| std::fs::read(folder.path().join(from).join(name)).unwrap();
    for name in [
        "roll_forward.csv",
        "grants_by_action.csv",
        "exceptions.csv",
        "balances.csv",
        "causes.csv",
        "sample.csv",
        "rows.csv",
        "usage.csv",
        "adjustments.csv",
    ] {
        assert!(bytes("files", name).len() > 60, "{name} has rows or at least a head");
        assert!(bytes("files", name) == bytes("tables", name), "{name}");
    }
}
