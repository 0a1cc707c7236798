//! The page in a browser, where there is one: what a reader does, and what the page must not do.
//!
//! Without a browser the tests say so and have nothing to check.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reckon::domain::{Class, Finding, RowId};
use reckon::report::html::render;
use serde_json::json;
use tempfile::TempDir;

use super::devtools::{Browser, program};
use super::fixture::{Fixture, finding, one_of_each_class};

const HOSTILE: &str = "</script><img src=x onerror=hacked=1>\u{202e}\0\\t'\"&";

/// A browser, and a page with these findings.
fn open(findings: Vec<Finding>) -> Option<(Browser, TempDir, PathBuf)> {
    let Some(program) = program() else {
        eprintln!("no browser here: the page is not tried");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    fs::write(&file, render(&Fixture::new(findings).model(), &[]).unwrap()).unwrap();
    let mut browser = Browser::start(&program);
    browser.open(&file, "");
    Some((browser, folder, file))
}

/// What the table shows, after `steps`.
fn seen(browser: &mut Browser, steps: &str, shown: &str) -> String {
    let script = format!(
        "(async () => {{
            const id = (name) => document.getElementById(name);
            const rows = () => [...document.querySelectorAll('#table tbody tr.row')];
            const cell = (row, at) => rows()[row].cells[at].textContent;
            const settled = async () => {{
                do await new Promise((next) => setTimeout(next, 30));
                while (id('table').getAttribute('aria-busy') === 'true');
            }};
            const pick = async (name, title) => {{
                const list = id(name);
                const option = [...list.options].find((option) => option.text.startsWith(title));
                list.value = option.value;
                list.dispatchEvent(new Event('change'));
                await settled();
            }};
            const search = async (text) => {{ id('q').value = text; id('tools').requestSubmit(); await settled(); }};
            const sort = async (key) => {{ document.querySelector(`th[data-key=${{key}}] button`).click(); await settled(); }};
            const click = async (name) => {{ id(name).click(); await settled(); }};
            const go = async (address) => {{ location.hash = address; await settled(); await settled(); }};
            const shown = () => id('shown').textContent;
            {steps}
            return `{shown}`;
        }})()"
    );
    browser.value(&script).as_str().unwrap().to_owned()
}

fn check(browser: &mut Browser, cases: &[(&str, &str, &str)]) {
    for (steps, shown, expected) in cases {
        assert_eq!(seen(browser, steps, shown), *expected, "after {steps}");
    }
}

/// 122 findings: two warnings of another class among 120 errors, one user in each dozen.
fn many() -> Vec<Finding> {
    let mut findings: Vec<_> = (0..120).map(|number| finding(number, Class::Unmigrated)).collect();
    for (number, finding) in findings.iter_mut().enumerate() {
        finding.tokens_legacy = Some(100 * (number as i128 + 1));
    }
    findings[77].user = Some(RowId::parse(HOSTILE));
    findings[77].evidence = "label=a b; note=back\\slash and \u{feff}tab\there".to_owned();
    findings[5].tokens_legacy = None;
    findings.extend([finding(300, Class::Orphan), finding(301, Class::TimeMismatch)]);
    findings
}

