//! The result of the gate on the terminal: the verdict, the reasons, every check, what to do next.

use std::path::Path;

use crate::cutover::{Answer, Certificate, Check, Verdict};
use crate::report::figures::{grouped, length, moment};
use crate::report::page::{Page, Paint, printable};
use crate::source::postgres::dependencies::Certainty;

/// Objects of one check that are shown; cutover.json has them all.
const SHOWN: usize = 6;

/// Draws the result, `width` columns wide (between 60 and 80), with colours only if asked for.
pub fn render(certificate: &Certificate, folder: &Path, width: usize, color: bool) -> String {
    let mut page = Page::new(width, color);
    let (mark, word, paint) = match certificate.verdict {
        Verdict::Go => ("✓", "GO", Paint::Good),
        Verdict::NoGo => ("✗", "NO-GO", Paint::Bad),
    };
    page.put(&format!("{mark} {word}"), paint);
    page.put(&format!("  issued {}", moment(certificate.issued_at)), Paint::Faint);
    page.end();
    page.paragraph("  ", &printable(&certificate.sentence()), Paint::Plain);
    reasons(&mut page, certificate);
    checks(&mut page, certificate);
    for check in certificate.checks.iter() {
        if let Some(accepted) = &check.accepted {
            let text = format!("{} until {}: {}", accepted.owner, accepted.until, accepted.reason);
            page.paragraph(&format!("  {} accepted by ", check.check), &printable(&text), Paint::Faint);
        }
    }
    tables(&mut page, certificate);
    next(&mut page, certificate, folder);
    page.finish()
}

fn reasons(page: &mut Page, certificate: &Certificate) {
    for check in certificate.reasons() {
        page.end();
        let (word, paint) = word(check);
        page.put(&format!("  {}", check.check), Paint::Strong);
        page.put(&format!("  {word}"), paint);
        page.end();
        page.paragraph("    ", &printable(&check.detail), Paint::Plain);
        let weighty = check.evidence.iter().filter(|found| found.certainty != Certainty::Note);
        let weighty: Vec<_> = weighty.collect();
        for found in weighty.iter().take(SHOWN) {
            let sign = if found.certainty == Certainty::Possible { "?" } else { "·" };
            let name = format!("{} {}", found.kind, found.name);
            page.paragraph(&format!("    {sign} "), &printable(&name), Paint::Warn);
            page.paragraph("      ", &printable(&found.detail), Paint::Faint);
        }
        if weighty.len() > SHOWN {
            let more = format!("and {} more in cutover.json", weighty.len() - SHOWN);
            page.paragraph("      ", &more, Paint::Faint);
        }
    }
}

fn word(check: &Check) -> (&'static str, Paint) {
    match (check.ok, check.passes()) {
        (Answer::Ok, _) => ("ok", Paint::Good),
        (Answer::No, true) => ("no, accepted", Paint::Warn),
        (Answer::NotTested, true) => ("not tested, accepted", Paint::Warn),
        (Answer::No, false) => ("NO", Paint::Bad),
        (Answer::NotTested, false) => ("NOT TESTED", Paint::Bad),
    }
}

fn checks(page: &mut Page, certificate: &Certificate) {
    let passed = certificate.checks.iter().filter(|check| check.passes()).count();
    page.heading("Checks", &format!("{passed} of {} passed", certificate.checks.len()));
    let rows: Vec<_> = certificate
        .checks
        .iter()
        .map(|check| {
            let (word, paint) = word(check);
            let mark = if check.passes() { "✓" } else { "✗" };
            let cells = vec![
                format!("{mark} {}", check.check),
                word.to_owned(),
                super::question(check.check).to_owned(),
            ];
            (cells, paint)
        })
        .collect();
    page.table(&[("check", false), ("", false), ("what it asks", false)], &rows);
}

fn tables(page: &mut Page, certificate: &Certificate) {
    let snapshot = certificate.snapshot.as_deref().unwrap_or("none: files");
    page.heading("Certified", &format!("snapshot {snapshot}"));
    let rows: Vec<_> = [&certificate.legacy, &certificate.unified]
        .iter()
        .map(|table| {
            let cells = vec![
                printable(&table.name),
                grouped(i128::from(table.rows)),
                grouped(table.tokens),
                table.digest.clone().unwrap_or_default(),
            ];
            (cells, Paint::Plain)
        })
        .collect();
    page.table(&[("table", false), ("rows", true), ("tokens", true), ("digest", false)], &rows);
}

fn next(page: &mut Page, certificate: &Certificate, folder: &Path) {
    page.heading("Next", "");
    let text = match certificate.verdict {
        Verdict::Go => format!(
            "Valid for {}, until {}. Then: psql -v ON_ERROR_STOP=1 -f retire.sql, which forbids writes and renames; \
             run again after the hold it drops{}. unretire.sql takes the first two steps back.",
            length(certificate.valid_for),
            moment(certificate.expires_at),
            match certificate.archive {
                Some(_) => "",
                None => ", once `reckon cutover --archive DIR` has written the archive",
            }
        ),
        Verdict::NoGo if certificate.reasons().all(Check::can_be_accepted) => {
            "Look at each reason above; what a person has judged can be accepted by name, with owner, reason and \
             end (docs/cutover.md). Then run it again."
                .to_owned()
        }
        Verdict::NoGo => "Do what the reasons above ask for, and run it again. Do not drop the table.".to_owned(),
    };
    page.paragraph("  ", &text, Paint::Plain);
    page.paragraph("  ", &format!("{}", folder.join("certificate.html").display()), Paint::Plain);
}
