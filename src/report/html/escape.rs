//! Text from outside as the page shows it: never obeyed, and nothing in it unseen.

use std::fmt::{self, Write};

use askama::filters::Escaper;

/// What every template of the page escapes with. Beside the letters that HTML knows, it writes out
/// what a reader would not see and what turns the direction of the text around it: two ids that
/// differ in such a letter alone look different, and a line says what stands in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Readable;

impl Escaper for Readable {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        let mut kept = 0;
        for (at, letter) in text.char_indices() {
            let entity = match letter {
                '<' => "&lt;",
                '>' => "&gt;",
                '&' => "&amp;",
                '"' => "&quot;",
                '\'' => "&#39;",
                hidden if is_hidden(hidden) => "",
                _ => continue,
            };
            dest.write_str(&text[kept..at])?;
            kept = at + letter.len_utf8();
            match entity {
                "" => write!(dest, "‹U+{:04X}›", u32::from(letter))?,
                entity => dest.write_str(entity)?,
            }
        }
        dest.write_str(&text[kept..])
    }
}

/// A letter without a shape of its own, or one that turns the direction of what follows. The script
/// has the same list.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text as an address inside the page has it: `#user=…`.
pub fn address(text: &str) -> String {
    let mut coded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => coded.push(byte.into()),
            _ => coded.push_str(&format!("%{byte:02X}")),
        }
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_obeyed_and_nothing_is_unseen() {
        let cases = [
            ("plain é 漢", "plain é 漢"),
            ("</script><b a=\"'\">&", "&lt;/script&gt;&lt;b a=&quot;&#39;&quot;&gt;&amp;"),
            ("a\u{202e}b", "a‹U+202E›b"),
            ("\0x\u{feff}", "‹U+0000›x‹U+FEFF›"),
            ("", ""),
        ];
        for (text, expected) in cases {
            let mut shown = String::new();
            Readable.write_escaped_str(&mut shown, text).unwrap();
            assert_eq!(shown, expected, "{text:?}");
        }
    }

    #[test]
    fn an_address_keeps_every_byte() {
        assert_eq!(address("a-1_.~"), "a-1_.~");
        assert_eq!(address("<é&\0"), "%3C%C3%A9%26%00");
    }
}
