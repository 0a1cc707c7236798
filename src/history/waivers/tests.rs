use super::*;
use crate::domain::{Class, Finding, RepairKind, Severity, Status};
use crate::history::{Certified, CertifiedCheck, ListedRun};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn message(text: &str) -> String {
    Waivers::parse(Path::new("waivers.toml"), text).expect_err("it is wrong").to_string()
}

/// An entry of a finding, its lines changed: `key` with another value, or without one where it is empty.
fn entry(changes: &[(&str, &str)]) -> String {
    let content = format!("\"{DIGEST}\"");
    let lines = [
        ("finding", "\"a63576177145a7dc\""),
        ("content", content.as_str()),
        ("reason", "\"known\""),
        ("owner", "\"ops\""),
        ("until", "2026-12-31"),
    ];
    let mut text = "[[waiver]]\n".to_owned();
    for (key, value) in lines {
        match changes.iter().find(|(changed, _)| *changed == key) {
            Some((_, "")) => {}
            Some((_, other)) => text.push_str(&format!("{key} = {other}\n")),
            None => text.push_str(&format!("{key} = {value}\n")),
        }
    }
    for (key, value) in changes.iter().filter(|(key, _)| !lines.iter().any(|(known, _)| known == key)) {
        text.push_str(&format!("{key} = {value}\n"));
    }
    text
}

#[test]
fn every_fault_is_named_with_its_place_and_the_way_out() {
    let check = |name: &str, more: &str| {
        let rest =
            format!("content = \"{DIGEST}\"\nreason = \"known\"\nowner = \"ops\"\nuntil = 2026-12-31\n");
        format!("[[waiver]]\ncheck = \"{name}\"\n{rest}{more}")
    };
    let twice = |changes: &[(&str, &str)]| format!("{}\n{}", entry(&[("max_tokens", "5")]), entry(changes));
    let cases = [
        ("[waiver]\nfinding = \"x\"\n".to_owned(), "1:1", "in two brackets, as in [[waiver]]"),
        (entry(&[("finding", "\"x\"")]), "2:11", "\"x\" is no id of a finding"),
        (entry(&[("finding", "\"A63576177145A7DC\"")]), "2:11", "is no id of a finding"),
        (entry(&[("finding", "")]), "1:1", "needs `finding`"),
        (entry(&[("content", "")]), "1:1", "needs `content`"),
        (entry(&[("content", "\"sha256:12\"")]), "3:11", "is no digest"),
        (entry(&[("reason", "")]), "1:1", "needs `reason`"),
        (entry(&[("reason", "\"  \"")]), "4:10", "reason is empty"),
        (entry(&[("owner", "\"\"")]), "5:9", "owner is empty"),
        (entry(&[("owner", "")]), "1:1", "needs `owner`"),
        (entry(&[("until", "")]), "1:1", "needs `until`"),
        (entry(&[("until", "2026-02-30")]), "6:9", ""),
        (entry(&[("until", "\"31.12.2026\"")]), "6:9", "31.12.2026 is no day"),
        (entry(&[("until", "\"2026-1-1\"")]), "6:9", "2026-1-1 is no day"),
        (entry(&[("until", "2026-12-31T00:00:00Z")]), "6:9", "is no day"),
        (entry(&[("until", "7")]), "6:9", "7 is no day"),
        (entry(&[("max_tokens", "-1")]), "7:14", "-1 is below zero"),
        (entry(&[("max_tokens", "1.5")]), "7:14", "a whole number"),
        (entry(&[("check", "\"backup\"")]), "7:9", "stands beside finding"),
        (entry(&[("untill", "2026-12-31")]), "7:1", "the nearest known key is `until`"),
        (check("legacy_read", ""), "2:9", "the nearest is \"legacy_reads\""),
        (check("backup", "max_tokens = 1\n"), "7:14", "max_tokens belongs to a finding"),
        (check("backup", "").replace(DIGEST, "x"), "3:11", "\"x\" is no digest"),
        (check("backup", "").replace("content = ", "# "), "1:1", "the finding or the check said"),
        (twice(&[("max_tokens", "5")]), "9:1", "does not: remove one"),
        (twice(&[("max_tokens", "4")]), "9:1", "the one of line 1"),
        ("[waiver]\n".to_owned(), "1:", ""),
        ("[[waivers]]\n".to_owned(), "1:3", "`waiver`"),
        ("[[waiver]\n".to_owned(), "1:", ""),
    ];
    for (text, place, expected) in cases {
        let message = message(&text);
        assert!(message.starts_with(&format!("waivers.toml:{place}")), "{message}\n{text}");
        assert!(message.contains(expected), "{message}\n{text}");
    }
}

#[test]
fn an_entry_that_goes_on_from_another_is_no_repetition() {
    let first = entry(&[("max_tokens", "5")]);
    let other = DIGEST.replace('0', "1");
    let later: [&[(&str, &str)]; 4] = [
        &[("until", "2027-01-01"), ("max_tokens", "5")],
        &[("content", &format!("\"{other}\"")), ("max_tokens", "5")],
        &[("max_tokens", "6")],
        &[],
    ];
    for changes in later {
        let text = format!("{first}\n{}", entry(changes));
        assert_eq!(Waivers::parse(Path::new("w"), &text).map(|waivers| waivers.entries.len()).ok(), Some(2));
    }
    assert_eq!(Waivers::parse(Path::new("w"), "").map(|waivers| waivers.entries.len()).ok(), Some(0));
}

fn day(text: &str) -> Instant {
    let at = chrono::DateTime::parse_from_rfc3339(text).expect("an instant");
    Instant(at.timestamp_micros())
}

