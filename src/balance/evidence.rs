//! What the balance columns beside the rows add to the evidence of a finding about a balance.

use super::{SnapshotColumn, UserBalance};

/// So many breaks are named in a finding; `chain_breaks.csv` has all.
const NAMED: usize = 3;

/// Where the chain of this user's balances breaks: `; chain_breaks=1; chain_break=legacy L6: …`.
/// A break of the size of the gap, or of its unexplained part, is said to be that.
pub(super) fn chain_breaks(snapshots: &[SnapshotColumn], balance: &UserBalance) -> String {
    let found = snapshots.iter().flat_map(|column| {
        let from = column.breaks.partition_point(|found| found.user < balance.user);
        column.breaks[from..].iter().take_while(|found| found.user == balance.user)
    });
    let mut texts = Vec::new();
    for found in found {
        let jump = found.found - found.expected;
        let is_what = match (balance.gap, balance.unexplained) {
            (Some(gap), _) if gap == jump => ", the gap",
            (_, Some(rest)) if rest == jump => ", what is unexplained",
            _ => "",
        };
        texts.push(format!(
            "; chain_break={} {} at {}: expected {}, found {} ({jump:+}{is_what})",
            found.side.name(),
            found.row,
            found.at.rfc3339(),
            found.expected,
            found.found,
        ));
    }
    if texts.is_empty() {
        return String::new();
    }
    let all = texts.len();
    texts.truncate(NAMED);
    format!("; chain_breaks={all}{}", texts.concat())
}
