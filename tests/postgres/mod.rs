//! The database as the world finds it: a real server answers every test here.

pub mod cluster;

mod collect;
mod harness;
mod repair;
mod values;
