//! The one integration-test binary.
#![allow(missing_docs, clippy::unwrap_used)]

mod accuracy;
mod audit;
mod balances;
mod cases;
mod cli;
mod cutover;
mod errors;
mod house;
mod html;
mod laws;
mod postgres;
