//! The ledgers as SQL: they load into a real server, and say there what they say in files.

use super::simulated::{simulate, without_evidence};
use crate::cases::program::reconcile;
use crate::postgres::cluster::Cluster;

#[test]
fn what_psql_loads_gives_the_findings_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    for shape in ["a", "b"] {
        let make = |format: &str| {
            let place = folder.path().join(format!("{shape}-{format}"));
            // A day to come: stored balances of a live database belong to now or later.
            let flags = [
                "--seed",
                "21",
                "--users",
                "150",
                "--rate",
                "1",
                "--per-user",
                "4",
                "--usage",
                "2",
                "--shape",
                shape,
                "--as-of",
                "2037-03-01",
                "--defects",
                super::NO_POLICY,
                "--format",
                format,
            ];
            let output = simulate(&place, &flags);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            place
        };
        let (files, script) = (make("parquet"), make("sql"));
        let db = Cluster::shared().database("simulated");
        db.file(&script.join("load.sql"));
        let url = db.url();
        let from_files = reconcile(&files.join("reckon.toml"), &files.join("run"), &[]);
        let from_tables =
            reconcile(&script.join("reckon.toml"), &script.join("run"), &[("DATABASE_URL", &url)]);
        assert_eq!((from_files.code, from_tables.code), (1, 1), "{}", from_tables.stderr);
        for file in ["findings.csv", "balances.csv"] {
            let (files, tables) = (from_files.table(file), from_tables.table(file));
            assert!(files.rows().count() > 100, "{file}");
            assert_eq!(without_evidence(&files), without_evidence(&tables), "shape {shape}: {file}");
        }
    }
}
