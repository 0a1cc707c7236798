//! `audit.html`: whole in itself, without a script, quiet in a browser.

use std::fs;
use std::process::Command;

use super::pack::{audit, ended};
use super::world::World;
use crate::html::devtools::{Browser, program};

#[test]
fn the_page_needs_no_network_and_no_script_and_runs_nothing_from_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut world = World::new(6, false);
    world.rows[0].user = "<script>alert(1)</script>".to_owned();
    world.write(folder, 6, "");
    let output = audit(folder, &["--from", "2024-01-01", "--to", "2024-06-30", "--out", "pack"]);
    assert!(ended(&output).0 < 2, "{}", ended(&output).1);
    let path = folder.join("pack/audit.html");
    let page = fs::read_to_string(&path).unwrap();
    for forbidden in ["<script", "http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(forbidden), "the page holds {forbidden}");
    }
    for (sheet, id) in [("Summary", "summary"), ("Roll-forward", "roll-forward"), ("Sample", "sample")] {
        assert!(page.contains(&format!("id=\"{id}\"")) && page.contains(sheet));
    }
    assert_eq!(page.matches("<svg").count(), 2);

    let Some(program) = program() else {
        eprintln!("no browser here: the page is not opened");
        return;
    };
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--no-first-run", "--enable-logging=stderr", "--no-pdf-header-footer"])
        .arg(format!("--print-to-pdf={}", folder.join("pack.pdf").display()))
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("file://{}", path.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("CONSOLE"), "the console is quiet:\n{said}");
    assert!(fs::read(folder.join("pack.pdf")).unwrap().starts_with(b"%PDF"));
}

#[test]
fn the_page_can_be_read_at_any_width() {
    let Some(program) = program() else {
        eprintln!("no browser here: the page is not opened");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut world = World::new(6, false);
    for row in &mut world.rows {
        row.tokens *= 1_000_000_007;
    }
    // Whoever misses a row gives the page causes to tell of.
    world.write(folder, 6, "");
    let unified = fs::read_to_string(folder.join("unified.csv")).unwrap();
    let is_dropped = |line: &&str| !(line.contains("subscription_grant") && line.contains("T1"));
    fs::write(folder.join("unified.csv"), unified.lines().filter(is_dropped).collect::<Vec<_>>().join("\n"))
        .unwrap();
    let output = audit(folder, &["--from", "2024-01-01", "--to", "2024-06-30", "--out", "pack"]);
    assert_eq!(ended(&output).0, 1, "{}", ended(&output).1);
    let mut browser = Browser::start(&program);
    for width in [1280, 768, 390] {
        browser.resize(width);
        browser.load(&folder.join("pack/audit.html"), "");
        assert_eq!(browser.misdrawn(), [""; 0], "{width} pixels");
        let tallest =
            "Math.max(...[...document.querySelectorAll('.blocks tr')].map((row) => row.offsetHeight))";
        assert!(browser.value(tallest).as_f64().unwrap() < 400.0, "a row fits the screen at {width} pixels");
        let smallest = "Math.min(...[...document.querySelectorAll('svg')].map((chart) => \
                        chart.getBoundingClientRect().width / chart.viewBox.baseVal.width)) * 12";
        let size = browser.value(smallest).as_f64().unwrap();
        assert!(size > 8.0, "labels of charts are {size} pixels high at {width} pixels");
    }
}
