//! Fields in quotes that look as if they had swallowed records: two stray quotes, each of which might begin or
//! end a field, make one record of all lines between them, and nothing else shows it.

use super::cut::Block;

/// Fewer columns than these, and a line of prose has as many separators.
const COLUMNS_MIN: usize = 3;

/// A field that spans lines each of which looks like a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Swallowed {
    /// Line of the file on which it begins.
    pub line: u64,
    /// Lines that it spans.
    pub lines: u64,
}

/// The first such field of some records.
pub(super) fn first(block: &Block, delimiter: u8, width: usize) -> Option<Swallowed> {
    if width < COLUMNS_MIN {
        return None;
    }
    let text = &block.text[..];
    // Lines whose end lies in quotes belong together with the one after them.
    let (mut quoted, mut begin, mut line, mut all_alike) = (false, 0, block.line, true);
    let (mut first_line, mut lines) = (line, 0);
    for end in memchr::memchr_iter(b'\n', text) {
        let of_line = &text[begin..end];
        lines += 1;
        // Within a field a quote is doubled, which changes nothing here.
        quoted ^= memchr::memchr_iter(b'"', of_line).count() % 2 == 1;
        if lines > 1 || quoted {
            all_alike = all_alike && memchr::memchr_iter(delimiter, of_line).count() + 1 == width;
        }
        if !quoted {
            if lines > 1 && all_alike {
                return Some(Swallowed { line: first_line, lines });
            }
            (first_line, lines, all_alike) = (line + 1, 0, true);
        }
        line += 1;
        begin = end + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_quotes_that_look_like_records_are_suspect() {
        let cases = [
            ("1,a,x\n2,b,y\n", None),
            ("1,a,x\n2,b,\"y\n3,c,z\n4,d,w\"\n5,e,v\n", Some((8, 3))),
            ("1,a,x\n2,b,\"y\r\n3,c,z\"\r\n", Some((8, 2))),
            ("1,\"a,x\n2,b\",y\n", Some((7, 2))),
            ("1,a,\"two lines,\nof prose\"\n", None),
            ("1,a,\"said \"\"so\"\"\n3,c,z\"\n", Some((7, 2))),
            ("1,a,\"x\ny\"\n2,b,\"y\n3,c,z\"\n", Some((9, 2))),
            ("1,a,\"{\n  \"\"k\"\": 1,\n  \"\"l\"\": [1, 2]\n}\"\n", None),
        ];
        for (text, expected) in cases {
            let block = Block { text: text.as_bytes().to_vec(), line: 7, has_quoted_lines: true };
            let found = first(&block, b',', 3).map(|found| (found.line, found.lines));
            assert_eq!(found, expected, "{text}");
        }
        let block = Block { text: b"1,\"a\n2,b\"\n".to_vec(), line: 2, has_quoted_lines: true };
        assert_eq!(first(&block, b',', 2), None, "two columns: any line with a comma would be one");
    }
}
