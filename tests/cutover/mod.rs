//! The gate and what lies behind it, on a real server.

mod archive;
mod digest;
mod retire;
mod retire_refuses;
mod retire_world;
mod texts;
