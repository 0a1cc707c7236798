//! Parse, start the log, run, exit code.

fn main() -> std::process::ExitCode {
    reckon::cli::main()
}
