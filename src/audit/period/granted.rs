//! Grants by action type in the period, on both sides, paid and free apart.

use std::collections::{BTreeMap, HashSet};

use super::Period;
use crate::domain::{Books, Instant, Kind, Overflow, Total};

/// Grants of one action type, paid or free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The unified action type.
    pub action: Box<str>,
    /// Paid for: payment evidence on the row, or the action type of purchases.
    pub paid: bool,
    /// In the legacy table, by the unified action type that the label maps to.
    pub legacy: GrantedSide,
    /// In the unified table.
    pub unified: GrantedSide,
}

/// Grants of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GrantedSide {
    /// Number and tokens.
    pub total: Total,
    /// The earliest.
    pub first: Option<Instant>,
    /// The latest.
    pub last: Option<Instant>,
}

/// What is paid for is a purchase, with or without payment evidence on the row.
const PURCHASE: &str = "token_pack_purchase";

/// Rows of grants that were paid for: payment evidence on the row, or the action type of purchases.
/// Legacy, unified.
pub fn paid_rows(books: &Books) -> [HashSet<u32>; 2] {
    [&books.legacy, &books.unified].map(|ledger| {
        let grants = ledger.entries.iter().enumerate().filter(|(_, entry)| entry.kind == Kind::Grant);
        let paid = grants.filter(|(_, entry)| entry.paid || books.action(entry.action) == PURCHASE);
        paid.map(|(at, _)| at as u32).collect()
    })
}

/// Sums the grants of the period by action type in configured order, paid before free.
///
/// # Errors
/// [`Overflow`].
pub fn granted(books: &Books, period: &Period, paid: &[HashSet<u32>; 2]) -> Result<Vec<Granted>, Overflow> {
    let mut groups: BTreeMap<(u16, bool), [GrantedSide; 2]> = BTreeMap::new();
    for (side, ledger) in [&books.legacy, &books.unified].into_iter().enumerate() {
        for (row, entry) in ledger.entries.iter().enumerate() {
            if entry.kind != Kind::Grant || !entry.moves_a_balance() || !period.contains(entry.at) {
                continue;
            }
            let free = !paid[side].contains(&(row as u32));
            let group = &mut groups.entry((entry.action.0, free)).or_default()[side];
            group.total = group.total.plus(Total { rows: 1, tokens: i128::from(entry.tokens) })?;
            group.first = Some(group.first.map_or(entry.at, |first| first.min(entry.at)));
            group.last = Some(group.last.map_or(entry.at, |last| last.max(entry.at)));
        }
    }
    let granted = groups.into_iter().map(|((action, free), [legacy, unified])| Granted {
        action: books.actions[usize::from(action)].clone(),
        paid: !free,
        legacy,
        unified,
    });
    Ok(granted.collect())
}
