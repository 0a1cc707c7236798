//! The bytes of a binary COPY: header, rows, end mark.

/// What every binary COPY begins with; flags and a header extension follow.
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Length of the header, once it is there.
pub(super) fn header_length(bytes: &[u8]) -> Result<Option<usize>, ()> {
    let known = bytes.len().min(SIGNATURE.len());
    if bytes[..known] != SIGNATURE[..known] {
        return Err(());
    }
    let Some(extension) = bytes.get(15..19) else { return Ok(None) };
    let length = 19 + u32::from_be_bytes(extension.try_into().map_err(|_| ())?) as usize;
    Ok((bytes.len() >= length).then_some(length))
}

/// Where a value lies; null has the length −1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    at: usize,
    length: i32,
}

impl Span {
    /// The value; `None` is null.
    pub fn of(self, bytes: &[u8]) -> Option<&[u8]> {
        let length = usize::try_from(self.length).ok()?;
        Some(&bytes[self.at..self.at + length])
    }
}

/// What [`split`] found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Whole rows.
    pub rows: usize,
    /// Bytes of them, and of the end mark.
    pub bytes: usize,
    /// The end mark came.
    pub ended: bool,
}

/// A row has another number of fields than was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WrongFields;

/// Finds the fields of the whole rows that `bytes` begins with, at most `most` of them: `width` spans
/// a row.
///
/// # Errors
/// A row is not of this width.
pub(super) fn split(
    bytes: &[u8],
    width: usize,
    most: usize,
    spans: &mut Vec<Span>,
) -> Result<Found, WrongFields> {
    spans.clear();
    let mut found = Found { rows: 0, bytes: 0, ended: false };
    while found.rows < most {
        let Some(count) = bytes[found.bytes..].first_chunk::<2>() else { break };
        let count = i16::from_be_bytes(*count);
        if count < 0 {
            found.bytes += 2;
            found.ended = true;
            break;
        }
        if usize::from(count.unsigned_abs()) != width {
            return Err(WrongFields);
        }
        let Some(end) = row(bytes, found.bytes + 2, width, spans) else { break };
        found.bytes = end;
        found.rows += 1;
    }
    spans.truncate(found.rows * width);
    Ok(found)
}

/// The fields of the row whose first one begins at `at`, and where it ends; `None`: it is not whole.
fn row(bytes: &[u8], mut at: usize, width: usize, spans: &mut Vec<Span>) -> Option<usize> {
    for _ in 0..width {
        let (span, after) = field(bytes, at)?;
        spans.push(span);
        at = after;
    }
    Some(at)
}

/// The field whose length stands at `at`, and where the next one begins; `None`: not whole.
pub(super) fn field(bytes: &[u8], at: usize) -> Option<(Span, usize)> {
    let length = i32::from_be_bytes(*bytes.get(at..)?.first_chunk::<4>()?);
    let at = at + 4;
    let end = at + usize::try_from(length).unwrap_or(0);
    (end <= bytes.len()).then_some((Span { at, length }, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two rows of two fields (`ab`, null), (empty, `c`), and the end mark.
    const ROWS: &[u8] = b"\0\x02\0\0\0\x02ab\xff\xff\xff\xff\0\x02\0\0\0\0\0\0\0\x01c\xff\xff";

    #[test]
    fn rows_are_found_as_far_as_they_are_whole() {
        for length in 0..=ROWS.len() {
            let mut spans = Vec::new();
            let found = split(&ROWS[..length], 2, 9, &mut spans);
            let (rows, bytes) = match length {
                0..12 => (0, 0),
                12..23 => (1, 12),
                23..25 => (2, 23),
                _ => (2, 25),
            };
            assert_eq!(found, Ok(Found { rows, bytes, ended: length == 25 }), "{length} bytes");
            let values: Vec<Option<&[u8]>> = spans.iter().map(|span| span.of(ROWS)).collect();
            assert_eq!(values, [Some(&b"ab"[..]), None, Some(b""), Some(b"c")][..2 * rows]);
        }
    }

    #[test]
    fn no_more_rows_are_found_than_asked_for() {
        let mut spans = Vec::new();
        assert_eq!(split(ROWS, 2, 1, &mut spans), Ok(Found { rows: 1, bytes: 12, ended: false }));
    }

    #[test]
    fn a_row_of_another_width_is_refused() {
        assert_eq!(split(ROWS, 3, 9, &mut Vec::new()), Err(WrongFields));
    }

    #[test]
    fn a_header_is_as_long_as_it_says() {
        let header = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\x02xy";
        for length in 0..header.len() {
            assert_eq!(header_length(&header[..length]), Ok(None), "{length} bytes");
        }
        assert_eq!(header_length(header), Ok(Some(21)));
        assert_eq!(header_length(b"PGDUMP"), Err(()));
    }
}
