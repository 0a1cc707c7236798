//! The gate before the legacy table is dropped: what still depends on it, whether everything that was
//! asked for holds, the certificate that says so, and the SQL that retires the table in steps.
//!
//! A check is `ok`, not ok, or `not_tested`: what could not be looked at is never ok. The verdict is
//! GO only where every check is ok, or was accepted by name: which is possible for what could not be
//! tested, and for what only may use the table, never for what certainly does.

mod activity;
pub mod archive;
mod certificate;
mod checks;
mod content;
mod dependencies;
mod leaves;
mod live;
mod nights;
pub mod retire;
mod writers;

pub use certificate::{Certificate, Found, Table, Verdict, certify};
pub use checks::{Accepted, Answer, Check, Evidence, Facts, NAMES, all};
pub use live::{Archived, Live, SealedTable, look};
pub use nights::Night;
