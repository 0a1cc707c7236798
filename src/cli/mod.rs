//! The command line: clap, one file a command. Turns flags into configuration overrides; the only
//! place that knows clap.

/// Runs the program; the exit code is the contract's.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(2)
}
