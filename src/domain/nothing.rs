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

/// JSON that holds nothing, as PostgreSQL's regular expressions have it: brackets or braces with nothing in
/// them but their like, `null`, `false`, zeros, empty texts, commas, colons and blanks. Case does not matter.
pub const EMPTY_JSON: &str = r#"^\s*[[{]([][{},:"\s]|null|false|0)*[]}]\s*$"#;

/// What names nothing, in the same way: a yes, a no, a zero.
pub const NO_NAME: &str = r"^\s*(true|false|[-+]?0+([.]0*)?)\s*$";

/// As [`is_nothing`]; blanks of whatever script, no-break spaces and the like, and [`EMPTY_JSON`] are no value
/// either. Of a user they are one, since the server that folds use cannot tell them in every encoding.
pub fn says_nothing(text: &str) -> bool {
    text.trim().is_empty() || is_nothing(text) || is_empty_json(text)
}

/// The text names no row and no payment: it [says nothing](says_nothing), or no more than yes, no or zero. What
/// a program writes for "none" would otherwise be shared by rows that have nothing to do with each other.
pub fn names_nothing(text: &str) -> bool {
    says_nothing(text) || is_no_name(text.trim_ascii())
}

/// Text without blanks around it matches [`NO_NAME`].
fn is_no_name(word: &str) -> bool {
    let number = word.strip_prefix(['-', '+']).unwrap_or(word);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let is_zero = |digits: &str| digits.bytes().all(|digit| digit == b'0');
    let is_flag = word.eq_ignore_ascii_case("true") || word.eq_ignore_ascii_case("false");
    is_flag || (!whole.is_empty() && is_zero(whole) && is_zero(decimals))
}

/// Text matches [`EMPTY_JSON`].
fn is_empty_json(text: &str) -> bool {
    let text = text.trim_ascii();
    if !text.starts_with(['[', '{']) || text.len() < 2 || !text.ends_with([']', '}']) {
        return false;
    }
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let starts = |word: &[u8]| rest.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word));
        rest = match first {
            b'[' | b']' | b'{' | b'}' | b',' | b':' | b'"' | b'0' => after,
            _ if first.is_ascii_whitespace() => after,
            _ if starts(b"null") => &rest[4..],
            _ if starts(b"false") => &rest[5..],
            _ => return false,
        };
    }
    true
}

/// What a payment id says of its kind: `pi` of `pi_3Nabc`. `None`: nothing, so that it contradicts no
/// other, since the two tables may keep ids of different things.
pub fn payment_kind(reference: &str) -> Option<&str> {
    let (kind, rest) = reference.split_once('_')?;
    let is_kind = (1..=8).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_kind && !rest.is_empty()).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_without_a_value_says_nothing_and_a_flag_or_zero_names_nothing() {
        for (text, says, names) in [
            ("[]", true, true),
            (" { } ", true, true),
            ("[null, \"\", [0], {}]", true, true),
            ("[NULL,False]", true, true),
            ("{NULL}", true, true),
            ("[true]", false, false),
            ("[\"pi_1\"]", false, false),
            ("{\"id\": null}", false, false),
            ("[", false, false),
            ("[]x", false, false),
            ("false", false, true),
            (" True", false, true),
            ("0", false, true),
            ("-0.00", false, true),
            ("00", false, true),
            (".0", false, false),
            ("0x", false, false),
            ("1", false, false),
            ("10", false, false),
            ("pi_0", false, false),
        ] {
            assert_eq!((says_nothing(text), names_nothing(text)), (says, names), "{text:?}");
        }
    }

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
