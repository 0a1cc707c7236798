//! The committed report is what the README's command writes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::program::reconcile;

/// File name → bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

/// The manifest without `run`, the only part that may differ.
fn manifest(bytes: &[u8]) -> Value {
    let mut manifest: Value = serde_json::from_slice(bytes).unwrap();
    assert!(manifest["run"].is_object(), "manifest.json has a part `run`");
    manifest["run"] = Value::Null;
    manifest
}

/// The manifest as it is committed: it says nothing of who made it when and where.
fn without_place(manifest: &[u8]) -> Vec<u8> {
    let mut text = String::from_utf8(manifest.to_vec()).unwrap();
    for (key, value) in [
        ("started", "2026-09-01T00:00:00.000000Z"),
        ("finished", "2026-09-01T00:00:01.000000Z"),
        ("host", "example"),
    ] {
        let start = format!("\"{key}\": \"");
        let from = text.find(&start).expect("the manifest names it") + start.len();
        let to = from + text[from..].find('"').expect("a text ends");
        text.replace_range(from..to, value);
    }
    text.into_bytes()
}

#[test]
fn the_sample_is_what_the_readme_command_writes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let command = "reconcile --config fixtures/demo/reckon.toml --out reports/demo";
    assert!(readme.contains(command), "the README names its command");

    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("demo");
    let run = reconcile(Path::new("fixtures/demo/reckon.toml"), &out, &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let actual = contents(&out);
    let sample = root.join("reports/sample");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        if sample.exists() {
            fs::remove_dir_all(&sample).unwrap();
        }
        fs::create_dir_all(&sample).unwrap();
        for (name, bytes) in &actual {
            let bytes = if name == "manifest.json" { without_place(bytes) } else { bytes.clone() };
            fs::write(sample.join(name), bytes).unwrap();
        }
    }
    let expected = contents(&sample);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&actual), names(&expected), "files of the run directory");
    for (name, bytes) in &actual {
        if name == "manifest.json" {
            assert_eq!(manifest(bytes), manifest(&expected[name]), "manifest.json");
        } else {
            let same = *bytes == expected[name];
            assert!(same, "{name} differs from reports/sample; UPDATE_GOLDEN=1 rewrites it");
        }
    }
}
