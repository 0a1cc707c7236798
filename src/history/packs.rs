//! Audit packs before this one: a sealed pack gives the next one its opening balances.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;

use super::sealed;
use crate::audit::period::{Period, Sealed};
use crate::sha256::sha256;

/// Name and version of the shape of a pack's `manifest.json`.
pub const PACK_SCHEMA: &str = "reckon.audit/1";

/// Files of a pack that the next one reads.
pub(super) const EVIDENCE: [&str; 4] = ["roll_forward.csv", "balances.csv", "rows.csv", "usage.csv"];

/// Files that hold a pack's figures. The others say where these came from too, and a ledger that goes
/// on after the period, or another snapshot of it, changes that.
const FIGURES: [&str; 9] = [
    "adjustments.csv",
    "balances.csv",
    "causes.csv",
    "exceptions.csv",
    "grants_by_action.csv",
    "roll_forward.csv",
    "rows.csv",
    "sample.csv",
    "usage.csv",
];

/// Why a pack cannot be followed or sealed. Every one means exit 2.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file of a pack cannot be read.
    #[error("cannot read {file} of a sealed pack: {cause}. Restore the pack from where it is archived, or name another with --previous", file = .file.display())]
    Unreadable {
        /// File.
        file: PathBuf,
        /// Why.
        cause: String,
    },
    /// A file of a sealed pack is not what its manifest says.
    #[error("{file} was changed after its pack was sealed: its SHA-256 is not the one in manifest.json. Restore it from where the pack is archived, or name another pack with --previous", file = .file.display())]
    Altered {
        /// File.
        file: PathBuf,
    },
    /// A folder is or was a pack, and its manifest does not say so.
    #[error("{folder} is or was an audit pack and cannot be opened: {cause}. Restore the pack from where it is archived, move the folder elsewhere, or name the pack to follow with --previous", folder = .folder.display())]
    Broken {
        /// Folder.
        folder: PathBuf,
        /// Why.
        cause: String,
    },
    /// There is no pack.
    #[error("{folder} holds no audit pack: there is no manifest.json of one in it. Name the folder of the pack of the period before with --previous", folder = .folder.display())]
    NoPack {
        /// Folder.
        folder: PathBuf,
    },
    /// The named pack ends on another day.
    #[error("the pack in {folder} ends on {last}, and the period begins on {first}: name the pack that ends on the day before with --previous, or begin on the day after {last}", folder = .folder.display())]
    NotBefore {
        /// Folder of the pack.
        folder: PathBuf,
        /// Its last day.
        last: NaiveDate,
        /// First day of the period.
        first: NaiveDate,
    },
    /// The named pack calls users by other names.
    #[error("users stand under other names in {folder}: --redact has to be the same in both packs, and so has its key", folder = .folder.display())]
    OtherNames {
        /// Folder of the pack.
        folder: PathBuf,
    },
    /// Several packs end on the day before and disagree.
    #[error("{first} and {second} both end on the day before and close with different balances: name the one to follow with --previous", first = .first.display(), second = .second.display())]
    Disagree {
        /// One.
        first: PathBuf,
        /// Another.
        second: PathBuf,
    },
    /// A pack of the chain is not the one that its successor follows.
    #[error("{folder} follows another pack than the one that is now in {found}: that one was changed or made anew after it had been followed. Restore it from where it is archived; or move {folder} and those after it elsewhere, and make them anew", folder = .folder.display(), found = .found.display())]
    Replaced {
        /// Folder of the successor.
        folder: PathBuf,
        /// Folder of the pack that stands in the place of the one before.
        found: PathBuf,
    },
    /// The period is sealed and would look different now.
    #[error("{folder} is sealed, and this run differs from it in {files}. A sealed period stays as it is: what changed since is an adjustment of the next period. Write this run elsewhere with --out to compare", folder = .folder.display())]
    Sealed {
        /// Folder of the pack.
        folder: PathBuf,
        /// The files that differ.
        files: String,
    },
    /// Something else is in the way.
    #[error("{folder} is not empty and holds no pack of {period}: name another folder with --out", folder = .folder.display())]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// The period.
        period: String,
    },
}