#[test]
fn a_reader_can_search_sort_filter_turn_and_open() {
    let Some((mut browser, _folder, _)) = open(many()) else { return };
    check(
        &mut browser,
        &[
            (
                "",
                "${rows().length} rows; ${shown()}; ${id('page').value} ${id('pages').textContent}",
                "50 rows; 1 to 50 of 122; 1 of 3",
            ),
            (
                "await click('last');",
                "${rows().length} rows; ${shown()}; ${id('next').disabled}",
                "22 rows; 101 to 122 of 122; true",
            ),
            (
                "id('page').value = 2; id('page').dispatchEvent(new Event('change')); await settled();",
                "${shown()}",
                "51 to 100 of 122",
            ),
            ("await sort('tokens_legacy');", "${cell(0, 4)} ${cell(49, 4)}", "100 5,100"),
            (
                "await sort('tokens_legacy');",
                "${cell(0, 4)} ${document.querySelector('[aria-sort=descending]').dataset.key}",
                "100,000 tokens_legacy",
            ),
            ("await click('last');", "${cell(21, 4)}|${cell(20, 4)}|${cell(19, 4)}", "||100"),
            (
                "await pick('f-class', 'Without');",
                "${shown()}; ${cell(0, 0)}; ${location.hash}",
                "1 to 1 of 1 (of 122); Without a legacy row; #class=orphan",
            ),
            (
                "await pick('f-class', 'all'); await search('U+ nothing');",
                "${shown()}",
                "No finding matches.",
            ),
            (
                "await search('BACK\\\\slash');",
                "${shown()}; ${cell(0, 2)}",
                "1 to 1 of 1 (of 122); </script…‹U+0000›\\t'\"&",
            ),
            (
                "rows()[0].querySelector('button').click(); await settled();",
                "${document.querySelectorAll('.detail li')[1].textContent}",
                "note=back\\slash and ‹U+FEFF›tab‹U+0009›here",
            ),
            (
                "rows()[0].querySelector('button').click(); await settled();",
                "${document.querySelectorAll('.detail').length} open",
                "0 open",
            ),
            ("await search('12,000');", "${shown()}; ${cell(0, 4)}", "1 to 1 of 1 (of 122); 12,000"),
            ("await click('clear');", "${shown()} ${location.hash}", "1 to 50 of 122 #findings"),
            (
                "id('size').value = 500; id('size').dispatchEvent(new Event('change')); await settled();",
                "${rows().length} ${cell(0, 4)}",
                "122 100,000",
            ),
        ],
    );
    let (_, complaints) = browser.requests_and_complaints();
    assert!(complaints.is_empty(), "{complaints:?}");
}

#[test]
fn addresses_lead_to_a_user_a_finding_and_a_class() {
    let Some((mut browser, _folder, file)) = open(many()) else { return };
    let hostile = "await go('#user=' + encodeURIComponent('</script><img src=x onerror=hacked=1>\u{202e}\\0\\\\t\\'\"&'));";
    let first = "cafecafe-0000-4000-8000-000000000000";
    check(
        &mut browser,
        &[
            (
                hostile,
                "${shown()}; ${id('user-title').textContent}; ${id('user').hidden}",
                "1 to 1 of 1 (of 122); User </script><img src=x onerror=hacked=1>‹U+202E›‹U+0000›\\t'\"&; false",
            ),
            ("", "${id('user-body').textContent.includes('no balance of this user')}", "true"),
            (
                &format!("await go('#user={first}');"),
                "${shown()}; ${[...document.querySelectorAll('#user-body dd')].map((dd) => dd.textContent).join(' ')}",
                "1 to 11 of 11 (of 122); 600,000 0 432,778 167,222 267,222 600,100 +432,878 0",
            ),
            (
                "",
                "${[...document.querySelectorAll('#user-body tbody tr')].map((tr) => [...tr.cells].map((td) => td.textContent).join(' ')).join('; ')}",
                "Usage that was never taken off +432,778; Tokens given at sign-up without a row +100; Never migrated  10 +1,000,000; Without a legacy row  1 ",
            ),
            ("await click('user-close');", "${shown()} ${id('user').hidden}", "1 to 50 of 122 true"),
            (
                "document.querySelector('a[data-filter=\"class=time_mismatch\"]').click(); await settled(); await settled();",
                "${shown()} ${cell(0, 0)}",
                "1 to 1 of 1 (of 122) Different time",
            ),
            (
                "await go('#finding=0000000000000050');",
                "${shown()}; ${document.activeElement.closest('tr').rowIndex}; ${document.querySelector('.detail dd').textContent}",
                "51 to 100 of 122; 31; 0000000000000050",
            ),
            (
                "await go('#finding=ffff');",
                "${shown()}",
                "This page does not have the finding ffff; look into findings.csv.",
            ),
            ("await go('#cause=constant_lag');", "${shown()}", "1 to 1 of 1 (of 122)"),
        ],
    );
    browser.open(&file, "#finding=0000000000000077");
    assert_eq!(
        seen(&mut browser, "", "${document.querySelectorAll('.detail').length}"),
        "1",
        "on opening, too"
    );
    browser.open(&file, "#class=orphan");
    assert_eq!(seen(&mut browser, "", "${shown()}"), "1 to 1 of 1 (of 122)");
}

