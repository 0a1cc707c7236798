use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::*;
use crate::audit::{Audit, Conservation, Dispositions, SideConservation};
use crate::domain::{
    ActionNo, Books, Class, Confidence, Differences, Disposition, Entry, FindingId, Kind, Ledger, Marks,
    Outcome, Pair, Population, PopulationClass, RepairKind, Roster, RowPlace, Rule, Severity, Side, Span,
    Status, Total, UserNo, Verdict,
};

fn finding(id: &str) -> Finding {
    Finding {
        id: FindingId(id.to_owned()),
        class: Class::Unmigrated,
        severity: Severity::Error,
        user: None,
        legacy_ids: Default::default(),
        unified_ids: Default::default(),
        action_legacy: None,
        action_expected: None,
        action_unified: None,
        tokens_legacy: None,
        tokens_unified: None,
        tokens_effect: None,
        created_at_legacy: None,
        created_at_unified: None,
        lag: None,
        rule: Rule::None,
        verdict: Verdict::Forced,
        confidence: Confidence::Low,
        cause: "".into(),
        evidence: String::new(),
        repair: RepairKind::Backfill,
        status: Status::New,
        legacy_rows: Default::default(),
        unified_rows: Default::default(),
    }
}

fn read(bytes: Vec<u8>) -> RecordBatch {
    let mut folder = tempfile::tempfile().unwrap();
    folder.write_all(&bytes).unwrap();
    ParquetRecordBatchReader::try_new(folder, 1000).unwrap().next().unwrap().unwrap()
}

/// One row as text; `~` for null.
fn shown(batch: &RecordBatch, row: usize) -> Vec<String> {
    let value = |array: &ArrayRef| {
        if array.is_null(row) {
            return "~".to_owned();
        }
        match array.data_type() {
            DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
                format!("{} {zone}", array.as_primitive::<TimestampMicrosecondType>().value(row))
            }
            _ => array.as_primitive::<Decimal128Type>().value_as_string(row),
        }
    };
    batch.columns().iter().map(value).collect()
}

#[test]
fn findings_have_the_columns_of_the_csv_and_their_types() {
    let full = Finding {
        user: Some(RowId::parse("u1")),
        legacy_ids: vec![RowId::parse("l1"), RowId::parse("l2")].into(),
        unified_ids: vec![RowId::parse("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")].into(),
        action_legacy: Some("grant/admin".to_owned()),
        action_expected: Some("admin_grant".to_owned()),
        action_unified: Some("trial_grant".to_owned()),
        tokens_legacy: Some(1 << 70),
        tokens_unified: Some(0),
        tokens_effect: Some(-5),
        created_at_legacy: Some(Instant(-1)),
        created_at_unified: Some(Instant(1_772_357_400_000_001)),
        lag: Some(Span(-250)),
        cause: "replay".into(),
        evidence: "a=1; b=\"2\"".to_owned(),
        ..finding("00112233aabbccdd")
    };
    let batch = read(findings(&[full, finding("ffff")], Vec::new()).unwrap());
    let names: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, FINDING_COLUMNS);
    let expected = [
        "00112233aabbccdd",
        "unmigrated",
        "error",
        "u1",
        "l1;l2",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "grant/admin",
        "admin_grant",
        "trial_grant",
        "1180591620717411303424",
        "0",
        "-5",
        "-1 UTC",
        "1772357400000001 UTC",
        "-0.000250",
        "none",
        "forced",
        "low",
        "replay",
        "a=1; b=\"2\"",
        "backfill",
        "new",
    ];
    assert_eq!(shown(&batch, 0), expected);
    let bare = [
        "ffff",
        "unmigrated",
        "error",
        "~",
        "~",
        "~",
        "~",
        "~",
        "~",
        "~",
        "~",
        "~",
        "~",
        "~",
        "~",
        "none",
        "forced",
        "low",
        "~",
        "~",
        "backfill",
        "new",
    ];
    assert_eq!(shown(&batch, 1), bare);
}

fn ledger(side: Side, ids: &[&str]) -> Ledger {
    let entry = |id: &&str| Entry {
        id: RowId::parse(id),
        user: UserNo(0),
        label: 0,
        action: ActionNo(0),
        kind: Kind::Grant,
        tokens: 1,
        negative: false,
        minority_sign: false,
        at: Instant(0),
        references: Box::default(),
        paid: false,
        payments: None,
        link: None,
        migrated: false,
        expires_at: None,
        balance_after: None,
        succeeded: true,
        class: PopulationClass::Grants,
    };
    Ledger {
        side,
        entries: ids.iter().map(entry).collect(),
        bystanders: Vec::new(),
        rejected: Vec::new(),
        labels: Vec::new(),
        folded: Total::default(),
        control: Total::default(),
        population: Population::default(),
        has_wall_times: false,
        signs: Vec::new(),
        unreadable_balances: 0,
        unreadable_ends: Vec::new(),
        any: Marks::default(),
    }
}

