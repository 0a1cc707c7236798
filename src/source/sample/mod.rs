//! Looking at tables before anybody has said what their columns mean: for `reckon init` alone.

mod content;
mod files;

pub use files::{file_labels, file_sample};
