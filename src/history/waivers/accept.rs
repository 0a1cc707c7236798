//! Writes a new waiver to the end of the file, and leaves the rest of it byte for byte.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};
use rustix::fs::{FlockOperation, flock};

use super::{CHECKS, Subject, Waiver, WaiverError, WaiverState, Waivers};
use crate::config::nearest;
use crate::domain::{FindingId, Instant};
use crate::history::{Certified, ListedFinding, ListedRun};

/// A waiver may end so many days from today at the latest: what is accepted for longer is looked at
/// again in between.
pub const DAYS_AHEAD_MAX: u64 = 366;

/// What is to be accepted.
#[derive(Debug, Clone)]
pub struct Acceptance<'a> {
    /// Id of a finding, or `check:` and the name of a check.
    pub subject: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Who answers for it.
    pub owner: &'a str,
    /// The last day (UTC) on which it is in force.
    pub until: NaiveDate,
    /// The largest effect that is accepted, in tokens without sign.
    pub max_tokens: Option<i64>,
    /// Now.
    pub now: Instant,
}

/// Why a waiver is not written. Nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum WaiveError {
    /// The run has no such finding.
    #[error(
        "the run {run} has no finding {id}{near}: take the id from the column finding_id of its findings.csv, or name another run with --run"
    )]
    NoFinding {
        /// Id as asked.
        id: String,
        /// Run directory.
        run: String,
        /// The nearest id, in words; empty where there are no findings.
        near: String,
    },
    /// There is no such check.
    #[error("{name:?} is no check of `reckon cutover`, the nearest is {near:?} (known: {known})", known = CHECKS.join(", "))]
    NoCheck {
        /// Name as asked.
        name: String,
        /// The nearest one.
        near: &'static str,
    },
    /// A finding has to be looked up, and there is no run.
    #[error("{folder} holds no run in which the finding could be looked up: run `reckon reconcile`, or name a run directory with --run", folder = .folder.display())]
    NoRun {
        /// Where one was looked for.
        folder: PathBuf,
    },
    /// A cap on something without tokens.
    #[error("--max-tokens belongs to a finding: a check has no size")]
    CapOfCheck,
    /// A cap on a finding whose size nobody knows: it would lapse at once.
    #[error(
        "--max-tokens caps the size of a finding, and that of {id} is not known: accept it without a cap"
    )]
    CapOfNothing {
        /// The finding.
        id: String,
    },
    /// A cap below what is to be accepted: it would lapse at once.
    #[error(
        "{id} is a finding of {size} tokens, more than --max-tokens {cap}: name {size} or more, or no cap"
    )]
    CapTooLow {
        /// The finding.
        id: String,
        /// Its size.
        size: u128,
        /// As asked.
        cap: i64,
    },
    /// What the check says is not known.
    #[error(
        "{place} holds no certificate in which the check {name} could be looked up: run `reckon cutover` first, or \
         name the directory of its run with --run",
        place = .place.display()
    )]
    NoCertificate {
        /// The check.
        name: &'static str,
        /// Where one was looked for.
        place: PathBuf,
    },
    /// The certificate was written by an earlier version.
    #[error(
        "the certificate of the run {run} does not say what a waiver of {name} is bound to: run `reckon cutover` again"
    )]
    OldCertificate {
        /// The check.
        name: &'static str,
        /// The run.
        run: String,
    },
    /// It need not be accepted, or nobody may.
    #[error("the check {name} {why} in the certificate of the run {run}")]
    NotAcceptable {
        /// The check.
        name: &'static str,
        /// `is ok, …`.
        why: &'static str,
        /// The run.
        run: String,
    },
    /// A word is missing.
    #[error("--{flag} is empty: write {what}")]
    Empty {
        /// Which.
        flag: &'static str,
        /// What it should say.
        what: &'static str,
    },
    /// It would be over at once.
    #[error("--until {until} is over: today is {today} (UTC), name a day from today on")]
    Past {
        /// As asked.
        until: NaiveDate,
        /// Today.
        today: NaiveDate,
    },
    /// It would last too long.
    #[error(
        "--until {until} lies more than {DAYS_AHEAD_MAX} days ahead: name a day up to {latest}, and look at it again then"
    )]
    Far {
        /// As asked.
        until: NaiveDate,
        /// The last day that may be named.
        latest: NaiveDate,
    },
    /// It is accepted already.
    #[error("{file}:{line} accepts {subject} until {until}: to change that, edit the entry there", file = .file.display())]
    Already {
        /// The waivers.
        file: PathBuf,
        /// Line of the entry.
        line: usize,
        /// What is accepted.
        subject: Subject,
        /// Its last day.
        until: NaiveDate,
    },
    /// The file as it would be is not right.
    #[error("the waiver would not be read back: {0}. Mend the file first; nothing was written")]
    NotReadBack(WaiverError),
    /// The file cannot be written.
    #[error("cannot write {file}: {cause}", file = .file.display())]
    Unwritable {
        /// File.
        file: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The waivers cannot be read.
    #[error(transparent)]
    Waivers(#[from] WaiverError),
}

/// Where what is to be accepted is looked up.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The run of a finding; `None`: there is none in `folder`.
    pub run: Option<&'a ListedRun>,
    /// Where a run was looked for.
    pub folder: &'a Path,
    /// The certificate of a check; `None`: there is none in `certificates`.
    pub certified: Option<&'a Certified>,
    /// Where a certificate was looked for.
    pub certificates: &'a Path,
}

