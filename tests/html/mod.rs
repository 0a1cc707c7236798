//! What a run directory holds, drawn from a run made by hand.

mod browser;
mod files;
mod fixture;
mod page;
mod terminal;
