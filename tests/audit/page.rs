//! `audit.html`: whole in itself, without a script, quiet in a browser.

use std::fs;
use std::process::Command;

use super::pack::{audit, ended};
use super::world::World;

fn browser() -> Option<&'static str> {
    let known = ["chromium", "chromium-browser", "google-chrome"];
    known.into_iter().find(|program| {
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
    })
}

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

    let Some(program) = browser() else {
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
