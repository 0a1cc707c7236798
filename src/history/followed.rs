//! The pack that a sealed pack says it follows, held against the one that is found: a pack that was made
//! anew, or sealed again over other figures, is another one.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::packs::{Pack, PackError, open};

/// What is found of the pack that a pack follows.
#[derive(Debug, Clone)]
pub enum Predecessor {
    /// The pack says that it follows none.
    Unnamed,
    /// It is there, with the manifest that the pack names.
    Here(Pack),
    /// In its place is a pack of that period with another manifest: its folder.
    Replaced(PathBuf),
    /// Neither is to be found: archived, or never there.
    Away,
}

impl Pack {
    /// Looks for the pack that this one follows: beside it, then below `folders`.
    pub fn predecessor(&self, folders: &[PathBuf]) -> Predecessor {
        let (Some(name), Some(digest)) = (&self.previous_name, &self.previous_digest) else {
            return Predecessor::Unnamed;
        };
        let own = std::fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let beside = own.parent().map(Path::to_owned);
        let all = beside.iter().chain(folders).flat_map(|folder| readable_below(folder));
        let of_that_period = all.filter(|pack| pack.period.name() == *name && pack.has_names_as(self));
        let mut replaced = None;
        for pack in of_that_period {
            if pack.manifest_digest == *digest {
                return Predecessor::Here(pack);
            }
            replaced.get_or_insert(pack.folder);
        }
        replaced.map_or(Predecessor::Away, Predecessor::Replaced)
    }

    /// The chain behind the pack holds, as far as its packs are there.
    ///
    /// # Errors
    /// [`PackError::Replaced`] where a pack of it is not the one that its successor names.
    pub fn must_follow(&self, folders: &[PathBuf]) -> Result<(), PackError> {
        let mut at = self.clone();
        let mut seen = HashSet::new();
        while seen.insert(at.manifest_digest.clone()) {
            match at.predecessor(folders) {
                Predecessor::Here(before) => at = before,
                Predecessor::Replaced(found) => {
                    return Err(PackError::Replaced { folder: at.folder, found });
                }
                Predecessor::Unnamed | Predecessor::Away => break,
            }
        }
        Ok(())
    }
}

/// The packs in a folder. One that cannot be opened is said where it would be followed.
fn readable_below(folder: &Path) -> Vec<Pack> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let shown = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    let mut folders: Vec<PathBuf> = shown.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders.iter().filter_map(|folder| open(folder).ok().flatten()).collect()
}
