//! Rows to inspect, drawn so that anyone can draw them again.
//!
//! *Monetary-unit*: systematic selection with probability proportional to size and a random start, as
//! in the AICPA Audit Guide "Audit Sampling": rows in order of time and id are laid end to end, token
//! by token, and every *interval*-th token is hit. A row as large as the interval is always drawn.
//!
//! *Random*: the rows with the least SHA-256 of seed, table and id. That is a simple random sample
//! without replacement, and it does not depend on the order of rows.
//!
//! Both start from SHA-256, so that a shell can draw them again: `docs/audit.md`.

use super::Period;
use crate::domain::{Books, Entry, Ledger, Side};
use crate::sha256::sha256;

/// How a row was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Every interval-th token.
    MonetaryUnit,
    /// The least digests.
    Random,
}

impl Method {
    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Method::MonetaryUnit => "monetary_unit",
            Method::Random => "random",
        }
    }
}

/// What is drawn from: the grants and deductions of one table in the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Which table.
    pub side: Side,
    /// Its rows in the period, positions in the books' entries, in order of time and id.
    pub rows: Vec<u32>,
    /// Their tokens, magnitudes.
    pub tokens: i128,
    /// Every so many tokens one is hit.
    pub interval: i128,
    /// The first token that is hit, from 1.
    pub start: i128,
}

/// A row that was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    /// Which table.
    pub side: Side,
    /// How.
    pub method: Method,
    /// Position in the books' entries.
    pub row: u32,
    /// How many tokens of it were hit; 1 for a random row.
    pub hits: i128,
    /// The first of these, counted over the frame from 1; `None` for a random row.
    pub token: Option<i128>,
}

/// The frames and what was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The seed.
    pub seed: u64,
    /// Rows asked for, per method and table.
    pub size: u32,
    /// The legacy table, the unified table.
    pub frames: [Frame; 2],
    /// What was drawn: by table, method, then in the order of drawing.
    pub drawn: Vec<Drawn>,
}

/// Draws a sample of `size` rows per method from each table.
pub fn draw(books: &Books, period: &Period, seed: u64, size: u32) -> Sample {
    let frames = [&books.legacy, &books.unified].map(|ledger| frame(ledger, period, seed, size));
    let mut drawn = Vec::new();
    for frame in &frames {
        let entries = &books.side(frame.side).entries;
        drawn.extend(by_monetary_unit(frame, entries));
        drawn.extend(at_random(frame, entries, seed, size));
    }
    Sample { seed, size, frames, drawn }
}

fn frame(ledger: &Ledger, period: &Period, seed: u64, size: u32) -> Frame {
    let mut rows: Vec<u32> = (0..ledger.entries.len() as u32)
        .filter(|&row| {
            ledger.entries[row as usize].moves_a_balance() && period.contains(ledger.entries[row as usize].at)
        })
        .collect();
    let entries = &ledger.entries;
    // Entries ascend by id, so rows of one instant stay in that order.
    rows.sort_by_key(|&row| entries[row as usize].at);
    let tokens: i128 = rows.iter().map(|&row| i128::from(entries[row as usize].tokens)).sum();
    let size = i128::from(size.max(1));
    let interval = ((tokens + size - 1) / size).max(1);
    let digest = sha256(format!("{seed}:{}:start", ledger.side.name()));
    // 60 bits: fifteen hexadecimal digits, which a shell can count with.
    let random = digest.first_bits() >> 4;
    let start = i128::from(random) % interval + 1;
    Frame { side: ledger.side, rows, tokens, interval, start }
}

fn by_monetary_unit(frame: &Frame, entries: &[Entry]) -> Vec<Drawn> {
    let mut drawn = Vec::new();
    let (mut before, mut next) = (0_i128, frame.start);
    for &row in &frame.rows {
        let end = before + i128::from(entries[row as usize].tokens);
        if next <= end {
            let hits = (end - next) / frame.interval + 1;
            let (side, method) = (frame.side, Method::MonetaryUnit);
            drawn.push(Drawn { side, method, row, hits, token: Some(next) });
            next += hits * frame.interval;
        }
        before = end;
    }
    drawn
}

fn at_random(frame: &Frame, entries: &[Entry], seed: u64, size: u32) -> Vec<Drawn> {
    let mut ranked: Vec<([u8; 32], u32)> = frame
        .rows
        .iter()
        .map(|&row| {
            let text = format!("{seed}:{}:{}", frame.side.name(), entries[row as usize].id);
            (*sha256(text).bytes(), row)
        })
        .collect();
    ranked.sort_unstable();
    ranked.truncate(size as usize);
    let (side, method) = (frame.side, Method::Random);
    ranked.into_iter().map(|(_, row)| Drawn { side, method, row, hits: 1, token: None }).collect()
}
