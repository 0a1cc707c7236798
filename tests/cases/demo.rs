//! The demo against the truth that its generator wrote down.

use std::path::Path;

use super::program::reconcile;
use super::table::Table;

#[test]
fn the_demo_finds_exactly_what_was_planted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let out = tempfile::tempdir().unwrap();
    let run = reconcile(&folder.join("reckon.toml"), &out.path().join("demo"), &[]);
    let truth = Table::read(&folder.join("truth.csv"));
    assert!(truth.rows().count() > 80, "the truth is complete");
    let lines = truth.differences_to(&run.table("findings.csv"), "findings");
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    assert_eq!(run.code, 1, "{}", run.stderr);
}
