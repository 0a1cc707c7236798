//! Rows that have been settled, in temporary files: what is left of them is an id, a pair, a time and an
//! amount, in order of ids.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::codec;
use super::{NormaliseError, repeated_id, spill_error};
use crate::cores::at_once;
use crate::domain::{Instant, Ledger, Outcome, PopulationClass, RowId, Side};

/// Bytes of a run that are written or read in one go: there may be hundreds of runs.
const BUFFER_BYTES: usize = 1 << 14;

/// A row about which there is nothing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledRow {
    /// The row.
    pub id: RowId,
    /// What became of it: no finding.
    pub outcome: Outcome,
    /// The first 64 bits of the digest of its pair.
    pub pair: Option<u64>,
    /// When.
    pub at: Instant,
    /// Magnitude.
    pub tokens: i64,
}

/// Settled rows of both sides.
#[derive(Debug)]
pub struct SettledRows {
    sides: [Runs; 2],
}

/// Settled rows of one side: runs of rows that ascend by id.
#[derive(Debug)]
struct Runs {
    file: File,
    runs: Vec<Range<u64>>,
}

impl SettledRow {
    /// The row moves a balance, if only as partner of one that does.
    pub fn moves(&self) -> bool {
        matches!(self.outcome, Outcome::Paired | Outcome::UnifiedOnly)
    }
}

impl SettledRows {
    /// None.
    ///
    /// # Errors
    /// [`NormaliseError::Spill`] when there can be no temporary file.
    pub fn new() -> Result<SettledRows, NormaliseError> {
        let runs = |side| -> Result<Runs, NormaliseError> {
            let file = tempfile::tempfile().map_err(|error| spill_error(side, error))?;
            Ok(Runs { file, runs: Vec::new() })
        };
        Ok(SettledRows { sides: [runs(Side::Legacy)?, runs(Side::Unified)?] })
    }

    /// Adds rows of both sides, which ascend by id: both at the same time.
    ///
    /// # Errors
    /// [`NormaliseError::Spill`].
    pub fn add(
        &mut self,
        legacy: impl Iterator<Item = SettledRow> + Send,
        unified: impl Iterator<Item = SettledRow> + Send,
    ) -> Result<(), NormaliseError> {
        let [of_legacy, of_unified] = &mut self.sides;
        let (of_legacy, of_unified) = at_once(|| of_legacy.add(legacy), || of_unified.add(unified));
        of_legacy.map_err(|error| spill_error(Side::Legacy, error))?;
        of_unified.map_err(|error| spill_error(Side::Unified, error))
    }

    /// Shows all rows of a side, in no particular order.
    ///
    /// # Errors
    /// [`NormaliseError::Spill`].
    pub fn each(&self, side: Side, mut see: impl FnMut(&SettledRow)) -> Result<(), NormaliseError> {
        let of_side = &self.sides[side as usize];
        let read = |run: &Range<u64>| -> io::Result<()> {
            let mut from = of_side.section(run);
            while let Some(row) = next_row(&mut from)? {
                see(&row);
            }
            Ok(())
        };
        of_side.runs.iter().try_for_each(read).map_err(|error| spill_error(side, error))
    }

    /// The rows of a side, ascending by id.
    ///
    /// # Errors
    /// When the file cannot be read back.
    pub fn in_order(&self, side: Side) -> io::Result<InOrder<'_>> {
        let of_side = &self.sides[side as usize];
        let mut in_order = InOrder { runs: Vec::new(), next: BinaryHeap::new() };
        for run in &of_side.runs {
            in_order.runs.push(of_side.section(run));
            in_order.fetch(in_order.runs.len() - 1)?;
        }
        Ok(in_order)
    }

    /// Refuses an id that stands on two rows of a side, settled or not.
    ///
    /// # Errors
    /// [`NormaliseError::RepeatedId`] and [`NormaliseError::Spill`].
    pub fn refuse_repeated_ids(&self, ledger: &Ledger) -> Result<(), NormaliseError> {
        super::books::refuse_repeated_ids(ledger)?;
        let rejected: HashSet<&RowId> = ledger.rejected.iter().filter_map(|row| row.id.as_ref()).collect();
        let mut entries = ledger.entries.iter().map(|row| &row.id).peekable();
        let mut bystanders = ledger.bystanders.iter().map(|row| &row.id).peekable();
        let mut before: Option<RowId> = None;
        let failed = |error| spill_error(ledger.side, error);
        for row in self.in_order(ledger.side).map_err(failed)? {
            let id = row.map_err(failed)?.id;
            while entries.next_if(|other| **other < id).is_some() {}
            while bystanders.next_if(|other| **other < id).is_some() {}
            let stands_twice = before.as_ref() == Some(&id)
                || entries.peek() == Some(&&id)
                || bystanders.peek() == Some(&&id)
                || rejected.contains(&id);
            if stands_twice {
                return Err(repeated_id(ledger.side, &id));
            }
            before = Some(id);
        }
        Ok(())
    }
}

impl Runs {
    fn add(&mut self, rows: impl Iterator<Item = SettledRow>) -> io::Result<()> {
        let begin = self.runs.last().map_or(0, |run| run.end);
        let mut end = begin;
        let mut bytes = Vec::with_capacity(2 * BUFFER_BYTES);
        for row in rows {
            codec::encode_id(&row.id, &mut bytes);
            bytes.push(code_of(row.outcome));
            bytes.extend(row.pair.unwrap_or(0).to_le_bytes());
            bytes.extend(row.at.0.to_le_bytes());
            bytes.extend(row.tokens.to_le_bytes());
            if bytes.len() >= BUFFER_BYTES {
                self.file.write_all(&bytes)?;
                end += bytes.len() as u64;
                bytes.clear();
            }
        }
        self.file.write_all(&bytes)?;
        end += bytes.len() as u64;
        if end > begin {
            self.runs.push(begin..end);
        }
        Ok(())
    }

