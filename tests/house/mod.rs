//! Rules of the house that a reader should be able to rely on, checked by looking at the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order of the data; a room may use those above it.
const ROOMS: [&str; 19] = [
    "domain",
    "sha256",
    "cores",
    "config",
    "source",
    "normalise",
    "matching",
    "balance",
    "audit",
    "history",
    "repair",
    "doctor",
    "cutover",
    "report",
    "notify",
    "verify",
    "simulate",
    "run",
    "cli",
];

/// A crate, and the only places that may name it.
const CRATES: [(&str, &[&str]); 14] = [
    ("tokio_postgres", &["src/source/postgres"]),
    ("ureq", &["src/notify"]),
    // Where TLS is set up, a module of rustls bears its name.
    ("ring", &["src/sha256.rs", "src/source/postgres/tls.rs", "src/notify/webhook.rs"]),
    // The keyed hash of redacted users is built on it.
    ("sha2", &["src/normalise/redact.rs"]),
    ("clap", &["src/cli"]),
    ("clap_complete", &["src/cli"]),
    ("clap_mangen", &["src/cli"]),
    ("anyhow", &["src/cli", "src/run"]),
    ("arrow_array", READERS_OF_COLUMNS),
    ("arrow_buffer", READERS_OF_COLUMNS),
    ("arrow_schema", READERS_OF_COLUMNS),
    (
        "parquet",
        &[
            "src/source",
            "src/report/parquet",
            "src/verify/alike.rs",
            "src/verify/tables.rs",
            "src/simulate/columns.rs",
            "src/simulate/folder.rs",
        ],
    ),
    ("mimalloc", &["src/main.rs"]),
    ("rust_xlsxwriter", &["src/report/pack/xlsx", "src/report/error"]),
];

/// Those that take or give columns: sources, sinks, and the Parquet files of a run.
const READERS_OF_COLUMNS: &[&str] = &[
    "src/source",
    "src/normalise",
    "src/doctor/labels.rs",
    "src/report/parquet",
    "src/simulate/columns.rs",
    "src/simulate/folder.rs",
];

