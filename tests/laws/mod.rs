//! Laws that hold for every ledger, and an oracle that judges small ones by brute force.

mod adversary;
mod agree;
mod bytes;
mod class_table;
mod files;
mod found;
mod generate;
mod ledger;
mod mending;
mod mirror;
mod notation;
mod optimal;
mod oracle;
mod oracle_laws;
mod parts;
mod pools;
mod program_laws;
mod replay;
mod replay_model;
mod scale;
mod spent;
mod tables;
mod town;
mod transform;
