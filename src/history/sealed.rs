//! The evidence files of a sealed pack, read back.

use std::collections::{BTreeMap, HashMap};

use super::table::Row;
use crate::audit::period::{Line, Movement, SealedRow};
use crate::domain::{RowId, Side, Total};

/// A table with a header.
struct Table {
    header: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Table {
    fn read(bytes: &[u8]) -> Result<Table, String> {
        let mut reader = csv::Reader::from_reader(bytes);
        let header = reader.headers().map_err(|cause| cause.to_string())?.clone();
        let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(|cause| cause.to_string())?;
        Ok(Table { header, rows })
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { header: &self.header, cells })
    }
}

/// What each line had come to: its closing over the whole period.
pub(super) fn lines(bytes: &[u8]) -> Result<BTreeMap<Line, i128>, String> {
    let mut lines = BTreeMap::new();
    for row in Table::read(bytes)?.rows() {
        let name = row.plain("movement")?;
        if row.plain("month")? != "period" || name == "total" {
            continue;
        }
        let movement = Movement::of_name(name).ok_or_else(|| format!("{name:?} is no movement"))?;
        let line = Line::new(movement, row.text("action_type")?, Line::paid_of_name(row.plain("paid")?));
        lines.insert(line, row.number("closing")?);
    }
    Ok(lines)
}

/// Closing balance of every holder, and what in all is left of paid grants.
pub(super) fn users(bytes: &[u8]) -> Result<(BTreeMap<RowId, i128>, i128), String> {
    let mut users = BTreeMap::new();
    let mut paid = 0_i128;
    for row in Table::read(bytes)?.rows() {
        users.insert(RowId::parse(row.text("user_id")?), row.number("closing")?);
        let left: i128 = row.number("closing_paid")?;
        paid = paid.checked_add(left).ok_or("closing_paid adds up to more than a number holds")?;
    }
    Ok((users, paid))
}

/// Grants and deductions of both tables.
pub(super) fn rows(bytes: &[u8]) -> Result<HashMap<(Side, RowId), SealedRow>, String> {
    let table = Table::read(bytes)?;
    let mut rows = HashMap::with_capacity(table.rows.len());
    for row in table.rows() {
        let side = match row.plain("table")? {
            "legacy" => Side::Legacy,
            "unified" => Side::Unified,
            other => return Err(format!("{other:?} is no table")),
        };
        let sealed = SealedRow {
            user: RowId::parse(row.text("user_id")?),
            action: row.text("action_type")?.into(),
            paid: Line::paid_of_name(row.plain("paid")?),
            tokens: row.number("effect")?,
            at: row.instant("created_at")?,
        };
        rows.insert((side, RowId::parse(row.text("row_id")?)), sealed);
    }
    Ok(rows)
}

/// Usage by UTC day, label and whether it had failed.
pub(super) fn usage(bytes: &[u8]) -> Result<BTreeMap<(String, String, bool), Total>, String> {
    let table = Table::read(bytes)?;
    let mut usage = BTreeMap::new();
    for row in table.rows() {
        let key = (
            row.plain("day")?.to_owned(),
            row.text("action_type")?.to_owned(),
            row.plain("failed")? == "yes",
        );
        usage.insert(key, Total { rows: row.number("rows")?, tokens: row.number("tokens")? });
    }
    Ok(usage)
}
