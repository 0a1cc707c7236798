//! A document of input files, commands and answers, in one block that a person can read.

use std::path::{Path, PathBuf};

use super::{code, reckon, root, stderr, stdout};

/// A part's title, and the text below it.
struct Part {
    title: String,
    text: String,
}

/// A document of `tests/cli/documents`.
pub struct Document {
    path: PathBuf,
    preface: String,
    parts: Vec<Part>,
}

impl Document {
    /// Reads a document.
    pub fn read(name: &str) -> Document {
        let path = root().join("tests/cli/documents").join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let mut parts = text.split("\n== ");
        let preface = parts.next().unwrap().to_owned();
        let parts = parts.map(|part| {
            let (title, text) = part.split_once('\n').unwrap_or((part, ""));
            Part { title: title.to_owned(), text: format!("{}\n", text.trim_end()) }
        });
        Document { path, preface, parts: parts.collect() }
    }

    /// Writes the input files.
    pub fn write_files(&self, folder: &Path) {
        for part in self.parts.iter().filter(|part| part.command().is_none()) {
            std::fs::write(folder.join(&part.title), &part.text).unwrap();
        }
    }

    /// Runs every command in a folder and compares its answer.
    pub fn check(&self, folder: &Path, environment: &[(&str, &str)]) {
        let mut commands = 0;
        for part in &self.parts {
            let Some(command) = part.command() else { continue };
            assert_eq!(answer(folder, command, environment), part.text, "$ reckon {command}");
            commands += 1;
        }
        assert!(commands > 0, "{} has commands", self.path.display());
    }

    /// The same, but `UPDATE_GOLDEN=1` writes the answers anew.
    pub fn check_or_update(&self, folder: &Path) {
        if std::env::var_os("UPDATE_GOLDEN").is_none() {
            return self.check(folder, &[]);
        }
        let mut updated = format!("{}\n", self.preface.trim_end());
        for part in &self.parts {
            let text = part.command().map_or(part.text.clone(), |command| answer(folder, command, &[]));
            updated.push_str(&format!("\n== {}\n{text}", part.title));
        }
        std::fs::write(&self.path, updated).unwrap();
    }
}

impl Part {
    fn command(&self) -> Option<&str> {
        self.title.strip_prefix("$ reckon ")
    }
}

/// stdout, stderr and exit code.
fn answer(folder: &Path, command: &str, environment: &[(&str, &str)]) -> String {
    let output = reckon(folder).args(command.split(' ')).envs(environment.iter().copied()).output().unwrap();
    format!("{}{}exit {}\n", stdout(&output), stderr(&output), code(&output))
}

/// The `console` blocks of the README: a command, and lines of its answer with `…` for what is
/// left out.
#[test]
fn the_examples_of_the_readme_are_what_the_program_prints() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut examples = 0;
    for block in readme.split("```console\n$ reckon ").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        let (command, shown) = block.split_once('\n').unwrap();
        let answer = answer(&root(), command, &[]);
        let mut rest = answer.as_str();
        for part in shown.split("…\n").filter(|part| !part.is_empty()) {
            let at =
                rest.find(part).unwrap_or_else(|| panic!("$ reckon {command}\n{answer}\nnot in it:\n{part}"));
            rest = &rest[at + part.len()..];
        }
        examples += 1;
    }
    assert_eq!(examples, 2);
}
