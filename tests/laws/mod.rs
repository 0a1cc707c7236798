//! Laws that hold for every ledger, and an oracle that judges small ones by brute force.

mod files;
mod generate;
mod ledger;
mod notation;
mod oracle;
mod oracle_laws;
mod tables;
mod transform;
