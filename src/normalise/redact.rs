//! `--redact`: users under other names, so that a report can be handed on without saying who they are.
//!
//! A name is a keyed hash: HMAC-SHA-256 (RFC 2104) of the user's id as text, of which 96 bits are
//! kept, so that two users share one with a probability below 10⁻¹³ even among a hundred million. The
//! same key gives the same name in every report; without the key, ids cannot be tried one by one.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::RowId;

/// The least length of a key in bytes: 128 bits of a random key in hexadecimal are twice that.
pub const KEY_BYTES_MIN: usize = 16;

/// What a fingerprint is the keyed hash of. No id of a user holds a zero byte.
const FINGERPRINTED: &[u8] = b"reckon: fingerprint of a key\0";

/// A key that users are renamed with.
#[derive(Clone)]
pub struct Redaction {
    keyed: Hmac<Sha256>,
}

impl std::fmt::Debug for Redaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redaction")
    }
}

impl Redaction {
    /// Takes a key; `None` when it is shorter than [`KEY_BYTES_MIN`].
    pub fn with_key(key: &[u8]) -> Option<Redaction> {
        if key.len() < KEY_BYTES_MIN {
            return None;
        }
        Hmac::new_from_slice(key).ok().map(|keyed| Redaction { keyed })
    }

    /// What tells one key from another without telling the key: 16 hexadecimal digits of the keyed hash of a
    /// text that is always the same.
    pub fn fingerprint(&self) -> String {
        let mut mac = self.keyed.clone();
        mac.update(FINGERPRINTED);
        let digest = mac.finalize().into_bytes();
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The name in place of a user's id: `user-` and 24 hexadecimal digits.
    pub fn name(&self, user: &RowId) -> RowId {
        let mut mac = self.keyed.clone();
        user.with_text(|text| mac.update(text.as_bytes()));
        let digest = mac.finalize().into_bytes();
        let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        RowId::parse(&format!("user-{hex}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_standard_tools_give() {
        // printf %s 7 | openssl dgst -sha256 -hmac 0123456789abcdef
        let redaction = Redaction::with_key(b"0123456789abcdef").unwrap();
        assert_eq!(redaction.name(&RowId::parse("7")).to_string(), "user-f69cf4852626eee19b92af56");
    }

    #[test]
    fn a_short_key_is_none() {
        assert!(Redaction::with_key(b"0123456789abcde").is_none());
    }
}
