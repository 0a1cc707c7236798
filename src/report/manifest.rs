//! `manifest.json`: what was read, what was written, and which run came before.

use serde::Serialize;

use crate::domain::{Instant, Span};
use crate::source::FileDigest;
use crate::source::postgres::activity::Activity;

use super::error::ReportError;
use super::json::pretty;
use super::model::Model;
use super::place::WrittenFile;

/// The name of the file. It is written last: a directory that has it is whole.
pub const FILE_NAME: &str = "manifest.json";

/// Name and version of the shape of `manifest.json`.
pub const SCHEMA: &str = "reckon.manifest/1";

/// What differs between two runs over the same data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When the run began.
    pub started: Instant,
    /// Name of the machine.
    pub host: String,
    /// How long the database's snapshot was held, where there was one.
    pub snapshot_held: Option<Span>,
    /// What the database's statistics counted around the run, where it read a database.
    pub activity: Option<Activity>,
}

impl Run {
    /// How long the snapshot was held, in seconds to the millisecond.
    pub fn snapshot_seconds(&self) -> Option<f64> {
        self.snapshot_held.map(|span| (span.0 / 1000) as f64 / 1000.0)
    }
}

#[derive(Serialize)]
struct Manifest<'a> {
    schema: &'static str,
    version: &'static str,
    run_id: &'a str,
    as_of: String,
    run: RunPart<'a>,
    configuration: Configuration<'a>,
    inputs: Vec<Input<'a>>,
    snapshot: Option<&'a str>,
    lsn: Option<&'a str>,
    files: &'a [WrittenFile],
    previous: Option<&'a str>,
}

#[derive(Serialize)]
struct RunPart<'a> {
    started: String,
    finished: String,
    host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity: Option<&'a Activity>,
}

#[derive(Serialize)]
struct Configuration<'a> {
    sha256: &'a str,
    /// Of the file of the waivers, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    waivers_sha256: Option<&'a str>,
}

#[derive(Serialize)]
struct Input<'a> {
    role: &'static str,
    kind: &'static str,
    name: &'a str,
    rows: u64,
    tokens: i128,
    files: &'a [FileDigest],
}

/// The bytes of `manifest.json`. `files` are all others, ascending by name.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn render(model: &Model<'_>, run: &Run, files: &[WrittenFile]) -> Result<Vec<u8>, ReportError> {
    let inputs = model.inputs.iter().map(|input| Input {
        role: input.role,
        kind: input.provenance.kind,
        name: &input.provenance.name,
        rows: input.provenance.control.rows,
        tokens: input.provenance.control.tokens,
        files: &input.provenance.files,
    });
    pretty(
        FILE_NAME,
        &Manifest {
            schema: SCHEMA,
            version: model.version,
            run_id: &model.run_id,
            as_of: model.as_of.rfc3339(),
            run: RunPart {
                started: run.started.rfc3339(),
                finished: Instant(chrono::Utc::now().timestamp_micros()).rfc3339(),
                host: &run.host,
                snapshot_seconds: run.snapshot_seconds(),
                activity: run.activity.as_ref(),
            },
            configuration: Configuration {
                sha256: model.config_digest,
                waivers_sha256: model.accepted.digest.as_deref(),
            },
            inputs: inputs.collect(),
            snapshot: model.snapshot.map(|snapshot| snapshot.name.as_str()),
            lsn: model.snapshot.and_then(|snapshot| snapshot.lsn.as_deref()),
            files,
            previous: model.previous_manifest.as_deref(),
        },
    )
}
