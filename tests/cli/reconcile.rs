//! The main job as cron and a person meet it: places, history, interruptions.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{code, reckon, root, run, stderr, stdout};

const FILES: [&str; 5] = ["legacy.csv", "unified.csv", "reckon.toml", "profiles.csv", "README.md"];

/// A copy of a case of the catalogue.
fn case(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in FILES {
        let from = root().join("fixtures/cases").join(name).join(file);
        if from.exists() {
            std::fs::copy(from, folder.path().join(file)).unwrap();
        }
    }
    folder
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

/// Every file that the manifest lists is there with its digest, and no other.
fn assert_whole(folder: &Path) {
    let files = files(folder);
    let manifest: serde_json::Value = serde_json::from_slice(&files["manifest.json"]).unwrap();
    let listed = manifest["files"].as_array().unwrap();
    assert_eq!(listed.len() + 1, files.len(), "{folder:?}");
    for file in listed {
        let bytes = &files[file["name"].as_str().unwrap()];
        let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(file["sha256"], digest, "{file}");
    }
}

#[test]
fn nothing_is_found_in_a_table_without_rows_but_not_in_silence() {
    let folder = case("30-failed-operations");
    let mut expected: Vec<String> = Vec::new();
    for (file, what) in [
        ("profiles.csv", "no balance is stored"),
        ("legacy.csv", "the legacy table holds no row"),
        ("unified.csv", "the unified table holds no row"),
    ] {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{}\n", text.lines().next().unwrap())).unwrap();
        expected.push(format!("{what}: make sure that the right table or file was read"));
        let output = run(folder.path(), &["reconcile", "--out", "out"]);
        assert_eq!(code(&output), 0, "{file}: {}", stderr(&output));
        let summary = std::fs::read(folder.path().join("out/summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
        // No grant of this ledger has a link or a mark, which is another warning.
        let told = summary["warnings"].as_array().unwrap().iter().map(|warning| warning.as_str().unwrap());
        let told: Vec<&str> = told.filter(|told| !told.starts_with("no unified grant")).collect();
        assert_eq!(told, expected, "{file}");
    }
}

#[test]
fn users_whose_balance_is_compared_with_nothing_are_counted() {
    let folder = case("30-failed-operations");
    let told = |count: &str| {
        vec![format!(
            "{count} of 2 users with rows have no stored balance (or an empty one), so no gap can show there: \
             make sure that the right table or file was read, whole"
        )]
    };
    let cases = [
        ("ada,236000\nben,240000", vec![]),
        ("ada,236000\nben,240000\ncat,", vec![]),
        ("ada,236000", told("1")),
        ("ada,236000\nben,", told("1")),
        ("ada,\nben,", told("2")),
        ("cat,5", told("2")),
    ];
    for (rows, expected) in cases {
        let stored = format!("user_id,vibe_assistant_tokens_remaining\n{rows}\n");
        std::fs::write(folder.path().join("profiles.csv"), stored).unwrap();
        for memory in [&[][..], &["--memory", "170MiB"]] {
            let output = run(folder.path(), &[&["reconcile", "--out", "out"], memory].concat());
            assert!(code(&output) < 2, "{rows}: {}", stderr(&output));
            let summary = std::fs::read(folder.path().join("out/summary.json")).unwrap();
            let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
            let warnings = summary["warnings"].as_array().unwrap().iter().filter_map(|one| one.as_str());
            let found: Vec<&str> = warnings.filter(|one| one.contains("users with rows")).collect();
            assert_eq!(found, expected, "{rows} {memory:?}");
            let shown = expected.iter().all(|warning| stdout(&output).contains(&warning[..40]));
            assert!(shown, "{rows}: {}", stdout(&output));
        }
    }
}

#[test]
fn columns_that_hold_nothing_are_told() {
    let folder = case("07-never-migrated");
    let path = folder.path().join("unified.csv");
    let text = std::fs::read_to_string(&path).unwrap();
    let warnings = || {
        let output = run(folder.path(), &["reconcile", "--out", "out"]);
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        let summary = std::fs::read(folder.path().join("out/summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
        let warnings = summary["warnings"].as_array().unwrap().iter().map(ToString::to_string);
        warnings.filter(|warning| warning.contains("no unified grant")).collect::<Vec<_>>()
    };
    assert_eq!(warnings(), [""; 0]);
    // A program that wrote texts with JSON in them where JSON was meant.
    let twice = |line: &str| {
        let (before, rest) = line.split_once(",\"{").unwrap();
        let (object, after) = rest.split_once("}\"").unwrap();
        let object = object.replace("\"\"", "\\\"\"");
        format!("{before},\"\"\"{{{object}}}\"\"\"{after}")
    };
    let lines: Vec<String> =
        text.lines().map(|line| if line.contains("\"{") { twice(line) } else { line.to_owned() }).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let told = warnings();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("no unified grant or deduction has a link (metadata.legacy_id)"), "{told:?}");
    assert!(told[1].contains("has a mark of its migration (metadata.migrated_from)"), "{told:?}");
}

#[test]
fn a_file_that_is_read_twice_is_told() {
    let folder = case("30-failed-operations");
    let path = |name: &str| folder.path().join(name);
    let config = std::fs::read_to_string(path("reckon.toml")).unwrap();
    std::fs::write(path("reckon.toml"), config.replace("\"unified.csv\"", "\"unified*.csv\"")).unwrap();
    let header = "id,user_id,action_type,tokens_used,success,metadata,created_at";
    let use_alone = format!("{header}\nC1,ada,chat_conversation,900,true,{{}},2026-02-14T09:00:00Z\n");
    for (name, count) in [("unified-b.csv", 0), ("unified-c.csv", 1)] {
        std::fs::write(path(name), &use_alone).unwrap();
        let output = run(folder.path(), &["reconcile", "--out", "out"]);
        assert!(matches!(code(&output), 0 | 1), "{}", stderr(&output));
        let summary = std::fs::read(path("out/summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
        let warnings = summary["warnings"].as_array().unwrap().iter();
        let expected = "unified-b.csv and unified-c.csv are the same to the byte";
        let told = warnings.filter(|warning| warning.as_str().unwrap().starts_with(expected)).count();
        assert_eq!(told, count, "{name}");
    }
}

/// How many warnings of a run that finds something begin so.
fn warned(folder: &Path, beginning: &str) -> usize {
    let output = run(folder, &["reconcile", "--out", "out"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let summary = std::fs::read(folder.join("out/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&summary).unwrap();
    let warnings = summary["warnings"].as_array().unwrap().iter();
    warnings.filter(|warning| warning.as_str().unwrap().starts_with(beginning)).count()
}

#[test]
fn a_reference_that_names_no_single_grant_is_told() {
    let told = "missing rows whose reference stands on other rows of their user too, which were copied: ";
    let folder = case("12-reference-of-a-customer");
    assert_eq!(warned(folder.path(), &format!("{told}4, L3 among them; ")), 1);
    assert_eq!(warned(case("12-webhook-replayed").path(), told), 0);
}

#[test]
fn pairs_with_other_payments_and_grants_with_a_minus_are_told() {
    let folder = case("12-another-payment-in-its-place");
    let path = folder.path().join("unified.csv");
    let warned = |beginning: &str| warned(folder.path(), beginning);
    let pairs = "pairs that look alike but carry different payments, or a link to another row: 2, the first \
                 of them L2 and U2;";
    let minus = "unified grants stored as negative amounts: 1;";
    assert_eq!((warned(pairs), warned(minus)), (1, 0));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(",300000,true", ",-300000,true")).unwrap();
    assert_eq!((warned(pairs), warned(minus)), (1, 1));
}

#[test]
fn a_complete_run_is_exchanged_and_anything_else_is_left_alone() {
    let folder = case("07-never-migrated");
    let out = folder.path().join("out");
    let first = run(folder.path(), &["reconcile", "--out", "out"]);
    assert_eq!(code(&first), 1, "{}", stderr(&first));
    assert_whole(&out);
    let before = files(&out);
    let second = run(folder.path(), &["reconcile", "--out", "out"]);
    assert_eq!(code(&second), 1, "{}", stderr(&second));
    let after = files(&out);
    let same = |files: &BTreeMap<String, Vec<u8>>| {
        files
            .iter()
            .filter(|(name, _)| *name != "manifest.json")
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(same(&before), same(&after));

    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("thesis.txt"), "do not lose me").unwrap();
    let refused = run(folder.path(), &["reconcile", "--out", "other"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("other"), "{}", stderr(&refused));
    assert_eq!(files(&other).len(), 1);
}

#[test]
fn a_place_that_cannot_be_written_is_2_with_the_path() {
    let folder = case("07-never-migrated");
    let output = run(folder.path(), &["reconcile", "--out", "legacy.csv/out"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("legacy.csv"), "{}", stderr(&output));
}

#[test]
fn a_disk_that_is_full_is_2_and_nothing_half_written_stays() {
    let folder = case("07-never-migrated");
    // A limit on the size of files, its signal ignored, fails writes as a full disk does.
    let script = "trap '' XFSZ; ulimit -f 2; exec \"$RECKON\" reconcile --out out";
    let output = std::process::Command::new("bash")
        .args(["-c", script])
        .current_dir(folder.path())
        .env("RECKON", env!("CARGO_BIN_EXE_reckon"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("out"), "{}", stderr(&output));
    let left: Vec<_> =
        files_and_folders(folder.path()).into_iter().filter(|name| name.contains("out")).collect();
    assert_eq!(left, Vec::<String>::new());
}

fn files_and_folders(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn killed_at_any_moment_no_directory_looks_whole_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let config = root().join("fixtures/demo/reckon.toml");
    let mut whole = 0;
    for micros in (0..40).map(|step| step * 4_000) {
        let mut child = reckon(folder.path())
            .args(["reconcile", "--no-progress", "--out", "out", "--config"])
            .arg(&config)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(micros));
        let _ = child.kill();
        child.wait().unwrap();
        if out.exists() {
            assert_whole(&out);
            whole += 1;
            std::fs::remove_dir_all(&out).unwrap();
        }
    }
    // What the killed runs left behind is taken away by the next one.
    let output = run(folder.path(), &["reconcile", "--out", "out", "--config", config.to_str().unwrap()]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert_eq!(files_and_folders(folder.path()), ["out"], "{whole} runs were whole");
}

#[test]
fn the_reports_folder_keeps_a_history_and_says_what_is_new() {
    let folder = case("07-never-migrated");
    let first = run(folder.path(), &["reconcile", "--fail-on", "new"]);
    assert_eq!(code(&first), 1, "{}", stderr(&first));
    assert!(stdout(&first).contains("unmigrated"), "{}", stdout(&first));
    let latest = folder.path().join("reports/latest");
    assert_whole(&latest);
    let statuses = |column: &str| -> Vec<String> {
        let mut reader = csv::Reader::from_path(latest.join("findings.csv")).unwrap();
        let at = reader.headers().unwrap().iter().position(|header| header == column).unwrap();
        reader.records().map(|record| record.unwrap()[at].to_owned()).collect()
    };
    assert!(statuses("status").iter().all(|status| status == "new"));
    let before = statuses("finding_id");
    let first_digest: String =
        Sha256::digest(&files(&latest)["manifest.json"]).iter().map(|byte| format!("{byte:02x}")).collect();

    let second = run(folder.path(), &["reconcile", "--fail-on", "new", "-q"]);
    assert_eq!(code(&second), 0, "nothing is new: {}", stderr(&second));
    assert_eq!(stdout(&second), "");
    assert!(statuses("status").iter().all(|status| status == "open"));
    assert_eq!(statuses("finding_id"), before);

    // No run takes the place of another, and each names the digest of the one before.
    let runs = files_and_folders(&folder.path().join("reports"));
    assert_eq!(
        runs.iter().filter(|name| *name != "latest" && *name != ".reckon.lock").count(),
        2,
        "{runs:?}"
    );
    let chained: serde_json::Value = serde_json::from_slice(&files(&latest)["manifest.json"]).unwrap();
    assert_eq!(chained["previous"], first_digest.as_str());

    // The verdict in the files does not change with the flag.
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(latest.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["verdict"], "discrepancies");
    assert_eq!(summary["exit_code"], 1);
    let third = run(folder.path(), &["reconcile"]);
    assert_eq!(code(&third), 1, "any unwaived error fails by default");
}

#[test]
fn rows_that_stand_twice_are_refused_by_their_id() {
    let folder = case("07-never-migrated");
    let file = folder.path().join("legacy.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    let last = text.trim_end().lines().last().unwrap();
    std::fs::write(&file, format!("{text}{last}\n")).unwrap();
    let output = run(folder.path(), &["reconcile", "--out", "out"]);
    assert_eq!(code(&output), 2);
    let id = last.split(',').next().unwrap();
    assert!(stderr(&output).contains(id), "{}", stderr(&output));
    assert!(!folder.path().join("out").exists());
}

#[test]
fn shuffled_rows_and_other_thread_counts_give_the_same_bytes() {
    let demo = root().join("fixtures/demo");
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&demo).unwrap().map(|entry| entry.unwrap()) {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let mut runs = Vec::new();
    for threads in ["1", "3"] {
        let output = run(folder.path(), &["reconcile", "--out", "out", "--threads", threads]);
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        runs.push(files(&folder.path().join("out")));
        for name in ["token_transactions.csv", "token_usage.csv", "user_profiles.csv"] {
            let path = folder.path().join(name);
            let text = std::fs::read_to_string(&path).unwrap();
            let (header, body) = text.split_once('\n').unwrap();
            // No field of the demo holds a line break, so lines are rows.
            let mut lines: Vec<&str> = body.lines().collect();
            lines.sort_by_key(|line| Sha256::digest(line.as_bytes()));
            std::fs::write(&path, format!("{header}\n{}\n", lines.join("\n"))).unwrap();
        }
    }
    for (name, bytes) in &runs[0] {
        if name != "manifest.json" {
            assert!(*bytes == runs[1][name], "{name} depends on the order of rows or on threads");
        }
    }
}

#[test]
fn several_balances_of_one_user_are_refused_unless_they_are_to_be_summed() {
    let folder = case("17-plug-entry");
    let profiles = folder.path().join("profiles.csv");
    let text = std::fs::read_to_string(&profiles).unwrap();
    std::fs::write(&profiles, format!("{text}ada,7\n")).unwrap();
    let refused = run(folder.path(), &["reconcile", "--out", "out"]);
    assert_eq!(code(&refused), 2);
    let said = stderr(&refused);
    assert!(said.contains("ada") && said.contains("several_rows = \"sum\""), "{said}");

    let config = folder.path().join("reckon.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let summed = text.replace("balance = \"vibe", "several_rows = \"sum\", balance = \"vibe");
    assert_ne!(text, summed);
    std::fs::write(&config, summed).unwrap();
    let output = run(folder.path(), &["reconcile", "--out", "out"]);
    assert!(code(&output) < 2, "{}", stderr(&output));
    let balances = std::fs::read_to_string(folder.path().join("out/balances.csv")).unwrap();
    let stored = balances.lines().nth(1).unwrap().split(',').nth(6).unwrap();
    assert_eq!(stored, "600007");
}

#[test]
fn rows_of_the_other_sign_are_one_cause_whatever_their_amounts() {
    let folder = case("01-sign-fixed");
    let rows = "id,user_id,action_type,tokens_used,created_at,stripe_payment_intent_id\n\
                N5,ada,renewal_grant,-5,2026-02-10T09:00:00Z,\n\
                N7,ben,renewal_grant,-7,2026-02-11T09:00:00Z,\n";
    std::fs::write(folder.path().join("legacy.csv"), rows).unwrap();
    let output = run(folder.path(), &["reconcile", "--out", "out"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let read = |name: &str| std::fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    let findings = read("findings.csv");
    for tokens in [-5, -7] {
        let reason = format!("reason=tokens_used is below zero under sign = positive: {tokens}");
        assert!(findings.contains(&reason), "{findings}");
    }
    let summary: serde_json::Value = serde_json::from_str(&read("summary.json")).unwrap();
    let causes = summary["causes"].as_array().unwrap();
    let causes: Vec<_> = causes.iter().filter(|cause| cause["class"] == "rejected_row").collect();
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert_eq!(causes[0]["detail"], "2 rows: tokens_used is below zero under sign = positive");
    assert_eq!(causes[0]["rows"], 2);
}
