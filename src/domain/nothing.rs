//! Words for nothing.

/// What programs write where there is no value, in any case: SQL clients, `COPY` in text format,
/// data frames, programs that turn an absent value into text, and spreadsheets where a formula found none.
pub const NULL_WORDS: [&str; 17] = [
    "null",
    "\\n",
    "none",
    "nil",
    "nan",
    "undefined",
    "<null>",
    "(null)",
    "<na>",
    "n/a",
    "#n/a",
    "#ref!",
    "#null!",
    "#value!",
    "#name?",
    "#num!",
    "#div/0!",
];

/// What people write where they know of nothing, in any case. A person may be called so, a payment is not.
pub const PLACEHOLDERS: [&str; 6] = ["na", "n.a.", "n.a", "#na", "unknown", "tbd"];

/// Bytes of the longest word of both lists.
const LONGEST_WORD: usize = 9;

/// The text holds no value: blanks, or one of [`NULL_WORDS`]. Of a user, a reference, a link, a mark
/// and a payment such a word is no value that two rows could share.
pub fn is_nothing(text: &str) -> bool {
    let word = text.trim_ascii();
    // Nearly all values are longer than each of the words.
    word.is_empty() || is_one_of(word, &NULL_WORDS)
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    word.len() <= LONGEST_WORD && words.iter().any(|nothing| word.eq_ignore_ascii_case(nothing))
}

/// Texts that hold nothing though they are no words, as PostgreSQL's regular expressions have it. JSON:
/// brackets or braces with nothing in them but their like, `null`, `false`, zeros, empty texts, commas, colons
/// and blanks. Signs without a letter or digit: those of ASCII, and the dashes and dots that word processors
/// make of them. The UUID of zeros. Case does not matter.
pub const NO_VALUE: &str = concat!(
    r#"^\s*([[{]([][{},:"\s]|null|false|0)*[]}]"#,
    r"|[\s!-/:-@[-`{-~\u00a0\u00b7\u2010-\u2015\u2022\u2026\u2212\u3000]+",
    r"|(urn:uuid:)?[{(]?0{8}-?(0{4}-?){3}0{12}[)}]?)\s*$"
);

/// What names nothing, in the same way: a yes, a no, a zero.
pub const NO_NAME: &str = r"^\s*(true|false|[-+]?0+([.]0*)?)\s*$";

/// As [`is_nothing`]; [`PLACEHOLDERS`], blanks of whatever script, no-break spaces and the like, and [`NO_VALUE`]
/// are no value either. Of a user they are one, since somebody may be called so, and since the server that
/// folds use cannot tell all blanks in every encoding.
pub fn says_nothing(text: &str) -> bool {
    let word = text.trim_ascii();
    is_nothing(text)
        || is_one_of(word, &PLACEHOLDERS)
        || word.chars().all(|c| is_sign(c) || c.is_whitespace())
        || is_empty_json(word)
        || is_nil_uuid(word)
}

/// A sign of [`NO_VALUE`].
fn is_sign(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '\u{b7}' | '\u{2010}'..='\u{2015}' | '\u{2022}' | '\u{2026}' | '\u{2212}')
}

/// The UUID of zeros, with or without hyphens, braces and `urn:uuid:`.
fn is_nil_uuid(word: &str) -> bool {
    let is_urn = word.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("urn:uuid:"));
    let rest = if is_urn { &word[9..] } else { word };
    let rest = rest.strip_prefix(['{', '(']).unwrap_or(rest);
    let rest = rest.strip_suffix(['}', ')']).unwrap_or(rest);
    let (mut zeros, mut follows_zero) = (0, false);
    for byte in rest.bytes() {
        match byte {
            b'0' => zeros += 1,
            b'-' if follows_zero && matches!(zeros, 8 | 12 | 16 | 20) => {}
            _ => return false,
        }
        follows_zero = byte == b'0';
    }
    zeros == 32
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

/// Text without blanks around it is JSON of [`NO_VALUE`].
fn is_empty_json(text: &str) -> bool {
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
            ("[", true, true),
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
    fn placeholders_signs_and_the_uuid_of_zeros_say_nothing_but_may_be_a_user() {
        for (text, says) in [
            ("-", true),
            ("--", true),
            (" ? ", true),
            (".", true),
            ("\u{2014}", true),
            ("- \u{2026}\u{a0}-", true),
            ("\u{2713}", false),
            ("-1", false),
            ("x", false),
            ("\u{e9}", false),
            ("NA", true),
            ("N.A.", true),
            ("Unknown", true),
            ("TBD", true),
            ("unknown_1", false),
            ("nab", false),
            ("00000000-0000-0000-0000-000000000000", true),
            ("{00000000-0000-0000-0000-000000000000}", true),
            ("URN:UUID:00000000-0000-0000-0000-000000000000", true),
            ("00000000000000000000000000000000", true),
            ("00000000-0000-0000-0000-000000000001", false),
            ("0000000-00000-0000-0000-000000000000", false),
            ("00000000--0000-0000-0000-000000000000", false),
        ] {
            assert_eq!((says_nothing(text), is_nothing(text)), (says, false), "{text:?}");
            assert!(!says || names_nothing(text), "{text:?}");
        }
    }

    #[test]
    fn words_for_nothing_are_known_in_any_case() {
        let longest = NULL_WORDS.iter().chain(&PLACEHOLDERS).map(|word| word.len()).max();
        assert_eq!(longest, Some(LONGEST_WORD));
        for (text, expected) in [
            ("", true),
            ("  \t", true),
            ("NULL", true),
            ("\\N", true),
            (" NaN ", true),
            ("undefined", true),
            ("(null)", true),
            ("N/A", true),
            ("#N/A", true),
            ("#REF!", true),
            ("#DIV/0!", true),
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
