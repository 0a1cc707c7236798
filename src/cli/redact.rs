//! `--redact`: a flag of every command that names users.

use anyhow::{Context as _, bail};

use crate::normalise::{KEY_BYTES_MIN, Redaction};

/// Where the key stands: never on the command line, which other users of a machine can read.
const KEY: &str = "RECKON_REDACT_KEY";

/// The flag.
#[derive(Debug, clap::Args)]
pub struct Redact {
    /// Replace every user id by a keyed hash; the key is $RECKON_REDACT_KEY
    #[arg(long)]
    redact: bool,
}

impl Redact {
    /// How users are renamed, if they are.
    ///
    /// # Errors
    /// A key that is missing or too short.
    pub fn redaction(&self) -> anyhow::Result<Option<Redaction>> {
        if !self.redact {
            return Ok(None);
        }
        let key = std::env::var_os(KEY).with_context(|| {
            format!(
                "--redact needs a key: export {KEY}=$(openssl rand -hex 32). Keep it: the same key gives a user \
                 the same name in every report"
            )
        })?;
        match Redaction::with_key(key.as_encoded_bytes()) {
            Some(redaction) => Ok(Some(redaction)),
            None => {
                bail!("{KEY} is shorter than {KEY_BYTES_MIN} bytes: whoever guesses it can name the users")
            }
        }
    }
}
