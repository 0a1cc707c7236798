//! The gate before the legacy table is dropped: what still depends on it, whether everything that was
//! asked for holds, the certificate that says so, and the SQL that retires the table in steps.

pub mod archive;
pub mod retire;