fn books() -> Books {
    Books {
        roster: Roster::default(),
        actions: Vec::new(),
        references: Vec::new(),
        legacy: ledger(Side::Legacy, &["L0", "L1"]),
        unified: ledger(Side::Unified, &["U0", "U1"]),
        usage: Vec::new(),
        usage_by_day: Vec::new(),
        settled: Default::default(),
        as_of: Instant(0),
    }
}

fn audit(rows: Vec<Disposition>) -> Audit {
    let differs = Differences::default();
    let side = SideConservation { rows_in: 0, rows_out: 0, tokens_in: 0, tokens_out: 0 };
    Audit {
        findings: vec![finding("f0"), finding("f1")],
        pairs: vec![Pair { legacy: 1, unified: 1, rule: Rule::Exact, differs, verdict: Verdict::Forced }],
        pair_totals: Vec::new(),
        dispositions: Dispositions::new(rows, Default::default()),
        outcomes: Default::default(),
        legacy_population: Population::default(),
        unified_population: Population::default(),
        conservation: Conservation { legacy: side, unified: side, holds: true },
        contradicted: None,
    }
}

fn row(side: Side, at: u32, outcome: Outcome, pair: Option<u32>, finding: Option<u32>) -> Disposition {
    Disposition { side, row: RowPlace::Entry(at), outcome, pair, finding }
}

#[test]
fn every_disposition_is_a_row_with_its_pair_and_its_finding() {
    let rows = vec![
        row(Side::Legacy, 0, Outcome::Finding(Class::Unmigrated), None, Some(1)),
        row(Side::Legacy, 1, Outcome::Paired, Some(0), None),
        row(Side::Unified, 0, Outcome::UnifiedOnly, None, None),
        row(Side::Unified, 1, Outcome::Paired, Some(0), None),
    ];
    let batch = read(dispositions(&audit(rows), &books(), None, Vec::new()).unwrap());
    let names: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["side", "row_id", "disposition", "pair_id", "finding_id"]);
    // printf 'pair\0L1\0U1' | sha256sum
    let expected = [
        ["legacy", "L0", "unmigrated", "~", "f1"],
        ["legacy", "L1", "paired", "PAIR", "~"],
        ["unified", "U0", "unified_only", "~", "~"],
        ["unified", "U1", "paired", "PAIR", "~"],
    ];
    for (at, expected) in expected.iter().enumerate() {
        assert_eq!(
            shown(&batch, at),
            expected.map(|text| text.replace("PAIR", "f062856f9c0ef9f9")),
            "row {at}"
        );
    }
}

#[test]
fn no_row_at_all_is_a_file_with_columns() {
    for bytes in [
        findings(&[], Vec::new()).unwrap(),
        dispositions(&audit(Vec::new()), &books(), None, Vec::new()).unwrap(),
    ] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        assert_eq!(ParquetRecordBatchReader::try_new(file, 10).unwrap().count(), 0);
    }
}

/// A writer of which only so much fits.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error() {
    for room in [0, 4, 100] {
        assert!(findings(&[finding("f")], Full(room)).is_err(), "{room} bytes");
    }
}

#[test]
fn rows_keep_their_order_over_row_groups_and_equal_rows_give_equal_bytes() {
    let rows = 300_000;
    let mut books = books();
    let entry = books.legacy.entries[0].clone();
    let id = |at: u32| RowId::parse(&format!("00000000-0000-4000-8000-{at:012x}"));
    books.legacy.entries = (0..rows).map(|at| Entry { id: id(at), ..entry.clone() }).collect();
    let audit = audit((0..rows).map(|at| row(Side::Legacy, at, Outcome::Paired, None, None)).collect());
    let write = || dispositions(&audit, &books, None, Vec::new()).unwrap();
    let bytes = write();
    assert!(bytes == write(), "the bytes depend on the rows alone");
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let mut at = 0;
    for batch in ParquetRecordBatchReader::try_new(file, 10_000).unwrap() {
        let batch = batch.unwrap();
        for text in batch.column(1).as_string::<i32>() {
            assert_eq!(text, Some(id(at).to_string().as_str()));
            at += 1;
        }
    }
    assert_eq!(at, rows);
}
