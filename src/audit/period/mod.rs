//! A period for the accountants: what a balance was at its start, every movement in it, what the
//! balance was at its end, and a sample of rows to inspect.
//!
//! A period is a run of whole UTC days. A sealed period never changes: rows that arrive late, change
//! or vanish are adjustments of the next one ([`adjust`]).

mod account;
mod adjust;
mod days;
mod granted;
mod holders;
mod line;
mod moved;
mod roll;
mod sample;

pub use account::{Asked, PeriodAudit, PeriodFailure, PreviousPack, account};
pub use adjust::{Adjusted, Adjustment, Change, Sealed, SealedRow, SealedUsage, adjust};
pub use days::{Period, PeriodError, PeriodPart};
pub use granted::{Granted, GrantedSide, granted, paid_rows};
pub use holders::{HOLDER_COLUMNS, Holder, column_of};
pub use line::{Line, Movement};
pub use moved::PaidRoll;
pub use roll::{Block, Moves, RollForward, RollLine, roll_forward};
pub use sample::{Drawn, Frame, Method, Sample, draw};
