//! The rule book once more, by brute force: every rung enumerates *all* sets of pairs and takes the
//! best. Nothing in here is shared with the program, nothing is quick, and everything follows the
//! order of the text, so that it can be read beside it.
//!
//! | step | file |
//! |---|---|
//! | which rows count | `population.rs` |
//! | all optima of a rung, and what they agree on | `optimum.rs` |
//! | the ladder | `ladder.rs` |
//! | rows left over: what repeats a kept one | `leftover.rs` |
//! | classes, severity, repair, dispositions | `classes.rs` |

mod classes;
mod ladder;
mod leftover;
mod optimum;
mod population;

use std::collections::BTreeMap;

use super::ledger::{Ledgers, Said};

/// What the rule book says about a pair of ledgers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Findings without those on balances, in order.
    pub said: Vec<Said>,
    /// `(side, row id)` → disposition, for every legacy row and every unified grant or deduction.
    pub dispositions: BTreeMap<(&'static str, String), String>,
    /// Rung → legacy rows in pairs and their tokens.
    pub pairs: BTreeMap<&'static str, (u64, i64)>,
    /// Rows and tokens of each side by class.
    pub population: population::Population,
}

/// Judges a pair of ledgers.
pub fn judge(ledgers: &Ledgers) -> Judgement {
    let books = population::read(ledgers);
    let paired = ladder::climb(&books, &ledgers.rules);
    let left = leftover::judge(&books, &paired, &ledgers.rules);
    classes::write(&books, &paired, &left, &ledgers.rules)
}
