//! Packs under `--redact` follow each other where their users have the same names.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::pack::{Pack, ended};
use super::world::{World, days};

const KEYS: [&str; 2] = ["0123456789abcdef", "fedcba9876543210"];

fn make(folder: &Path, month: usize, out: &str, key: &str) -> (i32, String) {
    let (from, to) = days(month);
    let mut command = Command::new(env!("CARGO_BIN_EXE_reckon"));
    command.current_dir(folder).env("RECKON_REDACT_KEY", key);
    command.args(["audit", "--no-progress", "--redact", "--from", &from, "--to", &to, "--out", out]);
    ended(&command.output().unwrap())
}

fn manifest(folder: &Path, pack: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join(pack).join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn a_pack_under_another_key_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    World::new(2, false).write(folder, 1, "");
    assert_eq!(make(folder, 0, "handed/january", KEYS[0]).0, 0);
    let (code, stderr) = make(folder, 1, "handed/february", KEYS[1]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("users stand under other names in handed/january"), "{stderr}");
    assert!(stderr.contains("so has its key"), "{stderr}");

    // printf 'reckon: fingerprint of a key\0' | openssl dgst -sha256 -hmac 0123456789abcdef
    let parameters = manifest(folder, "handed/january")["parameters"].clone();
    assert_eq!(parameters["redaction_key"], "3e2fcc7156063d15");
    assert_eq!(make(folder, 1, "handed/february", KEYS[0]), (0, String::new()));
    assert!(Pack(folder.join("handed/february")).csv("adjustments.csv").rows.is_empty());
    assert_eq!(manifest(folder, "handed/february")["parameters"], parameters);

    // Where both keys have a pack of the period before, each follows its own.
    assert_eq!(make(folder, 0, "handed/january_2", KEYS[1]).0, 0);
    assert_eq!(make(folder, 1, "handed/february_2", KEYS[1]).0, 0);
    assert!(Pack(folder.join("handed/february_2")).csv("adjustments.csv").rows.is_empty());

    // An earlier version wrote no fingerprint: it is followed as before.
    let path = folder.join("handed/january/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let line = ",\n    \"redaction_key\": \"3e2fcc7156063d15\"";
    assert!(text.contains(line), "{text}");
    fs::write(&path, text.replace(line, "")).unwrap();
    let (code, stderr) = make(folder, 1, "handed/february_3", KEYS[0]);
    assert_eq!(code, 0, "{stderr}");
}