#[test]
fn the_page_asks_for_nothing_and_obeys_nobody() {
    let mut findings = one_of_each_class();
    for finding in &mut findings {
        finding.user = Some(RowId::parse(HOSTILE));
        finding.action_unified = Some(HOSTILE.to_owned());
        finding.action_expected = Some(HOSTILE.to_owned());
        finding.cause = HOSTILE.into();
        finding.evidence = HOSTILE.to_owned();
    }
    let Some((mut browser, _folder, file)) = open(findings) else { return };
    seen(
        &mut browser,
        "for (const row of rows()) row.querySelector('button').click(); await settled(); rows()[0].querySelector('a').click(); await settled();",
        "",
    );
    assert_eq!(browser.value("typeof hacked"), "undefined");
    assert_eq!(browser.value("document.images.length"), 0);
    let (requests, complaints) = browser.requests_and_complaints();
    assert!(complaints.is_empty(), "{complaints:?}");
    for address in requests.iter().filter(|address| *address != "about:blank") {
        let is_own = address.starts_with("blob:") || Path::new(address.trim_start_matches("file://")) == file;
        assert!(is_own, "the page asked for {address}");
    }
    // And were something of it obeyed, the browser would refuse.
    let refused = "new Promise((done) => { document.addEventListener('securitypolicyviolation', \
        (event) => done(event.violatedDirective)); document.body.append(Object.assign(document.createElement('script'), \
        { textContent: 'hacked = 1' })); })";
    assert_eq!(browser.value(refused), "script-src-elem");
    assert_eq!(browser.value("fetch('https://example.com').then(() => 'asked', () => 'refused')"), "refused");
}

#[test]
fn many_blocks_are_searched_and_sorted_as_one() {
    let mut findings: Vec<_> = (0..20_000).map(|number| finding(number, Class::Unmigrated)).collect();
    for (number, finding) in findings.iter_mut().enumerate() {
        finding.tokens_legacy = Some(i128::from(u64::MAX) + (number as i128 * 7_919) % 20_000);
        finding.user = Some(RowId::parse(&format!("user-{}", number / 2)));
    }
    findings[19_999].evidence = "the needle".to_owned();
    let Some((mut browser, _folder, _)) = open(findings) else { return };
    check(
        &mut browser,
        &[
            ("", "${shown()}", "1 to 50 of 20,000"),
            (
                "await search('the needle');",
                "${shown()}; ${cell(0, 2)}",
                "1 to 1 of 1 (of 20,000); user-9999",
            ),
            (
                "await search('');  await sort('tokens_legacy');",
                "${cell(0, 4)} ${cell(1, 4)}",
                "18,446,744,073,709,551,615 18,446,744,073,709,551,616",
            ),
            (
                "await click('last');",
                "${cell(49, 4)} ${shown()}",
                "18,446,744,073,709,571,614 19,951 to 20,000 of 20,000",
            ),
            ("await go('#user=user-7000');", "${rows().length} ${cell(0, 2)}", "2 user-7000"),
            ("await go('#finding=0000000000004e1e');", "${shown()}", "19,951 to 20,000 of 20,000"),
        ],
    );
}

