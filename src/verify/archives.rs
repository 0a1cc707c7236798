//! The archive of a table: its file, its digest rebuilt from the rows, its columns.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use super::{Check, VerifyError, failed, judged, not_tested};
use crate::cutover::archive::{self, Archive};
use crate::report::figures::counted;
use crate::sha256::Sha256;
use crate::source::digest::{Broken, CsvDigest, TableDigest, shape};

/// What the file of the rows says of itself.
struct Seen {
    bytes: u64,
    sha256: String,
    rows: Result<(Vec<String>, TableDigest), Broken>,
}

/// `archive`: the file is the one that was sealed. `rows`: so many, with this digest. `shape`: the
/// columns.
///
/// # Errors
/// [`VerifyError::Schema`] when `archive.json` is of another version.
pub(super) fn checks(folder: &Path) -> Result<Vec<Check>, VerifyError> {
    let file = folder.join(archive::FILE_NAME);
    let read = std::fs::read(&file).map_err(|cause| cause.to_string());
    let read =
        read.and_then(|bytes| serde_json::from_slice::<Archive>(&bytes).map_err(|cause| cause.to_string()));
    let sealed = match read {
        Ok(sealed) => sealed,
        Err(cause) => return Ok(vec![failed("archive", format!("{}: {cause}", archive::FILE_NAME))]),
    };
    if sealed.schema != archive::SCHEMA {
        return Err(VerifyError::Schema { file, found: sealed.schema, wanted: archive::SCHEMA });
    }
    let name = &sealed.csv.name;
    if name.contains(['/', '\\']) {
        let what = format!("{} names {name:?}, which is no file of its own directory", archive::FILE_NAME);
        return Ok(vec![failed("archive", what)]);
    }
    let seen = match read_rows(&folder.join(name)) {
        Ok(seen) => seen,
        Err(cause) => {
            let untested = |check| not_tested(check, format!("{name} cannot be read"));
            return Ok(vec![
                failed("archive", format!("{name}: {cause}")),
                untested("rows"),
                untested("shape"),
            ]);
        }
    };
    Ok(vec![of_file(&sealed, &seen), of_rows(&sealed, &seen), of_shape(&sealed, &seen)])
}

/// Reads the file once, piece by piece.
fn read_rows(path: &Path) -> std::io::Result<Seen> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut buffer = vec![0; 1 << 16];
    let (mut hash, mut bytes) = (Sha256::default(), 0);
    let mut rows = Ok(CsvDigest::default());
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            let rows = rows.and_then(CsvDigest::finish);
            return Ok(Seen { bytes, sha256: hash.finish().hex(), rows });
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
        rows = rows.and_then(|mut rows| rows.feed(&buffer[..read]).map(|_| rows));
    }
}

fn of_file(sealed: &Archive, seen: &Seen) -> Check {
    let mut wrong = Vec::new();
    if seen.bytes != sealed.csv.bytes {
        wrong.push(format!("{}: {} bytes instead of {}", sealed.csv.name, seen.bytes, sealed.csv.bytes));
    } else if seen.sha256 != sealed.csv.sha256 {
        wrong.push(format!(
            "{}: its SHA-256 is {}, {} says {}",
            sealed.csv.name,
            seen.sha256,
            archive::FILE_NAME,
            sealed.csv.sha256
        ));
    }
    judged("archive", wrong, format!("{} of {}, {} bytes", sealed.csv.name, sealed.table, seen.bytes))
}

fn of_rows(sealed: &Archive, seen: &Seen) -> Check {
    let found = match &seen.rows {
        Ok((_, found)) => found,
        Err(broken) => return failed("rows", format!("{}: {broken}", sealed.csv.name)),
    };
    let mut wrong = Vec::new();
    if found.rows != sealed.rows {
        wrong.push(format!("{} rows instead of {}", found.rows, sealed.rows));
    }
    if found.to_string() != sealed.digest {
        wrong.push(format!("the rows' digest is {found}, {} says {}", archive::FILE_NAME, sealed.digest));
    }
    judged("rows", wrong, format!("{}, digest {found}", counted(found.rows, "row", "rows")))
}

fn of_shape(sealed: &Archive, seen: &Seen) -> Check {
    let Ok((header, _)) = &seen.rows else {
        return not_tested("shape", format!("the rows of {} cannot be read", sealed.csv.name));
    };
    let mut wrong = Vec::new();
    let names: Vec<&str> = sealed.columns.iter().map(|column| column.name.as_str()).collect();
    if *header != names {
        wrong.push(format!("the header of {} names other columns: {}", sealed.csv.name, header.join(", ")));
    }
    let found = shape(&sealed.columns);
    if found != sealed.shape {
        wrong.push(format!(
            "the digest of the columns is {found}, {} says {}",
            archive::FILE_NAME,
            sealed.shape
        ));
    }
    judged("shape", wrong, format!("{} columns", names.len()))
}
