//! Running a program that reads the message on its standard input.

use std::io::{ErrorKind, Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant as Clock};

use rustix::process::{Pid, Signal, kill_process_group};

use super::deliver::{Failure, Limits};

/// `EX_TEMPFAIL` of sysexits.h: the program itself says that another try may do.
const TRY_AGAIN: i32 = 75;

/// Secrets of reading, which a program that tells people has no use for.
const NOT_PASSED_ON: [&str; 3] = ["DATABASE_URL", "PGPASSWORD", "RECKON_REDACT_KEY"];

/// How much of what the program says goes to the log.
const SAID_BYTES: usize = 4_000;

/// How much of its last line stands in the reason why it did not do.
const REASON_CHARS: usize = 200;

/// How long its output may stay open once it has ended.
const OUTPUT_WAIT: Duration = Duration::from_millis(500);

/// Runs the program, again where it says so by exit code 75. `hide` takes secrets out of what it says.
///
/// # Errors
/// Why it did not do.
pub(super) fn run(
    words: &[String],
    json: &[u8],
    limits: &Limits,
    hide: &dyn Fn(&str) -> String,
) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let done = limits.deliver(|timeout| attempt(program, arguments, json, timeout, limits, hide));
    done.map_err(|why| format!("{program}: {why}"))
}

fn attempt(
    program: &str,
    arguments: &[String],
    json: &[u8],
    timeout: Duration,
    limits: &Limits,
    hide: &dyn Fn(&str) -> String,
) -> Result<(), Failure> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own: what it starts ends with it when its time is over.
    command.process_group(0);
    for secret in NOT_PASSED_ON {
        command.env_remove(secret);
    }
    let mut child = command.spawn().map_err(|cause| {
        Failure::Lasts(match cause.kind() {
            ErrorKind::NotFound => "there is no such program in the PATH".to_owned(),
            _ => format!("cannot be run: {cause}"),
        })
    })?;
    if let Some(mut input) = child.stdin.take() {
        let json = json.to_vec();
        // A program that reads nothing must not keep this one waiting, and one that ends early is judged
        // by its exit code.
        std::thread::spawn(move || input.write_all(&json));
    }
    let (out, err) = (said(child.stdout.take()), said(child.stderr.take()));
    let ended = wait(&mut child, Clock::now() + timeout, limits);
    let is_open = [&out, &err].map(|said| !said.is_complete(OUTPUT_WAIT)).contains(&true);
    if is_open {
        // What it left running holds its output, and would outlive the job.
        kill_group(&child);
    }
    let [out, err] = [out, err].map(|said| hide(&said.so_far()));
    out.lines().for_each(|line| tracing::debug!("{program}: {line}"));
    err.lines().for_each(|line| tracing::warn!("{program}: {line}"));
    let status = match ended {
        Ok(Some(status)) => status,
        Ok(None) if limits.is_ended() => return Err(Failure::Lasts("was ended by a signal".to_owned())),
        Ok(None) => {
            let why = format!("had not ended within {:.1} s and was killed", timeout.as_secs_f64());
            return Err(Failure::Lasts(why));
        }
        Err(cause) => return Err(Failure::Lasts(format!("cannot be waited for: {cause}"))),
    };
    let why = |short: String| match err.lines().rfind(|line| !line.trim().is_empty()) {
        Some(last) => format!("{short}: {}", last.trim().chars().take(REASON_CHARS).collect::<String>()),
        None => short,
    };
    match (status.success(), status.code()) {
        (true, _) => Ok(()),
        (_, Some(TRY_AGAIN)) => Err(Failure::MayPass(why(format!("exit {TRY_AGAIN}")), None)),
        (_, Some(code)) => Err(Failure::Lasts(why(format!("exit {code}")))),
        (_, None) => {
            let signal = status.signal().unwrap_or_default();
            Err(Failure::Lasts(why(format!("ended by signal {signal}"))))
        }
    }
}

/// What a program says.
struct Said {
    bytes: Arc<Mutex<Vec<u8>>>,
    end: mpsc::Receiver<()>,
}

impl Said {
    /// Nobody holds the stream open any more; waited for so long.
    fn is_complete(&self, wait: Duration) -> bool {
        !matches!(self.end.recv_timeout(wait), Err(mpsc::RecvTimeoutError::Timeout))
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// Reads what a program says, up to a limit; the rest is read and dropped, so that it never waits for us.
fn said(stream: Option<impl Read + Send + 'static>) -> Said {
    let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
    let (open, end) = mpsc::channel();
    if let Some(mut stream) = stream {
        let kept = bytes.clone();
        std::thread::spawn(move || {
            let _open = open;
            let mut part = [0; 1_024];
            while let Ok(count @ 1..) = stream.read(&mut part) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = SAID_BYTES - kept.len();
                kept.extend_from_slice(&part[..count.min(room)]);
            }
        });
    }
    Said { bytes, end }
}

/// Waits until `until`, then kills the program with all that it started. `None`: it was killed.
fn wait(child: &mut Child, until: Clock, limits: &Limits) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if !limits.tick(until) {
            // It may have ended in this very moment.
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            kill_group(child);
            let _ = child.kill();
            child.wait()?;
            return Ok(None);
        }
    }
}

/// Kills a program with all that it started and that stayed in its group.
fn kill_group(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}
