//! The message: one JSON object, the same for a program and a webhook.

use serde::Serialize;
use serde_json::Value;

use super::facts::{FindingFact, RunFacts};
use crate::audit::RunVerdict;
use crate::config::Alert;

/// Name and version of the message's shape.
pub const SCHEMA: &str = "reckon.notification/1";

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Error findings: new ones and those not told before, or any, as configured.
    Discrepancies,
    /// Rows or users of the previous run are gone.
    Shrunk,
    /// The job could not be done.
    Failed,
    /// Nothing happened: somebody tries whether messages arrive.
    Test,
}

/// What is worth telling of a run that was done; `None`: nothing.
pub fn event_of(run: &RunFacts, alert: Alert) -> Option<Event> {
    let worth = match alert {
        Alert::New => run.new_errors + run.owed_errors,
        Alert::Any => run.errors,
    };
    match (worth > 0, run.shrunk.is_empty()) {
        (true, _) => Some(Event::Discrepancies),
        (false, false) => Some(Event::Shrunk),
        (false, true) => None,
    }
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Why.
    pub event: Event,
    /// Name of the machine.
    pub host: String,
    /// The exit code of the program.
    pub exit_code: u8,
    /// What was found, where a run directory was written.
    pub run: Option<RunFacts>,
    /// Why the job could not be done.
    pub error: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    schema: &'static str,
    event: Event,
    /// The one key that chat programs show.
    text: String,
    host: &'a str,
    exit_code: u8,
    verdict: Option<RunVerdict>,
    as_of: Option<&'a str>,
    run_id: Option<&'a str>,
    run_directory: Option<String>,
    sentence: Option<&'a str>,
    errors: Option<u64>,
    new_errors: Option<u64>,
    owed_errors: Option<u64>,
    findings: Option<serde_json::Map<String, Value>>,
    new_findings: &'a [FindingFact],
    unexplained_tokens: Option<i128>,
    shrunk: &'a [String],
    error: Option<&'a str>,
}

impl Message {
    /// The message as JSON, in one line.
    ///
    /// # Errors
    /// When a number of tokens is none that JSON programs read.
    pub fn json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let run = self.run.as_ref();
        let by_class = |run: &RunFacts| {
            let classes = run.classes.iter();
            let line = classes.map(|class| {
                let counts =
                    serde_json::json!({ "count": class.count, "new": class.new, "waived": class.waived });
                (class.class.to_owned(), counts)
            });
            line.collect()
        };
        serde_json::to_vec(&Body {
            schema: SCHEMA,
            event: self.event,
            text: self.text(),
            host: &self.host,
            exit_code: self.exit_code,
            verdict: run.map(|run| run.verdict),
            as_of: run.map(|run| run.as_of.as_str()),
            run_id: run.map(|run| run.run_id.as_str()),
            run_directory: run.map(|run| run.folder.display().to_string()),
            sentence: run.map(|run| run.sentence.as_str()),
            errors: run.map(|run| run.errors),
            new_errors: run.map(|run| run.new_errors),
            owed_errors: run.map(|run| run.owed_errors),
            findings: run.map(by_class),
            new_findings: run.map_or(&[], |run| run.new_findings.as_slice()),
            unexplained_tokens: run.and_then(|run| run.unexplained_tokens),
            shrunk: run.map_or(&[], |run| run.shrunk.as_slice()),
            error: self.error.as_deref(),
        })
    }

    /// One plain paragraph, for people.
    pub fn text(&self) -> String {
        let mut parts = match (self.event, &self.error) {
            (Event::Test, _) => vec![format!("reckon on {}: a test; nothing happened.", self.host)],
            (_, Some(error)) => {
                vec![format!(
                    "reckon on {} could not do its job (exit {}): {error}.",
                    self.host, self.exit_code
                )]
            }
            (_, None) => Vec::new(),
        };
        if let Some(run) = &self.run {
            parts.push(format!("reckon on {}, as of {}: {}", self.host, run.as_of, run.sentence));
            if run.new_errors > 0 {
                parts.push(news(run));
            }
            if run.owed_errors > 0 {
                parts.push(owed(run));
            }
            parts.extend(run.shrunk.iter().map(|sentence| format!("{}.", capital(sentence))));
            parts.push(format!("Report: {}", run.folder.display()));
        }
        parts.join(" ")
    }
}

/// `2 of 3 errors are new (unmigrated 1, duplicate 1).`
fn news(run: &RunFacts) -> String {
    let new = run.classes.iter().filter(|class| class.new_errors > 0);
    let said: Vec<String> = new.map(|class| format!("{} {}", class.class, class.new_errors)).collect();
    let said = said.join(", ");
    match (run.new_errors, run.errors) {
        (1, 1) => format!("One error, which is new ({said})."),
        (1, errors) => format!("1 of {errors} errors is new ({said})."),
        (new, errors) => format!("{new} of {errors} errors are new ({said})."),
    }
}

/// `2 errors of earlier runs were not told before and still stand.`
fn owed(run: &RunFacts) -> String {
    match run.owed_errors {
        1 => "One error of an earlier run was not told before and still stands.".to_owned(),
        count => format!("{count} errors of earlier runs were not told before and still stand."),
    }
}

fn capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(errors: u64, new_errors: u64, shrunk: &[&str]) -> RunFacts {
        RunFacts {
            folder: "/srv/reports/x".into(),
            run_id: "0a1b2c3d".to_owned(),
            as_of: "2026-03-01T09:30:00.000000Z".to_owned(),
            verdict: if errors > 0 { RunVerdict::Discrepancies } else { RunVerdict::Clean },
            sentence: "It is so.".to_owned(),
            errors,
            new_errors,
            owed_errors: 0,
            classes: Vec::new(),
            new_findings: Vec::new(),
            unexplained_tokens: None,
            shrunk: shrunk.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    #[test]
    fn what_is_worth_telling() {
        use Event::{Discrepancies, Shrunk};
        // errors, new errors, rows gone => event under `new`, under `any`
        let cases = [
            (0, 0, false, None, None),
            (3, 0, false, None, Some(Discrepancies)),
            (3, 1, false, Some(Discrepancies), Some(Discrepancies)),
            (0, 0, true, Some(Shrunk), Some(Shrunk)),
            (3, 0, true, Some(Shrunk), Some(Discrepancies)),
            (3, 3, true, Some(Discrepancies), Some(Discrepancies)),
        ];
        for (errors, new_errors, gone, under_new, under_any) in cases {
            let run = run(errors, new_errors, if gone { &["rows are gone"] } else { &[] });
            assert_eq!(event_of(&run, Alert::New), under_new, "{run:?}");
            assert_eq!(event_of(&run, Alert::Any), under_any, "{run:?}");
        }
        let owed = RunFacts { owed_errors: 1, ..run(3, 0, &[]) };
        assert_eq!(event_of(&owed, Alert::New), Some(Discrepancies), "what was not told is worth telling");
    }

    #[test]
    fn what_is_not_known_is_null_and_not_zero() {
        let message = Message {
            event: Event::Failed,
            host: "night".to_owned(),
            exit_code: 2,
            run: None,
            error: Some("no server listens there".to_owned()),
        };
        let json: Value = serde_json::from_slice(&message.json().unwrap()).unwrap();
        for key in ["verdict", "as_of", "errors", "new_errors", "findings", "unexplained_tokens"] {
            assert_eq!(json[key], Value::Null, "{key}");
        }
        assert_eq!(json["text"], "reckon on night could not do its job (exit 2): no server listens there.");
    }
}
