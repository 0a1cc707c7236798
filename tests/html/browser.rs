//! The page in a browser, where there is one: the script finds, sorts, filters, turns and opens.
//!
//! `CHROMIUM` names the program; without it `chromium` and its like are looked for on the path.
//! Without any the test says so and has nothing to check.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use reckon::domain::{Class, RowId};
use reckon::report::html::render;

use super::fixture::{Fixture, finding};

fn browser() -> Option<OsString> {
    let named = std::env::var_os("CHROMIUM");
    let known = ["chromium", "chromium-browser", "google-chrome"].map(OsString::from);
    named.into_iter().chain(known).find(|program| {
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
    })
}

/// What a reader does, one line for what the page then shows.
const READER: &str = r##"
const out = [];
const id = (name) => document.getElementById(name);
const rows = () => [...document.querySelectorAll("#table tbody tr.row")];
const cell = (row, at) => row.cells[at].textContent;
const change = (name, value) => { id(name).value = value; id(name).dispatchEvent(new Event("change")); };
out.push(`${rows().length} rows; ${id("shown").textContent}; ${id("page").textContent}`);
id("next").click(); id("next").click();
out.push(`${rows().length} rows; ${id("shown").textContent}; next ${id("next").disabled}`);
document.querySelector("th[data-key=tokens_legacy] button").click();
out.push(`least ${cell(rows()[0], 4)}`);
document.querySelector("th[data-key=tokens_legacy] button").click();
out.push(`most ${cell(rows()[0], 4)}, ${document.querySelector("[aria-sort]").getAttribute("aria-sort")}`);
change("f-class", "orphan");
out.push(`${id("shown").textContent}; ${cell(rows()[0], 0)}; legacy "${cell(rows()[0], 4)}"`);
change("f-class", "");
id("q").value = "NEEDLE</b> reference"; id("tools").requestSubmit();
out.push(`${id("shown").textContent}; user ${cell(rows()[0], 2)}`);
rows()[0].querySelector("button").click();
out.push(`open ${rows()[0].querySelector("button").getAttribute("aria-expanded")}; ${document.querySelector(".detail li").textContent}`);
rows()[0].querySelector("button").click();
out.push(`${document.querySelectorAll(".detail").length} open`);
id("q").value = "nothing has this"; id("tools").requestSubmit();
out.push(id("shown").textContent);
dispatchEvent(new Event("beforeprint"));
id("q").value = ""; id("tools").requestSubmit(); dispatchEvent(new Event("beforeprint"));
out.push(`${rows().length} on paper`);
document.body.replaceChildren(Object.assign(document.createElement("pre"), { textContent: out.join("\n") }));
"##;

#[test]
fn a_reader_can_search_sort_filter_turn_and_open() {
    let Some(program) = browser() else {
        eprintln!("no browser here: the page's script is not tried");
        return;
    };
    let mut findings: Vec<_> = (0..120).map(|number| finding(number, Class::Unmigrated)).collect();
    for (number, finding) in findings.iter_mut().enumerate() {
        finding.tokens_legacy = Some(100 * (number as i128 + 1));
    }
    findings[77].user = Some(RowId::parse("<b>needle</b>"));
    findings.extend([finding(300, Class::Orphan), finding(301, Class::Orphan)]);
    let folder = tempfile::tempdir().unwrap();
    let page = render(&Fixture::new(findings).model(), &[]).unwrap();
    let page = page.replace("</body>", &format!("<script>{READER}</script></body>"));
    fs::write(folder.path().join("report.html"), page).unwrap();
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--no-first-run", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", folder.path().join("report.html").display()))
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    let shown = dom.split_once("<pre>").and_then(|(_, rest)| rest.split_once("</pre>"));
    let shown = shown.unwrap_or_else(|| panic!("the script did not end:\n{dom}")).0;
    assert_eq!(
        shown.lines().collect::<Vec<_>>(),
        [
            "50 rows; 1 to 50 of 122; Page 1 of 3",
            "22 rows; 101 to 122 of 122; next true",
            "least 100",
            "most 12,000, descending",
            "1 to 2 of 2 (of 122); Without a legacy row; legacy \"\"",
            "1 to 1 of 1 (of 122); user &lt;b&gt;needle&lt;/b&gt;",
            "open true; label=renewal_grant",
            "0 open",
            "No finding matches.",
            "122 on paper",
        ]
    );
}
