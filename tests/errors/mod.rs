//! The catalogue of configuration errors: input, command and expected output in one block.

mod configuration;
