//! The one file that a textfile collector reads.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use super::Night;

/// Each sample without labels, by name.
fn samples(night: &Night) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(night.path("collect/reckon.prom")).unwrap();
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1, "{text}");
    let plain = text.lines().filter(|line| !line.starts_with('#') && !line.contains('{'));
    plain
        .map(|line| {
            let (name, value) = line.split_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[test]
fn it_is_replaced_by_every_run_and_says_so_when_one_failed() {
    let night = Night::new("[notify]\nmetrics = \"collect/reckon.prom\"");
    let ran = night.run(&["reconcile", "-q"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("collect/reckon.prom"), "the folder is missing: {ran:?}");
    std::fs::create_dir(night.path("collect")).unwrap();

    // A failed run before any good one: there is no last success, and none is made up.
    std::fs::rename(night.path("unified.csv"), night.path("away.csv")).unwrap();
    assert_eq!(night.run(&["reconcile", "-q"]).code, 2);
    let failed = samples(&night);
    assert_eq!((failed["reckon_up"], failed["reckon_run_failed"]), (0.0, 1.0));
    assert_eq!(failed.len(), 3, "{failed:?}");

    std::fs::rename(night.path("away.csv"), night.path("unified.csv")).unwrap();
    let ran = night.run(&["reconcile", "-q"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{ran:?}");
    let good = samples(&night);
    assert_eq!((good["reckon_up"], good["reckon_run_failed"]), (1.0, 0.0));
    assert_eq!((good["reckon_clean"], good["reckon_blocking_findings"]), (0.0, 2.0));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let success = good["reckon_last_success_timestamp_seconds"];
    assert!((now - success).abs() < 60.0 && success == good["reckon_last_run_timestamp_seconds"], "{good:?}");
    let own = std::fs::read_to_string(night.path("reports/latest/metrics.prom")).unwrap();
    let fixed = std::fs::read_to_string(night.path("collect/reckon.prom")).unwrap();
    assert!(fixed.starts_with(own.strip_suffix("# EOF\n").unwrap()), "the run's own numbers, whole");
    assert!(!own.contains("last_run"), "the run directory holds no time of the run");

    std::fs::remove_file(night.path("unified.csv")).unwrap();
    assert_eq!(night.run(&["reconcile", "-q"]).code, 2);
    let failed = samples(&night);
    assert_eq!((failed["reckon_up"], failed["reckon_run_failed"]), (0.0, 1.0));
    assert_eq!(failed["reckon_last_success_timestamp_seconds"], success, "it stays known");
    for family in failed.keys() {
        let document = super::document();
        assert!(document.contains(&format!("`{family}`")), "docs/nightly.md does not explain {family}");
    }
    assert!(!failed.contains_key("reckon_blocking_findings"), "{failed:?}");

    let mode = std::fs::metadata(night.path("collect/reckon.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644, "another user reads it");
    let names: Vec<_> =
        std::fs::read_dir(night.path("collect")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["reckon.prom"], "nothing else stays");
}
