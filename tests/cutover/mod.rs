//! The gate before the legacy table is dropped, on a real server.

mod checks;
mod dependencies;
mod gate;
mod world;
