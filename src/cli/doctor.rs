//! `reckon doctor`: checks a database or files beforehand, changes nothing.

use super::{Global, out};
use crate::doctor::{self, Examination, State};
use crate::report::figures::counted;

/// Flags of `reckon doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Send a test message to all that `[notify]` names
    #[arg(long)]
    pub notify: bool,
}

/// Columns of the terminal that a line may take.
const WIDTH: usize = 80;
/// Columns before the words of a check.
const INDENT: usize = 12;

/// Runs the command: 0 when the job could run, 2 when it could not.
///
/// # Errors
/// Configuration, a signal, or a stdout that cannot be written.
pub fn run(args: &Args, global: &Global) -> anyhow::Result<u8> {
    let config = global.load_config()?;
    let mut found = doctor::examine(&config, &global.progress)?;
    found.checks.extend(super::notify::checks(&config, args.notify, global));
    if global.json() {
        out::print(&format!("{}\n", serde_json::to_string_pretty(&json(&found))?))?;
    } else {
        out::print(&human(&found, global.quiet))?;
    }
    Ok(if found.worst() == State::Fail { 2 } else { 0 })
}

fn json(found: &Examination) -> serde_json::Value {
    serde_json::json!({ "schema": "reckon-doctor/1", "verdict": word(found.worst()), "checks": found.checks })
}

/// One block a check, its words wrapped; `-q` leaves out what is in order.
fn human(found: &Examination, quiet: bool) -> String {
    let mut text = String::new();
    let mut subject = "";
    for check in found.checks.iter().filter(|check| !(quiet && check.state == State::Ok)) {
        if check.subject != subject {
            subject = &check.subject;
            text.push_str(&format!("{subject}\n"));
        }
        let words = format!("{}: {}", check.check, check.detail);
        let lines = wrap(&words, WIDTH - INDENT);
        for (at, line) in lines.iter().enumerate() {
            let state = match check.state {
                _ if at > 0 => "",
                State::NotTested => "untested", // its word in JSON would fill the column
                state => word(state),
            };
            text.push_str(&format!("  {state:<10}{line}\n"));
        }
    }
    let count = |state| found.checks.iter().filter(|check| check.state == state).count();
    let mut failed = found.checks.iter().filter(|check| check.state == State::Fail);
    let result = match found.worst() {
        State::Fail if failed.all(|check| check.check == "notify") => {
            "the job can run, but people are not told"
        }
        State::Fail => "the job could not run",
        State::Warn | State::NotTested => "the job can run",
        State::Ok => "all is well",
    };
    text.push_str(&format!(
        "{result}: {} ok, {}, {} failed, {} not tested\n",
        count(State::Ok),
        counted(count(State::Warn) as u64, "warning", "warnings"),
        count(State::Fail),
        count(State::NotTested)
    ));
    text
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Warn => "warn",
        State::Fail => "fail",
        State::NotTested => "not_tested",
    }
}

/// Breaks at blanks; a word longer than the line stands alone.
pub(super) fn wrap(words: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if unicode_width::UnicodeWidthStr::width(line.as_str()) + 1 + word.len() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_stands_between_the_state_and_the_words() {
        for state in [State::Ok, State::Warn, State::Fail, State::NotTested] {
            let checks = vec![crate::doctor::Check {
                subject: "public.order".to_owned(),
                check: "labels",
                state,
                detail: "as they are".to_owned(),
            }];
            let text = human(&Examination { checks }, false);
            assert!(text.contains(" labels: as they are\n"), "{text}");
        }
    }
}
