//! The server's lexer, as far as it takes to tell names from strings and comments.
//!
//! Rules: PostgreSQL documentation, "Lexical Structure" (identifiers, string constants with C-style and
//! Unicode escapes, dollar quoting, comments).

/// Longest identifier in bytes; the server cuts what is longer.
const LONGEST: usize = 63;

/// A piece of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name or a key word, folded as the server does.
    Name(String),
    /// The inside of a string.
    Text(String),
    /// Anything else.
    Symbol(char),
}

fn is_start(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_' || !letter.is_ascii()
}

pub(super) fn is_part(letter: char) -> bool {
    is_start(letter) || letter.is_ascii_digit() || letter == '$'
}

/// As the server cuts a long identifier.
fn cut(mut name: String) -> String {
    if name.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        name.truncate(end);
    }
    name
}

/// The pieces as the server reads them by default, and, where a backslash makes a difference, as it reads
/// them where `standard_conforming_strings` is off: a database, a role, a function or a session may have it
/// so, and which one will run the text nobody can tell.
pub(super) fn readings(sql: &str) -> Vec<Vec<Token>> {
    let standard = tokens(sql, false);
    if !sql.contains('\\') {
        return vec![standard];
    }
    let escaped = tokens(sql, true);
    if escaped == standard { vec![standard] } else { vec![standard, escaped] }
}

/// `with_backslashes`: these escape in plain strings too.
fn tokens(sql: &str, with_backslashes: bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        rest = if let Some(after) = rest.strip_prefix("--") {
            after.find(['\n', '\r']).map_or("", |end| &after[end..])
        } else if rest.starts_with("/*") {
            after_comment(rest)
        } else if first == '\'' {
            let (text, after) = quoted(&rest[1..], '\'', with_backslashes);
            tokens.push(Token::Text(text));
            after
        } else if first == '"' {
            let (name, after) = quoted(&rest[1..], '"', false);
            tokens.push(Token::Name(cut(name)));
            after
        } else if first == '$' {
            dollar(rest, &mut tokens)
        } else if is_start(first) {
            word(rest, with_backslashes, &mut tokens)
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Symbol(first));
            }
            &rest[first.len_utf8()..]
        };
    }
    tokens
}

/// A word, or a string or name that a letter before its quote makes special.
fn word<'a>(sql: &'a str, with_backslashes: bool, tokens: &mut Vec<Token>) -> &'a str {
    let length = sql.find(|letter| !is_part(letter)).unwrap_or(sql.len());
    let (word, after) = sql.split_at(length);
    if let Some(text) = after.strip_prefix('\'')
        && ["e", "b", "x", "n"].iter().any(|prefix| word.eq_ignore_ascii_case(prefix))
    {
        let escapes = match word.to_ascii_lowercase().as_str() {
            "e" => true,
            "n" => with_backslashes,
            _ => false,
        };
        let (text, after) = quoted(text, '\'', escapes);
        tokens.push(Token::Text(text));
        return after;
    }
    if word.eq_ignore_ascii_case("u") {
        for (start, is_name) in [("&'", false), ("&\"", true)] {
            if let Some(text) = after.strip_prefix(start) {
                let (text, after) = quoted(text, if is_name { '"' } else { '\'' }, false);
                let (escape, after) = uescape(after);
                let text = unescaped(&text, escape);
                tokens.push(if is_name { Token::Name(cut(text)) } else { Token::Text(text) });
                return after;
            }
        }
    }
    tokens.push(Token::Name(cut(word.to_ascii_lowercase())));
    after
}

/// The escape character of a `U&` text, and what follows it: `UESCAPE '!'`, or the backslash.
fn uescape(after: &str) -> (char, &str) {
    const WORD: &str = "uescape";
    let rest = after.trim_start();
    let named = rest.get(..WORD.len()).is_some_and(|word| word.eq_ignore_ascii_case(WORD));
    let quoted = rest.get(WORD.len()..).filter(|_| named).map(str::trim_start);
    let mut letters = quoted.and_then(|quoted| quoted.strip_prefix('\'')).unwrap_or_default().chars();
    match (letters.next(), letters.next()) {
        (Some(escape), Some('\'')) => (escape, letters.as_str()),
        _ => ('\\', after),
    }
}

