//! The digest of a whole table: the same for the same rows, in whatever order and however they lie on
//! disk.
//!
//! Of each row's text, as PostgreSQL writes a row (`record_out`), the first 128 bits of its SHA-256 are
//! taken as two signed 64-bit numbers, and each is added up over all rows. A sum, since under XOR a row
//! that is there twice would cancel out. The server computes it by `postgres/sql/digest.sql`; here it is
//! computed again from the bytes of an archive, so that what was written is known to be what was read.

use std::fmt;
use std::str::FromStr;

use memchr::memchr;

use crate::sha256::sha256;

/// How the text of a digest begins: the hash, and how much of it is taken.
const NAME: &str = "sha256/128";

/// Rows, and the sums of the two halves of their hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableDigest {
    /// Rows.
    pub rows: u64,
    /// Sum of the first 64 bits of each row's hash, taken as a signed number.
    pub high: i128,
    /// Sum of the next 64 bits.
    pub low: i128,
}

impl fmt::Display for TableDigest {
    /// `sha256/128:ROWS:HIGH:LOW`, as SQL makes it too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}:{}:{}:{}", self.rows, self.high, self.low)
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no digest of a table: sha256/128:ROWS:HIGH:LOW is")]
pub struct NoDigest(String);

impl FromStr for TableDigest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<TableDigest, NoDigest> {
        let wrong = || NoDigest(text.to_owned());
        let parts: Vec<&str> = text.split(':').collect();
        let [NAME, rows, high, low] = parts.as_slice() else { return Err(wrong()) };
        match (rows.parse(), high.parse(), low.parse()) {
            (Ok(rows), Ok(high), Ok(low)) => Ok(TableDigest { rows, high, low }),
            _ => Err(wrong()),
        }
    }
}

impl TableDigest {
    /// Adds a row, given as its text; `None` when a sum leaves 128 bits.
    fn plus(self, row: &[u8]) -> Option<TableDigest> {
        let hash = *sha256(row).bytes();
        let half = |at: usize| hash[at..at + 8].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        Some(TableDigest {
            rows: self.rows.checked_add(1)?,
            high: self.high.checked_add(i128::from(half(0).cast_signed()))?,
            low: self.low.checked_add(i128::from(half(8).cast_signed()))?,
        })
    }
}

/// A column, as the shape of a table names it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ShapeColumn {
    /// Name.
    pub name: String,
    /// Type with its schema, where that is not `pg_catalog`: `integer`, `public.token_action_type`.
    #[serde(rename = "type")]
    pub type_name: String,
}

/// The digest of names and types of columns, in order: what `postgres/sql/shape.sql` computes.
pub fn shape(columns: &[ShapeColumn]) -> String {
    let line =
        |column: &ShapeColumn| format!("\"{}\" {}", column.name.replace('"', "\"\""), column.type_name);
    let text = columns.iter().map(line).collect::<Vec<_>>().join("\n");
    format!("sha256:{}", sha256(text).hex())
}

/// Why the bytes of an archive are not rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Something stands outside of quotes, or the file ends within a row.
    #[error("line {line}: {what}")]
    Syntax {
        /// Line of the file, from 1.
        line: u64,
        /// What.
        what: &'static str,
    },
    /// A row has more or fewer fields than the header.
    #[error("line {line}: {found} fields instead of {wanted}")]
    Fields {
        /// Line of the file, from 1, at which the row ends.
        line: u64,
        /// Fields of the row.
        found: usize,
        /// Fields of the header.
        wanted: usize,
    },
    /// The sums leave 128 bits.
    #[error("the sum of the rows' hashes leaves 128 bits")]
    Overflow,
}

/// What comes next in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A field; nothing of it has come.
    Field,
    /// The rest of a field in quotes.
    Quoted,
    /// After a quote inside a field: its end, or the first half of a quote in it.
    Quote,
}

/// Rebuilds the text of each row from CSV as `copy … (format csv, force_quote *)` writes it, below a
/// header in quotes, and adds up the digest. Whatever the size of the file, it holds one row.
///
/// The form is strict: a field is in quotes, or it is null. So null and the empty text stay apart.
#[derive(Debug)]
pub struct CsvDigest {
    state: State,
    line: u64,
    field: Vec<u8>,
    /// The row so far, as PostgreSQL writes it, without its closing parenthesis.
    row: Vec<u8>,
    fields: usize,
    header: Option<Vec<String>>,
    names: Vec<String>,
    digest: TableDigest,
}

impl Default for CsvDigest {
    fn default() -> CsvDigest {
        CsvDigest {
            state: State::Field,
            line: 1,
            field: Vec::new(),
            row: Vec::new(),
            fields: 0,
            header: None,
            names: Vec::new(),
            digest: TableDigest::default(),
        }
    }
}

