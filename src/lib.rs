//! `reckon` proves, row by row, that every token grant of a legacy table arrived in the new one.
//!
//! The modules stand in the order of the data: each imports [`domain`], its own settings and the
//! outputs of the stages above it, never of one below.

// Plain types, no I/O.
pub mod domain;

// The digest of files, findings and plans.
pub mod sha256;

// Work divided among the cores.
pub mod cores;

// reckon.toml as written → as checked.
pub mod config;

// CSV, Parquet, PostgreSQL → raw columns with provenance.
pub mod source;

// Labels, signs, zones, rejects → the books.
pub mod normalise;

// The ladder: pairs and findings.
pub mod matching;

// Balances recomputed, gaps explained.
pub mod balance;

// Dispositions, conservation, ids, order, verdict.
pub mod audit;

// Runs, waivers, what is new.
pub mod history;

// What to change, and the SQL that says it.
pub mod repair;

// Would the job run here: looks, changes nothing.
pub mod doctor;

// GO or NO-GO before the legacy table is dropped.
pub mod cutover;

// Frozen numbers → files and terminal.
pub mod report;

// Who is told, and when.
pub mod notify;

// Re-checks a run directory from its files alone.
pub mod verify;

// Ledgers with planted defects and known truth.
pub mod simulate;

// Calls the stages in this order, decides nothing.
pub mod run;

// clap, one file a command.
pub mod cli;
