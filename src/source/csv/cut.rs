//! Cuts text at ends of records, without reading the fields.

use std::io::Read;

use crate::source::SourceError;

/// A longer record is no record, but a quote that nobody closed.
const RECORD_BYTES_MAX: usize = 256 << 20;

/// Some whole records.
#[derive(Debug)]
pub(super) struct Block {
    /// Text; ends with a newline.
    pub text: Vec<u8>,
    /// Line of the file on which it begins, from 1.
    pub line: u64,
    /// It has more lines than records, as far as is known without a look at the fields.
    pub has_quoted_lines: bool,
}

/// Reads a stream of records block by block.
pub(super) struct Cutter<'a, R> {
    source: R,
    shown: &'a str,
    delimiter: u8,
    block_bytes: usize,
    /// Text that is read and not yet given away; its first `scanned` bytes are looked at.
    pending: Vec<u8>,
    scanned: usize,
    /// End of the last whole record among them.
    boundary: usize,
    /// Where the quote stands that is open at `scanned`.
    open_quote: Option<usize>,
    /// Where a quote stands that neither opens a field, nor closes one, nor is doubled within one. What
    /// was meant is anybody's guess, and some guesses swallow whole records: nothing is read from there
    /// on.
    stray_quote: Option<usize>,
    /// Ends of lines outside of quotes up to `boundary`; of a header with lines in quotes too few.
    ends: u64,
    /// Line on which `pending` begins.
    line: u64,
    at_end: bool,
    /// The last line of the file has its line end.
    ends_its_line: bool,
}

