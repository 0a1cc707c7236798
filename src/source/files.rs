//! Ledgers, stored balances and pools from files: one way in for CSV and Parquet.

use std::collections::HashSet;
use std::path::PathBuf;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::input::{Input, InputFile, Kind};
use super::json::texts;
use super::pools::{PoolsShape, PoolsTake};
use super::request::{KeyChunk, LedgerShape, LedgerTake, Request, Take};
use super::{
    DetailColumns, DetailRule, Digests, FileDigest, KeyColumns, Place, PoolsReading, Progress, Provenance,
    Reading, Selection, Sink, SourceError, StoredReading, control, csv, parquet,
};
use crate::config::{Columns, Origin, Pools, Stored, StoredBalance};
use crate::domain::{RowId, Total};

/// Reads every row of the ledger's files, on `threads` threads with a sink each.
///
/// A file costs the same whichever rows are selected, so `rule` is not needed: the sinks select.
///
/// # Errors
/// [`SourceError`]: no file, files of several kinds, a missing column (with the nearest name and all
/// there are), and anything that cannot be read whole. The error is the same in every run.
pub fn scan<S: Sink>(
    columns: &Columns,
    _rule: &DetailRule,
    threads: usize,
    new_sink: &(dyn Fn() -> S + Sync),
    progress: &Progress,
) -> Result<Reading<S>, SourceError> {
    let (request, shape) = LedgerShape::of(columns);
    let (name, input) = find(&columns.origin)?;
    let new_take = || LedgerTake::new(&shape, new_sink());
    let Read { takes, digests, notes } = read(&input, &request, threads, &new_take, progress)?;
    let mut control = Total::default();
    let mut sinks = Vec::with_capacity(takes.len());
    for take in takes {
        control = control.plus(take.control).expect("a total of 64-bit amounts fits 128 bits");
        sinks.push(take.sink);
    }
    let kind = kind_name(input.kind);
    Ok(Reading { sinks, provenance: Provenance { kind, name, files: Vec::new(), control, notes }, digests })
}

/// Reads the stored balances from files, ascending by user, then by balance.
///
/// # Errors
/// As [`scan`]; also a row without a user, or with a balance that is no integer.
pub fn stored(stored: &Stored, progress: &Progress) -> Result<StoredReading, SourceError> {
    let request = Request {
        keys: vec![stored.user.clone(), stored.balance.clone()],
        // What is read with the details are the places of the rows; their column costs little.
        details: vec![stored.user.clone()],
        id: None,
    };
    let (name, input) = find(&stored.origin)?;
    let Read { takes, digests, notes } = read(&input, &request, 1, &StoredTake::default, progress)?;
    let files = digests.take(progress)?;
    let mut balances: Vec<StoredBalance> = takes.into_iter().flat_map(|take| take.balances).collect();
    balances.sort_by(|a, b| a.user.cmp(&b.user).then(a.tokens.cmp(&b.tokens)));
    let mut reading = StoredReading::new(kind_name(input.kind), name, files, balances);
    reading.provenance.notes = notes;
    Ok(reading)
}

/// Reads the members of pools from files, as raw columns.
///
/// # Errors
/// As [`scan`].
pub fn pools(pools: &Pools, progress: &Progress) -> Result<PoolsReading, SourceError> {
    let (request, shape) = PoolsShape::of(pools);
    let (name, input) = find(&pools.origin)?;
    let Read { takes, digests, notes } = read(&input, &request, 1, &|| PoolsTake::new(&shape), progress)?;
    let files = digests.take(progress)?;
    let chunks = takes.into_iter().flat_map(PoolsTake::into_chunks).collect();
    let mut reading = PoolsReading::new(kind_name(input.kind), name, files, chunks);
    reading.provenance.notes = notes;
    Ok(reading)
}

/// Says no to a file that both sides name, by whatever path: compared with itself, it would be found clean.
/// Files that cannot be found are left to whoever reads them.
///
/// # Errors
/// [`SourceError::Malformed`] with the file's name.
pub fn apart(legacy: &Origin, unified: &Origin) -> Result<(), SourceError> {
    let (Ok((_, legacy)), Ok((_, unified))) = (find(legacy), find(unified)) else { return Ok(()) };
    let real = |file: &InputFile| std::fs::canonicalize(&file.path).ok();
    let known: HashSet<PathBuf> = legacy.files.iter().filter_map(real).collect();
    match unified.files.iter().find(|file| real(file).is_some_and(|path| known.contains(&path))) {
        None => Ok(()),
        Some(both) => Err(SourceError::Malformed {
            place: both.shown.clone(),
            message: "the path of [legacy] and that of [unified] both name this file, and what is compared \
                      with itself never differs: let each name the files of its own table"
                .to_owned(),
        }),
    }
}

/// Files of one table that are the same to the byte, in words.
pub fn same_bytes(files: &[FileDigest]) -> Vec<String> {
    let mut files: Vec<&FileDigest> = files.iter().collect();
    files.sort_by(|a, b| (&a.sha256, &a.path).cmp(&(&b.sha256, &b.path)));
    let same = files.chunk_by(|a, b| a.sha256 == b.sha256).filter(|same| same.len() > 1);
    same.map(|same| {
        format!(
            "{} and {} are the same to the byte: use in them counts as often as they are read, so take all but one \
             out unless they hold no row",
            same[0].path, same[1].path
        )
    })
    .collect()
}

