//! CSV and TSV: one thread cuts the text at ends of records, the others read the pieces.
//!
//! The first record is the header. A field without text, quoted or not, is null: writers that quote
//! everything leave no other way to say it. All files are UTF-8.

mod cut;
mod swallowed;
mod table;

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::ArrayRef;
use crossbeam_channel::{Receiver, Sender};

use super::fields::{Group, Located, complete, missing};
use super::input::{Hashing, InputFile, Packing};
use super::request::{FirstError, KeyChunk, Request, Take};
use super::{FileDigest, Meter, Place, Progress, Selection, SourceError, archived};
use cut::{Block, Cutter};
use swallowed::Swallowed;
use table::Table;

/// How the text is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    pub delimiter: u8,
    pub packing: Packing,
}

/// Text that is read at once; some ten thousand rows.
const BLOCK_BYTES: usize = 4 << 20;

/// A file's columns, shared by its blocks.
#[derive(Debug)]
struct Layout {
    shown: String,
    width: usize,
    located: Located,
    /// Columns whose values are filled up with blanks.
    padded: Vec<usize>,
}

/// A piece of work: blocks are numbered in the order of the rows.
struct Piece {
    order: u64,
    layout: Arc<Layout>,
    block: Block,
}

/// A file that was read whole.
#[derive(Debug)]
pub(super) struct ReadFile {
    pub digest: FileDigest,
    /// The last line has its line end. A file that was cut off within its last field has not, and looks
    /// whole in all else.
    pub ends_its_line: bool,
    /// The first field that may have swallowed records.
    swallowed: Option<Swallowed>,
}

impl ReadFile {
    /// What a reader must know, though every record could be read.
    pub fn notes(&self) -> Vec<String> {
        let path = &self.digest.path;
        let open = (!self.ends_its_line).then(|| {
            format!(
                "the last line of {path} has no line end: the file may be cut off there, so compare it with what \
                 was exported"
            )
        });
        let swallowed = self.swallowed.map(|Swallowed { line, lines }| {
            format!(
                "{path}:{line}: a field in quotes goes on for {lines} lines, each of which has as many separators \
                 as the header: two stray quotes may have made one record of {lines}, so look at the quotes of \
                 these lines, and write each quote within a field twice"
            )
        });
        open.into_iter().chain(swallowed).collect()
    }
}

/// What was found of [`ReadFile::swallowed`] so far, by file.
type Suspects = Mutex<BTreeMap<String, Swallowed>>;

/// Reads all files. Gives one taker a thread and the files.
///
/// # Errors
/// The first error in the order of the rows.
pub(super) fn read<T: Take>(
    files: &[InputFile],
    format: Format,
    request: &Request,
    threads: usize,
    new_take: &(dyn Fn() -> T + Sync),
    progress: &Progress,
) -> Result<(Vec<T>, Vec<ReadFile>), SourceError> {
    read_in_blocks(files, format, BLOCK_BYTES, request, threads, new_take, progress)
}

pub(super) fn read_in_blocks<T: Take>(
    files: &[InputFile],
    format: Format,
    block_bytes: usize,
    request: &Request,
    threads: usize,
    new_take: &(dyn Fn() -> T + Sync),
    progress: &Progress,
) -> Result<(Vec<T>, Vec<ReadFile>), SourceError> {
    let meter = progress.start(&files[0].shown, None);
    let errors = FirstError::default();
    let suspects = Suspects::default();
    let (sender, receiver) = crossbeam_channel::bounded::<Piece>(threads);
    let mut read = Vec::with_capacity(files.len());
    let takes = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let (receiver, errors, meter, suspects) = (receiver.clone(), &errors, &meter, &suspects);
                scope.spawn(move || {
                    work(receiver, format.delimiter, request, new_take(), errors, meter, suspects)
                })
            })
            .collect();
        drop(receiver);
        let mut order = 0;
        for file in files {
            match cut_file(file, format, block_bytes, request, &mut order, &sender, &errors) {
                Ok(file) => read.push(file),
                Err(error) => errors.note(order, error),
            }
            if errors.any() {
                break;
            }
        }
        drop(sender);
        workers.into_iter().map(|worker| worker.join().expect("a reading thread panicked")).collect()
    });
    errors.into_result()?;
    let mut suspects = suspects.into_inner().unwrap_or_else(PoisonError::into_inner);
    for file in &mut read {
        file.swallowed = suspects.remove(&file.digest.path);
    }
    Ok((takes, read))
}

/// Cuts one file into pieces of work.
fn cut_file(
    file: &InputFile,
    format: Format,
    block_bytes: usize,
    request: &Request,
    order: &mut u64,
    sender: &Sender<Piece>,
    errors: &FirstError,
) -> Result<ReadFile, SourceError> {
    let opened = file.open()?;
    let stamp = opened.stamp();
    let source = Hashing::new(opened);
    let mut packed = match format.packing {
        Packing::Plain => Packed::Plain(source),
        Packing::Gzip => Packed::Gzip(Box::new(flate2::read::MultiGzDecoder::new(source))),
        Packing::Zstd => {
            Packed::Zstd(zstd::stream::read::Decoder::new(source).map_err(|cause| file.failed(cause))?)
        }
    };
    let mut cutter = Cutter::new(&mut packed, &file.shown, format.delimiter, block_bytes);
    let header = cutter.header()?;
    let names: Vec<&str> = header.iter().map(String::as_str).collect();
    let located = Located::new(request, &names, &file.shown).map_err(|error| hint(error, &names))?;
    let padded = archived::padded_columns(file)?;
    let padded = (0..header.len()).filter(|at| padded.contains(&header[*at])).collect();
    let layout = Arc::new(Layout { shown: file.shown.clone(), width: header.len(), located, padded });
    while !errors.any()
        && let Some(block) = cutter.next_block()?
    {
        // Without a receiver all workers have gone, and have noted why.
        if sender.send(Piece { order: *order, layout: layout.clone(), block }).is_err() {
            break;
        }
        *order += 1;
    }
    let ends_its_line = cutter.ends_its_line();
    let mut source = packed.into_source();
    // Bytes behind the compressed text belong to the digest too.
    std::io::copy(&mut source, &mut std::io::sink()).map_err(|cause| file.failed(cause))?;
    file.unchanged(stamp)?;
    Ok(ReadFile { digest: source.finish(&file.shown), ends_its_line, swallowed: None })
}

