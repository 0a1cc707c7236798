//! The SQL files on a real server.

mod apply;
mod hazards;
mod shapes;
mod world;