    fn section(&self, run: &Range<u64>) -> BufReader<Section<'_>> {
        BufReader::with_capacity(BUFFER_BYTES, Section { file: &self.file, left: run.clone() })
    }
}

/// A part of a file. Read at a place, so that several can be read in turn.
#[derive(Debug)]
struct Section<'f> {
    file: &'f File,
    left: Range<u64>,
}

impl Read for Section<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX).min(bytes.len());
        let read = self.file.read_at(&mut bytes[..most], self.left.start)?;
        self.left.start += read as u64;
        Ok(read)
    }
}

fn next_row(from: &mut BufReader<Section<'_>>) -> io::Result<Option<SettledRow>> {
    if from.buffer().is_empty() && from.get_ref().left.is_empty() {
        return Ok(None);
    }
    let id = codec::decode_id(from)?;
    let [code] = codec::bytes(from)?;
    let outcome = outcome_of(code).ok_or_else(codec::wrong)?;
    let pair = Some(u64::from_le_bytes(codec::bytes(from)?)).filter(|_| outcome == Outcome::Paired);
    let at = Instant(i64::from_le_bytes(codec::bytes(from)?));
    let tokens = i64::from_le_bytes(codec::bytes(from)?);
    Ok(Some(SettledRow { id, outcome, pair, at, tokens }))
}

/// Paired rows, rows that need no partner, then the population classes.
const PAIRED: u8 = 0;
const ALONE: u8 = 1;
const OTHERS: u8 = 2;

fn code_of(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Paired => PAIRED,
        Outcome::UnifiedOnly => ALONE,
        Outcome::Population(class) => OTHERS + class as u8,
        Outcome::Finding(_) => unreachable!("a settled row is in no finding"),
    }
}

fn outcome_of(code: u8) -> Option<Outcome> {
    match code {
        PAIRED => Some(Outcome::Paired),
        ALONE => Some(Outcome::UnifiedOnly),
        _ => PopulationClass::ALL.get(usize::from(code - OTHERS)).copied().map(Outcome::Population),
    }
}

/// All runs of a side as one.
#[derive(Debug)]
pub struct InOrder<'f> {
    runs: Vec<BufReader<Section<'f>>>,
    next: BinaryHeap<First>,
}

impl InOrder<'_> {
    fn fetch(&mut self, run: usize) -> io::Result<()> {
        let row = next_row(&mut self.runs[run])?;
        self.next.extend(row.map(|row| First { row, run }));
        Ok(())
    }
}

impl Iterator for InOrder<'_> {
    type Item = io::Result<SettledRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let First { row, run } = self.next.pop()?;
        Some(self.fetch(run).map(|()| row))
    }
}

/// The first row of a run that has not been given yet. The greatest is the one with the least id.
#[derive(Debug)]
struct First {
    row: SettledRow,
    run: usize,
}

impl Ord for First {
    fn cmp(&self, other: &First) -> Ordering {
        (&other.row.id, other.run).cmp(&(&self.row.id, self.run))
    }
}

impl PartialOrd for First {
    fn partial_cmp(&self, other: &First) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for First {
    fn eq(&self, other: &First) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for First {}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str) -> SettledRow {
        let number = id.len() as i64;
        let outcome = match id.len() % 3 {
            0 => Outcome::Paired,
            1 => Outcome::UnifiedOnly,
            _ => Outcome::Population(PopulationClass::Failed),
        };
        let pair = (outcome == Outcome::Paired).then_some(u64::MAX - 7);
        SettledRow { id: RowId::parse(id), outcome, pair, at: Instant(-number), tokens: number }
    }

    #[test]
    fn runs_come_back_as_one_list_in_order_of_ids() {
        let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        let runs: [&[&str]; 5] = [&["1", "3", uuid], &[], &["", "2", "z"], &["é"], &["0", "3-2"]];
        let mut rows = SettledRows::new().unwrap();
        for run in runs {
            rows.add(std::iter::empty(), run.iter().map(|id| row(id))).unwrap();
        }
        let all: Vec<SettledRow> = rows.in_order(Side::Unified).unwrap().map(Result::unwrap).collect();
        let expected = ["", "0", "1", "2", "3", "3-2", uuid, "z", "é"].map(row);
        assert_eq!(all, expected);
        assert_eq!(rows.in_order(Side::Legacy).unwrap().count(), 0);
        let mut seen = Vec::new();
        rows.each(Side::Unified, |row| seen.push(row.clone())).unwrap();
        seen.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(seen, expected);
    }

    #[test]
    fn many_rows_come_back_whole() {
        let mut rows = SettledRows::new().unwrap();
        let id = |at: usize| format!("{at:06}");
        for run in 0..3 {
            let of_run = (0..5_000).filter(|at| at % 3 == run);
            rows.add(of_run.map(|at| row(&id(at))), std::iter::empty()).unwrap();
        }
        let ids: Vec<String> =
            rows.in_order(Side::Legacy).unwrap().map(|row| row.unwrap().id.to_string()).collect();
        assert_eq!(ids, (0..5_000).map(id).collect::<Vec<_>>());
    }
}
