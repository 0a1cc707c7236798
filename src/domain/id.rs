//! Identifiers of rows and users, whatever their type in the source.

use std::cmp::Ordering;
use std::fmt;

/// The identifier of a row or a user. UUIDs are kept as 16 bytes, everything else as its text, and
/// both compare and print as text, so that an id means the same from a file and from a database.
///
/// Text that has the shape of a hyphenated UUID, in either case, *is* that UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowId {
    /// A UUID, printed in lower case with hyphens.
    Uuid([u8; 16]),
    /// Any other id: integers in decimal, text as it is.
    Text(Box<str>),
}

impl RowId {
    /// Reads an id from its text. Never fails: what is no UUID is text.
    pub fn parse(text: &str) -> RowId {
        match parse_hyphenated(text.as_bytes()) {
            Some(bytes) => RowId::Uuid(bytes),
            None => RowId::Text(text.into()),
        }
    }

    /// The id of an integer column.
    pub fn from_integer(value: i64) -> RowId {
        RowId::Text(value.to_string().into())
    }

    /// Adds the printed form to bytes; the digits of a UUID are written where they belong.
    pub fn push_to(&self, bytes: &mut Vec<u8>) {
        match self {
            RowId::Uuid(id) => {
                let at = bytes.len();
                bytes.extend_from_slice(&[0; uuid::fmt::Hyphenated::LENGTH]);
                uuid::Uuid::from_bytes(*id).hyphenated().encode_lower(&mut bytes[at..]);
            }
            RowId::Text(text) => bytes.extend_from_slice(text.as_bytes()),
        }
    }

    /// Calls `use_text` with the printed form, without allocating.
    pub fn with_text<T>(&self, use_text: impl FnOnce(&str) -> T) -> T {
        match self {
            RowId::Text(text) => use_text(text),
            RowId::Uuid(bytes) => {
                let mut buffer = uuid::Uuid::encode_buffer();
                use_text(uuid::Uuid::from_bytes(*bytes).hyphenated().encode_lower(&mut buffer))
            }
        }
    }
}

/// 36 characters, hyphens at 8, 13, 18, 23, hexadecimal digits elsewhere.
fn parse_hyphenated(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut bytes = [0u8; 16];
    let mut at = 0;
    let mut index = 0;
    while at < 36 {
        if matches!(at, 8 | 13 | 18 | 23) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
            continue;
        }
        let (high, low) = (hex_digit(text[at])?, hex_digit(text[at + 1])?);
        bytes[index] = high << 4 | low;
        index += 1;
        at += 2;
    }
    Some(bytes)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl Ord for RowId {
    /// Order of the printed text, byte by byte.
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            // Lower-case hexadecimal keeps the order of the bytes.
            (RowId::Uuid(a), RowId::Uuid(b)) => a.cmp(b),
            (RowId::Text(a), RowId::Text(b)) => a.cmp(b),
            (a, b) => a.with_text(|a| b.with_text(|b| a.cmp(b))),
        }
    }
}

impl PartialOrd for RowId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_in_either_case_is_one_id_and_prints_in_lower_case() {
        let upper = RowId::parse("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11");
        assert_eq!(upper, RowId::parse("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"));
        assert_eq!(upper.to_string(), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    }

    #[test]
    fn ids_order_as_their_text_whatever_their_kind() {
        let texts = [
            "10",
            "9",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "a0eebc99",
            "zz",
            "00000000-0000-0000-0000-000000000001",
        ];
        let mut ids: Vec<RowId> = texts.iter().map(|text| RowId::parse(text)).collect();
        ids.sort();
        let mut sorted = texts.map(str::to_owned);
        sorted.sort();
        assert_eq!(ids.iter().map(RowId::to_string).collect::<Vec<_>>(), sorted);
    }

    #[test]
    fn what_only_looks_like_a_uuid_stays_text() {
        for text in [
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
            "",
        ] {
            assert_eq!(RowId::parse(text), RowId::Text(text.into()));
        }
    }
}
