use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::domain::Instant;

use super::{Lock, Place, PlaceError, Removed, Staging, remove};

const AS_OF: Instant = Instant(1_772_357_400_000_000);

/// Writes a run with one file and its manifest.
fn run(place: Place, content: &str) -> Result<std::path::PathBuf, PlaceError> {
    let staging = Staging::begin(place)?;
    for (name, text) in [
        ("findings.csv", content),
        ("manifest.json", r#"{"schema":"reckon.manifest/1","files":[{"name":"findings.csv"}]}"#),
    ] {
        let mut file = staging.file(name)?;
        file.write_all(text.as_bytes()).unwrap();
        file.finish()?;
    }
    staging.commit(AS_OF, "0a1b2c3d")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_run_takes_a_place_that_is_absent_empty_or_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep/out");
    for content in ["first", "second", "third"] {
        assert_eq!(run(Place::Exact(out.clone()), content).unwrap(), out);
        assert_eq!(fs::read_to_string(out.join("findings.csv")).unwrap(), content);
        assert_eq!(names(out.parent().unwrap()), ["out"], "nothing else may stay");
    }
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    run(Place::Exact(empty.clone()), "x").unwrap();
    assert_eq!(names(&empty), ["findings.csv", "manifest.json"]);
}

#[test]
fn a_directory_with_other_things_in_it_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &[(&str, &str)]); 4] = [
        ("photos", &[("holiday.jpg", "x")]),
        ("other-manifest", &[("manifest.json", r#"{"schema":"else/1","files":[]}"#)]),
        ("broken-manifest", &[("manifest.json", "{"), ("findings.csv", "x")]),
        ("notes", &[("manifest.json", r#"{"schema":"reckon.manifest/1","files":[]}"#), ("notes.txt", "x")]),
    ];
    for (name, files) in cases {
        let out = folder.path().join(name);
        fs::create_dir(&out).unwrap();
        for (file, text) in files {
            fs::write(out.join(file), text).unwrap();
        }
        let error = run(Place::Exact(out.clone()), "new").unwrap_err();
        assert!(matches!(error, PlaceError::Occupied { .. }), "{name}: {error}");
        assert!(error.to_string().contains("--out"), "{error}");
        assert_eq!(names(&out).len(), files.len(), "{name}");
    }
    assert!(names(folder.path()).iter().all(|name| !name.starts_with('.')));
}

#[test]
fn a_place_is_given_up_to_the_like_only() {
    type Make = fn(std::path::PathBuf) -> Place;
    let (exact, gate, pack): (Make, Make, Make) = (Place::Exact, Place::Gate, Place::Pack);
    // What is there, what shall go there, words of the refusal.
    let cases: [(&str, &[&str], Make, Option<&str>); 10] = [
        ("reckon.manifest/1", &["findings.csv"], exact, None),
        ("reckon.manifest/1", &["findings.csv"], gate, None),
        ("reckon.manifest/1", &["cutover.json", "retire.sql"], exact, Some("certificate")),
        ("reckon.manifest/1", &["cutover.json", "retire.sql"], gate, None),
        ("reckon.audit/1", &["balances.csv"], exact, Some("sealed audit pack")),
        ("reckon.audit/1", &["balances.csv"], gate, Some("sealed audit pack")),
        ("reckon.audit/1", &["balances.csv"], pack, Some("sealed audit pack")),
        ("reckon.manifest/1", &["findings.csv"], pack, Some("holds findings.csv")),
        ("reckon.archive/1", &["rows-1.copy"], exact, Some("holds manifest.json")),
        ("reckon.of-tomorrow/1", &["findings.csv"], exact, Some("holds findings.csv")),
    ];
    for (schema, files, make, refused) in cases {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        fs::create_dir(&out).unwrap();
        let listed: Vec<String> = files.iter().map(|file| format!(r#"{{"name":"{file}"}}"#)).collect();
        let manifest = format!(r#"{{"schema":"{schema}","files":[{}]}}"#, listed.join(","));
        fs::write(out.join("manifest.json"), manifest).unwrap();
        files.iter().for_each(|file| fs::write(out.join(file), "old").unwrap());
        let said = run(make(out.clone()), "new").err().map(|error| error.to_string());
        let is_left = fs::read_to_string(out.join(files[0])).is_ok_and(|text| text == "old");
        assert_eq!(is_left, refused.is_some(), "{schema} {files:?}");
        match (said, refused) {
            (Some(said), Some(words)) => assert!(said.contains(words), "{schema} {files:?}: {said}"),
            (said, refused) => assert_eq!(said.as_deref(), refused, "{schema} {files:?}"),
        }
        assert_eq!(names(folder.path()), ["out"]);
    }
}

#[test]
fn of_two_packs_at_once_the_first_stays() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("2024-01-01_2024-01-31");
    fs::create_dir(&out).unwrap();
    let stagings = ["first", "second"].map(|word| {
        let staging = Staging::begin(Place::Pack(out.clone())).unwrap();
        let manifest = format!(r#"{{"schema":"reckon.audit/1","version":"{word}","files":[]}}"#);
        let mut file = staging.file("manifest.json").unwrap();
        file.write_all(manifest.as_bytes()).unwrap();
        file.finish().unwrap();
        staging
    });
    let [first, second] = stagings.map(|staging| staging.commit(AS_OF, ""));
    assert_eq!(first.unwrap(), out);
    assert!(matches!(second, Err(PlaceError::Sealed { .. })));
    assert!(fs::read_to_string(out.join("manifest.json")).unwrap().contains("first"));
    assert_eq!(names(folder.path()).len(), 1, "nothing else may stay");
}

#[test]
fn a_run_of_the_history_takes_no_place_of_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    let gate = run(Place::History(reports.clone()), "gate").unwrap();
    fs::write(gate.join("cutover.json"), "{}").unwrap();
    for _ in 0..2 {
        let next = run(Place::History(reports.clone()), "night").unwrap();
        assert_eq!(next, reports.join("20260301T093000Z-0a1b2c3d-2"));
    }
    assert!(gate.join("cutover.json").exists());
}

#[test]
fn a_link_that_leads_nowhere_is_told_from_a_place_that_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("reports");
    std::os::unix::fs::symlink("/mnt/none/reports", &link).unwrap();
    for place in [Place::Exact(link.clone()), Place::Exact(link.join("run")), Place::History(link.clone())] {
        let error = run(place.clone(), "x").unwrap_err().to_string();
        assert!(error.contains("points at /mnt/none/reports, which is not there: is it mounted?"), "{error}");
    }
    assert!(link.is_symlink());
}

#[test]
fn a_file_or_a_path_without_a_name_is_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(run(Place::Exact(file), "x"), Err(PlaceError::IsAFile { .. })));
    assert!(matches!(run(Place::Exact("/".into()), "x"), Err(PlaceError::NoName { .. })));
}

#[test]
fn a_staging_directory_without_commit_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let staging = Staging::begin(Place::Exact(folder.path().join("out"))).unwrap();
    staging.file("findings.csv").unwrap().finish().unwrap();
    drop(staging);
    assert_eq!(names(folder.path()), Vec::<String>::new());
}

#[test]
fn what_the_dead_left_is_removed_and_the_living_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dead = folder.path().join(".out.tmp-1");
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("findings.csv"), "half").unwrap();
    let strange = folder.path().join(".out.tmp-mine");
    fs::create_dir(&strange).unwrap();
    let living = Staging::begin(Place::Exact(folder.path().join("out"))).unwrap();
    assert!(!dead.exists());
    run(Place::Exact(folder.path().join("out")), "second").unwrap();
    assert!(living.path().exists() && strange.exists());
}

#[test]
fn the_history_names_runs_by_time_and_content_and_points_at_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    let path = run(Place::History(reports.clone()), "x").unwrap();
    assert_eq!(path, reports.join("20260301T093000Z-0a1b2c3d"));
    assert_eq!(fs::read_link(reports.join("latest")).unwrap(), Path::new("20260301T093000Z-0a1b2c3d"));
    run(Place::History(reports.clone()), "y").unwrap();
    assert_eq!(names(&reports), ["20260301T093000Z-0a1b2c3d", "latest"]);
    assert_eq!(fs::read_to_string(reports.join("latest/findings.csv")).unwrap(), "y");
}

