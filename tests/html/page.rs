//! `report.html`, as a parser sees it.

use reckon::domain::{Class, RowId, Status};
use reckon::report::Previous;
use reckon::report::html::{pack_within, render, write};

use super::fixture::{Fixture, finding, one_of_each_class, resolved};
use super::packed;

fn page(fixture: &Fixture) -> String {
    render(&fixture.model(), &[]).unwrap()
}

/// What stands between two marks.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let after = text.split_once(start).unwrap_or_else(|| panic!("no {start}")).1;
    after.split_once(end).unwrap_or_else(|| panic!("no {end}")).0
}

#[test]
fn the_page_asks_nothing_of_a_network() {
    let page = page(&Fixture::new(one_of_each_class()));
    for mark in
        ["http:", "https:", "//cdn", " src=", "@import", "url(", "<link", "<iframe", "fetch(", "XMLHttp"]
    {
        assert!(!page.contains(mark), "{mark}");
    }
    assert!(page.contains("default-src 'none'"), "and a browser is told to refuse it");
}

#[test]
fn text_from_the_tables_is_shown_and_never_obeyed() {
    const HOSTILE: &str = "</script><img onerror=alert(1) x=\"'&\u{2028}\u{202e}\0>";
    let mut hostile = finding(0, Class::TimeMismatch);
    hostile.action_legacy = Some(HOSTILE.to_owned());
    hostile.action_expected = Some(HOSTILE.to_owned());
    hostile.evidence = HOSTILE.to_owned();
    hostile.cause = HOSTILE.into();
    hostile.user = Some(RowId::parse(HOSTILE));
    let mut fixture = Fixture::new(vec![hostile]);
    fixture.warnings = vec![HOSTILE.to_owned()];
    fixture.books.legacy.signs[0].label = HOSTILE.into();
    fixture.books.legacy.signs[0].positive = 1;
    let page = page(&fixture);
    assert!(!page.contains("<img"));
    let own = 2 + 1 + 2;
    assert_eq!(page.matches("</script>").count(), own, "two blocks, the facts, two scripts, nothing else");
    assert!(page.contains("&lt;img") && page.contains("‹U+202E›‹U+0000›"), "seen, not obeyed");
    assert!(!page.contains(['\u{202e}', '\0', '\u{2028}']));
    let found = packed::findings(&page);
    assert_eq!(found.lines[0][12], HOSTILE, "the script reads what stood in the table");
    assert_eq!((found.users[0].as_str(), found.causes[0].as_str()), (HOSTILE, HOSTILE));
    assert_eq!(packed::people(&page)[0][0], HOSTILE);
}

#[test]
fn the_page_says_the_verdict_and_the_totals() {
    let clean = page(&Fixture::new(Vec::new()));
    assert_eq!(between(&clean, "<h1 id=\"verdict\">", "</h1>"), "Clean");
    assert!(clean.contains("There is nothing to list") && !clean.contains("<table id=\"table\""));
    let page = page(&Fixture::new(one_of_each_class()));
    assert_eq!(between(&page, "<h1 id=\"verdict\">", "</h1>"), "Discrepancies");
    for text in
        ["45,000,000", "98,000", "432,878", "Never migrated", "backfill.sql", "Ties out", "\u{2212}812"]
    {
        assert!(page.contains(text), "{text}");
    }
    for class in Class::ALL {
        assert!(page.contains(&format!("data-filter=\"class={}\"", class.name())), "{}", class.name());
    }
    assert_eq!(packed::findings(&page).lines.len(), 15);
    assert_eq!(
        between(&page, "<tbody>\n    <tr><th scope=\"row\">Never", "</table>").matches("<tr>").count(),
        14
    );
}

#[test]
fn every_reference_inside_the_page_has_its_target() {
    let page = page(&Fixture::new(one_of_each_class()));
    for (mark, end) in [("href=\"#", "\""), ("aria-labelledby=\"", "\""), ("byId(\"", "\"")] {
        for part in page.split(mark).skip(1) {
            let target = part.split(end).next().unwrap();
            // The script follows these.
            if target.starts_with("user=") || target.starts_with("finding=") {
                continue;
            }
            assert!(page.contains(&format!("id=\"{target}\"")), "{mark}{target}");
        }
    }
    let ids: Vec<&str> = page.split(" id=\"").skip(1).map(|part| part.split('"').next().unwrap()).collect();
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "an id stands once");
}

