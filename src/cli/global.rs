//! Flags that every command has.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use crate::config::{self, Config, ConfigError};
use crate::source::Progress;

/// The configuration's name where none is given.
const DEFAULT_CONFIG: &str = "reckon.toml";

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people: the default
    Human,
    /// JSON for programs
    Json,
    /// `contract`: a CHECK constraint; `simulate`: the tables for psql
    Sql,
    /// `contract` only: a TypeScript union
    Typescript,
    /// `simulate` only: the tables as CSV
    Csv,
    /// `simulate` only: the tables as Parquet
    Parquet,
}

/// The flags as clap reads them.
#[derive(Debug, clap::Args)]
pub(super) struct Flags {
    /// Configuration file [default: ./reckon.toml, then $RECKON_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    /// How the result is printed [default: human]
    #[arg(long, global = true, value_enum, value_name = "FORMAT", help_heading = "Global options")]
    pub format: Option<Format>,
    /// More log: -v what is done, -vv in detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    verbose: u8,
    /// Print less, log only errors: the help of each command says what it prints
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    quiet: bool,
    /// No progress on stderr
    #[arg(long, global = true, help_heading = "Global options")]
    no_progress: bool,
}

/// What every command is given beside its own flags.
#[derive(Debug, Clone)]
pub struct Global {
    config: Option<PathBuf>,
    /// How the result is printed: human or JSON; `contract` takes any, and has to be told.
    pub format: Option<Format>,
    /// `-q`: print only what is new.
    pub quiet: bool,
    /// Colours may be used on stdout: it is a terminal, and `NO_COLOR` is not set.
    pub color: bool,
    /// Progress on stderr, and the flag that a signal sets.
    pub progress: Progress,
    verbose: u8,
}

impl Global {
    pub(super) fn new(flags: &Flags, stop: Arc<AtomicBool>) -> Global {
        let shown = std::io::stderr().is_terminal() && !flags.no_progress && !flags.quiet;
        Global {
            config: flags.config.clone(),
            format: flags.format,
            quiet: flags.quiet,
            color: std::io::stdout().is_terminal() && !no_color(),
            progress: Progress::new(shown, stop),
            verbose: flags.verbose,
        }
    }

    /// The result is wanted as JSON.
    pub fn json(&self) -> bool {
        self.format == Some(Format::Json)
    }

    /// Sends the log to stderr, as `RUST_LOG` says, or else `-v` and `-q`.
    pub(super) fn start_log(&self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => "error",
            (false, 0) => "warn",
            (false, 1) => "warn,reckon=info",
            (false, _) => "warn,reckon=debug",
        };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
        let started = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal() && !no_color())
            .with_target(false)
            .try_init();
        debug_assert!(started.is_ok(), "the log is started once");
    }

    /// The configuration file: `--config`, or `./reckon.toml` where there is one, or
    /// `RECKON_CONFIG`.
    pub fn config_file(&self) -> PathBuf {
        if let Some(file) = &self.config {
            return file.clone();
        }
        let default = PathBuf::from(DEFAULT_CONFIG);
        if default.exists() {
            return default;
        }
        std::env::var_os("RECKON_CONFIG").filter(|file| !file.is_empty()).map_or(default, PathBuf::from)
    }

    /// Reads and checks the configuration.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and column.
    pub fn load_config(&self) -> Result<Config, ConfigError> {
        config::load(Path::new(&self.config_file()))
    }
}

/// `NO_COLOR` is set to something.
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
