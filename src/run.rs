//! Calls the stages in order, decides nothing.