#[test]
fn without_scripts_or_workers_the_page_still_says_what_matters() {
    let Some((mut browser, _folder, file)) = open(many()) else { return };
    browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    browser.call("Page.navigate", json!({ "url": "about:blank" }));
    browser.call("Page.navigate", json!({ "url": format!("file://{}", file.display()) }));
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let shown = "[document.querySelector('h1').textContent, document.querySelectorAll('#table tbody tr').length, \
        document.getElementById('tools').hidden, document.querySelectorAll('svg rect').length > 20].join(' ')";
    assert_eq!(browser.value(shown), "Discrepancies 100 true true");
    browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": false }));
    let none = "window.Worker = class { constructor() { throw new Error('not here'); } };";
    browser.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": none }));
    browser.open(&file, "");
    assert_eq!(seen(&mut browser, "await search('12000');", "${shown()}"), "1 to 1 of 1 (of 122)");
}

#[test]
fn no_number_is_broken_and_nothing_sticks_out_at_any_width() {
    let mut findings = many();
    for (finding, tokens) in findings.iter_mut().zip([417_202_177_921, 4_611_686_018_427_387_904]) {
        finding.tokens_effect = Some(tokens);
    }
    let Some((mut browser, _folder, file)) = open(findings) else { return };
    for width in [1280, 768, 390] {
        browser.resize(width);
        for address in ["", "#user=cafecafe-0000-4000-8000-000000000000"] {
            browser.open(&file, address);
            assert_eq!(browser.misdrawn(), [""; 0], "{width} pixels, {address}");
        }
    }
    let search = "(() => { const box = document.getElementById('q'); box.value = box.placeholder; \
                  return box.scrollWidth <= box.clientWidth; })()";
    browser.resize(1280);
    browser.open(&file, "");
    assert_eq!(browser.value(search), true, "what can be searched for is read whole");
}

#[test]
fn above_the_table_stands_what_it_has() {
    let Some((mut browser, _folder, _)) = open(many()) else { return };
    let lead = "${id('findings-title').textContent}: ${id('findings-lead').textContent.slice(0, 40)}";
    check(
        &mut browser,
        &[
            ("", lead, "All findings: All 122, the gravest first, also in find"),
            (
                "await go('#user=cafecafe-0000-4000-8000-000000000000');",
                lead,
                "Findings of this user: Those of the user above, the gravest fir",
            ),
            (
                "await go('#user=nobody');",
                lead,
                "Findings of this user: None is of the user above, out of 122 in",
            ),
            ("await click('user-close');", lead, "All findings: All 122, the gravest first, also in find"),
        ],
    );
}

#[test]
fn the_page_fits_a_phone_and_paper() {
    let Some((mut browser, _folder, file)) = open(many()) else { return };
    let phone = json!({ "width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": true });
    browser.call("Emulation.setDeviceMetricsOverride", phone);
    browser.open(&file, "#user=cafecafe-0000-4000-8000-000000000000");
    assert_eq!(browser.value("document.documentElement.scrollWidth"), 360, "nothing sticks out to the side");
    browser.call("Emulation.clearDeviceMetricsOverride", json!({}));
    browser.open(&file, "");
    browser.value("dispatchEvent(new Event('beforeprint'))");
    assert_eq!(
        seen(&mut browser, "", "${rows().length} ${cell(0, 2)}"),
        "122 cafecafe-0000-4000-8000-000000000000"
    );
    browser.value("dispatchEvent(new Event('afterprint'))");
    assert_eq!(seen(&mut browser, "await settled();", "${rows().length}"), "50");
    let paper = browser.call("Page.printToPDF", json!({ "preferCSSPageSize": true }));
    let bytes = STANDARD.decode(paper["data"].as_str().unwrap()).unwrap();
    assert!(bytes.starts_with(b"%PDF-"));
    let pages = String::from_utf8_lossy(&bytes).matches("/Type /Page\n").count();
    assert!((4..30).contains(&pages), "{pages} pages");
}