impl<'a, R: Read> Cutter<'a, R> {
    pub fn new(source: R, shown: &'a str, delimiter: u8, block_bytes: usize) -> Cutter<'a, R> {
        Cutter {
            source,
            shown,
            delimiter,
            block_bytes,
            pending: Vec::new(),
            scanned: 0,
            boundary: 0,
            open_quote: None,
            stray_quote: None,
            ends: 0,
            line: 1,
            at_end: false,
            ends_its_line: true,
        }
    }

    /// The names of the columns. To be called once, before any block.
    ///
    /// # Errors
    /// An empty file, another encoding, or what [`Cutter::next_block`] meets.
    pub fn header(&mut self) -> Result<Vec<String>, SourceError> {
        while self.boundary == 0 && !self.at_end && self.stray_quote.is_none() {
            self.fill()?;
        }
        if let Some(what) = foreign(&self.pending) {
            return Err(self.wrong(1, what));
        }
        if self.boundary == 0 {
            self.rest()?;
        }
        let mark = if self.pending.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        self.give(mark);
        let blank = self.pending.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if blank == self.pending.len() {
            return Err(self.wrong(1, "is empty: the first line has to name the columns"));
        }
        self.give(blank);
        let (names, read) = read_header(&self.pending, self.delimiter);
        let line = self.line;
        self.give(read);
        names.ok_or_else(|| self.wrong(line, "the header is not UTF-8: save the file as UTF-8"))
    }

    /// The next whole records; `None` at the end.
    ///
    /// # Errors
    /// What the file or its compression says, or a quote that is never closed.
    pub fn next_block(&mut self) -> Result<Option<Block>, SourceError> {
        let wants_more = |it: &Self| it.boundary == 0 || it.pending.len() < it.block_bytes;
        while !self.at_end && self.stray_quote.is_none() && wants_more(self) {
            self.fill()?;
        }
        if self.boundary == 0 {
            return self.rest().map(|()| None);
        }
        let (line, ends) = (self.line, self.ends);
        let text = self.give(self.boundary);
        Ok(Some(Block { text, line, has_quoted_lines: self.line - line != ends }))
    }

    /// Takes the first bytes of what is pending.
    fn give(&mut self, bytes: usize) -> Vec<u8> {
        let rest = self.pending.split_off(bytes);
        let given = std::mem::replace(&mut self.pending, rest);
        self.scanned = self.scanned.saturating_sub(bytes);
        self.boundary = self.boundary.saturating_sub(bytes);
        self.open_quote = self.open_quote.and_then(|at| at.checked_sub(bytes));
        self.stray_quote = self.stray_quote.and_then(|at| at.checked_sub(bytes));
        let lines = memchr::memchr_iter(b'\n', &given).count() as u64;
        self.line += lines;
        self.ends = self.ends.saturating_sub(lines);
        given
    }

    /// Reads on and looks for ends of records.
    fn fill(&mut self) -> Result<(), SourceError> {
        let before = self.pending.len();
        let mut part = self.source.by_ref().take(self.block_bytes as u64);
        part.read_to_end(&mut self.pending)
            .map_err(|cause| SourceError::Io { file: self.shown.to_owned(), cause })?;
        self.at_end = self.pending.len() == before;
        self.scan();
        if self.at_end {
            self.close();
            return Ok(());
        }
        if self.pending.len() - self.boundary <= RECORD_BYTES_MAX {
            return Ok(());
        }
        match self.open_quote {
            Some(at) => Err(self.unclosed(at)),
            None => Err(self.wrong(self.line, "no line ends in the 256 MiB from here: this is no CSV")),
        }
    }

    /// The last record may lack its newline. A quote that is open stays for [`Cutter::rest`], so
    /// that an error before it is met first.
    fn close(&mut self) {
        if self.open_quote.or(self.stray_quote).is_none() && self.boundary < self.pending.len() {
            // Whether a carriage return ends lines here or not, one stands at the end.
            self.ends_its_line = self.pending.last() == Some(&b'\r');
            self.pending.push(b'\n');
            self.ends += 1;
            self.boundary = self.pending.len();
        }
    }

    /// The last line has its line end. To be asked once all blocks were given.
    pub fn ends_its_line(&self) -> bool {
        self.ends_its_line
    }

    /// Says no to text behind the last whole record.
    fn rest(&self) -> Result<(), SourceError> {
        if let Some(at) = self.stray_quote {
            let line = self.line_of(at);
            return Err(self.wrong(
                line,
                "a quote neither begins nor ends a field here: write a field that holds quotes in quotes, \
                 and each quote in it twice",
            ));
        }
        self.open_quote.map_or(Ok(()), |at| Err(self.unclosed(at)))
    }

    fn scan(&mut self) {
        let text = &self.pending;
        let mut at = self.scanned;
        loop {
            if let Some(open) = self.open_quote {
                // The last byte may be the first half of a doubled quote: wait for more.
                match memchr::memchr(b'"', &text[at..]) {
                    Some(found) if at + found + 1 < text.len() || self.at_end => {
                        at += found + 1;
                        match text.get(at) {
                            Some(b'"') => at += 1,
                            None | Some(b'\n' | b'\r') => self.open_quote = None,
                            Some(byte) if *byte == self.delimiter => self.open_quote = None,
                            Some(_) => {
                                self.open_quote = None;
                                self.stray_quote = Some(at - 1);
                                return;
                            }
                        }
                    }
                    Some(found) => {
                        self.scanned = at + found;
                        return;
                    }
                    None => {
                        self.scanned = text.len();
                        self.open_quote = Some(open);
                        return;
                    }
                }
                continue;
            }
            match memchr::memchr2(b'"', b'\n', &text[at..]) {
                Some(found) if text[at + found] == b'\n' => {
                    at += found + 1;
                    self.ends += 1;
                    self.boundary = at;
                }
                Some(found) => {
                    // A quote opens a field at its start and nowhere else.
                    let quote = at + found;
                    let starts_field = quote == 0
                        || [self.delimiter, b'\n', b'\r'].contains(&text[quote - 1])
                        || (quote == 3 && text.starts_with(b"\xef\xbb\xbf"));
                    if !starts_field {
                        self.stray_quote = Some(quote);
                        return;
                    }
                    self.open_quote = Some(quote);
                    at = quote + 1;
                }
                None => {
                    self.scanned = text.len();
                    return;
                }
            }
        }
    }

    fn unclosed(&self, at: usize) -> SourceError {
        self.wrong(
            self.line_of(at),
            "a quote is opened here and never closed: the file is cut off, or quoted another way",
        )
    }

    fn line_of(&self, at: usize) -> u64 {
        self.line + memchr::memchr_iter(b'\n', &self.pending[..at]).count() as u64
    }

    fn wrong(&self, line: u64, message: &str) -> SourceError {
        SourceError::Malformed { place: format!("{}:{line}", self.shown), message: message.to_owned() }
    }
}

/// What a file is that is no CSV in UTF-8, by its first bytes, and what to do.
fn foreign(start: &[u8]) -> Option<&'static str> {
    const SIGNS: [(&[u8], &str); 6] = [
        (b"\xff\xfe", "is UTF-16: save it as UTF-8"),
        (b"\xfe\xff", "is UTF-16: save it as UTF-8"),
        (b"\x1f\x8b", "is gzip data: let its name end in .gz, once for each time that it was packed"),
        (
            b"\x28\xb5\x2f\xfd",
            "is zstd data: let its name end in .zst, once for each time that it was packed",
        ),
        (b"PAR1", "is Parquet: let its name end in .parquet"),
        (b"PK\x03\x04", "is a ZIP archive or a workbook: unpack it, or save it as CSV"),
    ];
    if let Some((_, what)) = SIGNS.iter().find(|(sign, _)| start.starts_with(sign)) {
        return Some(what);
    }
    // No text has the character NUL, but every letter of ASCII has a byte of zero in UTF-16.
    matches!(start, [0, _, ..] | [_, 0, ..])
        .then_some("has bytes of zero, as UTF-16 without a byte-order mark has: save it as UTF-8")
}

/// The fields of the first record, unless one is no UTF-8, and the record's length.
fn read_header(text: &[u8], delimiter: u8) -> (Option<Vec<String>>, usize) {
    let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    let mut output = vec![0; text.len()];
    let mut ends = vec![0; text.len() + 1];
    let (_, read, _, fields) = reader.read_record(text, &mut output, &mut ends);
    let mut start = 0;
    let names = ends[..fields]
        .iter()
        .map(|end| {
            std::str::from_utf8(&output[std::mem::replace(&mut start, *end)..*end]).map(str::to_owned).ok()
        })
        .collect();
    (names, read)
}
