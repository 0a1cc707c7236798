//! Cases that are told as steps: what is done, how it ends, and what is then said where.
//!
//! `steps.csv` has the columns `step, before, role, command, exit, where, says`. Lines of one step
//! belong to one command. `before` is an SQL file that is run first; `role` is whom the program
//! connects as (empty: the superuser). `command` is a command line of `reckon`, `psql FILE`, or one
//! SQL query. `where` is `stdout`, `stderr`, a file, or `absent`: then what `says` names must not
//! exist. Blanks are compared as one, so that wrapped lines can be read.
//!
//! With a `setup.sql`, the case has a database of its own, into whose tables `legacy.csv`,
//! `unified.csv` and `profiles.csv` are loaded.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::cases;
use super::table::{Row, Table};
use crate::postgres::cluster::{Cluster, Db};

/// What a command left.
struct Said {
    code: String,
    stdout: String,
    stderr: String,
}

/// A case at work in a copy of its folder.
struct Story<'a> {
    folder: &'a Path,
    db: Option<Db>,
}

impl Story<'_> {
    fn begin(folder: &Path) -> Story<'_> {
        let setup = folder.join("setup.sql");
        let db = setup.exists().then(|| {
            let db = Cluster::shared().database("story");
            db.file(&setup);
            let tables = [
                ("legacy.csv", "token_transactions"),
                ("unified.csv", "token_usage"),
                ("profiles.csv", "user_profiles"),
            ];
            for (file, table) in tables.map(|(file, table)| (folder.join(file), table)) {
                if file.exists() {
                    db.load_csv(table, &file);
                }
            }
            db
        });
        Story { folder, db }
    }

    fn db(&self) -> &Db {
        self.db.as_ref().expect("only a case with setup.sql has a database")
    }

    fn run(&self, step: Row<'_>) -> Said {
        if !step.text("before").is_empty() {
            self.db().file(&self.folder.join(step.text("before")));
        }
        let words: Vec<&str> = step.text("command").split_whitespace().collect();
        match words[0] {
            "psql" => said(self.db().try_file(&self.folder.join(words[1]))),
            "select" => Said {
                code: "0".to_owned(),
                stdout: self.db().value(step.text("command")),
                stderr: String::new(),
            },
            _ => self.reckon(step.text("role"), &words),
        }
    }

    fn reckon(&self, role: &str, words: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reckon"));
        command.current_dir(self.folder).args(words).arg("--no-progress");
        command.env_remove("RECKON_CONFIG").env_remove("DATABASE_URL").env_remove("RUST_LOG");
        if let Some(db) = &self.db {
            let url = if role.is_empty() { db.url() } else { db.url_as(role) };
            command.env("DATABASE_URL", url);
        }
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said {
            code: output.status.code().unwrap_or(-1).to_string(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// What is not as the line says.
    fn difference(&self, said: &Said, line: Row<'_>) -> Option<String> {
        let (place, words) = (line.text("where"), line.text("says"));
        let text = match place {
            "" => return None,
            "absent" if self.folder.join(words).exists() => return Some(format!("{words} exists")),
            "absent" => return None,
            "stdout" => said.stdout.clone(),
            "stderr" => said.stderr.clone(),
            file => fs::read_to_string(self.folder.join(file)).unwrap_or_else(|cause| cause.to_string()),
        };
        let blanks_as_one = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = blanks_as_one(&text).contains(&blanks_as_one(words));
        (!found).then(|| format!("{place} does not say: {words}\n{text}"))
    }
}

/// psql ends with 3 when a statement of a file fails.
fn said(result: Result<String, String>) -> Said {
    match result {
        Ok(stdout) => Said { code: "0".to_owned(), stdout, stderr: String::new() },
        Err(stderr) => Said { code: "3".to_owned(), stdout: String::new(), stderr },
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn every_case_that_is_told_in_steps() {
    let place = tempfile::tempdir().unwrap();
    let mut failed = String::new();
    let told = cases().into_iter().filter(|case| case.folder.join("steps.csv").exists());
    for case in told {
        let folder = place.path().join(&case.name);
        copy(&case.folder, &folder);
        let story = Story::begin(&folder);
        let steps = Table::read(&folder.join("steps.csv"));
        let mut last = (String::new(), said(Ok(String::new())));
        for line in steps.rows() {
            let number = line.text("step");
            let mut lines = Vec::new();
            if last.0 != number {
                last = (number.to_owned(), story.run(line));
                if last.1.code != line.text("exit") {
                    let Said { code, stdout, stderr } = &last.1;
                    lines.push(format!("exit {code}, expected {}\n{stderr}{stdout}", line.text("exit")));
                }
            }
            lines.extend(story.difference(&last.1, line));
            for line in lines {
                failed += &format!("\n== {}, step {number}: {line}\n", case.name);
            }
        }
        assert!(!last.0.is_empty(), "{}: no step", case.name);
    }
    assert!(failed.is_empty(), "{failed}");
}
