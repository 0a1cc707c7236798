//! A pack that others follow is the one that they followed, or nothing is built on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::pack::{audit, ended};
use super::world::{World, days};

fn name(month: usize) -> String {
    let (from, to) = days(month);
    format!("{from}_{to}")
}

fn make(folder: &Path, month: usize) -> (i32, String) {
    let (from, to) = days(month);
    ended(&audit(folder, &["--from", &from, "--to", &to]))
}

fn pack(folder: &Path, month: usize) -> PathBuf {
    folder.join("packs").join(name(month))
}

/// Exit code and words of `reckon verify`, with one blank between them.
fn verify(pack: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_reckon")).arg("verify").arg(pack).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    (output.status.code().unwrap(), said.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn a_period_that_overlaps_sealed_ones_and_follows_none_names_them() {
    let folder = chain();
    let folder = folder.path();
    let said = |from: &str, to: &str| {
        let output = audit(folder, &["--from", from, "--to", to]);
        let said = String::from_utf8_lossy(&output.stdout);
        said.split_whitespace().filter(|word| *word != "!").collect::<Vec<_>>().join(" ")
    };
    let overlapping = said("2024-01-15", "2024-02-10");
    let expected = format!("has days in common with the sealed packs {}, {} and does not", name(0), name(1));
    assert!(overlapping.contains(&expected), "{overlapping}");
    assert!(overlapping.contains("Follows no sealed pack"), "{overlapping}");
    let following = said("2024-02-01", "2024-03-31");
    assert!(following.contains(&format!("Follows the sealed pack {}", name(0))), "{following}");
    assert!(!following.contains("in common"), "a quarter beside its months, in a chain: {following}");
}

#[test]
fn a_period_that_is_not_over_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    World::new(1, false).write(folder.path(), 0, "");
    let (code, said) = ended(&audit(folder.path(), &["--from", "2024-01-01", "--to", "9998-12-31"]));
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("9998-12-31 is not over yet") && said.contains("at the latest"), "{said}");
    assert!(!folder.path().join("packs").exists(), "nothing is sealed");
}

fn chain() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    World::new(4, false).write(folder.path(), 3, "");
    for month in 0..3 {
        assert_eq!(make(folder.path(), month).0, 0);
        assert_eq!(verify(&pack(folder.path(), month)).0, 0);
    }
    folder
}

#[test]
fn a_pack_that_was_sealed_again_is_followed_by_none() {
    let folder = chain();
    let folder = folder.path();
    let manifest = pack(folder, 0).join("manifest.json");
    let sealed = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, sealed.replacen("\"started\": \"2", "\"started\": \"1", 1)).unwrap();
    assert_eq!(verify(&pack(folder, 0)).0, 0, "it is whole, but not the one that was followed");
    let (code, said) = verify(&pack(folder, 1));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("was changed or made anew since"), "{said}");
    // The same again, and the next one.
    for month in [1, 2, 3] {
        let (code, said) = make(folder, month);
        assert_eq!(code, 2, "{month}: {said}");
        assert!(said.contains("follows another pack than the one that is now in"), "{month}: {said}");
        assert!(said.contains(&name(1)) && said.contains(&name(0)), "{month}: {said}");
    }
    assert!(!pack(folder, 3).exists());
    // Out of the way it is archived: the chain goes on without it.
    fs::rename(pack(folder, 0), folder.join("elsewhere")).unwrap();
    assert_eq!(make(folder, 3).0, 0);
    fs::remove_dir_all(pack(folder, 3)).unwrap();
    fs::rename(folder.join("elsewhere"), pack(folder, 0)).unwrap();
    fs::write(&manifest, sealed).unwrap();
    assert_eq!(make(folder, 3).0, 0, "restored, it is followed");
}

#[test]
fn a_pack_opens_as_the_one_before_closed() {
    let folder = chain();
    let folder = folder.path();
    let balances = pack(folder, 0).join("balances.csv");
    let text = fs::read_to_string(&balances).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let at = reader.headers().unwrap().iter().position(|column| column == "closing").unwrap();
    let mut writer = csv::Writer::from_path(&balances).unwrap();
    writer.write_record(reader.headers().unwrap()).unwrap();
    for row in reader.records() {
        let mut cells: Vec<String> = row.unwrap().iter().map(str::to_owned).collect();
        cells[at] = (cells[at].parse::<i64>().unwrap() + 1).to_string();
        writer.write_record(&cells).unwrap();
    }
    writer.flush().unwrap();
    let (code, said) = verify(&pack(folder, 1));
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("in the pack before"), "{said}");
}

#[test]
fn a_pack_of_which_a_file_was_taken_out_is_not_whole() {
    let folder = chain();
    let january = pack(folder.path(), 0);
    let manifest = january.join("manifest.json");
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    value["files"].as_array_mut().unwrap().retain(|file| file["name"] != "exceptions.csv");
    fs::write(&manifest, serde_json::to_vec_pretty(&value).unwrap()).unwrap();
    fs::remove_file(january.join("exceptions.csv")).unwrap();
    let (code, said) = verify(&january);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("exceptions.csv: a pack has it"), "{said}");
}
