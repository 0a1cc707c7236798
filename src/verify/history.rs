//! The past that a run of a history carries along: that `lifecycle.csv` agrees with the findings, follows
//! from that of the run before, and that `runs.csv` is the chain.

use std::path::Path;

use super::files::Manifest;
use super::tables::{Run, original, tokens};
use super::{Check, counted, failed, judged, not_tested};
use crate::history::lifecycle::{self, Life, Lifecycle, State};
use crate::history::runs::{self, PastRun};

const COLUMNS: [&str; 6] = ["finding_id", "class", "severity", "user_id", "tokens_effect", "status"];

/// Checks both files; `None` for a run that belongs to no history.
pub(super) fn check(folder: &Path, manifest: &Manifest, run: &Run) -> Option<Check> {
    let lists = |name: &str| manifest.files.iter().any(|file| file.name == name);
    match (lists(lifecycle::FILE_NAME), lists(runs::FILE_NAME)) {
        (true, true) => {}
        (false, false) if manifest.previous.is_none() => {
            let said = run.summary.history.previous.as_ref()?;
            return Some(failed(
                "history",
                format!("summary.json names {said} as the run before, manifest.json none"),
            ));
        }
        (false, false) => return Some(without(run)),
        (has_lives, _) => {
            let missing = if has_lives { runs::FILE_NAME } else { lifecycle::FILE_NAME };
            let detail = format!(
                "{missing} is missing: a run of a history has both it and the other file of its past"
            );
            return Some(failed("history", detail));
        }
    }
    Some(match examined(folder, manifest, run) {
        Err(cause) => failed("history", cause),
        Ok((lives, runs, wrong)) => judged(
            "history",
            wrong,
            format!(
                "{} of all time and {}, as the runs have them",
                counted(lives, "finding"),
                counted(runs, "earlier run")
            ),
        ),
    })
}

/// A run of a history that has neither file: of an earlier version, which did not count what came back.
fn without(run: &Run) -> Check {
    match run.summary.history.reopened {
        None => not_tested(
            "history",
            "an earlier version of reckon wrote this run, without lifecycle.csv and runs.csv",
        ),
        Some(_) => failed(
            "history",
            "lifecycle.csv and runs.csv are missing: the version of reckon that wrote this run writes both",
        ),
    }
}

fn examined(folder: &Path, manifest: &Manifest, run: &Run) -> Result<(usize, usize, Vec<String>), String> {
    let lifecycle = read(folder)?;
    let earlier = runs::lines(folder).map_err(|cause| cause.to_string())?;
    let mut wrong = findings(&lifecycle, run)?;
    wrong.extend(lifecycle.lives.iter().filter_map(step));
    let repeated = lifecycle.lives.windows(2).filter(|pair| pair[0].id == pair[1].id);
    wrong.extend(repeated.map(|pair| format!("{} stands in lifecycle.csv more than once", pair[0].id)));
    let history = &run.summary.history;
    let counts = [
        ("resolved", lifecycle.resolved_now().count() as u64, history.resolved),
        ("reopened", lifecycle.reopened().count() as u64, history.reopened.unwrap_or(0)),
        ("lapsed", lifecycle.lapsed().count() as u64, history.lapsed),
    ];
    let differing = counts.iter().filter(|(_, found, said)| found != said);
    wrong.extend(
        differing.map(|(what, found, said)| {
            format!("{found} are {what} in lifecycle.csv, summary.json says {said}")
        }),
    );
    wrong.extend(chained(manifest, &earlier));
    let named = earlier.last().map(|run| &run.name);
    if named != run.summary.history.previous.as_ref() {
        wrong.push("summary.json names another run as the one before than runs.csv".to_owned());
    }
    wrong.extend(beside(folder, manifest, &lifecycle, &earlier)?);
    Ok((lifecycle.lives.len(), earlier.len(), wrong))
}

fn read(folder: &Path) -> Result<Lifecycle, String> {
    Lifecycle::read(&folder.join(lifecycle::FILE_NAME)).map_err(|cause| format!("lifecycle.csv: {cause}"))
}

