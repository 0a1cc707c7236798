//! Plain types that every stage shares. No I/O, and no crate beyond std, chrono, serde and uuid.
//!
//! Units: *tokens* are integers, never floats; an instant is a count of UTC microseconds; sums are
//! [`i128`] and checked. Unknown is `None`, never zero.

mod disposition;
mod entry;
mod few;
mod finding;
mod id;
mod instant;
mod ledger;
mod nothing;
mod pair;
mod points;
mod population;
mod settled;
mod tokens;
mod total;
mod width;

pub use disposition::{Disposition, Outcome, RowPlace};
pub use entry::{Entry, Kind, UserNo};
pub use few::Few;
pub use finding::{Class, Confidence, Finding, FindingId, RepairKind, Severity, Status, Verdict};
pub use id::RowId;
pub use instant::{Instant, Span};
pub use ledger::{
    Action, ActionNo, Books, Bystander, DayUsage, Ledger, Marks, Rejected, Roster, Side, SignCell, Standing,
    UserUsage, Widths, Written,
};
pub use nothing::{
    NO_NAME, NO_VALUE, NULL_WORDS, PLACEHOLDERS, is_nothing, names_nothing, payment_kind, says_nothing,
};
pub use pair::{Differences, Pair, Rule};
pub use points::{Doubt, Points};
pub use population::{Population, PopulationClass};
pub use settled::{SETTLING, Settled, SettledLabel, SettledRung, SettledSide};
pub use tokens::parse_tokens;
pub use total::{Overflow, Total};
pub use width::Width;
