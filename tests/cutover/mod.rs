//! The gate and what lies behind it, on a real server.

mod archive;
mod checks;
mod dependencies;
mod digest;
mod gate;
mod labels;
mod open_writes;
mod plants;
mod plants_in_texts;
mod retire;
mod retire_refuses;
mod retire_taken_back;
mod retire_world;
mod texts;
mod whole;
mod world;
