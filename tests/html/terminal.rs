//! The summary on the terminal.

use std::path::Path;

use reckon::domain::{Class, Finding, RowId};
use reckon::report::terminal::{Written, render, render_news};
use unicode_width::UnicodeWidthStr as _;

use super::fixture::{Fixture, finding, one_of_each_class};

fn shown(fixture: &Fixture, color: bool) -> String {
    render(&fixture.model(), written(&|_| true), 80, color)
}

fn written(is_new_error: &dyn Fn(&Finding) -> bool) -> Written<'_> {
    Written { folder: Path::new("reports/demo"), files: &[], is_new_error }
}

#[test]
fn news_are_the_new_findings_and_nothing_else() {
    let mut fixture = Fixture::new(one_of_each_class());
    for finding in &mut fixture.audit.findings {
        finding.user = Some(RowId::parse(&"a user with a long name ".repeat(4)));
        finding.tokens_effect = Some(i128::from(i64::MIN));
    }
    let model = fixture.model();
    let (new, old) = (&model.findings[0], &model.findings[1]);
    let text = render_news(&model, written(&|finding| finding.id == new.id), 80, false);
    assert!(text.contains(&*new.id.0) && text.contains("1 finding against a clean result"), "{text}");
    assert!(!text.contains(&*old.id.0) && !text.contains("Control totals"), "{text}");
    text.lines().for_each(|line| assert!(line.width() <= 80, "{} columns: {line}", line.width()));
    let none = render_news(&model, written(&|_| false), 80, false);
    assert!(none.contains("none against a clean result"), "{none}");
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
