//! The gate as a whole: the certificate in the run directory, and what it says at the terminal.

use std::process::Command;

use super::world::World;

#[test]
fn a_table_that_nobody_needs_may_go_and_the_certificate_is_part_of_the_run() {
    let world = World::new("go");
    world.reconcile();
    let gate = world.gate_with(&["--backup-acknowledged", "dump of tonight, read back by ops"]);
    gate.must_be_go();
    let names: Vec<&str> =
        gate.certificate["checks"].as_array().unwrap().iter().map(|c| c["check"].as_str().unwrap()).collect();
    let contract = "findings conservation balances clean_nights snapshot_age legacy_writes legacy_reads views \
                    foreign_keys triggers functions policies publications rules sequences inheritance defaults jobs \
                    writers constraint backup";
    assert_eq!(names.join(" "), contract);
    assert_eq!(gate.check("backup")["detail"], "acknowledged: dump of tonight, read back by ops");
    assert_eq!(
        (&gate.certificate["legacy"]["rows"], &gate.certificate["legacy"]["tokens"]),
        (&1.into(), &1000.into())
    );
    assert!(gate.certificate["snapshot"].is_string() && gate.certificate["lsn"].is_string());
    let at = |key: &str| {
        let text = gate.certificate[key].as_str().unwrap().to_owned();
        chrono::DateTime::parse_from_rfc3339(&text).unwrap()
    };
    assert_eq!((at("expires_at") - at("issued_at")).num_hours(), 24);

    let run = world.folder.path().join("gate");
    let manifest = std::fs::read_to_string(run.join("manifest.json")).unwrap();
    for file in ["cutover.json", "certificate.html", "report.html"] {
        assert!(run.join(file).is_file() && manifest.contains(&format!("\"{file}\"")), "{file}");
    }
    let verified = world.reckon(&["verify", "gate"]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
    let page = std::fs::read_to_string(run.join("certificate.html")).unwrap();
    for text in [">GO</h1>", "Valid for 1 d", "dump of tonight", "a.token_transactions"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn a_run_without_out_is_part_of_the_history() {
    let world = World::new("in_history");
    world.reconcile();
    let output = world.reckon(&["cutover"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let latest = world.folder.path().join("reports/latest");
    assert!(latest.join("cutover.json").is_file());
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(latest.join("manifest.json")).unwrap()).unwrap();
    assert!(manifest["previous"].is_string(), "it follows the night before");
    let [start, end] = ["start", "end"].map(|part| &manifest["run"]["activity"][part][0]);
    assert_eq!(start["table"], "a.token_transactions");
    // Its own reads are by place, which is not counted.
    assert!(start["seq_scan"].is_i64());
    assert_eq!(start["seq_scan"], end["seq_scan"]);
    // Nothing but its own reads happened, so a gate right after it is open again.
    world.gate().must_be_go();
}

#[test]
fn the_terminal_says_the_verdict_the_reasons_and_what_to_do_in_80_columns() {
    let world = World::new("terminal");
    world.db.sql("create view public.v_grants as select user_id from a.token_transactions");
    world.reconcile();
    let output = world.reckon(&["cutover", "--out", "gate"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("✗ NO-GO"), "{said}");
    for text in ["view public.v_grants", "✗ views", "✓ findings", "Do not drop the table", "certificate.html"]
    {
        assert!(said.contains(text), "{text}: {said}");
    }
    let wide: Vec<&str> = said.lines().filter(|line| line.chars().count() > 80).collect();
    assert_eq!(wide, Vec::<&str>::new());
    let page = std::fs::read_to_string(world.folder.path().join("gate/certificate.html")).unwrap();
    assert!(page.contains(">NO-GO</h1>") && page.contains("public.v_grants"));
}

const LEGACY: &str = "id,user_id,action_type,tokens_used,created_at\n1,7,grant,100,2025-01-05T08:00:00Z\n";

/// The same columns on both sides, in files.
const FILES: &str = r#"
[legacy]
path = "legacy.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
sign = "by_action"
[legacy.actions]
grant = "grant"
[unified]
path = "unified.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
grants = ["grant"]
[cutover]
clean_nights = 0
"#;

#[test]
fn from_files_nothing_about_the_database_is_taken_for_granted() {
    let folder = tempfile::tempdir().unwrap();
    let unified = LEGACY.replace("\n1,", "\n51,");
    for (name, text) in [("legacy.csv", LEGACY), ("unified.csv", &unified), ("reckon.toml", FILES)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let run = |config: &str| {
        std::fs::write(folder.path().join("reckon.toml"), config).unwrap();
        Command::new(env!("CARGO_BIN_EXE_reckon"))
            .current_dir(folder.path())
            .env_remove("DATABASE_URL")
            .args(["cutover", "--format", "json", "--out", "gate"])
            .output()
            .unwrap()
    };
    let output = run(FILES);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let certificate: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = certificate["checks"].as_array().unwrap();
    for check in checks {
        let known = ["findings", "conservation", "clean_nights", "backup"]
            .contains(&check["check"].as_str().unwrap());
        let expected = if known { serde_json::Value::Bool(true) } else { "not_tested".into() };
        assert_eq!(check["ok"], expected, "{check}");
    }

    let output = run(&format!("as_of = \"2026-01-01T00:00:00Z\"\n{FILES}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("as_of") && said.contains("reckon.toml"), "{said}");
}

#[test]
fn a_run_that_is_interrupted_after_its_archive_says_that_this_stands() {
    let world = World::new("archived");
    let archive = world.folder.path().join("archive");
    // The signal has to come between the archive and the end of the run, which is no long time.
    for _ in 0..20 {
        let _ = std::fs::remove_dir_all(&archive);
        let mut program = world.start(&["cutover", "--archive", "archive"]);
        while !archive.exists() && program.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        let pid = rustix::process::Pid::from_child(&program);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let output = program.wait_with_output().unwrap();
        if output.status.code() == Some(130) {
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(
                said.contains("interrupted; the archive ") && said.contains("archive stands whole; "),
                "{said}"
            );
            return;
        }
    }
    panic!("no run was interrupted");
}
