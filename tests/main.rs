//! The one integration-test binary.
#![allow(missing_docs, clippy::unwrap_used)]

mod accuracy;
mod audit;
mod balances;
mod cases;
mod cli;
mod cutover;
mod deploy;
mod errors;
mod history;
mod house;
mod html;
mod laws;
mod night;
mod postgres;
