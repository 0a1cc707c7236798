//! The files of a run as tables of text, column by name.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;

use super::json::Summary;
pub(super) use crate::history::table::{instant, original};

/// What is added again.
#[derive(Debug)]
pub(super) struct Run {
    folder: PathBuf,
    pub(super) summary: Summary,
}

impl Run {
    /// Reads `summary.json`; the tables are read when they are asked for.
    pub(super) fn open(folder: &Path) -> Result<Run, String> {
        let file = folder.join("summary.json");
        let bytes = std::fs::read(&file).map_err(|cause| format!("summary.json: {cause}"))?;
        let summary = serde_json::from_slice(&bytes).map_err(|cause| format!("summary.json: {cause}"))?;
        Ok(Run { folder: folder.to_owned(), summary })
    }

    /// The directory.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Goes through a CSV file row by row.
    pub(super) fn csv(
        &self,
        name: &str,
        columns: &[&str],
        mut row: impl FnMut(&[&str], u64) -> Result<(), String>,
    ) -> Result<(), String> {
        let at_fault = |cause: csv::Error| format!("{name}: {cause}");
        let mut reader = csv::Reader::from_path(self.folder.join(name)).map_err(at_fault)?;
        let headers = reader.headers().map_err(at_fault)?.clone();
        let mut places = Vec::new();
        for column in columns {
            let place = headers.iter().position(|header| header == *column);
            places.push(place.ok_or_else(|| format!("{name}: it has no column {column}"))?);
        }
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(at_fault)? {
            let line = record.position().map_or(0, csv::Position::line);
            let cells: Vec<&str> = places.iter().map(|&place| &record[place]).collect();
            row(&cells, line).map_err(|cause| format!("{name} line {line}: {cause}"))?;
        }
        Ok(())
    }

    /// Goes through a Parquet file of text columns row by row; null is empty.
    pub(super) fn parquet(
        &self,
        name: &str,
        columns: &[&str],
        mut row: impl FnMut(&[&str]) -> Result<(), String>,
    ) -> Result<(), String> {
        let at_fault = |cause: parquet::errors::ParquetError| format!("{name}: {cause}");
        let file = File::open(self.folder.join(name)).map_err(|cause| format!("{name}: {cause}"))?;
        let reader = SerializedFileReader::new(file).map_err(at_fault)?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let places: HashMap<&str, usize> =
            schema.columns().iter().enumerate().map(|(at, column)| (column.name(), at)).collect();
        let mut wanted = Vec::new();
        for column in columns {
            wanted.push(*places.get(column).ok_or_else(|| format!("{name}: it has no column {column}"))?);
        }
        for record in reader.get_row_iter(None).map_err(at_fault)? {
            let record = record.map_err(at_fault)?;
            let cells: Vec<&str> = wanted
                .iter()
                .map(|&place| record.get_string(place).map(String::as_str).unwrap_or_default())
                .collect();
            row(&cells).map_err(|cause| format!("{name}: {cause}"))?;
        }
        Ok(())
    }
}

/// A number of tokens; an empty cell is unknown.
pub(super) fn tokens(column: &str, cell: &str) -> Result<Option<i128>, String> {
    if cell.is_empty() {
        return Ok(None);
    }
    cell.parse().map(Some).map_err(|_| format!("{column} {cell:?} is not an integer"))
}

/// A sum that must stay in its range.
pub(super) fn sum(total: i128, tokens: i128) -> Result<i128, String> {
    total.checked_add(tokens).ok_or_else(|| "a sum of tokens leaves 128 bits".to_owned())
}
