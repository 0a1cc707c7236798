//! SHA-256, the one digest of the program: of files and tables, of findings, plans and runs. The only
//! place that knows which crate computes it: the one that TLS brings along, whose code is about twice as
//! fast as portable code where the processor has no instructions for it.

use std::fmt;

use ring::digest::{self, Context, SHA256};

/// A digest that is being taken, piece by piece.
#[derive(Clone)]
pub struct Sha256(Context);

/// A digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Sha256 {
    /// The digest of what has been added so far.
    pub fn finish(self) -> Digest {
        Digest::of(&self.0.finish())
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes.as_ref());
    }

    /// Adds a text behind its length, so that no two rows of texts make the same bytes.
    pub fn update_text(&mut self, text: &str) {
        self.update((text.len() as u64).to_be_bytes());
        self.update(text);
    }
}

impl Default for Sha256 {
    fn default() -> Sha256 {
        Sha256(Context::new(&SHA256))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sha256").finish_non_exhaustive()
    }
}

/// The digest of bytes that are all there.
pub fn sha256(bytes: impl AsRef<[u8]>) -> Digest {
    Digest::of(&digest::digest(&SHA256, bytes.as_ref()))
}

impl Digest {
    fn of(found: &digest::Digest) -> Digest {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(found.as_ref());
        Digest(bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 64 bits, as a number.
    pub fn first_bits(&self) -> u64 {
        self.0[..8].iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
    }

    /// Lower-case hexadecimal.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// Its first bytes in lower-case hexadecimal.
    pub fn hex_of_first(&self, bytes: usize) -> String {
        hex(&self.0[..bytes])
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf abc | sha256sum`
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn it_is_what_sha256sum_says_whole_or_in_pieces() {
        assert_eq!(sha256("abc").hex(), ABC);
        let mut hash = Sha256::default();
        hash.update("a");
        hash.update(b"bc");
        assert_eq!(hash.finish().hex(), ABC);
    }

    #[test]
    fn the_first_bytes_are_the_first_digits_and_bits() {
        assert_eq!(sha256("abc").hex_of_first(4), ABC[..8]);
        assert_eq!(format!("{:016x}", sha256("abc").first_bits()), ABC[..16]);
    }
}
