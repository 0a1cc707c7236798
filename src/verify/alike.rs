//! A table that is written twice, as CSV for people and as Parquet for programs, says the same in both.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use parquet::data_type::Decimal;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};

use super::tables::original;
use crate::domain::Instant;

/// What differs between a CSV file and a Parquet file, row by row, in all columns that both have. Neither is
/// held in memory.
pub(super) fn differences(folder: &Path, csv: &str, parquet: &str) -> Result<Vec<String>, String> {
    let at_fault = |cause: csv::Error| format!("{csv}: {cause}");
    let mut lines = csv::Reader::from_path(folder.join(csv)).map_err(at_fault)?;
    let headers = lines.headers().map_err(at_fault)?.clone();
    let places: HashMap<&str, usize> = headers.iter().enumerate().map(|(at, name)| (name, at)).collect();

    let at_fault_too = |cause: parquet::errors::ParquetError| format!("{parquet}: {cause}");
    let file = File::open(folder.join(parquet)).map_err(|cause| format!("{parquet}: {cause}"))?;
    let reader = SerializedFileReader::new(file).map_err(at_fault_too)?;
    let mut records = reader.get_row_iter(None).map_err(at_fault_too)?;

    let (mut wrong, mut number, mut line) = (Vec::new(), 0_u64, csv::StringRecord::new());
    loop {
        let has_line = lines.read_record(&mut line).map_err(at_fault)?;
        let record = records.next().transpose().map_err(at_fault_too)?;
        number += 1;
        match record {
            None if !has_line => return Ok(wrong),
            Some(record) if has_line => {
                wrong.extend(
                    unlike(&places, &line, &record)
                        .map(|said| format!("{parquet} row {number}: {said} what {csv} has there")),
                );
            }
            _ => {
                let (short, long) = if has_line { (parquet, csv) } else { (csv, parquet) };
                wrong.push(format!("{short} has {} rows, {long} has more", number - 1));
                return Ok(wrong);
            }
        }
    }
}

/// The first column in which two rows differ, and what the Parquet file has in it.
fn unlike(places: &HashMap<&str, usize>, line: &csv::StringRecord, record: &Row) -> Option<String> {
    record.get_column_iter().find_map(|(column, field)| {
        let cell = original(line.get(*places.get(column.as_str())?)?);
        let is_same = match field {
            Field::Null => cell.is_empty(),
            Field::Str(text) => text == cell,
            field => text(field) == cell,
        };
        (!is_same).then(|| format!("{column} {:?} is not", text(field)))
    })
}

/// A value as the CSV files have it.
fn text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Decimal(number) => decimal(number),
        Field::TimestampMicros(micros) => Instant(*micros).rfc3339(),
        other => other.to_string(),
    }
}

/// A decimal number of at most 128 bits with as many decimals as its column has.
fn decimal(number: &Decimal) -> String {
    let is_negative = number.data().first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if is_negative { -1_i128 } else { 0 };
    let units = number.data().iter().fold(start, |units, byte| (units << 8) | i128::from(*byte));
    let decimals = usize::try_from(number.scale()).unwrap_or(0);
    if decimals == 0 {
        return units.to_string();
    }
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    format!("{}{whole}.{part}", if is_negative { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_printed_as_the_csv_files_have_them() {
        let cases: [(&[u8], i32, &str); 7] = [
            (&[0], 0, "0"),
            (&[0xff], 0, "-1"),
            (&[0x00, 0xff], 0, "255"),
            (&[0x0f, 0x42, 0x40], 6, "1.000000"),
            (&[0x00, 0x01], 6, "0.000001"),
            (&[0xff, 0xff], 6, "-0.000001"),
            (
                &[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                0,
                "-170141183460469231731687303715884105728",
            ),
        ];
        for (bytes, scale, expected) in cases {
            assert_eq!(decimal(&Decimal::from_bytes(bytes.to_vec().into(), 38, scale)), expected);
        }
    }
}
