//! What stands in which table.

mod balances;
mod evidence;
mod findings;
mod provenance;
mod roll_forward;
mod sample;
mod summary;

pub use evidence::evidence;

use super::model::Pack;
use super::table::Table;

/// The tables of the workbook, in the order of its sheets. Each is a CSV file too.
pub fn sheets<'a>(pack: &'a Pack<'a>) -> Vec<Table<'a>> {
    vec![
        summary::summary(pack),
        roll_forward::roll_forward(pack),
        roll_forward::grants(pack),
        findings::exceptions(pack),
        balances::balances(pack),
        findings::causes(pack),
        sample::sample(pack),
        provenance::provenance(pack),
    ]
}
