//! Telling everybody at once, inside the deadline.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant as Clock};

use super::address::Address;
use super::deliver::Limits;
use super::message::Message;
use super::{command, webhook};
use crate::config::Notify;

/// How often a wait looks for the signal to stop.
const STOP_TICK: Duration = Duration::from_millis(20);

/// What may still be cleared up once the deadline is over, such as killing a program.
const GRACE: Duration = Duration::from_secs(1);

/// Whether one of those to be told was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `command` or `webhook`.
    pub way: &'static str,
    /// Who: the program, or scheme and host of the webhook.
    pub who: String,
    /// Why not, naming it. No secret.
    pub result: Result<(), String>,
}

/// Tells all that are configured, side by side, and gives back how that went. `variable` looks up an
/// environment variable; `is_stopped` ends it at once.
pub fn tell(
    settings: &Notify,
    message: &Message,
    variable: &dyn Fn(&str) -> Option<OsString>,
    is_stopped: &dyn Fn() -> bool,
) -> Vec<Told> {
    let address = settings.webhook.as_ref().map(|webhook| Address::find(webhook, variable));
    let program = settings.command.first().cloned();
    let mut told: Vec<Told> = Vec::new();
    let json = match message.json() {
        Ok(json) => Arc::new(json),
        Err(cause) => {
            let result = Err(format!("the message cannot be written as JSON: {cause}"));
            return vec![Told { way: "notify", who: String::new(), result }];
        }
    };
    let ended = Arc::new(AtomicBool::new(false));
    let limits = Limits::new(settings, ended.clone());
    let (results, incoming) = mpsc::channel();
    let known = address.as_ref().and_then(|address| address.as_ref().ok().cloned());
    if let Some(program) = program {
        told.push(Told { way: "command", who: program, result: Ok(()) });
        let (at, words) = (told.len() - 1, settings.command.clone());
        let (json, limits, results, known) = (json.clone(), limits.clone(), results.clone(), known.clone());
        std::thread::spawn(move || {
            let hide =
                |text: &str| known.as_ref().map_or_else(|| text.to_owned(), |address| address.hide_in(text));
            let _ = results.send((at, command::run(&words, &json, &limits, &hide)));
        });
    }
    match address {
        None => {}
        Some(Err(why)) => told.push(Told { way: "webhook", who: "webhook".to_owned(), result: Err(why) }),
        Some(Ok(address)) => {
            told.push(Told { way: "webhook", who: address.shown(), result: Ok(()) });
            let (at, limits, results) = (told.len() - 1, limits.clone(), results.clone());
            // Looking up a name cannot be broken off: then the thread is left behind.
            std::thread::spawn(move || {
                let _ = results.send((at, webhook::post(&address, &json, &limits)));
            });
        }
    }
    drop(results);
    collect(&mut told, &incoming, &limits, &ended, is_stopped);
    told
}

/// Waits for the results, to the deadline or a signal and no longer.
fn collect(
    told: &mut [Told],
    incoming: &mpsc::Receiver<(usize, Result<(), String>)>,
    limits: &Limits,
    ended: &AtomicBool,
    is_stopped: &dyn Fn() -> bool,
) {
    let mut missing: Vec<usize> =
        told.iter().enumerate().filter(|(_, told)| told.result.is_ok()).map(|(at, _)| at).collect();
    let mut last = limits.deadline() + GRACE;
    let mut signalled = false;
    while !missing.is_empty() && Clock::now() < last {
        match incoming.recv_timeout(STOP_TICK) {
            Ok((at, result)) => {
                missing.retain(|missing| *missing != at);
                told[at].result = result;
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
        if !signalled && is_stopped() {
            // The program is killed with all that it started; a webhook is not waited for.
            signalled = true;
            ended.store(true, Ordering::Relaxed);
            last = last.min(Clock::now() + GRACE);
        }
    }
    ended.store(true, Ordering::Relaxed);
    for at in missing {
        let why = if signalled { "was ended by a signal" } else { "was not done by the deadline" };
        told[at].result = Err(format!("{}: {why}", told[at].who));
    }
}
