//! `manifest.json` of a pack: what was read and written, and which pack came before.

use serde::Serialize;

use super::model::Pack;
use crate::domain::Instant;
use crate::history::packs::PACK_SCHEMA;
use crate::report::error::ReportError;
use crate::report::json::pretty;
use crate::report::manifest::{FILE_NAME, Run};
use crate::report::place::WrittenFile;
use crate::source::FileDigest;

#[derive(Serialize)]
struct Manifest<'a> {
    schema: &'static str,
    version: &'static str,
    period: Period,
    as_of: String,
    run: RunPart<'a>,
    configuration: Configuration<'a>,
    parameters: Parameters<'a>,
    inputs: Vec<Input<'a>>,
    snapshot: Option<&'a str>,
    lsn: Option<&'a str>,
    files: &'a [WrittenFile],
    previous_pack: Option<&'a str>,
    previous: Option<&'a str>,
}

#[derive(Serialize)]
struct Period {
    from: String,
    to: String,
}

#[derive(Serialize)]
struct RunPart<'a> {
    started: String,
    finished: String,
    host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_seconds: Option<f64>,
}

#[derive(Serialize)]
struct Configuration<'a> {
    sha256: &'a str,
    /// Of the file of the waivers, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    waivers_sha256: Option<&'a str>,
}

#[derive(Serialize)]
struct Parameters<'a> {
    seed: u64,
    sample: u32,
    redacted: bool,
    /// Fingerprint of the key, so that the next pack can tell whether its users have the same names.
    #[serde(skip_serializing_if = "Option::is_none")]
    redaction_key: Option<&'a str>,
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
pub(super) fn render(pack: &Pack<'_>, run: &Run, files: &[WrittenFile]) -> Result<Vec<u8>, ReportError> {
    let model = &pack.model;
    let period = &pack.period.period;
    let previous = pack.period.previous.as_ref();
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
            schema: PACK_SCHEMA,
            version: model.version,
            period: Period { from: period.first().to_string(), to: period.last().to_string() },
            as_of: period.as_of().rfc3339(),
            run: RunPart {
                started: run.started.rfc3339(),
                finished: Instant(chrono::Utc::now().timestamp_micros()).rfc3339(),
                host: &run.host,
                snapshot_seconds: run.snapshot_seconds(),
            },
            configuration: Configuration {
                sha256: model.config_digest,
                waivers_sha256: model.accepted.digest.as_deref(),
            },
            parameters: Parameters {
                seed: pack.period.sample.seed,
                sample: pack.period.sample.size,
                redacted: pack.redaction.is_some(),
                redaction_key: pack.redaction.as_deref(),
            },
            inputs: inputs.collect(),
            snapshot: model.snapshot.map(|snapshot| snapshot.name.as_str()),
            lsn: model.snapshot.and_then(|snapshot| snapshot.lsn.as_deref()),
            files,
            previous_pack: previous.map(|previous| previous.name.as_str()),
            previous: previous.map(|previous| previous.manifest_digest.as_str()),
        },
    )
}
