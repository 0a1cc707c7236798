//! Telling people of a run, once its result is there: what could not be told goes to the log.

use super::{EXIT_FAILED, Global};
use crate::config::{Config, Notify};
use crate::doctor::{Check, State};
use crate::notify::{self, Event, Message, RunEnd};
use crate::run::Outcome;

/// What is told in the place of an error that may name a user.
const REDACTED: &str = "the reason may name a user and is not repeated (--redact): the log has it";

/// Tells of one run.
pub(super) struct Teller<'a> {
    /// Who is told; `None`: nobody.
    pub settings: Option<&'a Notify>,
    /// Name of the machine.
    pub host: &'a str,
    /// Users must not be named.
    pub is_redacted: bool,
    /// The flag that a signal sets.
    pub global: &'a Global,
}

impl Teller<'_> {
    /// A run stands in its directory; it may be worth an alert.
    pub fn done(&self, outcome: &Outcome, exit_code: u8) {
        let Some(settings) = self.settings else { return };
        self.metrics(settings, RunEnd::Done(&outcome.folder));
        if let Some(event) = notify::event_of(&outcome.facts, settings.alert) {
            let (host, run) = (self.host.to_owned(), Some(outcome.facts.clone()));
            if self.tell(settings, &Message { event, host, exit_code, run, error: None }) {
                outcome.settle();
            }
        }
    }

    /// The job could not be done, which is always worth an alert. `outcome`: a run stands in its
    /// directory nevertheless.
    pub fn failed(&self, why: &str, outcome: Option<&Outcome>) {
        let Some(settings) = self.settings else { return };
        self.metrics(settings, outcome.map_or(RunEnd::Failed, |done| RunEnd::Done(&done.folder)));
        let why = if self.is_redacted { REDACTED } else { why };
        let message = Message {
            event: Event::Failed,
            host: self.host.to_owned(),
            exit_code: EXIT_FAILED,
            run: outcome.map(|outcome| outcome.facts.clone()),
            error: Some(why.to_owned()),
        };
        if self.tell(settings, &message)
            && let Some(outcome) = outcome
        {
            outcome.settle();
        }
    }

    fn metrics(&self, settings: &Notify, end: RunEnd<'_>) {
        let Some(file) = &settings.metrics else { return };
        if let Err(why) = notify::write_metrics(file, end, super::now()) {
            tracing::error!("{why}");
        }
    }

    /// Answers whether everybody was told.
    fn tell(&self, settings: &Notify, message: &Message) -> bool {
        let mut all = true;
        for told in send(settings, message, self.global) {
            all &= told.result.is_ok();
            match told.result {
                Ok(()) => tracing::info!("told {} ([notify] {})", told.who, told.way),
                Err(why) => {
                    tracing::error!("nobody was told by [notify] {}: {why}; the result stands", told.way);
                }
            }
        }
        all
    }
}

fn send(settings: &Notify, message: &Message, global: &Global) -> Vec<notify::Told> {
    notify::tell(settings, message, &|name| std::env::var_os(name), &|| global.progress.is_stopped())
}

/// What `reckon doctor` says of `[notify]`; with `try_it` a test message is sent.
pub(super) fn checks(config: &Config, try_it: bool, global: &Global) -> Vec<Check> {
    let Some(settings) = &config.notify else {
        let missing = || Check {
            check: "notify",
            subject: "[notify]".to_owned(),
            state: State::Fail,
            detail: "there is no such section in the configuration: nobody is told".to_owned(),
        };
        return try_it.then(missing).into_iter().collect();
    };
    let mut checks = notify::checks(settings, &|name| std::env::var_os(name));
    if try_it {
        let (event, host) = (Event::Test, super::host());
        let message = Message { event, host, exit_code: 0, run: None, error: None };
        checks.extend(send(settings, &message, global).into_iter().map(|told| {
            let (state, detail) = match told.result {
                Ok(()) => (State::Ok, format!("{} took a test message", told.who)),
                Err(why) => (State::Fail, format!("a test message did not arrive: {why}")),
            };
            Check { check: "notify", subject: format!("[notify] {}", told.way), state, detail }
        }));
    }
    checks
}
