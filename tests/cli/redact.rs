//! `--redact`: no user's id in anything that is written, and the figures as without it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

const KEY: &str = "a key for tests that is long enough";

fn reckon(arguments: &[&str], key: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reckon"));
    command.env_remove("RECKON_REDACT_KEY");
    if let Some(key) = key {
        command.env("RECKON_REDACT_KEY", key);
    }
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo/reckon.toml");
    command.args(["--config", demo]).args(arguments).output().unwrap()
}

fn table(file: &Path) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(file).unwrap().deserialize().collect::<Result<_, _>>().unwrap()
}

#[test]
fn no_file_names_a_user_and_every_figure_stays() {
    let temporary = tempfile::tempdir().unwrap();
    let (plain, redacted) = (temporary.path().join("plain"), temporary.path().join("redacted"));
    let run = |folder: &Path, more: &[&str]| {
        let out = folder.to_str().unwrap();
        let output = reckon(&[&["reconcile", "--out", out], more].concat(), Some(KEY));
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(&plain, &[]);
    run(&redacted, &["--redact"]);

    let balances = table(&plain.join("balances.csv"));
    let users: BTreeSet<String> = balances.iter().map(|row| row["user_id"].clone()).collect();
    assert_eq!(users.len(), 300);
    for entry in std::fs::read_dir(&redacted).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.extension().is_none_or(|ending| ending != "sql"), "{} is SQL", path.display());
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let named = users.iter().find(|user| text.contains(user.as_str()));
        assert_eq!(named, None, "{}", path.display());
    }
    let figures = |folder: &Path| {
        let mut rows: Vec<Vec<String>> = table(&folder.join("balances.csv"))
            .into_iter()
            .map(|mut row| {
                row.remove("user_id");
                row.into_values().collect()
            })
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(figures(&plain), figures(&redacted));
    let classes = |folder: &Path| {
        let mut rows: Vec<[String; 3]> = table(&folder.join("findings.csv"))
            .into_iter()
            .map(|row| [row["class"].clone(), row["legacy_ids"].clone(), row["unified_ids"].clone()])
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(classes(&plain), classes(&redacted));
    let names: BTreeSet<String> =
        table(&redacted.join("balances.csv")).iter().map(|row| row["user_id"].clone()).collect();
    assert_eq!(names.len(), 300);
    assert!(names.iter().all(|name| name.starts_with("user-") && name.len() == 29), "{names:?}");
    let checked = reckon(&["verify", redacted.to_str().unwrap()], None);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
}

#[test]
fn one_user_is_asked_for_by_the_true_id_and_shown_under_the_other_name() {
    let user = "167a117e-8eb8-4d95-bbb5-f4631092c41d";
    let output = reckon(&["history", user, "--redact", "--csv"], Some(KEY));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("admin_grant") && !text.contains(user), "{text}");
}

#[test]
fn without_a_fit_key_or_a_place_of_its_own_nothing_is_done() {
    let cases: [(&[&str], Option<&str>, &str); 3] = [
        (&["reconcile", "--redact", "--out", "x"], None, "openssl rand -hex 32"),
        (&["reconcile", "--redact", "--out", "x"], Some("short"), "shorter than 16 bytes"),
        (&["reconcile", "--redact"], Some(KEY), "needs --out"),
    ];
    for (arguments, key, words) in cases {
        let output = reckon(arguments, key);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(words), "{message}");
    }
}