impl CsvDigest {
    /// Takes the next bytes; answers how many rows ended in them, the header not counted.
    ///
    /// # Errors
    /// [`Broken`] when the bytes are not of this form.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<u64, Broken> {
        let before = self.digest.rows;
        while let Some((first, rest)) = bytes.split_first() {
            match (self.state, first) {
                (State::Quoted, _) => {
                    let end = memchr(b'"', bytes).unwrap_or(bytes.len());
                    self.line += memchr::memchr_iter(b'\n', &bytes[..end]).count() as u64;
                    self.field.extend_from_slice(&bytes[..end]);
                    if end < bytes.len() {
                        self.state = State::Quote;
                    }
                    bytes = bytes.get(end + 1..).unwrap_or_default();
                    continue;
                }
                (State::Field, b'"') => self.state = State::Quoted,
                (State::Quote, b'"') => {
                    self.field.push(b'"');
                    self.state = State::Quoted;
                }
                (state, b',') => self.end_field(state == State::Quote),
                (state, b'\n') => {
                    self.end_field(state == State::Quote);
                    self.end_row()?;
                    self.line += 1;
                }
                _ => {
                    let what = "text outside of quotes: this is not how reckon writes an archive";
                    return Err(Broken::Syntax { line: self.line, what });
                }
            }
            bytes = rest;
        }
        Ok(self.digest.rows - before)
    }

    /// The names of the header and the digest of the rows below it.
    ///
    /// # Errors
    /// [`Broken`] when the bytes end within a row, or before a header.
    pub fn finish(self) -> Result<(Vec<String>, TableDigest), Broken> {
        if self.state != State::Field || self.fields > 0 {
            return Err(Broken::Syntax { line: self.line, what: "the file ends within a row" });
        }
        match self.header {
            Some(names) => Ok((names, self.digest)),
            None => Err(Broken::Syntax { line: self.line, what: "the file has no header" }),
        }
    }

    fn end_field(&mut self, is_text: bool) {
        if self.header.is_none() {
            self.names.push(String::from_utf8_lossy(&self.field).into_owned());
        } else {
            self.row.push(if self.fields == 0 { b'(' } else { b',' });
            if is_text {
                push_field(&mut self.row, &self.field);
            }
        }
        self.fields += 1;
        self.field.clear();
        self.state = State::Field;
    }

    fn end_row(&mut self) -> Result<(), Broken> {
        let found = std::mem::take(&mut self.fields);
        let Some(header) = &self.header else {
            self.header = Some(std::mem::take(&mut self.names));
            return Ok(());
        };
        if found != header.len() {
            return Err(Broken::Fields { line: self.line, found, wanted: header.len() });
        }
        self.row.push(b')');
        self.digest = self.digest.plus(&self.row).ok_or(Broken::Overflow)?;
        self.row.clear();
        Ok(())
    }
}

/// A field within the text of a row, quoted as PostgreSQL's `record_out` does it.
fn push_field(row: &mut Vec<u8>, field: &[u8]) {
    let needs_quotes = |byte: &u8| matches!(byte, b'"' | b'\\' | b'(' | b')' | b',' | b' ' | 9..=13);
    if !field.is_empty() && !field.iter().any(needs_quotes) {
        row.extend_from_slice(field);
        return;
    }
    row.push(b'"');
    for byte in field {
        if matches!(byte, b'"' | b'\\') {
            row.push(*byte);
        }
        row.push(*byte);
    }
    row.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(csv: &str) -> Result<(Vec<String>, TableDigest), Broken> {
        let mut digest = CsvDigest::default();
        digest.feed(csv.as_bytes())?;
        digest.finish()
    }

    #[test]
    fn a_row_is_rebuilt_as_the_server_writes_it() {
        let cases = [
            (r#""1","plain""#, "(1,plain)"),
            (r#","""#, r#"(,"")"#),
            (r#","#, "(,)"),
            (r#""1","two words""#, r#"(1,"two words")"#),
            (r#""1","say ""so""""#, r#"(1,"say ""so""")"#),
            (r#""1","C:\new""#, r#"(1,"C:\\new")"#),
            ("\"1\",\"two\nlines\"", "(1,\"two\nlines\")"),
            (r#""1","(a,b)""#, r#"(1,"(a,b)")"#),
        ];
        for (csv, expected) in cases {
            let (names, digest) = of(&format!("\"a\",\"b\"\n{csv}\n")).unwrap();
            let wanted = TableDigest::default().plus(expected.as_bytes()).unwrap();
            assert_eq!((names, digest), (vec!["a".to_owned(), "b".to_owned()], wanted), "{csv}");
        }
    }

    #[test]
    fn where_the_bytes_are_cut_does_not_matter() {
        let csv = "\"a\",\"b\"\n\"1\",\"x\"\"y\n\"\n,\"\"\n";
        let whole = of(csv).unwrap();
        assert_eq!(whole.1.rows, 2);
        for size in 1..csv.len() {
            let mut digest = CsvDigest::default();
            for piece in csv.as_bytes().chunks(size) {
                digest.feed(piece).unwrap();
            }
            assert_eq!(digest.finish().unwrap(), whole, "pieces of {size} bytes");
        }
    }

    #[test]
    fn what_is_not_of_the_form_is_refused_with_its_line() {
        let cases = [
            ("", "line 1: the file has no header"),
            ("\"a\"\nx\n", "line 2: text outside of quotes: this is not how reckon writes an archive"),
            ("\"a\"\n\"x\"\r\n", "line 2: text outside of quotes: this is not how reckon writes an archive"),
            ("\"a\"\n\"x", "line 2: the file ends within a row"),
            ("\"a\"\n\"x\"", "line 2: the file ends within a row"),
            ("\"a\",\"b\"\n\"x\",", "line 2: the file ends within a row"),
            ("\"a\",\"b\"\n\"1\",\"2\n3\"\n\"x\"\n", "line 4: 1 fields instead of 2"),
        ];
        for (csv, expected) in cases {
            assert_eq!(of(csv).unwrap_err().to_string(), expected, "{csv:?}");
        }
    }

    #[test]
    fn a_digest_is_read_as_it_is_printed() {
        let digest = TableDigest { rows: 3, high: -1 << 100, low: i128::MAX };
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for wrong in ["", "sha256/128:1:2", "sha256/64:1:2:3", "sha256/128:-1:2:3", "sha256/128:1:2:3:4"] {
            assert!(wrong.parse::<TableDigest>().is_err(), "{wrong}");
        }
    }
}