/// A pack as its manifest describes it.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Its folder.
    pub folder: PathBuf,
    /// First and last day.
    pub period: Period,
    /// SHA-256 of the manifest.
    pub manifest_digest: String,
    /// Period of the pack that it follows.
    pub(super) previous_name: Option<String>,
    /// SHA-256 of that pack's manifest.
    pub(super) previous_digest: Option<String>,
    redacted: bool,
    /// Fingerprint of the key of its names; an earlier version wrote none.
    redaction_key: Option<String>,
    files: Vec<ListedFile>,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    period: ManifestPeriod,
    parameters: ManifestParameters,
    files: Vec<ListedFile>,
    previous_pack: Option<String>,
    previous: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ManifestParameters {
    redacted: bool,
    redaction_key: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ManifestPeriod {
    from: NaiveDate,
    to: NaiveDate,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct ListedFile {
    name: String,
    sha256: String,
}

/// Files that nothing but a pack has, but for chance: two of them together are one, or what is left of it.
const SIGNS: [&str; 4] = ["adjustments.csv", "grants_by_action.csv", "provenance.csv", "roll_forward.csv"];

/// The pack in a folder, if there is one.
///
/// # Errors
/// [`PackError::Broken`] when the folder is or was a pack and cannot be opened: taken for no pack, it would
/// let the next one begin anew in silence.
pub fn open(folder: &Path) -> Result<Option<Pack>, PackError> {
    let broken = |cause: String| PackError::Broken { folder: folder.to_owned(), cause };
    let manifest = fs::read(folder.join("manifest.json"));
    let bytes = manifest.as_deref().unwrap_or_default();
    match read_manifest(folder, &manifest) {
        Ok(pack) => match named_for(folder) {
            Some(period) if period != pack.period => {
                Err(broken(format!("its manifest.json is that of {}", pack.period.name())))
            }
            _ => Ok(Some(pack)),
        },
        Err(cause) if says_pack(bytes) || was_pack(folder) => Err(broken(format!("manifest.json: {cause}"))),
        Err(_) => Ok(None),
    }
}

fn read_manifest(folder: &Path, bytes: &std::io::Result<Vec<u8>>) -> Result<Pack, String> {
    let bytes = bytes.as_ref().map_err(ToString::to_string)?;
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|cause| cause.to_string())?;
    if value["schema"] != PACK_SCHEMA {
        return Err(format!("its schema is {}, this version reads {PACK_SCHEMA:?}", value["schema"]));
    }
    let manifest: Manifest = serde_json::from_value(value).map_err(|cause| cause.to_string())?;
    let period = Period::new(manifest.period.from, manifest.period.to).map_err(|cause| cause.to_string())?;
    Ok(Pack {
        folder: folder.to_owned(),
        period,
        manifest_digest: sha256(bytes).hex(),
        previous_name: manifest.previous_pack,
        previous_digest: manifest.previous,
        redacted: manifest.parameters.redacted,
        redaction_key: manifest.parameters.redaction_key,
        files: manifest.files,
    })
}

/// The words of a pack stand in a manifest, be it only half of one.
fn says_pack(manifest: &[u8]) -> bool {
    String::from_utf8_lossy(manifest).contains("\"reckon.audit/")
}

/// The folder is not empty and is named like a pack, or it holds files of one.
fn was_pack(folder: &Path) -> bool {
    let holds_any = || fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    let signs = SIGNS.iter().filter(|name| folder.join(name).exists()).count();
    signs >= 2 || (named_for(folder).is_some() && holds_any())
}

/// The period that a folder is named after, as packs are by default.
fn named_for(folder: &Path) -> Option<Period> {
    let name = folder.file_name()?.to_str()?;
    let (first, last) = name.split_once('_')?;
    let period = Period::new(first.parse().ok()?, last.parse().ok()?).ok()?;
    (period.name() == name).then_some(period)
}

/// The sealed pack that ends on the day before `period`: the one in `named`, or one below the first
/// of `folders` that has one. Only packs with users under the same names count: `key` is the fingerprint of
/// the key of the names, `None` where users stand under their own ids.
///
/// # Errors
/// [`PackError`] when it is there but cannot be followed.
pub fn before(
    period: &Period,
    named: Option<&Path>,
    folders: &[PathBuf],
    key: Option<&str>,
) -> Result<Option<Sealed>, PackError> {
    if let Some(folder) = named {
        let pack = open(folder)?.ok_or_else(|| PackError::NoPack { folder: folder.to_owned() })?;
        if pack.period.last() != period.day_before() {
            let (last, first) = (pack.period.last(), period.first());
            return Err(PackError::NotBefore { folder: folder.to_owned(), last, first });
        }
        if !pack.has_names_of(key) {
            return Err(PackError::OtherNames { folder: folder.to_owned() });
        }
        pack.must_follow(folders)?;
        return pack.read().map(Some);
    }
    for folder in folders {
        let mut packs: Vec<Pack> = packs_below(folder)?
            .into_iter()
            .filter(|pack| pack.period.last() == period.day_before() && pack.redacted == key.is_some())
            .collect();
        // Under another key every holder would be another: none of them is followed in silence.
        let other_names = packs.first().map(|pack| pack.folder.clone());
        packs.retain(|pack| pack.has_names_of(key));
        if let Some(folder) = other_names.filter(|_| packs.is_empty()) {
            return Err(PackError::OtherNames { folder });
        }
        // The shortest first: the months' chain goes before the quarters'.
        packs.sort_by(|a, b| (b.period.first(), &a.folder).cmp(&(a.period.first(), &b.folder)));
        let mut sealed = packs.iter().map(|pack| pack.read().map(|sealed| (pack, sealed)));
        let Some(first) = sealed.next().transpose()? else { continue };
        first.0.must_follow(folders)?;
        for other in sealed {
            let (pack, other) = other?;
            if other.users != first.1.users {
                let (first, second) = (first.0.folder.clone(), pack.folder.clone());
                return Err(PackError::Disagree { first, second });
            }
        }
        return Ok(Some(first.1));
    }
    Ok(None)
}

/// The last day of the latest pack below the folders that ends before `day`.
///
/// # Errors
/// [`PackError`] when a pack cannot be opened.
pub fn latest_before(day: NaiveDate, folders: &[PathBuf]) -> Result<Option<NaiveDate>, PackError> {
    let packs = folders.iter().map(|folder| packs_below(folder)).collect::<Result<Vec<_>, _>>()?;
    Ok(packs.iter().flatten().map(|pack| pack.period.last()).filter(|last| *last < day).max())
}

/// The names of the sealed packs below the folders that have days in common with `period` and are not of the
/// same period: each once, ascending.
///
/// # Errors
/// [`PackError`] when a pack cannot be opened.
pub fn overlapping(period: &Period, folders: &[PathBuf]) -> Result<Vec<String>, PackError> {
    let packs = folders.iter().map(|folder| packs_below(folder)).collect::<Result<Vec<_>, _>>()?;
    let others = packs.iter().flatten().map(|pack| pack.period).filter(|other| other != period);
    let mut names: Vec<String> =
        others.filter(|other| other.overlaps(period)).map(|other| other.name()).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

fn packs_below(folder: &Path) -> Result<Vec<Pack>, PackError> {
    let failed =
        |cause: std::io::Error| PackError::Unreadable { file: folder.to_owned(), cause: cause.to_string() };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>().map_err(failed)?,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(failed(cause)),
    };
    // What is hidden is being written, or was left behind.
    let is_shown = |entry: &&fs::DirEntry| !entry.file_name().to_string_lossy().starts_with('.');
    let mut folders: Vec<PathBuf> = entries.iter().filter(is_shown).map(fs::DirEntry::path).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    let packs = folders.iter().map(|folder| open(folder)).collect::<Result<Vec<_>, _>>()?;
    Ok(packs.into_iter().flatten().collect())
}

/// May a pack of `period` go to `folder`? An empty or absent folder: yes, `None`. A pack of the same
/// period: it stays, and this run has to be the same.
///
/// # Errors
/// [`PackError::Occupied`], and [`PackError::Broken`] where the pack there cannot be opened.
pub fn sealed_at(folder: &Path, period: &Period) -> Result<Option<Pack>, PackError> {
    let occupied = || PackError::Occupied { folder: folder.to_owned(), period: period.name() };
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(None),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        _ => open(folder)?.filter(|pack| pack.period == *period).map(Some).ok_or_else(occupied),
    }
}

