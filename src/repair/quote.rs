//! Text that is safe inside SQL: literals, dollar quotes, comments, templates.

use std::fmt::Write;

/// A string literal. With a backslash inside it is written as `E'…'`, so that it means the same
/// whether `standard_conforming_strings` is on or off.
pub(crate) fn literal(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 2);
    push_literal(&mut line, text);
    line
}

/// Adds [`literal`] to a line.
pub(crate) fn push_literal(line: &mut String, text: &str) {
    let is_plain = !text.bytes().any(|byte| matches!(byte, b'\'' | b'\\'));
    line.push_str(if is_plain || !text.contains('\\') { "'" } else { "E'" });
    if is_plain {
        line.push_str(text);
    } else {
        for letter in text.chars() {
            if matches!(letter, '\'' | '\\') {
                line.push(letter);
            }
            line.push(letter);
        }
    }
    line.push('\'');
}

/// A `do` block around `body`, with a dollar quote that the body does not contain.
pub(crate) fn do_block(body: &str) -> String {
    format!("do {};", dollar_quoted("reckon", body))
}

/// `body` between dollar quotes that bear `tag`, with a number behind it where the body holds them.
pub(crate) fn dollar_quoted(tag: &str, body: &str) -> String {
    let mut quote = format!("${tag}$");
    let mut number = 0;
    while body.contains(&quote) {
        number += 1;
        quote = format!("${tag}{number}$");
    }
    format!("{quote}\n{}\n{quote}", body.trim_end())
}

/// One line of comment. Characters that would end the line or turn its direction become spaces, and
/// nothing in it opens or closes a block comment.
pub(crate) fn comment(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 3);
    line.push_str("--");
    if !text.is_empty() {
        line.push(' ');
    }
    for character in text.chars() {
        line.push(if ends_or_turns_a_line(character) { ' ' } else { character });
    }
    line.replace("*/", "* /").replace("/*", "/ *")
}

fn ends_or_turns_a_line(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Fills the places `{{name}}` of a template, in one pass: a value is never read as template.
///
/// # Panics
/// When the template has a place without a value: the templates are constants of this crate and the
/// tests render each of them.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("a place in a template is closed");
        let value = values.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        filled.push_str(before);
        filled.push_str(value.unwrap_or_else(|| panic!("no value for the place {name} of a template")));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// A number with commas between thousands, for headers.
pub(crate) fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::new();
    if number < 0 {
        grouped.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 row`, `2 rows`.
pub(crate) fn rows(number: u64) -> String {
    let mut text = grouped(i128::from(number));
    let _ = write!(text, " row{}", if number == 1 { "" } else { "s" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_right_whatever_it_holds() {
        let cases = [
            ("plain", "'plain'"),
            ("", "''"),
            ("O'Brien", "'O''Brien'"),
            (r"C:\new", r"E'C:\\new'"),
            (r"\'; drop table x; --", r"E'\\''; drop table x; --'"),
            ("$reckon$", "'$reckon$'"),
            ("two\nlines", "'two\nlines'"),
            ("naïve ☃", "'naïve ☃'"),
        ];
        for (text, expected) in cases {
            assert_eq!(literal(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_dollar_quote_never_occurs_in_its_body() {
        assert_eq!(do_block("begin end"), "do $reckon$\nbegin end\n$reckon$;");
        assert_eq!(
            do_block("a $reckon$ b $reckon1$ c"),
            "do $reckon2$\na $reckon$ b $reckon1$ c\n$reckon2$;"
        );
    }

    #[test]
    fn a_comment_stays_on_its_line() {
        assert_eq!(comment("a\nb\r\nc\u{2028}d"), "-- a b  c d");
        assert_eq!(comment("x */ drop table y; /* z"), "-- x * / drop table y; / * z");
        assert_eq!(comment(""), "--");
    }

    #[test]
    fn a_value_is_not_read_as_template() {
        assert_eq!(fill("{{a}} and {{b}}", &[("a", "{{b}}"), ("b", "2")]), "{{b}} and 2");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (-12_345_678, "-12,345,678"), (100, "100")]
        {
            assert_eq!(grouped(number), expected);
        }
    }
}
