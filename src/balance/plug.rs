//! Plug entries: grants that were written to make a balance right.

use std::collections::HashMap;

use rustc_hash::FxHashMap;

use super::Balances;
use crate::domain::{ActionNo, Books, Class, Entry, Finding, UserNo};

/// Names the cause `plug`: the only orphan of its user, without which the gap would be exactly its
/// amount, and of an amount that no other row of that action has on either side. An honest grant
/// has the amount of its plan or pack; a plug has the amount of a mistake.
pub fn name_plugs(books: &Books, balances: &Balances, findings: &mut [Finding]) {
    let mut orphans: HashMap<UserNo, Vec<usize>> = HashMap::new();
    for (at, finding) in findings.iter().enumerate().filter(|(_, finding)| finding.class == Class::Orphan) {
        for &row in &finding.unified_rows {
            orphans.entry(books.unified.entries[row as usize].user).or_default().push(at);
        }
    }
    let mut candidates: Vec<(usize, &Entry)> = Vec::new();
    for (user, positions) in orphans {
        let ties_out = balances.users[user.0 as usize].gap == Some(0);
        if let ([only], true) = (&positions[..], ties_out) {
            let rows = &findings[*only].unified_rows;
            candidates.extend(rows.iter().map(|&row| (*only, &books.unified.entries[row as usize])));
        }
    }
    if candidates.is_empty() {
        return;
    }
    // Asked of every row, nearly always in vain: this is what a fast hash is for.
    let mut amounts: FxHashMap<(ActionNo, i64), usize> =
        candidates.iter().map(|(_, entry)| ((entry.action, entry.tokens), 0)).collect();
    for entry in books.legacy.entries.iter().chain(&books.unified.entries) {
        amounts.entry((entry.action, entry.tokens)).and_modify(|count| *count += 1);
    }
    for (key, rows) in books.settled.amounts() {
        amounts.entry(*key).and_modify(|count| *count += rows);
    }
    for (finding, entry) in candidates {
        if amounts[&(entry.action, entry.tokens)] == 1 {
            findings[finding].cause = "plug".into();
        }
    }
}