/// What is wrong with a header of another dialect, and what to do: the line with which spreadsheets are told
/// the separator, or one name with another separator in it.
pub(super) fn foreign_dialect(header: &[&str]) -> Option<String> {
    let first = header.first()?.trim();
    if first.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep=")) && header.len() <= 2 {
        return Some(
            "the first line is sep=, which spreadsheets alone understand: remove the line".to_owned(),
        );
    }
    match header {
        [only] if only.contains([';', '|', '\t']) => Some(format!(
            "the only column is {only:?}: fields have to be parted by commas, or by tabs in a .tsv"
        )),
        _ => None,
    }
}

/// The same where a column is missing.
fn hint(error: SourceError, header: &[&str]) -> SourceError {
    match (error, foreign_dialect(header)) {
        (SourceError::Malformed { place, .. }, Some(what)) => {
            SourceError::Malformed { place: format!("{place}:1"), message: what }
        }
        (error, _) => error,
    }
}

/// A file with its compression seen through.
enum Packed {
    Plain(Hashing),
    Gzip(Box<flate2::read::MultiGzDecoder<Hashing>>),
    Zstd(zstd::stream::read::Decoder<'static, std::io::BufReader<Hashing>>),
}

impl Packed {
    fn into_source(self) -> Hashing {
        match self {
            Packed::Plain(source) => source,
            Packed::Gzip(decoder) => decoder.into_inner(),
            Packed::Zstd(decoder) => decoder.finish().into_inner(),
        }
    }
}

impl Read for Packed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Packed::Plain(source) => source.read(buffer),
            Packed::Gzip(decoder) => decoder.read(buffer).map_err(|error| unpacked("gzip", error)),
            Packed::Zstd(decoder) => decoder.read(buffer).map_err(|error| unpacked("zstd", error)),
        }
    }
}

/// What a decoder says, with what may be behind it. Errors of the file itself stay as they are.
fn unpacked(format: &str, error: std::io::Error) -> std::io::Error {
    use std::io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    if !matches!(error.kind(), UnexpectedEof | InvalidInput | InvalidData | Other) {
        return error;
    }
    // A stream that ends early and the first bytes of another one behind it look alike.
    let message = format!(
        "its {format} data is cut off or damaged, or other bytes stand behind it ({error}): copy or write it again"
    );
    std::io::Error::new(error.kind(), message)
}

/// A worker: reads pieces until there are none, or until one fails.
fn work<T: Take>(
    pieces: Receiver<Piece>,
    delimiter: u8,
    request: &Request,
    mut take: T,
    errors: &FirstError,
    meter: &Meter,
    suspects: &Suspects,
) -> T {
    for piece in pieces {
        let order = piece.order;
        if piece.block.has_quoted_lines
            && let Some(found) = swallowed::first(&piece.block, delimiter, piece.layout.width)
        {
            let mut suspects = suspects.lock().unwrap_or_else(PoisonError::into_inner);
            let first = suspects.entry(piece.layout.shown.clone()).or_insert(found);
            *first = (*first).min(found);
        }
        let done = read_piece(piece, delimiter, request, &mut take).and_then(|rows| meter.add(rows));
        if let Err(error) = done {
            errors.note(order, error);
            break;
        }
    }
    take
}

fn read_piece<T: Take>(
    piece: Piece,
    delimiter: u8,
    request: &Request,
    take: &mut T,
) -> Result<u64, SourceError> {
    let layout = &*piece.layout;
    let Layout { shown, width, located, .. } = layout;
    let table = Table::read(piece.block, delimiter, *width, shown)?;
    let rows: Vec<u32> = (0..table.rows()).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let keys = columns(&table, &located.keys, request.keys.len(), &rows, layout)?;
    let id_is_null = match &located.id {
        Some(id) => missing(columns(&table, std::slice::from_ref(id), 1, &rows, layout)?[0].as_ref()),
        None => None,
    };
    let selection = take.keys(KeyChunk { rows: rows.len(), columns: keys, id_is_null })?;
    let selected = match &selection {
        Selection::All => &rows,
        Selection::Rows(selected) => selected,
    };
    if !selected.is_empty() {
        let details = columns(&table, &located.details, request.details.len(), selected, layout)?;
        let place = Place::Lines { file: shown.clone(), lines: table.lines(selected) };
        take.details(&selection, &details, place)?;
    }
    Ok(rows.len() as u64)
}

/// The arrays of some rows, one a field of the request.
fn columns(
    table: &Table,
    groups: &[Group],
    fields: usize,
    rows: &[u32],
    Layout { shown, padded, .. }: &Layout,
) -> Result<Vec<ArrayRef>, SourceError> {
    let mut arrays = vec![None; fields];
    for group in groups {
        let array = table.column(group.column, rows, padded.contains(&group.column));
        group.deliver(&array, &mut arrays).map_err(|broken| {
            let line = table.lines(&rows[broken.row..=broken.row])[0];
            SourceError::Malformed { place: format!("{shown}:{line}"), message: broken.message(&group.name) }
        })?;
    }
    Ok(complete(arrays))
}
