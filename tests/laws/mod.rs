//! Laws that hold for every ledger, and an oracle that judges small ones by brute force.

mod files;
mod ledger;
mod oracle;
mod tables;