fn finding() -> Finding {
    let mut finding = Finding::new(Class::Unmigrated, Severity::Error, RepairKind::Backfill);
    finding.id = FindingId("a63576177145a7dc".to_owned());
    finding.tokens_effect = Some(-5_000);
    finding
}

#[test]
fn a_waiver_holds_to_the_end_of_its_last_day_for_what_was_accepted_and_no_more() {
    use WaiverState::{InForce, LapsedAmount, LapsedContent, LapsedDate, Unmatched};
    let noon = "2026-12-30T12:00:00Z";
    type Case<'a> = (&'a str, &'a str, fn(&mut Finding), WaiverState, i64);
    let cases: [Case<'_>; 12] = [
        (noon, "", |_| (), InForce, 1),
        ("2026-12-31T23:59:59.999999Z", "", |_| (), InForce, 0),
        ("2027-01-01T00:00:00Z", "", |_| (), LapsedDate, -1),
        ("1969-12-31T23:59:59Z", "", |_| (), InForce, 20_819),
        (noon, "", |finding| finding.tokens_effect = Some(-5_001), LapsedContent, 1),
        (noon, "", |finding| finding.status = Status::Open, InForce, 1),
        (noon, "", |finding| finding.evidence = "seen".to_owned(), InForce, 1),
        (noon, "", |finding| finding.id.0 = "b63576177145a7dc".to_owned(), Unmatched, 1),
        ("2027-01-01T00:00:00Z", "", |finding| finding.id.0 = "b".to_owned(), Unmatched, -1),
        (noon, "5000", |_| (), InForce, 1),
        (noon, "4999", |_| (), LapsedAmount, 1),
        ("2027-01-01T00:00:00Z", "4999", |_| (), LapsedDate, -1),
    ];
    for (as_of, cap, change, state, days_left) in cases {
        let content = format!("\"{}\"", Facts::of(&finding()).content);
        let mut changes = vec![("content", content.as_str())];
        if !cap.is_empty() {
            changes.push(("max_tokens", cap));
        }
        let waivers = Waivers::parse(Path::new("w"), &entry(&changes)).expect("it is right");
        let mut found = finding();
        change(&mut found);
        let mut findings = [found];
        let standing = waivers.apply(day(as_of), &mut findings).standings.remove(0);
        assert_eq!((standing.state, standing.days_left), (state, days_left), "{as_of} {cap:?}");
        assert_eq!(findings[0].status == Status::Waived, state == InForce, "{as_of} {cap:?}");
        let warns = matches!(state, LapsedDate | LapsedContent | LapsedAmount)
            || (state == InForce && !(DAYS_OF_WARNING..=366).contains(&days_left));
        assert_eq!(standing.warning().is_some(), warns, "{standing:?}");
    }
}

#[test]
fn of_several_entries_the_last_that_holds_counts() {
    let content = format!("\"{}\"", Facts::of(&finding()).content);
    let good = entry(&[("content", &content), ("until", "2026-06-30")]);
    let renewed = entry(&[("content", &content)]);
    let other = entry(&[("until", "2027-12-31")]);
    let cases = [
        (vec![&good, &renewed], "2026-05-01T00:00:00Z", WaiverState::InForce, 7),
        (vec![&good, &renewed], "2026-08-01T00:00:00Z", WaiverState::InForce, 7),
        (vec![&good, &other], "2026-05-01T00:00:00Z", WaiverState::InForce, 1),
        (vec![&good, &other], "2026-08-01T00:00:00Z", WaiverState::LapsedContent, 7),
    ];
    for (entries, as_of, state, line) in cases {
        let text = entries.into_iter().cloned().collect::<String>();
        let waivers = Waivers::parse(Path::new("w"), &text).expect("it is right");
        let standings = waivers.apply(day(as_of), &mut [finding()]).standings;
        assert_eq!(standings.len(), 1);
        assert_eq!((standings[0].state, standings[0].waiver.line), (state, line), "{as_of}");
    }
}

#[test]
fn a_check_is_accepted_by_name_until_its_last_day_or_until_it_says_something_else() {
    let text = format!(
        "[[waiver]]\ncheck = \"legacy_reads\"\ncontent = \"{DIGEST}\"\nreason = \"a report reads it\"\n\
         owner = \"ops\"\nuntil = 2026-12-31\n"
    );
    let waivers = Waivers::parse(Path::new("w"), &text).expect("it is right");
    let of = |name: &str, as_of: &str| waivers.of_check(name, day(as_of)).count();
    assert_eq!(of("legacy_reads", "2026-12-31T12:00:00Z"), 1);
    assert_eq!(of("legacy_reads", "2027-01-01T00:00:00Z"), 0);
    assert_eq!(of("legacy_writes", "2026-12-31T12:00:00Z"), 0);
    let as_of = day("2026-12-01T00:00:00Z");
    assert_eq!(waivers.apply(as_of, &mut []).standings[0].state, WaiverState::InForce);

    let run = ListedRun { name: "r".to_owned(), as_of, findings: Vec::new() };
    let other = DIGEST.replace('0', "1");
    let cases = [
        (Some(DIGEST), WaiverState::InForce),
        (Some(other.as_str()), WaiverState::LapsedContent),
        (None, WaiverState::InForce),
    ];
    for (content, state) in cases {
        let content = content.map(str::to_owned);
        let check = CertifiedCheck { content, is_ok: false, can_be_accepted: true };
        let checks = [("legacy_reads".to_owned(), check)].into();
        let certified = Certified { run: "r".to_owned(), issued_at: as_of, checks };
        assert_eq!(waivers.against(&run, Some(&certified), as_of)[0].state, state);
    }
}