impl Pack {
    /// Compares the pack's figures with what has been written now: file name and SHA-256.
    ///
    /// # Errors
    /// [`PackError::Sealed`] when they differ, [`PackError::Altered`] when the pack is not what it
    /// was.
    pub fn must_be(&self, written: &[(String, String)]) -> Result<(), PackError> {
        self.must_be_whole()?;
        let is_figure = |(name, _): &(&str, &str)| FIGURES.contains(name);
        let sealed = self.files.iter().map(|file| (file.name.as_str(), file.sha256.as_str()));
        let sealed: HashSet<(&str, &str)> = sealed.filter(is_figure).collect();
        let now = written.iter().map(|(name, sha256)| (name.as_str(), sha256.as_str()));
        let now: HashSet<(&str, &str)> = now.filter(is_figure).collect();
        let mut differing: Vec<&str> = sealed.symmetric_difference(&now).map(|(name, _)| *name).collect();
        differing.sort_unstable();
        differing.dedup();
        match differing.is_empty() {
            true => Ok(()),
            false => Err(PackError::Sealed { folder: self.folder.clone(), files: differing.join(", ") }),
        }
    }

    /// Users stand under the same names in a pack that is made with a key of this fingerprint, or with none.
    /// Of a pack without a fingerprint nothing else can be said.
    fn has_names_of(&self, key: Option<&str>) -> bool {
        match (&self.redaction_key, key) {
            (Some(own), Some(key)) => own == key,
            _ => self.redacted == key.is_some(),
        }
    }

