//! The balances that the column gives once its meaning is known, and where they do not follow from
//! each other.

use super::Meaning;
use super::row::{Change, Row};

/// A row whose value is not what the chain gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Break {
    pub row: usize,
    pub meaning: Meaning,
    pub expected: i128,
    pub found: i128,
}

/// The chain of all users.
#[derive(Debug)]
pub(super) struct Walked {
    /// The balance before each row, where a row before it says one.
    pub before: Vec<Option<i128>>,
    /// By user and time.
    pub breaks: Vec<Break>,
}

/// Goes along each user's rows; `meanings` is what the column means at each, by its place. After a break the
/// chain goes on from what stands there.
pub(super) fn walk(rows: &[Row<'_>], meanings: &[Meaning]) -> Walked {
    let mut walked = Walked { before: vec![None; rows.len()], breaks: Vec::new() };
    let mut balance: Option<i128> = None;
    for (at, row) in rows.iter().enumerate() {
        if row.has_gaps || row.is_untold || at == 0 || rows[at - 1].user != row.user {
            balance = None;
        }
        walked.before[at] = balance;
        let meaning = meanings[row.place];
        let (expected, next) = step(row, meaning, balance);
        if let ([Some(expected), _], Some(found), false) =
            (expected, row.value, is_as_expected(row, expected))
        {
            walked.breaks.push(Break { row: at, meaning, expected, found });
        }
        balance = next.filter(|_| !row.is_untold);
    }
    walked
}

/// What a row should have beside it, one or the other, and the balance behind it.
pub(super) fn step(
    row: &Row<'_>,
    meaning: Meaning,
    balance: Option<i128>,
) -> ([Option<i128>; 2], Option<i128>) {
    let (down, up) = match row.change {
        Change::Known(change) => (Some(change), Some(change)),
        Change::Either(change) => (Some(-change), Some(change)),
        Change::Unknown => (None, None),
    };
    let moved = |balance: Option<i128>, change: Option<i128>| balance.zip(change).map(|(a, b)| a + b);
    let behind = |balance: Option<i128>| if down == up { moved(balance, up) } else { None };
    match (meaning, row.value) {
        (Meaning::After, Some(found)) => ([moved(balance, up), moved(balance, down)], Some(found)),
        (Meaning::Before, Some(found)) => ([balance; 2], behind(Some(found))),
        _ => ([None; 2], behind(balance)),
    }
}

/// The value is one of those, or there is nothing to compare.
pub(super) fn is_as_expected(row: &Row<'_>, expected: [Option<i128>; 2]) -> bool {
    row.value.is_none() || expected[0].is_none() || expected.contains(&row.value)
}
