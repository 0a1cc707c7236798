//! The database as the world finds it: a real server answers every test here.

pub mod cluster;

mod collect;
mod doctor;
mod fixtures;
mod harness;
mod init;
mod lines;
mod nightly;
mod nulls;
mod reading;
mod repair;
mod rewritten;
mod security;
mod texts;
mod values;
mod wire;
