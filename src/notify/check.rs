//! Whether the people named in `[notify]` could be told, looked at without telling them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::address::Address;
use crate::config::Notify;
use crate::doctor::{Check, State};

/// One check for each way of telling. `variable` looks up an environment variable.
pub fn checks(settings: &Notify, variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut add = |subject: &str, state: State, detail: String| {
        checks.push(Check { check: "notify", subject: subject.to_owned(), state, detail });
    };
    if let Some(program) = settings.command.first() {
        match find_program(program, variable("PATH").as_deref()) {
            Some(path) => add("[notify] command", State::Ok, format!("{} can be run", path.display())),
            None => add(
                "[notify] command",
                State::Warn,
                format!(
                    "{program} is no program that can be run: nobody would be told. Install it, or name its path"
                ),
            ),
        }
    }
    if let Some(webhook) = &settings.webhook {
        match Address::find(webhook, variable) {
            Ok(address) => add(
                "[notify] webhook",
                State::Ok,
                format!("{}; `reckon doctor --notify` tries it", address.shown()),
            ),
            Err(why) => add("[notify] webhook", State::Warn, format!("nobody would be told: {why}")),
        }
    }
    if let Some(file) = &settings.metrics {
        let (state, detail) = metrics(file);
        add("[notify] metrics", state, detail);
    }
    checks
}

/// Can a file be put there? Tried with a nameless file, which vanishes by itself.
fn metrics(file: &Path) -> (State, String) {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = file.display();
    if file.extension() != Some(OsStr::new("prom")) {
        let detail = format!("{shown} does not end in .prom: a textfile collector passes over it");
        return (State::Warn, detail);
    }
    match tempfile::tempfile_in(folder) {
        Ok(_) => (State::Ok, format!("{shown} can be written")),
        Err(cause) => (
            State::Warn,
            format!("{shown} cannot be written: {cause}. Make the folder, or let the job's user write it"),
        ),
    }
}

/// As the shell finds it: a name with a slash is a path, any other one is looked up in the PATH.
fn find_program(program: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let is_program = |file: &PathBuf| {
        fs::metadata(file).is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(is_program);
    }
    std::env::split_paths(path?).map(|folder| folder.join(program)).find(is_program)
}
