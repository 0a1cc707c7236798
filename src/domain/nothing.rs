//! Words for nothing.

/// What programs write where there is no value, in any case: SQL clients, `COPY` in text format,
/// data frames, and programs that turn an absent value into text.
pub const NULL_WORDS: [&str; 9] =
    ["null", "\\n", "none", "nil", "nan", "undefined", "<null>", "(null)", "<na>"];

/// The text holds no value: blanks, or one of [`NULL_WORDS`]. Of a user, a reference, a link, a mark
/// and a payment such a word is no value that two rows could share.
pub fn is_nothing(text: &str) -> bool {
    let word = text.trim_ascii();
    // Nearly all values are longer than each of the words.
    word.is_empty()
        || (word.len() <= 9 && NULL_WORDS.iter().any(|nothing| word.eq_ignore_ascii_case(nothing)))
}

/// The same, and blanks of whatever script: no-break spaces and the like are no value either. Of a user they
/// are one, since the server that folds use cannot tell them in every encoding.
pub fn says_nothing(text: &str) -> bool {
    text.trim().is_empty() || is_nothing(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_nothing_are_known_in_any_case() {
        let longest = NULL_WORDS.iter().map(|word| word.len()).max();
        assert_eq!(longest, Some(9));
        for (text, expected) in [
            ("", true),
            ("  \t", true),
            ("NULL", true),
            ("\\N", true),
            (" NaN ", true),
            ("undefined", true),
            ("(null)", true),
            ("0", false),
            ("false", false),
            ("nullable", false),
            ("nan_1", false),
            ("pi_null", false),
        ] {
            assert_eq!(is_nothing(text), expected, "{text:?}");
            assert_eq!(says_nothing(text), expected, "{text:?}");
        }
        for blank in ["\u{a0}", "\u{3000}\u{a0}", "\u{b}", " \u{2003}\t"] {
            assert!(says_nothing(blank), "{blank:?}");
        }
        assert!(!says_nothing("\u{a0}pi_1"));
    }
}