/// What was looked up.
enum Found<'a> {
    Finding(&'a ListedFinding, &'a ListedRun),
    Check(&'static str, &'a str, &'a Certified),
}

impl Found<'_> {
    fn subject(&self) -> Subject {
        match self {
            Found::Finding(finding, _) => Subject::Finding(FindingId(finding.id.clone())),
            Found::Check(name, _, _) => Subject::Check(name),
        }
    }
}

/// Adds a waiver to the file and gives it back as it now stands there.
///
/// # Errors
/// [`WaiveError`]; then the file is as it was.
pub fn accept(file: &Path, sources: &Sources<'_>, asked: &Acceptance<'_>) -> Result<Waiver, WaiveError> {
    let today = NaiveDate::default() + chrono::TimeDelta::days(asked.now.utc_day().into());
    check_words(asked, today)?;
    let found = find(asked, sources)?;
    // The file behind a link is what is written.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let unwritable = |cause| WaiveError::Unwritable { file: file.clone(), cause };
    let beside = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Two at once would each write without the other's entry.
    let lock = File::open(beside).map_err(unwritable)?;
    // Where a file system knows no locks, the lock is taken for granted.
    let _ = flock(&lock, FlockOperation::LockExclusive);
    let before = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(cause) if cause.kind() == ErrorKind::NotFound => String::new(),
        Err(cause) => return Err(WaiverError::Unreadable { file, cause }.into()),
    };
    let known = Waivers::parse(&file, &before)?;
    if let Some(other) = in_force(&known, &found, asked.now) {
        return Err(WaiveError::Already {
            file,
            line: other.line,
            subject: found.subject(),
            until: other.until,
        });
    }
    let text = format!("{before}{}{}", gap(&before), entry(&found, asked, today));
    let after = Waivers::parse(&file, &text).map_err(WaiveError::NotReadBack)?;
    let written = after.entries.last().filter(|_| after.entries.len() == known.entries.len() + 1);
    let written = written.cloned().ok_or_else(|| unwritable(ErrorKind::InvalidData.into()))?;
    replace(&file, beside, &text).map_err(unwritable)?;
    Ok(written)
}

fn check_words(asked: &Acceptance<'_>, today: NaiveDate) -> Result<(), WaiveError> {
    let words = [
        ("reason", asked.reason, "why this may stay as it is"),
        ("owner", asked.owner, "who answers for it"),
    ];
    if let Some((flag, _, what)) = words.into_iter().find(|(_, text, _)| text.trim().is_empty()) {
        return Err(WaiveError::Empty { flag, what });
    }
    let latest = today.checked_add_days(Days::new(DAYS_AHEAD_MAX)).unwrap_or(NaiveDate::MAX);
    match asked.until {
        until if until < today => Err(WaiveError::Past { until, today }),
        until if until > latest => Err(WaiveError::Far { until, latest }),
        _ => Ok(()),
    }
}

/// What is meant.
fn find<'a>(asked: &Acceptance<'_>, sources: &Sources<'a>) -> Result<Found<'a>, WaiveError> {
    if let Some(name) = asked.subject.strip_prefix("check:") {
        return find_check(name, asked, sources);
    }
    let Some(run) = sources.run else {
        return Err(WaiveError::NoRun { folder: sources.folder.to_owned() });
    };
    let Some(finding) = run.find(asked.subject) else {
        let near = nearest(asked.subject, run.findings.iter().map(|finding| finding.id.as_str()));
        return Err(WaiveError::NoFinding {
            id: asked.subject.to_owned(),
            run: run.name.clone(),
            near: near.map(|id| format!(", the nearest is {id}")).unwrap_or_default(),
        });
    };
    let id = finding.id.clone();
    match (asked.max_tokens, finding.size()) {
        (Some(_), None) => Err(WaiveError::CapOfNothing { id }),
        (Some(cap), Some(size)) if size > u128::from(cap.unsigned_abs()) => {
            Err(WaiveError::CapTooLow { id, size, cap })
        }
        _ => Ok(Found::Finding(finding, run)),
    }
}

