//! The findings inside the page: compressed in blocks that the page's script unpacks when it needs
//! them.
//!
//! A block of findings is two gzip streams in base64. The first holds what the table shows, in
//! columns of codes: words are sent once, when they first occur, and a column of numbers is sent byte
//! by byte, all lowest bytes first, which compresses best. The second holds the rest, a line a
//! finding, and stays compressed in the browser until somebody searches in it or opens a finding.
//!
//! Blocks are made a few at a time, so that memory does not grow with the findings; they end where the
//! page would become too large.

mod block;
mod people;
mod words;

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, GzBuilder};

use crate::cores;
use crate::domain::{Finding, Severity, Status};

use super::super::model::Model;

use block::{Block, Streams};
use words::Words;

pub use people::BLOCK_USERS;

/// So many bytes of findings are in the page at most; `findings.csv` always has all.
pub const FINDINGS_MAX_BYTES: usize = 64 << 20;

/// So many bytes of users' balances are in the page at most; `balances.csv` always has all.
pub const PEOPLE_MAX_BYTES: usize = 12 << 20;

/// Of gzip: half the time of the usual 6 for a twentieth more bytes.
const LEVEL: u32 = 3;

/// Findings in a block.
const BLOCK_ROWS: usize = 4096;

/// Blocks that are packed side by side.
const BLOCKS_AT_ONCE: usize = 4;

/// The findings and balances of a page, packed.
#[derive(Debug, Default)]
pub struct Packed {
    /// Findings in the page: all, or the first of [`gravest_first`].
    pub held: usize,
    /// Blocks of findings.
    pub findings: Vec<String>,
    /// Blocks of users with their balances, in the order in which the findings name them.
    pub people: Vec<String>,
}

/// All findings in the order of the page: what blocks a clean result first, what is waived last,
/// otherwise as in `findings.csv`.
pub fn gravest_first<'a>(model: &Model<'a>) -> impl Iterator<Item = &'a Finding> + use<'a> {
    let findings = model.findings;
    [false, true].into_iter().flat_map(move |waived| {
        [Severity::Error, Severity::Warning, Severity::Info].into_iter().flat_map(move |severity| {
            findings.iter().filter(move |finding| {
                finding.severity == severity && (finding.status == Status::Waived) == waived
            })
        })
    })
}

/// Packs what fits into the page.
pub fn pack(model: &Model<'_>) -> Packed {
    pack_within(model, FINDINGS_MAX_BYTES, PEOPLE_MAX_BYTES)
}

/// Packs at most so many bytes of findings and of balances.
pub fn pack_within(model: &Model<'_>, findings_max_bytes: usize, people_max_bytes: usize) -> Packed {
    let mut packed = Packed::default();
    let mut words = Words::default();
    let mut bytes = 0;
    let mut rest = gravest_first(model).peekable();
    'pages: while rest.peek().is_some() {
        let mut blocks = Vec::new();
        while blocks.len() < BLOCKS_AT_ONCE && rest.peek().is_some() {
            let mut block = Block::default();
            let known_users = words.users.len();
            rest.by_ref().take(BLOCK_ROWS).for_each(|finding| block.add(finding, &mut words));
            let rows = block.rows();
            blocks.push((rows, known_users, block.finish(&mut words)));
        }
        for ((rows, known_users, _), text) in blocks.iter().zip(zipped_side_by_side(&blocks)) {
            bytes += text.len();
            if bytes > findings_max_bytes {
                words.users.truncate(*known_users);
                break 'pages;
            }
            packed.held += rows;
            packed.findings.push(text);
        }
    }
    packed.people = people::blocks(model, &words.users, people_max_bytes);
    packed
}

/// Packing is most of the work, and no block needs another for it.
fn zipped_side_by_side(blocks: &[(usize, usize, Streams)]) -> Vec<String> {
    cores::each(blocks, |(_, _, streams)| streams.zipped())
}

/// A gzip stream in base64. Its head names no time and no file, so that equal bytes stay equal.
fn zipped(bytes: &[u8]) -> String {
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(LEVEL));
    let whole = gzip.write_all(bytes).and_then(|()| gzip.finish());
    STANDARD.encode(whole.expect("memory can be written to"))
}

/// Adds a field of a line; what would end a field or a line is written as the script expects it.
fn push_field(line: &mut String, text: &str) {
    if text.bytes().any(|byte| matches!(byte, b'\\' | b'\t' | b'\n' | b'\r')) {
        for letter in text.chars() {
            match letter {
                '\\' => line.push_str("\\\\"),
                '\t' => line.push_str("\\t"),
                '\n' => line.push_str("\\n"),
                '\r' => line.push_str("\\r"),
                letter => line.push(letter),
            }
        }
    } else {
        line.push_str(text);
    }
    line.push('\t');
}

/// Ends a line: the last tab gives way.
fn end_line(line: &mut String) {
    line.pop();
    line.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_can_end_neither_itself_nor_its_line() {
        let mut line = String::new();
        push_field(&mut line, "a\tb\nc\rd\\");
        push_field(&mut line, "");
        end_line(&mut line);
        assert_eq!(line, "a\\tb\\nc\\rd\\\\\t\n");
    }

    #[test]
    fn equal_bytes_stay_equal() {
        let text = zipped(b"the same");
        assert_eq!(text, zipped(b"the same"));
        let head = STANDARD.decode(text).unwrap();
        assert_eq!(head[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], "no time, no system");
    }
}
