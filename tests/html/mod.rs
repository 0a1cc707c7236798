//! What a run directory holds, drawn from a run made by hand.

mod files;
mod fixture;
mod page;
mod terminal;