#[test]
fn a_run_is_removed_whole_unless_something_speaks_against_it() {
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    let mut runs = Vec::new();
    for day in 0..4 {
        let staging = Staging::begin(Place::History(reports.clone())).unwrap();
        let mut file = staging.file("manifest.json").unwrap();
        file.write_all(br#"{"schema":"reckon.manifest/1","files":[]}"#).unwrap();
        file.finish().unwrap();
        let run = staging.commit(AS_OF.plus(crate::domain::Span(day * 86_400_000_000)), "0a1b2c3d").unwrap();
        runs.push(run.file_name().unwrap().to_string_lossy().into_owned());
    }
    fs::write(reports.join(&runs[1]).join("cutover.json"), "{}").unwrap();
    fs::write(reports.join(&runs[2]).join("notes.txt"), "mine").unwrap();
    let kept = |name: &str| match remove(&reports, name).unwrap() {
        Removed::Gone => None,
        Removed::Kept(why) => Some(why),
    };
    assert_eq!(kept(&runs[0]), None);
    assert!(kept(&runs[1]).is_some_and(|why| why.contains("cutover.json")));
    assert!(kept(&runs[2]).is_some_and(|why| why.contains("notes.txt")));
    assert!(kept(&runs[3]).is_some_and(|why| why.contains("latest")));
    assert_eq!(kept(&runs[0]), None, "it is gone already");
    assert_eq!(names(&reports), [&runs[1], &runs[2], &runs[3], "latest"]);
}

#[test]
fn digest_and_size_are_those_of_the_bytes_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let staging = Staging::begin(Place::Exact(folder.path().join("out"))).unwrap();
    let mut file = staging.file("a.txt").unwrap();
    file.write_all(b"ab").unwrap();
    file.write_all(b"c").unwrap();
    let written = file.finish().unwrap();
    assert_eq!(written.bytes, 3);
    // From FIPS 180-2, appendix B.1.
    assert_eq!(written.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn a_place_that_cannot_be_written_is_named_with_the_way_out() {
    let error = Staging::begin(Place::Exact("/proc/reckon/out".into())).unwrap_err();
    assert!(error.to_string().contains("/proc/reckon"), "{error}");
}

#[test]
fn where_no_lock_tells_only_a_locked_folder_is_cleaned() {
    let cases = [
        (Lock::Held, false, true),
        (Lock::Held, true, true),
        (Lock::Unknown, true, true),
        (Lock::Unknown, false, false),
    ];
    for (lock, is_folder_locked, expected) in cases {
        assert_eq!(lock.is_of_the_dead(is_folder_locked), expected, "{lock:?} {is_folder_locked}");
    }
}