#[test]
fn tags_are_closed_in_the_order_in_which_they_were_opened() {
    const VOID: [&str; 4] = ["meta", "input", "!doctype", "br"];
    let page = page(&Fixture::new(one_of_each_class()));
    let body = page.split_once("<body>").unwrap().1.split_once("<script").unwrap().0;
    let mut open = Vec::new();
    for part in body.split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        let name = tag.split_whitespace().next().unwrap_or_default();
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "in <{tag}>");
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, ["main"; 0]);
}

#[test]
fn too_many_findings_leave_the_gravest_in_the_page_and_name_the_file_with_all() {
    let mut findings: Vec<_> = (0..9_000).map(|number| finding(number, Class::TimeMismatch)).collect();
    findings.push(finding(9_001, Class::Orphan));
    findings.push(finding(9_002, Class::UnmappedAction));
    let mut fixture = Fixture::new(Vec::new());
    fixture.audit.findings = findings;
    let model = fixture.model();
    let whole = pack_within(&model, usize::MAX, usize::MAX);
    assert_eq!((whole.held, whole.findings.len()), (9_002, 3));
    let first = whole.findings[0].len();
    for (bytes, held, text) in [
        (first - 1, 0, "The 0 gravest of 9,002 findings; <strong>findings.csv</strong>"),
        (first, 4_096, "The 4,096 gravest of 9,002 findings; <strong>findings.csv</strong>"),
        (usize::MAX, 9_002, "All 9,002, the gravest first"),
    ] {
        let packed = pack_within(&model, bytes, usize::MAX);
        let mut page = Vec::new();
        write(&model, &packed, &[], &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains(text), "{bytes} bytes");
        assert_eq!(packed::facts(&page)["held"], held);
        assert_eq!(packed::facts(&page)["total"], 9_002);
        let found = packed::findings(&page);
        assert_eq!(found.lines.len(), held);
        let errors: Vec<u8> = found.marks.iter().map(|(_, severity)| *severity).take(3).collect();
        assert_eq!(errors, [0, 0, 1][..errors.len()], "errors come before warnings");
    }
}

#[test]
fn tokens_of_any_size_are_whole_and_unknown_is_not_zero() {
    let mut large = finding(0, Class::Unmigrated);
    large.tokens_legacy = Some(i128::MAX);
    large.tokens_effect = Some(i128::MIN);
    let page = page(&Fixture::new(vec![large]));
    let tokens = packed::findings(&page).tokens;
    assert_eq!(tokens, [i128::MAX.to_string(), i128::MIN.to_string()], "the unified side has none");
}

#[test]
fn the_balances_of_the_page_are_those_of_the_model() {
    let page = page(&Fixture::new(vec![finding(3, Class::Unmigrated)]));
    let people = packed::people(&page);
    let line = |id: &str| people.iter().find(|line| line[0].ends_with(id)).unwrap().join(" ");
    assert!(people[0][0].ends_with("03"), "whom a finding names comes first");
    assert_eq!(line("00")[37..], *"600000 0 432778 167222 267222 600100 432878 0 unique 8:432778,9:100  ");
    assert_eq!(line("03")[37..], *"600000 0 432778 167222 267222 167222 0 0 none_needed   ");
}

#[test]
fn a_run_before_leads_to_what_changed() {
    let mut findings = one_of_each_class();
    findings[0].status = Status::Open;
    findings[1].status = Status::Waived;
    let mut fixture = Fixture::new(findings);
    assert!(!page(&fixture).contains("id=\"changes\""), "nothing to compare with");
    fixture.previous = Some(Previous {
        name: "20260228T093000Z-00000000".to_owned(),
        manifest_digest: "ab".repeat(32),
        shrunk: Default::default(),
    });
    fixture.lifecycle = Some(resolved(4_321));
    let page = page(&fixture);
    let section = between(&page, "<section id=\"changes\"", "</section>");
    for text in
        ["20260228T093000Z-00000000", "<strong>13</strong>", "<strong>1</strong>", "<strong>4,321</strong>"]
    {
        assert!(section.contains(text), "{text}");
    }
    assert_eq!(section.matches("href=\"#finding=").count(), 13, "the new ones, not the open and the waived");
}
