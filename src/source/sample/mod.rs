//! Looking at tables before anybody has said what their columns mean: for `reckon init` alone.

mod cells;
mod content;
mod files;
mod table;

pub use files::{file_labels, file_repeats, file_sample};
pub use table::{table_labels, table_repeats, table_sample, table_samples};