/// Says no to a file with rows that is to the byte one of the legacy side: it would be compared with itself.
///
/// # Errors
/// [`SourceError::Malformed`] with the name of the unified one, and as [`scan`].
pub fn no_copy(
    columns: &Columns,
    legacy: &[FileDigest],
    unified: &[FileDigest],
    progress: &Progress,
) -> Result<(), SourceError> {
    for old in legacy {
        let Some(new) = unified.iter().find(|new| new.sha256 == old.sha256) else { continue };
        // Exports without a row are alike where the columns are.
        if !holds_rows(columns, &old.path, progress)? {
            continue;
        }
        let message = format!(
            "is to the byte what the legacy side read as {}, and what is compared with itself never differs: \
             export the unified table anew, or correct the path of the one that is wrong",
            old.path
        );
        return Err(SourceError::Malformed { place: new.path.clone(), message });
    }
    Ok(())
}

/// Does this one of the ledger's files hold a row?
///
/// # Errors
/// As [`scan`].
fn holds_rows(columns: &Columns, shown: &str, progress: &Progress) -> Result<bool, SourceError> {
    struct Nobody;
    impl Sink for Nobody {
        fn keys(&mut self, _: &KeyColumns) -> Selection {
            Selection::Rows(Vec::new())
        }

        fn details(&mut self, _: &KeyColumns, _: &Selection, _: &DetailColumns) {}
    }
    let mut columns = columns.clone();
    if let Origin::Files { pattern, .. } = &mut columns.origin {
        shown.clone_into(pattern);
    }
    let reading = scan(&columns, &DetailRule::All, 1, &|| Nobody, progress)?;
    Ok(reading.provenance.control.rows > 0)
}

fn find(origin: &Origin) -> Result<(String, Input), SourceError> {
    match origin {
        Origin::Files { pattern, folder, .. } => Ok((pattern.clone(), Input::find(pattern, folder)?)),
        Origin::Table(table) => Err(SourceError::Malformed {
            place: table.to_string(),
            message: "is a table of a database, not a file".to_owned(),
        }),
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text { .. } => "csv",
        Kind::Parquet => "parquet",
    }
}

/// Files that were read.
struct Read<T> {
    /// One a thread.
    takes: Vec<T>,
    digests: Digests,
    /// As [`Provenance::notes`].
    notes: Vec<String>,
}

/// Reads the files whole, whatever their kind.
fn read<T: Take>(
    input: &Input,
    request: &Request,
    threads: usize,
    new_take: &(dyn Fn() -> T + Sync),
    progress: &Progress,
) -> Result<Read<T>, SourceError> {
    let threads = threads.max(1);
    match input.kind {
        Kind::Text { delimiter, packing } => {
            let format = csv::Format { delimiter, packing };
            let (takes, files) = csv::read(&input.files, format, request, threads, new_take, progress)?;
            let notes = files.iter().flat_map(csv::ReadFile::notes).collect();
            let digests = Digests::Taken(files.into_iter().map(|file| file.digest).collect());
            Ok(Read { takes, digests, notes })
        }
        Kind::Parquet => {
            let (takes, digests) = parquet::read(&input.files, request, threads, new_take, progress)?;
            Ok(Read { takes, digests, notes: Vec::new() })
        }
    }
}

/// Collects stored balances.
#[derive(Debug, Default)]
struct StoredTake {
    balances: Vec<StoredBalance>,
    chunk: Option<KeyChunk>,
}

impl Take for StoredTake {
    fn keys(&mut self, chunk: KeyChunk) -> Result<Selection, SourceError> {
        self.chunk = Some(chunk);
        Ok(Selection::All)
    }

    fn details(&mut self, _: &Selection, _: &[ArrayRef], place: Place) -> Result<(), SourceError> {
        let chunk = self.chunk.take().expect("details follow keys");
        let (users, balances) = (&chunk.columns[0], &chunk.columns[1]);
        for (row, (user, tokens)) in ids(users.as_ref()).zip(control::amounts(balances.as_ref())).enumerate()
        {
            let wrong = |message: &str| SourceError::Malformed {
                place: place.of(row),
                message: format!("{message}; correct the row, or leave it out of the file"),
            };
            let user = user.ok_or_else(|| wrong("a stored balance without a user"))?;
            if tokens.is_none() && !is_missing(balances.as_ref(), row) {
                return Err(wrong("the stored balance is not an integer within ±9223372036854775807"));
            }
            self.balances.push(StoredBalance { user, tokens });
        }
        Ok(())
    }
}

/// The id of every row; `None` where it is null or empty.
fn ids<'a>(column: &'a dyn Array) -> Box<dyn Iterator<Item = Option<RowId>> + 'a> {
    if let Some(uuids) = column.as_fixed_size_binary_opt() {
        let uuid = |bytes: &[u8]| bytes.try_into().ok().map(RowId::Uuid);
        return Box::new(uuids.iter().map(move |bytes| bytes.and_then(uuid)));
    }
    match texts(column) {
        Some(texts) => Box::new(texts.map(|text| text.filter(|text| !text.is_empty()).map(RowId::parse))),
        None => Box::new(control::amounts(column).map(|id| id.map(RowId::from_integer))),
    }
}

/// Null, empty, or what data frames write for it in a column of numbers.
fn is_missing(column: &dyn Array, row: usize) -> bool {
    if column.is_null(row) || *column.data_type() == DataType::Null {
        return true;
    }
    match column.as_primitive_opt::<Float64Type>() {
        Some(numbers) => numbers.value(row).is_nan(),
        None => texts(column).is_some_and(|mut texts| texts.nth(row).flatten().is_none_or(str::is_empty)),
    }
}

#[cfg(test)]
mod tests;
