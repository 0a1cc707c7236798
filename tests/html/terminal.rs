//! The summary on the terminal.

use std::path::Path;

use reckon::domain::Class;
use reckon::report::terminal::{Written, render};
use unicode_width::UnicodeWidthStr as _;

use super::fixture::{Fixture, finding, one_of_each_class};

fn shown(fixture: &Fixture, color: bool) -> String {
    render(&fixture.model(), Written { folder: Path::new("reports/demo"), files: &[] }, 80, color)
}

#[test]
fn every_line_fits_eighty_columns_however_large_the_numbers() {
    let mut fixture = Fixture::new(one_of_each_class());
    for finding in &mut fixture.audit.findings {
        finding.cause = "a cause with a very long name that nobody can read in one line".into();
        finding.tokens_effect = Some(i128::MAX / 100);
    }
    fixture.warnings = vec!["A long warning, in words that have to be broken somewhere: ".repeat(4)];
    for line in shown(&fixture, false).lines() {
        assert!(line.width() <= 80, "{} columns: {line}", line.width());
        assert_eq!(line, line.trim_end());
    }
}

#[test]
fn colours_stand_only_where_they_are_asked_for() {
    let fixture = Fixture::new(one_of_each_class());
    assert!(shown(&fixture, true).contains('\x1b'));
    assert!(!shown(&fixture, false).contains('\x1b'));
}

#[test]
fn text_from_the_tables_cannot_steer_the_terminal() {
    let mut hostile = finding(0, Class::TimeMismatch);
    hostile.cause = "\x1b[2Jgone\u{9b}\n".into();
    let mut fixture = Fixture::new(vec![hostile]);
    fixture.warnings = vec!["\x1b]0;title\x07".to_owned()];
    let text = shown(&fixture, false);
    assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()), "{text:?}");
}

#[test]
fn the_summary_names_verdict_totals_findings_and_the_next_step() {
    let clean = shown(&Fixture::new(Vec::new()), false);
    assert!(clean.starts_with("✓ CLEAN  as of 2026-03-01 09:30:00 UTC\n"), "{clean}");
    let text = shown(&Fixture::new(one_of_each_class()), false);
    assert!(text.starts_with("✗ DISCREPANCIES"), "{text}");
    for part in
        ["legacy tokens", "ties out", "exact", "✗ unmigrated", "+100,000", "reports/demo", "backfill.sql"]
    {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}
