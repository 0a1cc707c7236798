//! Reading token amounts from text.

/// Reads an integer amount. A fraction of zeros is allowed (`12.00`), since spreadsheets and data
/// frames write it; any other fraction, an exponent, or a value beyond 64 bits is no amount.
pub fn parse_tokens(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // The most negative integer has no magnitude in 64 bits; nobody grants it.
    whole.parse::<i64>().ok().filter(|value| *value != i64::MIN)
}

#[cfg(test)]
mod tests {
    use super::parse_tokens;

    #[test]
    fn only_integers_are_amounts() {
        let cases = [
            ("12", Some(12)),
            ("-12", Some(-12)),
            ("+7", Some(7)),
            (" 12 ", Some(12)),
            ("12.00", Some(12)),
            ("12.", Some(12)),
            ("0", Some(0)),
            ("12.5", None),
            ("1e3", None),
            ("1,000", None),
            ("", None),
            (".0", None),
            ("-", None),
            ("NaN", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_tokens(text), expected, "{text:?}");
        }
    }
}
