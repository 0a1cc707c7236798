//! `report.html`, as a parser sees it.

use reckon::domain::{Class, RowId};
use reckon::report::html::{EMBEDDED_MAX, render};
use serde_json::Value;

use super::fixture::{Fixture, finding, one_of_each_class};

fn page(fixture: &Fixture) -> String {
    render(&fixture.model(), &[]).unwrap()
}

/// What stands between two marks.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let after = text.split_once(start).unwrap_or_else(|| panic!("no {start}")).1;
    after.split_once(end).unwrap_or_else(|| panic!("no {end}")).0
}

fn data(page: &str) -> Value {
    serde_json::from_str(between(page, "<script type=\"application/json\" id=\"data\">", "</script>"))
        .unwrap()
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
    const HOSTILE: &str = "</script><img onerror=alert(1) x=\"'&\u{2028}>";
    let mut hostile = finding(0, Class::TimeMismatch);
    hostile.action_legacy = Some(HOSTILE.to_owned());
    hostile.action_expected = Some(HOSTILE.to_owned());
    hostile.evidence = HOSTILE.to_owned();
    hostile.cause = HOSTILE.to_owned();
    hostile.user = Some(RowId::parse(HOSTILE));
    let mut fixture = Fixture::new(vec![hostile]);
    fixture.warnings = vec![HOSTILE.to_owned()];
    fixture.books.legacy.signs[0].label = HOSTILE.into();
    fixture.books.legacy.signs[0].positive = 1;
    let page = page(&fixture);
    assert!(!page.contains("<img"));
    assert_eq!(page.matches("</script>").count(), 2, "the data block and the script, nothing else");
    assert!(page.contains("&#60;img") || page.contains("&lt;img"));
    assert_eq!(data(&page)["rows"][0][19], HOSTILE, "the script reads what stood in the table");
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
        assert!(page.contains(&format!("data-class=\"{}\"", class.name())), "{}", class.name());
    }
    assert_eq!(data(&page)["rows"].as_array().unwrap().len(), 15);
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
    const VOID: [&str; 5] = ["meta", "input", "!doctype", "rect/", "br"];
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
    let mut findings: Vec<_> = (0..EMBEDDED_MAX).map(|_| finding(1, Class::TimeMismatch)).collect();
    findings.push(finding(2, Class::Orphan));
    findings.push(finding(3, Class::UnmappedAction));
    let mut fixture = Fixture::new(Vec::new());
    fixture.audit.findings = findings;
    let page = page(&fixture);
    let data = data(&page);
    assert_eq!(data["total"], EMBEDDED_MAX + 2);
    let rows = data["rows"].as_array().unwrap();
    assert_eq!(rows.len(), EMBEDDED_MAX);
    assert_eq!(rows.iter().filter(|row| row[2] == "error").count(), 2, "errors come before warnings");
    assert!(page.contains("The 20,000 gravest of 20,002 findings; <strong>findings.csv</strong>"));
}

#[test]
fn tokens_that_a_browser_would_round_are_kept_as_text() {
    let mut large = finding(0, Class::Unmigrated);
    large.tokens_legacy = Some(9_007_199_254_740_993);
    large.tokens_effect = Some(9_007_199_254_740_991);
    let page = page(&Fixture::new(vec![large]));
    let row = &data(&page)["rows"][0];
    assert_eq!(row[9], "9007199254740993");
    assert_eq!(row[11], 9_007_199_254_740_991_i64);
    assert_eq!(row[10], Value::Null, "unknown is not zero");
}
