//! Which unified row stands for which legacy row: the ladder of `semantics.md`.
//!
//! Every rung looks at the rows that the rungs above left free, builds the pairs that it would
//! allow, and takes the best set of them: most pairs, fewest differing attributes, least total
//! |lag|, then ids ascending ([`assign`]). What is left over is judged in [`classify`].

mod assign;
mod blocks;
mod board;
pub mod calibrate;
mod cause;
mod classify;
mod components;
mod contrary;
mod copies;
mod disjoint;
mod draft;
mod exact;
mod flow;
mod ladder;
mod line;
mod missing;
mod optima;
mod other_user;
mod repeats;
mod settle;
mod shaken;
mod spent;
mod split;
mod stamps;
mod unclear;

pub use board::{Group, PURCHASE, Row};
pub use calibrate::Calibration;
pub use settle::{Likeness, Tried};

pub use contrary::Contradicted;
pub use missing::SharedReferences;

use crate::config::Config;
use crate::domain::{Books, Finding, Pair};

/// The result of matching.
#[derive(Debug, Clone)]
pub struct Matched {
    /// One-to-one pairs, ascending by legacy row.
    pub pairs: Vec<Pair>,
    /// One-to-many groups of rung `split`, ascending by first legacy row.
    pub groups: Vec<Group>,
    /// What became of each legacy entry.
    pub legacy: Vec<Row>,
    /// What became of each unified entry.
    pub unified: Vec<Row>,
    /// Findings about rows, without ids and in no particular order.
    pub findings: Vec<Finding>,
    /// Components that were too large for an exact answer; empty in practice. Each is named for
    /// the log and the report, and its rows are `contested`.
    pub bounded: Vec<String>,
    /// Pairs that look alike and carry different payments or links.
    pub contradicted: Option<Contradicted>,
    /// Missing rows whose reference stands on other rows of their user.
    pub shared_references: Option<SharedReferences>,
    /// What the lags show, and which settings would explain more.
    pub calibration: Calibration,
}

/// Matches both sides.
pub fn run(books: &Books, config: &Config) -> Matched {
    let mut board = board::Board::new(books, config);
    ladder::climb(&mut board);
    classify::judge(board)
}
