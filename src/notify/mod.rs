//! Who is told of a run, and when: a program that reads JSON on its standard input, a webhook that it
//! is posted to, a file of metrics.
//!
//! Telling comes after the run directory is in its place, and changes nothing about the result: who
//! could not be told stands in the log, the exit code stays. The address of a webhook may hold a
//! secret; of it only scheme and host are ever shown ([`address`]).

mod address;
mod check;
mod command;
mod deliver;
mod facts;
mod message;
mod metrics;
mod owed;
mod tell;
mod webhook;

pub use address::Address;
pub use check::checks;
pub use facts::{FindingFact, RunFacts};
pub use message::{Event, Message, SCHEMA, event_of};
pub use metrics::{RunEnd, write_metrics};
pub use owed::{Owed, settle};
pub use tell::{Told, tell};
