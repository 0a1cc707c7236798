//! The chain of runs: each manifest holds the digest of the one before, so that no run of a history
//! can be changed or taken out without it showing.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::files::Manifest;
use super::{Check, counted, failed, not_tested, ok};
use crate::history::{LATEST, runs};

/// Follows the chain back through the directories beside this one.
pub(super) fn check(folder: &Path, manifest: &Manifest) -> Check {
    let Some(previous) = &manifest.previous else {
        return ok("chain", "the first run of its history: it names none before it");
    };
    let beside = neighbours(folder);
    let mut wanted = previous.clone();
    let mut links = 0;
    let mut seen = std::collections::HashSet::from([manifest.digest.clone()]);
    while let Some((at, before)) = beside.get(&wanted) {
        if !seen.insert(wanted.clone()) {
            return failed("chain", format!("{}: it comes after itself", at.display()));
        }
        links += 1;
        match &before.previous {
            None => {
                return ok(
                    "chain",
                    format!("{}, back to the first, {}", counted(links, "earlier run"), name(at)),
                );
            }
            Some(next) => wanted = next.clone(),
        }
    }
    missing(folder, &wanted, links, &beside)
}

/// The run that should come next is not here: it was changed, taken out, or this is a copy of one
/// directory alone.
fn missing(
    folder: &Path,
    wanted: &str,
    links: usize,
    beside: &HashMap<String, (PathBuf, Manifest)>,
) -> Check {
    if let Some(check) = removed(folder, wanted, links) {
        return check;
    }
    let named = (links == 0).then(|| previous_name(folder)).flatten();
    let parent = parent(folder);
    if let Some(named) = named.filter(|named| parent.join(named).is_dir()) {
        return failed(
            "chain",
            format!("{named} was changed since: its manifest is not the one with SHA-256 {wanted}"),
        );
    }
    let others = beside.len();
    if links > 0 || others > 0 {
        let detail = format!(
            "{}; the one before, whose manifest has SHA-256 {wanted}, is not among the {} in {}",
            following(links),
            counted(others, "other run"),
            parent.display()
        );
        return not_tested("chain", detail);
    }
    not_tested(
        "chain",
        format!("the run before, whose manifest has SHA-256 {wanted}, is not beside this one"),
    )
}

/// The run that should come next is remembered by this one: it was removed since, or changed.
fn removed(folder: &Path, wanted: &str, links: usize) -> Option<Check> {
    let earlier = runs::lines(folder).ok()?;
    let line = earlier.into_iter().find(|run| run.manifest_digest == wanted)?;
    if line.name.contains(['/', '\\']) {
        return None;
    }
    let place = parent(folder).join(&line.name);
    // It may be the one, and yet be no neighbour: nothing is said against it.
    let is_it = || Manifest::read(&place).is_ok_and(|found| found.digest == wanted);
    // A later run of the same as-of takes the place of an earlier one, and remembers it.
    let is_later = || {
        let lines = runs::lines(&place).unwrap_or_default();
        lines.iter().any(|run| run.manifest_digest == wanted)
    };
    if place.is_dir() && !is_it() && !is_later() {
        let name = line.name;
        return Some(failed(
            "chain",
            format!(
                "{name} was changed since: its manifest is not the one with SHA-256 {wanted}, as runs.csv has it"
            ),
        ));
    }
    let detail = format!(
        "{}; {} before is not here (any more), as `[history] keep` removes runs: its figures stand in runs.csv",
        following(links),
        line.name
    );
    Some(not_tested("chain", detail))
}

fn following(links: usize) -> String {
    format!("{} {}", counted(links, "earlier run"), if links == 1 { "follows" } else { "follow" })
}

/// The runs in the same folder, by the digest of their manifests. One that cannot be read is no link.
fn neighbours(folder: &Path) -> HashMap<String, (PathBuf, Manifest)> {
    let Ok(own) = std::fs::canonicalize(folder) else { return HashMap::new() };
    // A run that was moved to another disk has its neighbours where the link to it is.
    let named = folder.parent().filter(|_| folder.file_name().is_some()).and_then(|named| {
        std::fs::canonicalize(if named.as_os_str().is_empty() { Path::new(".") } else { named }).ok()
    });
    let places: BTreeSet<PathBuf> = named.into_iter().chain([parent(folder)]).collect();
    let entries = places.iter().flat_map(|place| std::fs::read_dir(place).into_iter().flatten().flatten());
    let others = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && path.file_name().is_none_or(|name| name != LATEST))
        .filter(|path| std::fs::canonicalize(path).is_ok_and(|path| path != own));
    others
        .filter_map(|path| {
            Manifest::read(&path).ok().map(|manifest| (manifest.digest.clone(), (path, manifest)))
        })
        .collect()
}

fn parent(folder: &Path) -> PathBuf {
    let own = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    own.parent().map(Path::to_owned).unwrap_or_default()
}

/// The name of the run before, as `summary.json` has it.
fn previous_name(folder: &Path) -> Option<String> {
    let text = std::fs::read(folder.join("summary.json")).ok()?;
    let summary: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let name = summary["history"]["previous"].as_str()?;
    (!name.contains(['/', '\\'])).then(|| name.to_owned())
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