fn find_check<'a>(
    name: &str,
    asked: &Acceptance<'_>,
    sources: &Sources<'a>,
) -> Result<Found<'a>, WaiveError> {
    let Some(name) = CHECKS.into_iter().find(|check| *check == name) else {
        let near = nearest(name, CHECKS).unwrap_or_default();
        return Err(WaiveError::NoCheck { name: name.to_owned(), near });
    };
    if asked.max_tokens.is_some() {
        return Err(WaiveError::CapOfCheck);
    }
    let Some(certified) = sources.certified else {
        return Err(WaiveError::NoCertificate { name, place: sources.certificates.to_owned() });
    };
    let run = certified.run.clone();
    let Some((check, content)) =
        certified.checks.get(name).and_then(|check| Some((check, check.content.as_deref()?)))
    else {
        return Err(WaiveError::OldCertificate { name, run });
    };
    let why = match (check.is_ok, check.can_be_accepted) {
        (true, _) => "is ok, so there is nothing to accept,",
        (false, true) => return Ok(Found::Check(name, content, certified)),
        (false, false) => {
            "rests on what is certain: it has to be mended and cannot be accepted, as it stands"
        }
    };
    Err(WaiveError::NotAcceptable { name, why, run })
}

/// The entry that accepts the same already.
fn in_force(waivers: &Waivers, found: &Found<'_>, now: Instant) -> Option<Waiver> {
    match found {
        Found::Check(name, content, _) => {
            waivers.of_check(name, now).rfind(|waiver| waiver.content == *content).cloned()
        }
        Found::Finding(_, run) => {
            let subject = found.subject();
            let standings = waivers.against(run, None, run.as_of.max(now));
            let holds = |state| state == WaiverState::InForce;
            let found =
                standings.into_iter().find(|other| other.waiver.subject == subject && holds(other.state));
            found.map(|standing| standing.waiver)
        }
    }
}

/// What ends the last line, and an empty one before the entry.
fn gap(before: &str) -> &'static str {
    match before {
        "" => "",
        text if text.ends_with("\n\n") => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    }
}

fn entry(found: &Found<'_>, asked: &Acceptance<'_>, today: NaiveDate) -> String {
    let quoted = |text: &str| toml::Value::String(text.trim().to_owned()).to_string();
    let (what, run, key, name, content) = match found {
        Found::Finding(finding, run) => {
            (described(finding), &run.name, "finding", finding.id.as_str(), finding.content())
        }
        Found::Check(name, content, certified) => {
            (format!("the check {name} of `reckon cutover`"), &certified.run, "check", *name, *content)
        }
    };
    let mut lines = vec![
        format!("# {what}; accepted {today}, as of the run {}", printable(run)),
        "[[waiver]]".to_owned(),
        format!("{key} = {}", quoted(name)),
        format!("content = {}", quoted(content)),
        format!("reason = {}", quoted(asked.reason)),
        format!("owner = {}", quoted(asked.owner)),
        format!("until = {}", asked.until),
    ];
    lines.extend(asked.max_tokens.map(|cap| format!("max_tokens = {cap}")));
    lines.join("\n") + "\n"
}

/// `unmigrated, user ada, legacy 5000 tokens, effect 5000 tokens`.
fn described(finding: &ListedFinding) -> String {
    let mut words = vec![finding.class.name().to_owned()];
    words.extend(finding.user.iter().map(|user| format!("user {}", printable(user))));
    let figures = [
        ("legacy", finding.tokens_legacy),
        ("unified", finding.tokens_unified),
        ("effect", finding.tokens_effect),
    ];
    let known = figures.into_iter().filter_map(|(what, tokens)| Some((what, tokens?)));
    words.extend(known.map(|(what, tokens)| format!("{what} {tokens} tokens")));
    words.join(", ")
}

/// Text of a comment: nothing in it may end the line.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// Puts the text in the place of the file, in one step, with the file's permissions.
fn replace(file: &Path, folder: &Path, text: &str) -> std::io::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let fresh = folder.join(format!(".{name}.tmp-{}", std::process::id()));
    let written = write(&fresh, file, text).and_then(|()| fs::rename(&fresh, file));
    if written.is_err() {
        // Nothing more can be done about it; the file itself is as it was.
        let _ = fs::remove_file(&fresh);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write(fresh: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    let mut out = File::create(fresh)?;
    if let Ok(known) = fs::metadata(file) {
        out.set_permissions(known.permissions())?;
    }
    out.write_all(text.as_bytes())?;
    out.sync_all()
}
