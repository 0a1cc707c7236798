//! Does a piece of SQL name a table? Reads the text as the server's lexer would: comments are no
//! mention, a longer identifier is another one, letters are folded unless they are quoted, and what
//! stands inside a string may become SQL one day. Where backslashes may escape in plain strings or may not
//! (`standard_conforming_strings`), the text is read both ways.

use std::collections::BTreeSet;

use super::lexer::{Token, is_part, readings};

/// A relation that is looked for.
#[derive(Debug, Clone, Copy)]
pub(in crate::source::postgres) struct Wanted<'a> {
    pub schema: &'a str,
    pub name: &'a str,
    /// All schemas of the database in lower case: another word before the name stands for one of them.
    pub schemas: &'a [String],
}

/// How a text names a relation, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::source::postgres) enum Mention {
    /// Inside a string, behind a word that is no schema of this database: one may be put in its place.
    Placed,
    /// Inside a string: it may be put together to SQL.
    Text,
    /// In any way, but only where backslashes escape in plain strings.
    Escaped,
    /// Without its schema, at a place where a column or a variable may stand as well.
    Word,
    /// Without its schema, where only a table can stand.
    Table,
    /// With its schema.
    Qualified,
}

/// What stands before a table and before little else; `from`, `join`, `into` and `using` are looked at.
const BEFORE_TABLES: [&str; 9] =
    ["update", "table", "only", "truncate", "copy", "lock", "references", "exists", "on"];

/// Every kind of mention in a piece of SQL or PL/pgSQL, the strongest first.
pub(in crate::source::postgres) fn in_sql(sql: &str, wanted: Wanted<'_>) -> Vec<Mention> {
    let readings = readings(sql);
    let mut found = in_tokens(&readings[0], wanted);
    let escaped = readings.iter().skip(1).filter_map(|tokens| in_tokens(tokens, wanted).first().copied());
    if escaped.max() > found.first().copied() {
        found.push(Mention::Escaped);
        found.sort_by(|a, b| b.cmp(a));
    }
    found
}

fn in_tokens(tokens: &[Token], wanted: Wanted<'_>) -> Vec<Mention> {
    let is_query = is_with_query(tokens, wanted.name);
    let mut found: Vec<Mention> =
        chains(tokens).filter_map(|chain| chain.mention(tokens, wanted, is_query)).collect();
    found.extend(texts_of(tokens).iter().filter_map(|text| in_text(text, wanted)).max());
    found.extend(blocks(tokens).flat_map(|block| in_sql(block, wanted)));
    found.sort_by(|a, b| b.cmp(a));
    found.dedup();
    found
}

/// The bodies of `do` blocks: code in a string.
fn blocks(tokens: &[Token]) -> impl Iterator<Item = &str> {
    let is = |at: usize, word: &str| matches!(tokens.get(at), Some(Token::Name(name)) if name == word);
    (0..tokens.len()).filter(move |at| is(*at, "do")).filter_map(move |at| {
        let body = if is(at + 1, "language") { at + 3 } else { at + 1 };
        match tokens.get(body) {
            Some(Token::Text(block)) => Some(block.as_str()),
            _ => None,
        }
    })
}

/// The strongest way in which a piece of SQL inserts into a table. Where it depends on what backslashes
/// mean, it only may.
pub(in crate::source::postgres) fn inserts(sql: &str, wanted: Wanted<'_>) -> Option<Mention> {
    let readings = readings(sql);
    let found: Vec<Option<Mention>> = readings.iter().map(|tokens| inserts_of(tokens, wanted)).collect();
    match found.iter().all(|one| *one == found[0]) {
        true => found[0],
        false => Some(Mention::Text),
    }
}

fn inserts_of(tokens: &[Token], wanted: Wanted<'_>) -> Option<Mention> {
    let is = |at: Option<usize>, words: &[&str]| {
        at.and_then(|at| tokens.get(at))
            .is_some_and(|token| matches!(token, Token::Name(name) if words.contains(&name.as_str())))
    };
    let inserted = chains(tokens).filter(|chain| {
        is(chain.start.checked_sub(1), &["into"]) && is(chain.start.checked_sub(2), &["insert", "merge"])
    });
    let direct = inserted.filter_map(|chain| chain.mention(tokens, wanted, false)).max();
    direct.or_else(|| {
        let dynamic = texts_of(tokens).iter().any(|text| {
            let lower = text.to_lowercase();
            (lower.contains("insert") || lower.contains("merge")) && is_in_text(text, wanted)
        });
        dynamic.then_some(Mention::Text)
    })
}

