//! The metrics of the last run at one fixed place, for a textfile collector. Unlike the
//! `metrics.prom` of a run directory it says when the run was, and it is there after a failed run too.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::domain::{Instant, Span};

/// The end of the text in OpenMetrics.
const END: &str = "# EOF\n";

const LAST_SUCCESS: &str = "reckon_last_success_timestamp_seconds";

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub enum RunEnd<'a> {
    /// Every row was looked at, and the run stands in this directory.
    Done(&'a Path),
    /// The job could not be done.
    Failed,
}

/// Writes the file beside its place and renames it, so that a collector never reads half of it.
///
/// After a failed run the numbers of the run before are left out: they are no longer known to be true.
///
/// # Errors
/// What cannot be read or written, by name.
pub fn write_metrics(file: &Path, end: RunEnd<'_>, now: Instant) -> Result<(), String> {
    let (mut text, last_success) = match end {
        RunEnd::Done(folder) => {
            let source = folder.join("metrics.prom");
            let text = fs::read_to_string(&source)
                .map_err(|cause| format!("cannot read {}: {cause}", source.display()))?;
            (text.strip_suffix(END).unwrap_or(&text).to_owned(), Some(seconds(now)))
        }
        RunEnd::Failed => (String::new(), last_success(file)),
    };
    let failed = u8::from(matches!(end, RunEnd::Failed));
    let mut family = |name: &str, help: &str, value: &dyn std::fmt::Display| {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"));
    };
    family("reckon_up", "1 when the last run looked at every row, else 0.", &(1 - failed));
    family("reckon_run_failed", "1 when the last run could not be done, else 0.", &failed);
    family("reckon_last_run_timestamp_seconds", "When the last run ended, in Unix time.", &seconds(now));
    if let Some(last_success) = last_success {
        family(LAST_SUCCESS, "When a run last looked at every row, in Unix time.", &last_success);
    }
    text.push_str(END);
    replace(file, text.as_bytes())
        .map_err(|cause| format!("cannot write {} ([notify] metrics): {cause}", file.display()))
}

fn seconds(at: Instant) -> String {
    Span(at.0).seconds()
}

/// When a run last was a success, as the file of the run before says.
fn last_success(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(LAST_SUCCESS)?.strip_prefix(' '))?;
    value.parse::<f64>().ok()?;
    Some(value.to_owned())
}

fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let fresh: PathBuf = file.with_file_name(format!(".{name}.tmp-{}", std::process::id()));
    // Left by a process of the same number that was killed here.
    let _ = fs::remove_file(&fresh);
    let written = (|| {
        // The collector runs as another user.
        let mut out = fs::File::options().write(true).create_new(true).mode(0o644).open(&fresh)?;
        out.set_permissions(fs::Permissions::from_mode(0o644))?;
        out.write_all(bytes)?;
        out.sync_all()?;
        fs::rename(&fresh, file)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}
