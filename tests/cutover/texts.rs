//! The files as a person reads them, for a certificate by hand.

use std::fs;
use std::path::Path;

use reckon::config::TableName;
use reckon::cutover::archive::{check_sql, restore_sql};
use reckon::cutover::retire::{self, ArchiveSeal, Sealed};
use reckon::domain::{Instant, Span};
use reckon::source::digest::{ShapeColumn, TableDigest};
use reckon::source::postgres::{ArchivedColumn, ArchivedTable, TableState};

use super::retire_world::{DAY, table};

/// 2026-11-28 12:00:00 UTC.
const NOON: i64 = 1_795_867_200_000_000;

fn state(table: TableName) -> TableState {
    TableState {
        table,
        oid: 16_384,
        digest: TableDigest { rows: 1_326, high: -88_172_645_463_325_252, low: 7_046_029_254_386_353_131 },
        shape: format!("sha256:{}", "5a".repeat(32)),
    }
}

fn sealed(archived: bool) -> Sealed {
    let state = state(table("public.token_transactions"));
    let archive =
        ArchiveSeal { digest: state.digest, shape: state.shape.clone(), csv_sha256: "c0".repeat(32) };
    Sealed {
        table: state.table,
        oid: state.oid,
        digest: state.digest,
        shape: state.shape,
        publications: vec!["it's all".to_owned()],
        archive: archived.then_some(archive),
        run_id: "5f0c2a9e".to_owned(),
        issued_at: Instant(NOON),
        expires_at: Instant(NOON + DAY),
        hold: Span(14 * DAY),
    }
}

fn assert_golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cutover/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    assert!(golden == text, "{name} is not tests/cutover/golden/{name}; UPDATE_GOLDEN=1 writes it:\n{text}");
}

#[test]
fn retire_and_unretire() {
    for file in retire::files(&sealed(true)) {
        assert_golden(file.name, &file.text);
    }
}

#[test]
fn without_an_archive_the_third_step_differs_only() {
    let [with, without] = [true, false].map(|archived| retire::files(&sealed(archived)));
    assert_eq!(with[1], without[1], "unretire.sql");
    let steps = |text: &str| text.split_once("\n-- Step 1 of 3").unwrap().1.to_owned();
    let (with, without) = (steps(&with[0].text), steps(&without[0].text));
    let (first, last) = without.split_once("\n-- Step 3 of 3").unwrap();
    assert!(with.starts_with(first));
    assert!(!last.contains("drop table") && last.contains("the certificate names no archive"), "{last}");
}

#[test]
fn a_no_go() {
    let reasons = ["views: public.grants_by_month reads it", "backup: not acknowledged"];
    assert_golden("no_go.sql", &retire::refused(&reasons.map(str::to_owned)).text);
}

#[test]
fn restore_and_check() {
    let column = |name: &str, of: &str| ArchivedColumn {
        shape: ShapeColumn { name: name.to_owned(), type_name: of.to_owned() },
        not_null: false,
        default: None,
        generated: None,
        identity: false,
        padded: false,
        needs_type: None,
    };
    let state = state(table("public.token_transactions"));
    let archived = ArchivedTable {
        columns: vec![
            ArchivedColumn {
                not_null: true,
                default: Some("gen_random_uuid()".to_owned()),
                ..column("id", "uuid")
            },
            ArchivedColumn { identity: true, not_null: true, ..column("no", "bigint") },
            ArchivedColumn {
                needs_type: Some(
                    "create type public.token_action_type as enum ('renewal_grant', 'chat');".to_owned(),
                ),
                ..column("action", "public.token_action_type")
            },
            ArchivedColumn { generated: Some("(tokens * 2)".to_owned()), ..column("user", "integer") },
        ],
        primary_key: vec!["id".to_owned()],
        state: state.clone(),
    };
    assert_golden("restore.sql", &restore_sql(&archived, "public.token_transactions.csv", Instant(NOON)));
    assert_golden("check.sql", &check_sql(&state.table, state.digest, &state.shape));
}
