//! The SQL files on a real server.

mod apply;
mod world;
