//! Parse, start the log, run, exit code.

/// The allocator of the C library keeps a third more memory than is in use, once several threads have read
/// a ledger.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    reckon::cli::main()
}
