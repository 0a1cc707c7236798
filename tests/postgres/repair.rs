//! The SQL files on a real server.

mod acted;
mod appeared;
mod apply;
mod at_once;
mod between;
mod demo;
mod families;
mod hazards;
mod holds;
mod images;
mod kinds;
mod large;
mod limits;
mod shapes;
mod spelling;
mod unproven;
mod world;
