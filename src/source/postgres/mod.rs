//! Reading PostgreSQL: one exported snapshot, parallel binary COPY, the catalogue.

pub mod catalogue;
