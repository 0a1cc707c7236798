//! Tries and waits: how often a message is sent, and when it is given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Clock};

use crate::config::Notify;
use crate::domain::Span;

/// Wait before the second try; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// How often a wait looks whether it shall end.
const TICK: Duration = Duration::from_millis(20);

/// Why one try did not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// It may do next time; not before so long, where the other side says it.
    MayPass(String, Option<Duration>),
    /// It would fail again.
    Lasts(String),
}

/// How often, how long, and a flag that ends it all.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    retries: u32,
    timeout: Duration,
    deadline: Clock,
    ended: Arc<AtomicBool>,
}

impl Failure {
    /// The same with another reason.
    pub fn map(self, other: impl FnOnce(&str) -> String) -> Failure {
        match self {
            Failure::MayPass(why, wait) => Failure::MayPass(other(&why), wait),
            Failure::Lasts(why) => Failure::Lasts(other(&why)),
        }
    }
}

impl Limits {
    pub fn new(settings: &Notify, ended: Arc<AtomicBool>) -> Limits {
        let duration = |span: Span| Duration::from_micros(span.0.max(0).unsigned_abs());
        Limits {
            retries: settings.retries,
            timeout: duration(settings.timeout),
            deadline: Clock::now() + duration(settings.deadline),
            ended,
        }
    }

    /// When all has to be over.
    pub fn deadline(&self) -> Clock {
        self.deadline
    }

    /// Nobody waits for the end of it any more.
    pub fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Waits a little; answers whether there is any point in going on until `until`.
    pub fn tick(&self, until: Clock) -> bool {
        std::thread::sleep(TICK.min(until.saturating_duration_since(Clock::now())));
        !self.is_ended() && Clock::now() < until
    }

    /// Tries until it does, cannot do, or may not be tried again. Each try is told how long it may take.
    ///
    /// # Errors
    /// The reason of the last try, with how many there were where there were several.
    pub fn deliver(&self, mut attempt: impl FnMut(Duration) -> Result<(), Failure>) -> Result<(), String> {
        let began = Clock::now();
        let mut tries = 0;
        loop {
            let left = self.deadline.saturating_duration_since(Clock::now());
            tries += 1;
            let (why, again) = match attempt(self.timeout.min(left)) {
                Ok(()) => return Ok(()),
                Err(Failure::Lasts(why)) => (why, None),
                Err(Failure::MayPass(why, wait)) => {
                    let doubled = FIRST_WAIT.saturating_mul(1 << (tries - 1).min(10));
                    // A wait beyond all clocks is one beyond the deadline.
                    (why, Clock::now().checked_add(wait.unwrap_or_default().max(doubled)))
                }
            };
            let until = again.filter(|until| tries <= self.retries && *until < self.deadline);
            let Some(until) = until.filter(|_| !self.is_ended()) else {
                let spent = began.elapsed().as_secs_f64();
                return Err(match tries {
                    1 => why,
                    _ => format!("{why}, after {tries} tries in {spent:.1} s"),
                });
            };
            tracing::info!("notification: {why}; another try follows");
            while self.tick(until) {}
            if self.is_ended() {
                return Err(why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Alert;

    fn limits(retries: u32, timeout_ms: i64, deadline_ms: i64) -> Limits {
        let settings = Notify {
            alert: Alert::New,
            command: Vec::new(),
            webhook: None,
            metrics: None,
            retries,
            timeout: Span(timeout_ms * 1_000),
            deadline: Span(deadline_ms * 1_000),
        };
        Limits::new(&settings, Arc::default())
    }

    fn passing() -> Result<(), Failure> {
        Err(Failure::MayPass("busy".to_owned(), None))
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_lasts_is_not() {
        let mut tries = 0;
        let done = limits(3, 100, 60_000).deliver(|_| {
            tries += 1;
            if tries < 2 { passing() } else { Ok(()) }
        });
        assert_eq!((done, tries), (Ok(()), 2));
        let mut tries = 0;
        let done = limits(3, 100, 60_000).deliver(|_| {
            tries += 1;
            Err(Failure::Lasts("404".to_owned()))
        });
        assert_eq!((done, tries), (Err("404".to_owned()), 1));
        let mut tries = 0;
        let error = limits(1, 100, 60_000).deliver(|_| {
            tries += 1;
            passing()
        });
        assert!(error.unwrap_err().starts_with("busy, after 2 tries in "));
        assert_eq!(tries, 2);
    }

    #[test]
    fn no_try_and_no_wait_goes_beyond_the_deadline() {
        let began = Clock::now();
        let mut longest = Duration::ZERO;
        let limits = limits(100, 10_000, 700);
        let done = limits.deliver(|timeout| {
            longest = longest.max(timeout);
            passing()
        });
        assert!(done.is_err());
        assert!(longest <= Duration::from_millis(700), "a try may take what is left: {longest:?}");
        assert!(began.elapsed() < Duration::from_millis(1_000), "{:?}", began.elapsed());
        let far = limits.deliver(|_| Err(Failure::MayPass("later".into(), Some(Duration::from_secs(60)))));
        assert_eq!(far, Err("later".to_owned()), "who asks for more time than there is, is not waited for");
        let never = limits.deliver(|_| Err(Failure::MayPass("never".into(), Some(Duration::MAX))));
        assert_eq!(never, Err("never".to_owned()));
    }
}
