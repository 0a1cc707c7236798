//! Does a value fit a meaning? Row by row, before anything is known of periods.

use super::row::{Change, Row};

/// The answer for one row and one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Fits,
    Contradicts,
    /// Nothing is known of the balance before the row.
    Untested,
}

/// After, before, size; all untested for a row without a value.
pub(super) type Fits = [Fit; 3];

/// The balance before the next row of a user, as far as different readings give it.
#[derive(Clone, Copy)]
struct Balances {
    /// If all values meant the balance after their row.
    after: Option<i128>,
    /// If all values meant the balance before their row.
    before: Option<i128>,
    /// The sum of the rows, if the first one found nothing or the opening tokens.
    sums: [Option<i128>; 2],
}

/// Tests every row. `walked` is the balance before each row that an earlier answer gives.
pub(super) fn test(rows: &[Row<'_>], walked: &[Option<i128>], opening: i128) -> Vec<Fits> {
    let start = Balances { after: None, before: None, sums: [Some(0), Some(opening)] };
    let mut balances = start;
    let mut fits = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        if at == 0 || rows[at - 1].user != row.user {
            balances = start;
        } else if row.has_gaps {
            balances = Balances { after: None, before: None, sums: [None; 2] };
        }
        if row.is_untold {
            balances = Balances { after: None, before: None, ..balances };
        }
        // In an instant without an order no balance goes before a row, but their sum goes on behind them.
        let known = if row.is_untold { Balances { sums: [None; 2], ..balances } } else { balances };
        fits.push(match row.value {
            Some(value) => test_row(row, value, known, walked[at]),
            None => [Fit::Untested; 3],
        });
        let moved = |balance: Option<i128>| match row.change {
            Change::Known(change) => balance.map(|balance| balance + change),
            Change::Either(_) | Change::Unknown => None,
        };
        let told = row.value.filter(|_| !row.is_untold);
        balances = Balances {
            after: told.or(moved(balances.after)),
            before: moved(told.or(balances.before)),
            sums: balances.sums.map(moved),
        };
    }
    fits
}

fn test_row(row: &Row<'_>, value: i128, balances: Balances, walked: Option<i128>) -> Fits {
    // The sum of the rows is a guess: it can show a meaning, but not contradict one.
    let guesses = if walked.is_none() { balances.sums } else { [None; 2] };
    let judge = |own: Option<i128>, fits: &dyn Fn(i128) -> bool| {
        if [own, walked, guesses[0], guesses[1]].into_iter().flatten().any(fits) {
            Fit::Fits
        } else if own.is_some() || walked.is_some() {
            Fit::Contradicts
        } else {
            Fit::Untested
        }
    };
    let after = match row.change {
        Change::Unknown => Fit::Untested,
        Change::Known(change) => judge(balances.after, &|before| before + change == value),
        Change::Either(change) => {
            judge(balances.after, &|before| before + change == value || before - change == value)
        }
    };
    let size = match row.tokens {
        0 => Fit::Untested,
        tokens if value.abs() == tokens => Fit::Fits,
        _ => Fit::Contradicts,
    };
    [after, judge(balances.before, &|before| before == value), size]
}
