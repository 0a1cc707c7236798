//! The configuration as written (serde).
