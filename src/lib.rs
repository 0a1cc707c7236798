//! `reckon` proves, row by row, that every token grant of a legacy table arrived in the new one.
//!
//! The modules stand in the order of the data: each imports [`domain`], its own settings and the
//! outputs of the stages above it, never of one below.

pub mod domain; // plain types, no I/O
pub mod config; // reckon.toml as written → as checked
pub mod source; // CSV, Parquet, PostgreSQL → raw columns with provenance
pub mod normalise; // labels, signs, zones, rejects → the books
pub mod matching; // the ladder: pairs and findings
pub mod balance; // balances recomputed, gaps explained
pub mod audit; // dispositions, conservation, ids, order, verdict
pub mod repair; // what to change, and the SQL that says it
pub mod cutover; // the gate before the legacy table is dropped
pub mod history; // runs, waivers, what is new
pub mod report; // frozen numbers → files and terminal
pub mod simulate; // ledgers with planted defects and known truth

pub mod run; // calls the stages in this order, decides nothing
pub mod cli; // clap, one file a command