    /// Users stand under the same names in both packs.
    pub(super) fn has_names_as(&self, other: &Pack) -> bool {
        self.redacted == other.redacted && self.redaction_key == other.redaction_key
    }

    /// Every file is there as it was sealed, those too that the next period does not read.
    fn must_be_whole(&self) -> Result<(), PackError> {
        self.files.iter().try_for_each(|file| self.bytes(&file.name).map(drop))
    }

    /// Reads what the next period needs.
    fn read(&self) -> Result<Sealed, PackError> {
        self.must_be_whole()?;
        let files = EVIDENCE.iter().map(|name| self.bytes(name)).collect::<Result<Vec<_>, _>>()?;
        let [roll_forward, balances, rows, usage] =
            <[Vec<u8>; 4]>::try_from(files).expect("as many files as names");
        let failed =
            |file: &str, cause: String| PackError::Unreadable { file: self.folder.join(file), cause };
        let (users, paid) = sealed::users(&balances).map_err(|cause| failed(EVIDENCE[1], cause))?;
        Ok(Sealed {
            name: self.period.name(),
            manifest_digest: self.manifest_digest.clone(),
            lines: sealed::lines(&roll_forward).map_err(|cause| failed(EVIDENCE[0], cause))?,
            users,
            paid,
            rows: sealed::rows(&rows).map_err(|cause| failed(EVIDENCE[2], cause))?,
            usage: sealed::usage(&usage).map_err(|cause| failed(EVIDENCE[3], cause))?,
        })
    }

    /// The bytes of a file, which must be those that the manifest names.
    fn bytes(&self, name: &str) -> Result<Vec<u8>, PackError> {
        let file = self.folder.join(name);
        let bytes = fs::read(&file)
            .map_err(|cause| PackError::Unreadable { file: file.clone(), cause: cause.to_string() })?;
        let listed = self.files.iter().find(|listed| listed.name == name);
        match listed.is_some_and(|listed| listed.sha256 == sha256(&bytes).hex()) {
            true => Ok(bytes),
            false => Err(PackError::Altered { file }),
        }
    }
}