const MOST_LINES_OF_A_FILE: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder` with this ending, with their path from the project's root.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "no .{ending} file below {folder}");
    found.sort();
    found
}

/// The lines of code with their numbers: no comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
        .filter(|(_, line)| !line.trim().is_empty())
}

/// Does the line name `path::…` as a path of its own, not as the end of another one?
fn names(line: &str, path: &str) -> bool {
    line.match_indices(&format!("{path}::")).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
    })
}

fn report(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}\n  {}\n", broken.join("\n  "));
}

#[test]
fn a_crate_is_named_only_in_its_own_room() {
    let mut broken = Vec::new();
    for (file, text) in files("src", "rs") {
        for (number, line) in code(&text) {
            for (name, places) in CRATES {
                // A room of its own may bear the name of a crate.
                let own_module = text.contains(&format!("mod {name};"));
                if names(line, name) && !own_module && !places.iter().any(|place| file.starts_with(place)) {
                    broken.push(format!("{file}:{number} names {name}: {}", line.trim()));
                }
            }
        }
    }
    report(&broken, "crates belong into these places only: see CRATES in tests/house/mod.rs");
}

#[test]
fn what_the_rules_name_is_there() {
    let sources = files("src", "rs");
    for (_, places) in CRATES {
        for place in places {
            let crates = CRATES.iter().filter(|(_, places)| places.contains(place));
            let crates: Vec<&str> = crates.map(|(name, _)| *name).collect();
            let needs = |(file, text): &(String, String)| {
                file.starts_with(place) && crates.iter().any(|name| text.contains(&format!("{name}::")))
            };
            assert!(sources.iter().any(needs), "nothing in {place} names any of {crates:?} any more");
        }
    }
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in dependencies.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, _)) = line.split_once(" = ") else { continue };
        let name = name.trim().replace('-', "_");
        let is_named = sources.iter().any(|(_, text)| code(text).any(|(_, line)| names(line, &name)));
        assert!(is_named, "{name} is a dependency that nothing in src names");
    }
}

#[test]
fn the_domain_uses_plain_crates_only() {
    let mut broken = Vec::new();
    for (file, text) in files("src/domain", "rs") {
        for (number, line) in code(&text) {
            let Some(path) = line.trim().trim_start_matches("pub ").strip_prefix("use ") else { continue };
            let first = path.split([':', ';', ' ']).next().unwrap_or_default();
            let own_module = text.contains(&format!("mod {first};"));
            let plain = ["std", "chrono", "serde", "uuid", "super", "self", "proptest"].contains(&first);
            if !plain && !own_module && !path.starts_with("crate::domain") {
                broken.push(format!("{file}:{number} {}", line.trim()));
            }
        }
    }
    report(&broken, "src/domain imports std, chrono, serde and uuid only");
}

#[test]
fn a_room_never_uses_a_later_one() {
    let mut broken = Vec::new();
    for (file, text) in files("src", "rs") {
        let place = file.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default();
        let Some(rank) = ROOMS.iter().position(|room| *room == place) else { continue };
        for (number, line) in code(&text) {
            for later in &ROOMS[rank + 1..] {
                if names(line, &format!("crate::{later}")) {
                    broken.push(format!("{file}:{number} uses {later}: {}", line.trim()));
                }
            }
            // Each room in a line of its own, so that the rule above sees it.
            if line.contains("crate::{") {
                broken.push(format!("{file}:{number} names several rooms at once: {}", line.trim()));
            }
        }
    }
    report(&broken, "data flows one way: see ROOMS in tests/house/mod.rs");
}

#[test]
fn the_library_lists_the_rooms_in_the_order_of_the_data() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let listed: Vec<&str> =
        code(&lib).filter_map(|(_, line)| line.trim().strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(listed, ROOMS);
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    let mut broken = Vec::new();
    let all = [files("src", "rs"), files("tests", "rs"), files("fixtures", "py")].concat();
    for (file, text) in all {
        let lines = text.lines().count();
        if lines > MOST_LINES_OF_A_FILE {
            broken.push(format!("{file}: {lines} lines"));
        }
    }
    report(&broken, "no file over 500 lines");
}

#[test]
fn no_module_is_a_drawer_for_odds_and_ends() {
    let mut broken = Vec::new();
    for (file, _) in [files("src", "rs"), files("tests", "rs")].concat() {
        let odd = file
            .split(['/', '.'])
            .any(|part| ["util", "utils", "common", "helper", "helpers", "misc"].contains(&part));
        if odd {
            broken.push(file);
        }
    }
    report(&broken, "a module is named for what it does");
}

#[test]
fn nothing_is_left_undone() {
    let mut broken = Vec::new();
    for (file, text) in files("src", "rs") {
        for (number, line) in code(&text) {
            if ["todo!", "unimplemented!", "dbg!"].iter().any(|word| line.contains(word)) {
                broken.push(format!("{file}:{number} {}", line.trim()));
            }
        }
    }
    report(&broken, "no stub in the sources");
}

/// The statements of an SQL file, comments left out.
fn statements(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    lines.join("\n").split(';').map(str::to_lowercase).collect()
}

/// The part of a statement that changes rows without saying which, if there is one.
fn changes_every_row(statement: &str) -> Option<&str> {
    let words: Vec<(usize, &str)> = statement
        .split_whitespace()
        .map(|word| word.trim_start_matches('('))
        .map(|word| (word.as_ptr() as usize - statement.as_ptr() as usize, word))
        .collect();
    for (at, (start, word)) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", |(_, word)| *word);
        let before = at.checked_sub(1).map_or("", |before| words[before].1);
        let deletes = *word == "delete" && next == "from";
        // Not `for update`, `on update`, `before update or delete`, `do update set`.
        let updates = *word == "update"
            && !["for", "on", "or", "before", "after", "do", "select,", "insert,"].contains(&before)
            && words[at + 1..].iter().any(|(_, word)| *word == "set");
        if (deletes || updates) && !words[at..].iter().any(|(_, word)| *word == "where") {
            return Some(&statement[*start..]);
        }
    }
    None
}

#[test]
fn no_update_or_delete_without_a_condition() {
    let mut broken = Vec::new();
    for (file, text) in files("src", "sql") {
        for statement in statements(&text) {
            if let Some(part) = changes_every_row(&statement) {
                broken.push(format!("{file}: {}", part.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
        }
    }
    report(&broken, "every update and delete names its rows");
}

#[test]
fn the_condition_rule_sees_what_it_should() {
    let cases = [
        ("update t set a = 1", true),
        ("update t set a = 1 where id = 2", false),
        ("with gone as (delete from t returning id) select 1", true),
        ("delete from t where id = 2", false),
        ("select id from t for update", false),
        ("insert into t values (1) on conflict do update set a = 1", false),
        ("create trigger x before update on t execute function f()", false),
        ("do $$ begin update t set a = 1", true),
    ];
    for (statement, expected) in cases {
        assert_eq!(changes_every_row(statement).is_some(), expected, "{statement}");
    }
}
