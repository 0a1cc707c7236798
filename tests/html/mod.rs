//! What a run directory holds, drawn from a run made by hand.

mod browser;
pub mod devtools;
mod files;
mod fixture;
mod packed;
mod page;
mod terminal;
