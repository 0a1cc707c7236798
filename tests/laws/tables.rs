//! The oracle against tables that a person can check.
use super::oracle;