/// The inside of `U&"…"`, with `\` for whatever its escape is: `\0441`, `\+000441`, `\\`.
fn unescaped(text: &str, escape: char) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(escape) {
        plain.push_str(&rest[..at]);
        let after = &rest[at + escape.len_utf8()..];
        let (digits, later) = match after.strip_prefix('+') {
            Some(long) => (long.get(..6), long.get(6..)),
            None => (after.get(..4), after.get(4..)),
        };
        let letter = digits.and_then(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?));
        match (letter, later) {
            (Some(letter), Some(later)) => {
                plain.push(letter);
                rest = later;
            }
            _ => {
                plain.push(escape);
                rest = after.strip_prefix(escape).unwrap_or(after);
            }
        }
    }
    plain + rest
}

/// `$tag$ … $tag$`, or a `$` that is none.
fn dollar<'a>(sql: &'a str, tokens: &mut Vec<Token>) -> &'a str {
    let tag = sql[1..].find('$').map(|end| &sql[..end + 2]);
    let is_tag = |tag: &&str| {
        let inner = &tag[1..tag.len() - 1];
        inner.chars().all(|letter| is_part(letter) && letter != '$')
            && !inner.starts_with(|letter: char| letter.is_ascii_digit())
    };
    let Some(tag) = tag.filter(is_tag) else {
        tokens.push(Token::Symbol('$'));
        return &sql[1..];
    };
    let inner = &sql[tag.len()..];
    let end = inner.find(tag).unwrap_or(inner.len());
    tokens.push(Token::Text(inner[..end].to_owned()));
    inner.get(end + tag.len()..).unwrap_or("")
}

/// What follows a comment; comments nest.
fn after_comment(sql: &str) -> &str {
    let mut depth = 0usize;
    let mut at = 0;
    while at < sql.len() {
        if sql[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if sql[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return &sql[at..];
            }
        } else {
            at += sql[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    ""
}

/// The inside of a quoted text whose opening quote is gone, and what follows it.
fn quoted(sql: &str, quote: char, with_backslashes: bool) -> (String, &str) {
    let mut inner = String::new();
    let mut letters = sql.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if with_backslashes && letter == '\\' {
            let (escaped, length) = backslash(&sql[at + 1..]);
            inner.extend(escaped);
            // What the escape takes, all of it ASCII but for a single letter.
            for _ in 0..length {
                letters.next();
            }
        } else if letter != quote {
            inner.push(letter);
        } else if letters.peek().is_some_and(|(_, next)| *next == quote) {
            inner.push(quote);
            letters.next();
        } else {
            return (inner, &sql[at + quote.len_utf8()..]);
        }
    }
    (inner, "")
}

/// What a backslash in `E'…'` stands for, and how many letters after it belong to it: `\x5F`, `\137`,
/// `\u005F`, `\U0000005F`, `\n`, or the letter itself.
fn backslash(after: &str) -> (Option<char>, usize) {
    let Some(first) = after.chars().next() else { return (None, 0) };
    let number = |from: usize, most: usize, radix: u32| {
        let digits: String =
            after.chars().skip(from).take(most).take_while(|digit| digit.is_digit(radix)).collect();
        let letter = u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32);
        (letter, from + digits.len())
    };
    match first {
        'x' => match number(1, 2, 16) {
            (Some(letter), length) => (Some(letter), length),
            (None, _) => (Some('x'), 1),
        },
        'u' => number(1, 4, 16),
        'U' => number(1, 8, 16),
        '0'..='7' => number(0, 3, 8),
        'n' => (Some('\n'), 1),
        't' => (Some('\t'), 1),
        'r' => (Some('\r'), 1),
        'b' | 'f' => (Some(' '), 1),
        letter => (Some(letter), 1),
    }
}