/// Every finding is in the lifecycle as it is listed, and no other stands there.
fn findings(lifecycle: &Lifecycle, run: &Run) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    let mut listed = 0;
    run.csv("findings.csv", &COLUMNS, |cells, _| {
        let [id, class, severity, user, effect, status] = cells[..] else {
            return Err("six columns were asked for".to_owned());
        };
        listed += 1;
        let Some(life) = lifecycle.find(id) else {
            wrong.push(format!("{id} is a finding, lifecycle.csv does not have it"));
            return Ok(());
        };
        let states: &[State] = match status {
            "new" => &[State::New, State::Reopened],
            "open" => &[State::Open],
            _ => &[State::Waived],
        };
        if !states.contains(&life.state) {
            wrong
                .push(format!("{id} is {status} in findings.csv and {} in lifecycle.csv", life.state.name()));
        }
        let same = (life.class.name(), life.severity.name(), life.user.as_deref().unwrap_or_default());
        if same != (class, severity, original(user)) || life.tokens_effect != tokens("tokens_effect", effect)?
        {
            wrong.push(format!("{id} has another class, severity, user or effect in lifecycle.csv"));
        }
        if life.last_seen.rfc3339() != run.summary.as_of || life.resolved_at.is_some() {
            wrong.push(format!("{id} is a finding, lifecycle.csv says that it was seen last before"));
        }
        Ok(())
    })?;
    let standing = lifecycle.lives.iter().filter(|life| life.stands()).count();
    if standing != listed {
        wrong.push(format!("{standing} findings stand in lifecycle.csv, {listed} in findings.csv"));
    }
    Ok(wrong)
}

/// A state that cannot follow from the one before.
fn step(life: &Life) -> Option<String> {
    let follows = match (life.previous_state, life.state) {
        (None, State::New | State::Waived) => life.times_reopened == 0,
        (None, State::Open | State::Reopened | State::Resolved) => false,
        (Some(State::Resolved), state) => {
            state == State::Resolved
                || (matches!(state, State::Reopened | State::Waived) && life.times_reopened > 0)
        }
        (Some(_), state) => matches!(state, State::Open | State::Waived | State::Resolved),
    };
    let before = life.previous_state.map_or("nothing", State::name);
    let dated = life.resolved_at.is_some() == (life.state == State::Resolved);
    (!follows || !dated).then(|| {
        format!(
            "{} is {} after {before}, which cannot be so as lifecycle.csv has it",
            life.id,
            life.state.name()
        )
    })
}

/// The lines of `runs.csv` follow each other up to the run before.
fn chained(manifest: &Manifest, earlier: &[PastRun]) -> Vec<String> {
    let last = earlier.last().map(|run| &run.manifest_digest);
    let mut wrong = Vec::new();
    if last != manifest.previous.as_ref() {
        wrong.push(
            "the last line of runs.csv is not the run that the manifest names as the one before".to_owned(),
        );
    }
    for pair in earlier.windows(2) {
        if pair[1].previous_digest.as_ref() != Some(&pair[0].manifest_digest) {
            wrong.push(format!("runs.csv: {} does not follow {}", pair[1].name, pair[0].name));
        }
    }
    wrong
}

/// Against the runs that are still there: their figures, and the lifecycle of the one before.
fn beside(
    folder: &Path,
    manifest: &Manifest,
    lifecycle: &Lifecycle,
    earlier: &[PastRun],
) -> Result<Vec<String>, String> {
    let own = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let parent = own.parent().map(Path::to_owned).unwrap_or_default();
    let mut wrong = Vec::new();
    for line in earlier.iter().filter(|line| !line.name.contains(['/', '\\'])) {
        let Ok(Some(found)) = PastRun::read(&parent.join(&line.name)) else { continue };
        // Another manifest is a matter of the chain.
        let is_same = found.manifest_digest == line.manifest_digest;
        if let Some(why) = found.altered.as_ref().filter(|_| is_same) {
            wrong.push(format!("{} is not as it was written: {why}", line.name));
        } else if is_same && !says_the_same(line, found) {
            wrong.push(format!("runs.csv says other figures of {} than its summary.json", line.name));
        }
        if is_same && Some(&line.manifest_digest) == manifest.previous.as_ref() {
            wrong.extend(followed(&parent.join(&line.name), lifecycle)?);
        }
    }
    Ok(wrong)
}

/// The line has the figures of the run; one that an earlier version wrote does not name its tables.
fn says_the_same(line: &PastRun, run: PastRun) -> bool {
    let tables = run.tables.clone().filter(|_| line.tables.is_some());
    PastRun { is_here: false, tables, ..run } == *line
}

/// What the lifecycle says of the run before is what that run says.
fn followed(previous: &Path, lifecycle: &Lifecycle) -> Result<Vec<String>, String> {
    if !previous.join(lifecycle::FILE_NAME).exists() {
        return Ok(Vec::new());
    }
    let before = read(previous)?;
    let mut wrong = Vec::new();
    for life in &before.lives {
        let Some(now) = lifecycle.find(&life.id) else {
            wrong.push(format!("{} stood in the lifecycle.csv of the run before, and is left out", life.id));
            continue;
        };
        if now.previous_state != Some(life.state) || now.first_seen != life.first_seen {
            wrong.push(format!("{} is told otherwise by the lifecycle.csv of the run before", life.id));
        }
    }
    let fresh = lifecycle.lives.iter().filter(|life| life.previous_state.is_some());
    let unknown = fresh.filter(|life| before.find(&life.id).is_none());
    wrong.extend(unknown.map(|life| format!("{} is in no lifecycle.csv of the run before", life.id)));
    Ok(wrong)
}
