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

/// Goes along each user's rows; `meanings` is what the column means at each. After a break the chain goes on
/// from what stands there.
pub(super) fn walk(rows: &[Row<'_>], meanings: &[Meaning]) -> Walked {
    let mut walked = Walked { before: vec![None; rows.len()], breaks: Vec::new() };
    let mut balance: Option<i128> = None;
    for (at, row) in rows.iter().enumerate() {
        if row.has_gaps || at == 0 || rows[at - 1].user != row.user {
            balance = None;
        }
        walked.before[at] = balance;
        let (down, up) = match row.change {
            Change::Known(change) => (Some(change), Some(change)),
            Change::Either(change) => (Some(-change), Some(change)),
            Change::Unknown => (None, None),
        };
        let moved = |balance: Option<i128>, change: Option<i128>| balance.zip(change).map(|(a, b)| a + b);
        let next = if down == up { moved(balance, up) } else { None };
        balance = match (meanings[at], row.value) {
            (Meaning::After, Some(found)) => {
                let expected = [moved(balance, up), moved(balance, down)];
                note(&mut walked.breaks, at, Meaning::After, expected, found);
                Some(found)
            }
            (Meaning::Before, Some(found)) => {
                note(&mut walked.breaks, at, Meaning::Before, [balance; 2], found);
                if down == up { moved(Some(found), up) } else { None }
            }
            _ => next,
        };
    }
    walked
}

fn note(breaks: &mut Vec<Break>, row: usize, meaning: Meaning, expected: [Option<i128>; 2], found: i128) {
    let [Some(expected), other] = expected else { return };
    if expected != found && other != Some(found) {
        breaks.push(Break { row, meaning, expected, found });
    }
}
