//! Which runs stay, and what never goes.

use super::{World, as_of, code, migrated, missing, stderr, stdout};

/// Days of the runs that are there.
fn days(world: &World) -> Vec<String> {
    let names = world.names().into_iter().filter(|name| name.starts_with("2026"));
    names.map(|name| name[..8].to_owned()).collect()
}

#[test]
fn runs_are_kept_by_number_or_by_age() {
    let cases = [
        ("", vec!["20260101", "20260102", "20260103", "20260104", "20260105"]),
        ("keep = 2", vec!["20260104", "20260105"]),
        ("keep = 1", vec!["20260105"]),
        ("keep = \"2d\"", vec!["20260103", "20260104", "20260105"]),
        ("keep = \"36h\"", vec!["20260104", "20260105"]),
        ("keep = 9", vec!["20260101", "20260102", "20260103", "20260104", "20260105"]),
    ];
    for (keep, expected) in cases {
        let world = World::new(&format!("[history]\n{keep}\n"));
        world.ledgers(&[migrated("L1", "ada", 1_000)]);
        for night in 0..5 {
            world.night(night, &[]);
        }
        assert_eq!(days(&world), expected, "{keep:?}");
        assert_eq!(world.runs()["runs"].as_array().unwrap().len(), 5, "{keep:?}: all are told");
        assert_eq!(world.runs()["warnings"].as_array().unwrap().len(), 0, "{keep:?}");
    }
}

#[test]
fn what_is_evidence_or_not_ours_never_goes() {
    let world = World::new("[history]\nkeep = 1\n");
    world.ledgers(&[missing("L1", "ada", 1_000)]);
    world.night(0, &[]);
    let certified = world.path("reports").join(&world.names()[0]);
    std::fs::write(certified.join("cutover.json"), "{}").unwrap();
    world.night(1, &[]);
    let noted = std::fs::canonicalize(world.path("reports/latest")).unwrap();
    std::fs::write(noted.join("notes.txt"), "mine").unwrap();
    for folder in ["audit/2026-01", "photos", ".run.tmp-mine"] {
        std::fs::create_dir_all(world.path("reports").join(folder)).unwrap();
    }
    world.write("reports/audit/2026-01/manifest.json", "{\"schema\": \"reckon.audit/1\"}");
    // Left by a removal that was killed.
    std::fs::create_dir(world.path("reports/.run.tmp-1-1000-0")).unwrap();
    for night in 2..4 {
        world.night(night, &[]);
    }
    assert_eq!(days(&world), ["20260101", "20260102", "20260104"]);
    let others: Vec<String> = world.names().into_iter().filter(|name| !name.starts_with("2026")).collect();
    assert_eq!(others, [".run.tmp-mine", "audit", "photos"]);
    let output = world.run(&["reconcile", "-v", "--no-progress", "--as-of", &as_of(4)]);
    let log = stderr(&output);
    assert!(log.contains("removed the run 20260104T120000Z-"), "{log}");
    assert!(log.contains("it holds a certificate, cutover.json"), "{log}");
    assert!(log.contains("it holds notes.txt"), "{log}");
}

#[test]
fn a_run_over_the_past_stays_although_others_are_newer() {
    let world = World::new("[history]\nkeep = 2\n");
    world.ledgers(&[migrated("L1", "ada", 1_000)]);
    for night in [5, 6, 7, 2] {
        world.night(night, &[]);
    }
    assert_eq!(days(&world), ["20260103", "20260107", "20260108"]);
    assert_eq!(world.runs()["newest"].as_str().unwrap()[..8], *"20260103");
    assert_eq!(world.runs()["warnings"].as_array().unwrap().len(), 0);
}

#[test]
fn a_broken_run_is_named_and_hides_no_result() {
    let world = World::new("[history]\nkeep = 1\n");
    world.ledgers(&[migrated("L1", "ada", 1_000)]);
    world.night(0, &[]);
    world.night(1, &[]);
    let broken = world.path("reports/20251231T000000Z-00000000");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("manifest.json"), "{\"schema\": \"reckon.manifest/1\"").unwrap();
    let output = world.run(&["reconcile", "--no-progress", "--as-of", &as_of(2)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("earlier runs were not removed") && said.contains("20251231T000000Z"), "{said}");
    let output = world.run(&["runs"]);
    assert_eq!((code(&output), stdout(&output).as_str()), (2, ""));
    assert!(stderr(&output).contains("20251231T000000Z-00000000/manifest.json"), "{}", stderr(&output));
}

#[test]
fn without_a_history_there_is_nothing_to_tell() {
    let world = World::new("");
    for args in [&["runs"][..], &["runs", "--folder", "nowhere"], &["runs", "--folder", "."]] {
        let output = world.run(args);
        assert_eq!((code(&output), stdout(&output).as_str()), (2, ""), "{args:?}");
        assert!(stderr(&output).contains("holds no run"), "{}", stderr(&output));
    }
    world.ledgers(&[migrated("L1", "ada", 1_000)]);
    world.night(0, &[]);
    std::fs::remove_file(world.path("reckon.toml")).unwrap();
    let output = world.run(&["runs", "--folder", "reports"]);
    assert_eq!(code(&output), 0, "no configuration is needed: {}", stderr(&output));
    assert_eq!(stdout(&world.run(&["runs", "--folder", "reports", "-q"])), "");
    assert_eq!(code(&world.run(&["runs"])), 2);
}