/// The functions that a piece of SQL may call: names before an opening bracket, without schema.
pub(in crate::source::postgres) fn calls(sql: &str) -> Vec<String> {
    let called = |tokens: &Vec<Token>| -> Vec<String> {
        let called = chains(tokens).filter(|chain| tokens.get(chain.end) == Some(&Token::Symbol('(')));
        called.filter_map(|chain| chain.names.last().map(|name| (*name).to_owned())).collect()
    };
    readings(sql).iter().flat_map(called).collect()
}

/// The strings in a piece of SQL.
pub(in crate::source::postgres) fn texts(sql: &str) -> Vec<String> {
    let texts = readings(sql).into_iter().flatten().filter_map(|token| match token {
        Token::Text(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

/// The names in a piece of SQL, key words and those of types among them; `*` where it takes a whole row.
pub(in crate::source::postgres) fn names(sql: &str) -> BTreeSet<String> {
    let tokens = readings(sql).swap_remove(0);
    let is_row = tokens.windows(2).any(|pair| pair == [Token::Symbol('.'), Token::Symbol('*')]);
    let names = tokens.into_iter().filter_map(|token| match token {
        Token::Name(name) => Some(name),
        _ => None,
    });
    names.chain(is_row.then(|| "*".to_owned())).collect()
}

/// May it set the search path?
pub(in crate::source::postgres) fn sets_path(sql: &str) -> bool {
    readings(sql).iter().flatten().any(|token| match token {
        Token::Name(name) => name == "search_path",
        Token::Text(text) => text.to_ascii_lowercase().contains("search_path"),
        Token::Symbol(_) => false,
    })
}

/// Functions that run SQL which they are handed as text, of the server itself and of what comes with it.
const RUNNING: [&str; 14] = [
    "query_to_xml",
    "query_to_xmlschema",
    "query_to_xml_and_xmlschema",
    "dblink",
    "dblink_open",
    "dblink_exec",
    "dblink_send_query",
    "xpath_table",
    "ts_stat",
    "ts_rewrite",
    "crosstab",
    "crosstabn",
    "connectby",
    "cursor_to_xml",
];

/// Functions that read a table by its name, or all tables of a schema or of the database.
const READING: [&str; 3] = ["table_to_xml", "schema_to_xml", "database_to_xml"];

/// Does it hand SQL, or the name of a table, to a function as text?
pub(in crate::source::postgres) fn runs_sql(sql: &str) -> bool {
    let is_one =
        |name: &String| RUNNING.contains(&name.as_str()) || READING.iter().any(|one| name.starts_with(one));
    calls(sql).iter().any(is_one)
}

/// Does it read whole schemas?
pub(in crate::source::postgres) fn runs_sql_on_all(sql: &str) -> bool {
    calls(sql).iter().any(|name| READING[1..].iter().any(|one| name.starts_with(one)))
}

/// Does it run SQL that is more than one literal?
pub(in crate::source::postgres) fn is_dynamic(sql: &str) -> bool {
    readings(sql).iter().any(|tokens| is_dynamic_in(tokens) || blocks(tokens).any(is_dynamic))
}

fn is_dynamic_in(tokens: &[Token]) -> bool {
    tokens.iter().enumerate().any(|(at, token)| {
        if !matches!(token, Token::Name(name) if name == "execute") {
            return false;
        }
        match (tokens.get(at + 1), tokens.get(at + 2)) {
            (Some(Token::Text(_)), next) => next == Some(&Token::Symbol('|')),
            // `grant execute on function …` runs nothing.
            (Some(Token::Name(next)), _) => next != "on",
            _ => true,
        }
    })
}

/// Fewest letters of a part of a name that is worth a look.
const PART: usize = 4;

/// A word in the strings of a piece of SQL that begins or ends the name, so that the name can be put
/// together from it: `token_` of `token_transactions`.
pub(in crate::source::postgres) fn part_in_text(sql: &str, name: &str) -> Option<String> {
    let name = name.to_lowercase();
    let is_part_of_name = |word: &&str| {
        word.len() >= PART && *word != name && (name.starts_with(*word) || name.ends_with(*word))
    };
    texts(sql).iter().find_map(|text| {
        let text = without_placeholders(text).to_lowercase();
        text.split(|letter| !is_part(letter)).find(is_part_of_name).map(str::to_owned)
    })
}

/// Does a text of no known grammar (a string, another language) name the relation?
pub(in crate::source::postgres) fn is_in_text(text: &str, wanted: Wanted<'_>) -> bool {
    in_text(text, wanted).is_some()
}

/// How a text of no known grammar names the relation. Letters are compared without case, since what becomes
/// of the text is not known.
pub(in crate::source::postgres) fn in_text(text: &str, wanted: Wanted<'_>) -> Option<Mention> {
    let text = without_placeholders(text).to_lowercase();
    let (schema, name) = (wanted.schema.to_lowercase(), wanted.name.to_lowercase());
    let found = text.match_indices(&name).filter_map(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        if ends_in_name(before) || after.starts_with(is_part) {
            return None;
        }
        let before = before.trim_end_matches('"');
        let Some(qualifier) = before.trim_end().strip_suffix('.') else { return Some(Mention::Text) };
        let qualifier = qualifier.trim_end_matches('"');
        // A dot after nothing, or after a blank: the schema is put in later.
        if !qualifier.ends_with(is_part) {
            return Some(Mention::Text);
        }
        let before_schema =
            |schema: &str| qualifier.strip_suffix(schema).filter(|before| !ends_in_name(before));
        if before_schema(&schema).is_some() {
            return Some(Mention::Text);
        }
        // In `:other` the word stands for something else, even where a schema bears it.
        let is_other = |other: &String| before_schema(other).is_some_and(|before| !before.ends_with(SIGNS));
        (!wanted.schemas.iter().any(is_other)).then_some(Mention::Placed)
    });
    found.max()
}

/// What a word begins with that something is put in for; `$` is part of a word already.
const SIGNS: [char; 6] = [':', '@', '#', '&', '!', '?'];

/// Does a name that begins after this text go on from it? Not after a backslash and what many languages
/// mean by it, as in `from\ntoken_transactions`: a blank, a code in hexadecimal or octal digits.
fn ends_in_name(before: &str) -> bool {
    if !before.ends_with(is_part) {
        return false;
    }
    let Some((_, after)) = before.rsplit_once('\\') else { return true };
    let mut letters = after.chars();
    let (first, digits) = (letters.next(), letters.as_str());
    let is_code = |most: usize| {
        digits.len() <= most && !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_hexdigit())
    };
    let is_escape = match first {
        Some('n' | 'r' | 't' | 'b' | 'f' | 'v' | 'a' | 'e' | 's') if digits.is_empty() => true,
        Some('x') => is_code(2),
        Some('u') => is_code(8),
        Some('0'..='7') => after.len() <= 3 && after.chars().all(|digit| digit.is_digit(8)),
        _ => false,
    };
    !is_escape
}

/// The text without what `format` fills in: `%I`, `%1$s`, `%-10L`.
fn without_placeholders(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        plain.push_str(before);
        let flags =
            after.trim_start_matches(|letter: char| letter.is_ascii_digit() || "$-*".contains(letter));
        match flags.strip_prefix(['I', 's', 'L']) {
            Some(after) => {
                plain.push(' ');
                rest = after;
            }
            None => {
                plain.push('%');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Names joined by dots.
struct Chain<'a> {
    names: Vec<&'a str>,
    start: usize,
    /// The token after the last name.
    end: usize,
}

impl Chain<'_> {
    /// `is_query`: the name is also that of a query in a WITH.
    fn mention(&self, tokens: &[Token], wanted: Wanted<'_>, is_query: bool) -> Option<Mention> {
        if self.names.windows(2).any(|pair| pair == [wanted.schema, wanted.name]) {
            return Some(Mention::Qualified);
        }
        if self.names.first() != Some(&wanted.name) {
            return None;
        }
        Some(if self.is_table(tokens, is_query) { Mention::Table } else { Mention::Word })
    }

    /// Can nothing but a table stand here?
    fn is_table(&self, tokens: &[Token], is_query: bool) -> bool {
        let word = |back: usize| match self.start.checked_sub(back).and_then(|at| tokens.get(at)) {
            Some(Token::Name(word)) => word.as_str(),
            _ => "",
        };
        let next = tokens.get(self.end);
        if let (Some(Token::Symbol('%')), Some(Token::Name(of))) = (next, tokens.get(self.end + 1)) {
            // `name%rowtype`, `name.column%type`; `name%type` is that of a variable.
            return of == "rowtype" || of == "type" && self.names.len() > 1;
        }
        // A column of an alias, or of a table that has a place of its own.
        if self.names.len() > 1 || next == Some(&Token::Symbol('.')) {
            return false;
        }
        let is_called = next == Some(&Token::Symbol('('));
        match word(1) {
            // Behind all others a variable of PL/pgSQL stands.
            "into" => ["insert", "merge"].contains(&word(2)),
            "from" if word(2) == "delete" => true,
            "from" => !is_query && !is_called && word(2) != "distinct",
            "join" => !is_query && !is_called,
            // Tables of DELETE and MERGE; elsewhere columns and variables.
            "using" => {
                let mut before = tokens[..self.start - 1].iter().rev();
                let verb = before.find_map(|token| match token {
                    Token::Name(word) => USING.contains(&word.as_str()).then_some(word.as_str()),
                    token => (*token == Token::Symbol(';')).then_some(""),
                });
                !is_query && !is_called && matches!(verb, Some("delete" | "merge"))
            }
            word => BEFORE_TABLES.contains(&word),
        }
    }
}

/// What `using` may belong to.
const USING: [&str; 7] = ["delete", "merge", "join", "execute", "open", "raise", "order"];

/// Is there a query of this name: `with name (columns) as materialized (…)`?
fn is_with_query(tokens: &[Token], name: &str) -> bool {
    let is = |at: usize, word: &str| matches!(tokens.get(at), Some(Token::Name(name)) if name == word);
    (1..tokens.len()).any(|at| {
        let begins = is(at - 1, "with") || is(at - 1, "recursive") || tokens[at - 1] == Token::Symbol(',');
        if !begins || !is(at, name) {
            return false;
        }
        let mut end = at + 1;
        if tokens.get(end) == Some(&Token::Symbol('(')) {
            let columns = tokens[end..].iter().position(|token| *token == Token::Symbol(')'));
            end += columns.map_or(tokens.len(), |columns| columns + 1);
        }
        let follows = usize::from(is(end + 1, "not"));
        let follows = follows + usize::from(is(end + 1 + follows, "materialized"));
        is(end, "as") && tokens.get(end + 1 + follows) == Some(&Token::Symbol('('))
    })
}

fn chains(tokens: &[Token]) -> impl Iterator<Item = Chain<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < tokens.len() {
            let start = at;
            let Token::Name(first) = &tokens[at] else {
                at += 1;
                continue;
            };
            let mut names = vec![first.as_str()];
            at += 1;
            while let (Some(Token::Symbol('.')), Some(Token::Name(next))) =
                (tokens.get(at), tokens.get(at + 1))
            {
                names.push(next);
                at += 2;
            }
            return Some(Chain { names, start, end: at });
        }
        None
    })
}

/// All strings; those that `||` joins directly, or that stand side by side, also as one.
fn texts_of(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    let mut joined: Option<String> = None;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Text(text) => {
                found.push(text.clone());
                let is_text = |token: Option<&Token>| matches!(token, Some(Token::Text(_)));
                let bars = at >= 2 && tokens[at - 2..at] == [Token::Symbol('|'), Token::Symbol('|')];
                let follows = match bars {
                    true => is_text(tokens.get(at.wrapping_sub(3))),
                    // The server takes strings on lines of their own for one.
                    false => is_text(tokens.get(at.wrapping_sub(1))),
                };
                joined = Some(match joined.take() {
                    Some(before) if follows => {
                        let both = before + text;
                        found.push(both.clone());
                        both
                    }
                    _ => text.clone(),
                });
            }
            Token::Symbol('|') => {}
            _ => joined = None,
        }
    }
    found
}

#[cfg(test)]
#[path = "mention_tests.rs"]
mod tests;
