//! Every file against the manifest: there, as long, with this digest; and no other beside them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use super::{Check, VerifyError, counted, judged};
use crate::cutover::archive;
use crate::history::packs::PACK_SCHEMA;
use crate::report::manifest;
use crate::sha256::{Sha256, sha256};

/// What a manifest says, as far as it is checked.
#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    schema: String,
    pub(super) inputs: Vec<Input>,
    pub(super) files: Vec<Listed>,
    pub(super) previous: Option<String>,
    /// Of a run and of a pack.
    pub(super) as_of: Option<String>,
    /// Of a run.
    pub(super) run_id: Option<String>,
    /// SHA-256 of its own bytes.
    #[serde(skip)]
    pub(super) digest: String,
}

/// An input with its control totals.
#[derive(Debug, Deserialize)]
pub(super) struct Input {
    pub(super) role: String,
    pub(super) rows: u64,
    pub(super) tokens: i128,
}

/// A file with its digest.
#[derive(Debug, Deserialize)]
pub(super) struct Listed {
    pub(super) name: String,
    bytes: u64,
    sha256: String,
}

impl Manifest {
    /// It is that of an audit pack.
    pub(super) fn is_pack(&self) -> bool {
        self.schema == PACK_SCHEMA
    }

    /// It is that of the archive of a table.
    pub(super) fn is_archive(&self) -> bool {
        self.schema == archive::MANIFEST_SCHEMA
    }

    /// Reads the manifest of a run directory.
    pub(super) fn read(folder: &Path) -> Result<Manifest, VerifyError> {
        let file = folder.join(manifest::FILE_NAME);
        let bytes = std::fs::read(&file).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
                let folder = folder.to_owned();
                match folder.metadata() {
                    Ok(about) if about.is_file() => VerifyError::IsFile { folder },
                    Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                        VerifyError::NotThere { folder }
                    }
                    _ => VerifyError::NoManifest { folder },
                }
            }
            _ => VerifyError::Unreadable { file: file.clone(), cause: cause.to_string() },
        })?;
        let unreadable = |cause: serde_json::Error| VerifyError::Unreadable {
            file: file.clone(),
            cause: cause.to_string(),
        };
        let schema: Schema = serde_json::from_slice(&bytes).map_err(unreadable)?;
        if ![manifest::SCHEMA, PACK_SCHEMA, archive::MANIFEST_SCHEMA].contains(&schema.schema.as_str()) {
            return Err(VerifyError::Schema { file, found: schema.schema, wanted: manifest::SCHEMA });
        }
        let mut read: Manifest = serde_json::from_slice(&bytes).map_err(unreadable)?;
        read.digest = sha256(&bytes).hex();
        Ok(read)
    }
}

#[derive(Deserialize)]
struct Schema {
    schema: String,
}

/// The files of the manifest, and no other.
pub(super) fn check(folder: &Path, manifest: &Manifest) -> Check {
    let mut wrong = Vec::new();
    let mut bytes = 0_u64;
    let mut listed: BTreeSet<&str> = BTreeSet::from([manifest::FILE_NAME]);
    for file in &manifest.files {
        bytes = bytes.saturating_add(file.bytes);
        if file.name.contains(['/', '\\']) || !listed.insert(&file.name) {
            wrong.push(format!("the manifest names {:?}, which is no file of its own directory", file.name));
            continue;
        }
        match digest(&folder.join(&file.name)) {
            Err(cause) => wrong.push(format!("{}: {cause}", file.name)),
            Ok((length, _)) if length != file.bytes => {
                wrong.push(format!("{}: {length} bytes instead of {}", file.name, file.bytes));
            }
            Ok((_, digest)) if digest != file.sha256 => {
                wrong.push(format!(
                    "{}: its SHA-256 is {digest}, the manifest says {}",
                    file.name, file.sha256
                ));
            }
            Ok(_) => {}
        }
    }
    match std::fs::read_dir(folder) {
        Err(cause) => wrong.push(format!("{}: {cause}", folder.display())),
        Ok(entries) => {
            let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            let mut others: Vec<String> = names.filter(|name| !listed.contains(name.as_str())).collect();
            others.sort();
            wrong.extend(others.into_iter().map(|name| format!("{name}: not named by the manifest")));
        }
    }
    judged(
        "files",
        wrong,
        format!("{}, {bytes} bytes, as the manifest says", counted(manifest.files.len(), "file")),
    )
}

/// Length and digest of a file, read piece by piece.
fn digest(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::default();
    let mut buffer = vec![0; 1 << 16];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((length, hash.finish().hex()));
        }
        length += read as u64;
        hash.update(&buffer[..read]);
    }
}
