//! `reckon` proves, row by row, that every token grant of a legacy table arrived in the new one.
//!
//! The modules stand in the order of the data: each imports [`domain`], its own settings and the
//! outputs of the stages above it, never of one below.

pub mod audit; // dispositions, conservation, ids, order, verdict
pub mod balance; // balances recomputed, gaps explained
pub mod config; // reckon.toml as written → as checked
pub mod cutover; // the gate before the legacy table is dropped
pub mod doctor; // would the job run here: looks, changes nothing
pub mod domain; // plain types, no I/O
pub mod history; // runs, waivers, what is new
pub mod matching; // the ladder: pairs and findings
pub mod normalise; // labels, signs, zones, rejects → the books
pub mod repair; // what to change, and the SQL that says it
pub mod report; // frozen numbers → files and terminal
pub mod simulate;
pub mod source; // CSV, Parquet, PostgreSQL → raw columns with provenance // ledgers with planted defects and known truth

pub mod cli;
pub mod run; // calls the stages in this order, decides nothing // clap, one file a command
