//! The files for machines: CSV, JSON, OpenMetrics, manifest.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use reckon::domain::{Class, Instant, RowId, Status};
use reckon::report::{Place, Previous, Run, Staging, dispositions, write};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fixture::{AS_OF, Fixture, finding, one_of_each_class, resolved, uuid};

/// Writes the run into a folder; gives back file name → bytes.
pub fn written(fixture: &Fixture, host: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let model = fixture.model();
    let staging = Staging::begin(Place::Exact(folder.path().join("out"))).unwrap();
    let run = Run { started: Instant(0), host: host.to_owned(), snapshot_held: None, activity: None };
    let listed = dispositions(&fixture.audit, &fixture.books, None, &staging).unwrap();
    write(&model, &run, None, &[], listed, &staging).unwrap();
    read_folder(&staging.commit(model.as_of, &model.run_id).unwrap())
}

fn read_folder(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

fn json(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Value {
    serde_json::from_slice(&files[name]).unwrap()
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

#[test]
fn the_manifest_lists_every_other_file_with_its_true_digest_and_size() {
    let files = written(&Fixture::new(one_of_each_class()), "here");
    let manifest = json(&files, "manifest.json");
    let listed: Vec<&str> =
        manifest["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    let others: Vec<&str> =
        files.keys().map(String::as_str).filter(|name| *name != "manifest.json").collect();
    assert_eq!(listed, others, "sorted by name, all but itself");
    for file in manifest["files"].as_array().unwrap() {
        let bytes = &files[file["name"].as_str().unwrap()];
        let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(file["sha256"], digest, "{file}");
        assert_eq!(file["bytes"], bytes.len(), "{file}");
    }
    assert_eq!(manifest["run"]["host"], "here");
    assert_eq!(manifest["previous"], Value::Null);
    assert_eq!(manifest["inputs"][0]["files"][0]["sha256"], "a1".repeat(32));
}

#[test]
fn two_runs_over_the_same_data_differ_only_in_the_run_part() {
    let fixture = Fixture::new(one_of_each_class());
    let (mut here, mut there) = (written(&fixture, "here"), written(&fixture, "there"));
    let manifests = [here.remove("manifest.json"), there.remove("manifest.json")].map(|bytes| {
        let mut manifest: Value = serde_json::from_slice(&bytes.unwrap()).unwrap();
        manifest["run"] = Value::Null;
        manifest
    });
    assert_eq!(manifests[0], manifests[1]);
    assert!(here == there, "all other files are the same bytes");
}

#[test]
fn the_summary_has_the_keys_of_the_contract_in_its_order() {
    let files = written(&Fixture::new(one_of_each_class()), "here");
    let text = text(&files, "summary.json");
    let top: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("  \""))
        .map(|line| line.trim().split('"').nth(1).unwrap())
        .collect();
    let contract = [
        "schema",
        "verdict",
        "exit_code",
        "as_of",
        "source",
        "population",
        "pairs",
        "findings",
        "causes",
        "balances",
        "conservation",
        "history",
    ];
    assert_eq!(&top[..12], contract);
    let summary = json(&files, "summary.json");
    assert_eq!(summary["verdict"], "discrepancies");
    assert_eq!(summary["exit_code"], 1);
    assert_eq!(summary["as_of"], "2026-03-01T09:30:00.000000Z");
    for class in Class::ALL {
        assert_eq!(summary["findings"][class.name()]["count"], 1, "{}", class.name());
    }
    assert_eq!(summary["findings"]["unmigrated"]["tokens_effect"], 100_000);
    assert_eq!(summary["pairs"]["near"]["rows"], 900);
    assert_eq!(summary["causes"].as_array().unwrap().len(), 1, "findings without a cause are left out");
    assert_eq!(summary["causes"][0]["cause"], "constant_lag");
    assert_eq!(summary["balances"]["gap_tokens"], 432_878);
    assert_eq!(summary["balances"]["users_with_gap"], 1);
    assert_eq!(summary["history"]["previous"], Value::Null);
}

#[test]
fn without_findings_that_block_the_run_is_clean() {
    let mut waived = finding(0, Class::Unmigrated);
    waived.status = Status::Waived;
    let cases = [
        ("no findings", Vec::new(), "clean"),
        ("a warning", vec![finding(0, Class::TimeMismatch)], "clean"),
        ("a waived error", vec![waived], "clean"),
        ("an error", vec![finding(0, Class::Unmigrated)], "discrepancies"),
    ];
    for (name, findings, expected) in cases {
        let summary = json(&written(&Fixture::new(findings), "here"), "summary.json");
        assert_eq!(summary["verdict"], expected, "{name}");
        let all_classes = summary["findings"].as_object().unwrap().len();
        assert_eq!(all_classes, Class::ALL.len(), "{name}: classes without findings are listed too");
    }
}

#[test]
fn without_stored_balances_what_needs_them_is_empty_and_not_zero() {
    let mut fixture = Fixture::new(Vec::new());
    fixture.balances.stored_known = false;
    for user in &mut fixture.balances.users {
        (user.stored, user.gap, user.unexplained, user.explanation) = (None, None, None, None);
    }
    let files = written(&fixture, "here");
    let summary = json(&files, "summary.json");
    for key in ["users_with_gap", "gap_tokens", "unexplained_tokens"] {
        assert_eq!(summary["balances"][key], Value::Null, "{key}");
    }
    let csv = text(&files, "balances.csv");
    let row = csv.lines().nth(1).unwrap();
    assert!(row.ends_with(&",".repeat(18)), "stored and what follows: {row}");
    assert!(!text(&files, "metrics.prom").contains("reckon_gap_tokens"));
}

#[test]
fn the_csv_files_have_the_columns_of_the_contract() {
    let mut fixture = Fixture::new(vec![finding(0, Class::AmountMismatch)]);
    fixture.audit.findings[0].legacy_ids.push(uuid("eeee", 7));
    let files = written(&fixture, "here");
    let findings = text(&files, "findings.csv");
    let mut lines = findings.lines();
    assert_eq!(
        lines.next().unwrap(),
        "finding_id,class,severity,user_id,legacy_ids,unified_ids,action_legacy,action_expected,\
         action_unified,tokens_legacy,tokens_unified,tokens_effect,created_at_legacy,created_at_unified,\
         lag_seconds,rule,verdict,confidence,cause,evidence,repair,status"
    );
    assert_eq!(
        lines.next().unwrap(),
        "0000000000000000,amount_mismatch,error,cafecafe-0000-4000-8000-000000000000,\
         aaaaaaaa-0000-4000-8000-000000000000;eeeeeeee-0000-4000-8000-000000000007,\
         bbbbbbbb-0000-4000-8000-000000000000,renewal_grant,subscription_grant,admin_grant,100000,99999,1,\
         2026-02-28T09:30:00.000000Z,2026-02-28T14:30:00.000000Z,18000.000000,mismatch,forced,medium,,\
         label=renewal_grant; reference=pi_123,update,new"
    );
    assert!(findings.ends_with("new\n") && !findings.contains('\r'));
    let balances = text(&files, "balances.csv");
    let mut lines = balances.lines();
    assert_eq!(
        lines.next().unwrap(),
        "user_id,granted,deducted,used,recomputed,corrected,stored,gap,cause_unmigrated,cause_duplicate,\
         cause_amount,cause_action,cause_other_user,cause_orphan,cause_deduction,cause_failed_usage,\
         cause_usage_not_deducted,cause_opening,cause_reset,cause_clamp,cause_expiry,cause_pool,\
         unexplained,explanation,detail,alternatives"
    );
    assert_eq!(
        lines.next().unwrap(),
        "cafecafe-0000-4000-8000-000000000000,600000,0,432778,167222,267222,600100,432878,\
         0,0,0,0,0,0,0,0,432778,100,0,0,0,0,0,unique,,"
    );
}

#[test]
fn cells_that_a_spreadsheet_would_run_are_made_harmless_and_numbers_are_left_alone() {
    let mut hostile = finding(0, Class::UnmigratedDeduction);
    hostile.action_legacy = Some("=HYPERLINK(\"http://x\",\"y\")".to_owned());
    hostile.evidence = "@SUM(A1)".to_owned();
    hostile.cause = "+1".into();
    hostile.user = Some(RowId::parse("-5"));
    hostile.legacy_ids = vec![RowId::parse("-2+3")].into();
    let files = written(&Fixture::new(vec![hostile]), "here");
    let mut reader = csv::Reader::from_reader(files["findings.csv"].as_slice());
    let row = reader.records().next().unwrap().unwrap();
    let cells = [(3, "-5"), (4, "'-2+3"), (6, "'=HYPERLINK(\"http://x\",\"y\")"), (11, "-2500"), (18, "'+1")];
    for (at, expected) in cells {
        assert_eq!(&row[at], expected);
    }
    assert_eq!(&row[19], "'@SUM(A1)");
}

#[test]
fn the_metrics_are_open_metrics() {
    let text = text(&written(&Fixture::new(one_of_each_class()), "here"), "metrics.prom");
    assert!(text.ends_with("# EOF\n"));
    let mut families = BTreeMap::<&str, &str>::new();
    let mut last = "";
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(families.insert(name, kind).is_none(), "{name} is declared twice");
            last = name;
        } else if !line.starts_with("# HELP ") {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(name, last, "samples stand below their family");
            assert!(name.starts_with("reckon_"), "{name}");
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        }
    }
    assert!(text.contains("reckon_findings{class=\"unmigrated\"} 1\n"));
    assert!(text.contains("reckon_population_rows{side=\"legacy\",class=\"grants\"} 9000\n"));
    assert!(text.contains("reckon_as_of_timestamp_seconds 1772357400.000000\n"));
}

#[test]
fn the_run_before_is_chained_and_its_resolved_findings_are_counted() {
    let mut open = finding(1, Class::Unmigrated);
    open.status = Status::Open;
    let mut fixture = Fixture::new(vec![finding(0, Class::Unmigrated), open]);
    fixture.previous = Some(Previous {
        name: "20260228T093000Z-00000000".to_owned(),
        manifest_digest: "ab".repeat(32),
        shrunk: Default::default(),
    });
    fixture.lifecycle = Some(resolved(4));
    let files = written(&fixture, "here");
    assert_eq!(json(&files, "manifest.json")["previous"], "ab".repeat(32));
    assert_eq!(
        json(&files, "summary.json")["history"],
        serde_json::json!({"previous": "20260228T093000Z-00000000", "new": 1, "open": 1, "resolved": 4, "reopened": 0, "changed": 0, "lapsed": 0, "shrunk": [], "users_gone": 0})
    );
    assert_eq!(AS_OF, fixture.model().as_of);
}

#[test]
fn a_run_that_follows_itself_gets_a_name_of_its_own() {
    let mut fixture = Fixture::new(one_of_each_class());
    let first = fixture.model().run_id;
    assert_eq!(first, Fixture::new(one_of_each_class()).model().run_id);
    assert_eq!(first.len(), 8);
    let previous = |digest: &str| {
        Some(Previous {
            name: "before".to_owned(),
            manifest_digest: digest.repeat(32),
            shrunk: Default::default(),
        })
    };
    fixture.previous = previous("ab");
    let second = fixture.model().run_id;
    fixture.previous = previous("cd");
    assert_ne!(first, second);
    assert_ne!(second, fixture.model().run_id);
    let other = Fixture::new(vec![finding(3, Class::Orphan)]);
    assert_ne!(first, other.model().run_id);
}
