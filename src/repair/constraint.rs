//! Does a CHECK constraint accept a label? Read from its definition as `pg_get_constraintdef` prints
//! it.
//!
//! Answers only what the text proves. A label is tried on the expression in three-valued logic:
//! comparisons of the column with strings are decided, everything else is unknown, and `and`, `or`
//! and `not` carry the unknown on. Hence `a <> 'x' or n > 0` accepts `y` and is unknown for `x`.

/// What a constraint says of one label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The constraint does not mention the column.
    Silent,
    /// Accepts it.
    Accepts,
    /// Refuses it.
    Refuses,
    /// Cannot be told from the text.
    Unknown,
}

/// Tries `label` in `column` on a constraint.
pub fn admission(definition: &str, column: &str, label: &str) -> Admission {
    let Some(tokens) = tokens(definition) else { return Admission::Unknown };
    if !tokens.iter().any(|token| token.names(column)) {
        return Admission::Silent;
    }
    let mut trial = Trial { tokens: &tokens, at: 0, column, label };
    match trial.constraint() {
        Some(Truth::Yes) => Admission::Accepts,
        Some(Truth::No) => Admission::Refuses,
        Some(Truth::Unknown) | None => Admission::Unknown,
    }
}

/// The definition names the column. One that cannot be read may do so.
pub(super) fn mentions(definition: &str, column: &str) -> bool {
    tokens(definition).is_none_or(|tokens| tokens.iter().any(|token| token.names(column)))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Text(String),
    /// A word: lower case unless it was quoted.
    Word {
        name: String,
        quoted: bool,
    },
    Symbol(String),
}

impl Token {
    fn is(&self, symbol: &str) -> bool {
        matches!(self, Token::Symbol(found) if found == symbol)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self, Token::Word { name, quoted: false } if name == word)
    }

    fn names(&self, column: &str) -> bool {
        matches!(self, Token::Word { name, .. } if name == column)
    }
}

/// `None` when a quote is not closed.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => {
                let (inner, length) = quoted(rest, first)?;
                tokens.push(match first {
                    '\'' => Token::Text(inner),
                    _ => Token::Word { name: inner, quoted: true },
                });
                length
            }
            _ if first.is_whitespace() => first.len_utf8(),
            _ if first.is_alphanumeric() || first == '_' => {
                let length = rest
                    .find(|next: char| !(next.is_alphanumeric() || matches!(next, '_' | '$')))
                    .unwrap_or(rest.len());
                tokens.push(Token::Word { name: rest[..length].to_lowercase(), quoted: false });
                length
            }
            _ => {
                let length = ["::", "<>", "!="]
                    .iter()
                    .find(|two| rest.starts_with(**two))
                    .map_or(first.len_utf8(), |_| 2);
                tokens.push(Token::Symbol(rest[..length].to_owned()));
                length
            }
        };
        rest = &rest[length..];
    }
    Some(tokens)
}

/// The inside of a quoted text at the start of `text`, and how many bytes it took.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut inner = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            inner.push(character);
        } else if characters.peek().is_some_and(|(_, next)| *next == quote) {
            inner.push(quote);
            characters.next();
        } else {
            return Some((inner, at + 1));
        }
    }
    None
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    Unknown,
}

impl Truth {
    fn from(value: bool) -> Truth {
        if value { Truth::Yes } else { Truth::No }
    }

    fn not(self) -> Truth {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            Truth::Unknown => Truth::Unknown,
        }
    }

    fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Yes, Truth::Yes) => Truth::Yes,
            _ => Truth::Unknown,
        }
    }

    fn or(self, other: Truth) -> Truth {
        self.not().and(other.not()).not()
    }
}

/// One side of a comparison.
enum Operand {
    Column,
    Text(String),
    Array(Vec<String>),
}

/// Reads the expression while trying the label on it. `None` means that the text has a form which
/// is not understood.
struct Trial<'a> {
    tokens: &'a [Token],
    at: usize,
    column: &'a str,
    label: &'a str,
}

impl Trial<'_> {
    fn takes(&mut self, symbol: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.is(symbol));
        self.at += usize::from(found);
        found
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.is_word(word));
        self.at += usize::from(found);
        found
    }

    /// `check (…)`, perhaps with `not valid` or `no inherit` after it.
    fn constraint(&mut self) -> Option<Truth> {
        if !(self.takes_word("check") && self.takes("(")) {
            return None;
        }
        let truth = self.any()?;
        self.takes(")").then_some(truth)
    }

    fn any(&mut self) -> Option<Truth> {
        let mut truth = self.all()?;
        while self.takes_word("or") {
            truth = truth.or(self.all()?);
        }
        Some(truth)
    }

    fn all(&mut self) -> Option<Truth> {
        let mut truth = self.one()?;
        while self.takes_word("and") {
            truth = truth.and(self.one()?);
        }
        Some(truth)
    }

    fn one(&mut self) -> Option<Truth> {
        if self.takes_word("not") {
            return self.one().map(Truth::not);
        }
        let start = self.at;
        if let Some(truth) = self.comparison() {
            return Some(truth);
        }
        self.at = start;
        if self.takes("(")
            && let Some(truth) = self.any()
            && self.takes(")")
        {
            return Some(truth);
        }
        self.at = start;
        self.skip_unknown()
    }

    /// Steps over a term that is not understood, up to the next `and`, `or` or closing bracket of
    /// the same depth.
    fn skip_unknown(&mut self) -> Option<Truth> {
        let start = self.at;
        let mut depth = 0usize;
        while let Some(token) = self.tokens.get(self.at) {
            // What stands inside a CASE has its own rules.
            if token.is_word("case") {
                return None;
            }
            if token.is("(") || token.is("[") {
                depth += 1;
            } else if token.is(")") || token.is("]") {
                if depth == 0 {
                    break;
                }
                depth -= 1;
            } else if depth == 0 && (token.is_word("and") || token.is_word("or")) {
                break;
            }
            self.at += 1;
        }
        (self.at > start).then_some(Truth::Unknown)
    }

    fn comparison(&mut self) -> Option<Truth> {
        let left = self.operand()?;
        if self.takes_word("is") {
            let negated = self.takes_word("not");
            // The label is no null.
            return (self.takes_word("null") && matches!(left, Operand::Column))
                .then_some(Truth::from(negated));
        }
        let equal = if self.takes("=") {
            true
        } else if self.takes("<>") || self.takes("!=") {
            false
        } else {
            return None;
        };
        let many = if equal { self.takes_word("any") } else { self.takes_word("all") };
        let right = if many {
            if !self.takes("(") {
                return None;
            }
            let operand = self.operand()?;
            if !self.takes(")") {
                return None;
            }
            operand
        } else {
            self.operand()?
        };
        let texts = match (left, right) {
            (Operand::Column, Operand::Array(texts)) if many => texts,
            (Operand::Column, Operand::Text(text)) if many => array_literal(&text)?,
            (Operand::Column, Operand::Text(text)) | (Operand::Text(text), Operand::Column) if !many => {
                vec![text]
            }
            _ => return None,
        };
        Some(Truth::from(texts.iter().any(|text| text == self.label) == equal))
    }

    fn operand(&mut self) -> Option<Operand> {
        let operand = if self.takes("(") {
            let inner = self.operand()?;
            if !self.takes(")") {
                return None;
            }
            inner
        } else if self.takes_word("array") {
            Operand::Array(self.array()?)
        } else {
            match self.tokens.get(self.at)? {
                Token::Text(text) => {
                    self.at += 1;
                    Operand::Text(text.clone())
                }
                token if token.names(self.column) => {
                    self.at += 1;
                    Operand::Column
                }
                _ => return None,
            }
        };
        while self.takes("::") {
            self.type_name()?;
        }
        Some(operand)
    }

    fn array(&mut self) -> Option<Vec<String>> {
        if !self.takes("[") {
            return None;
        }
        let mut texts = Vec::new();
        loop {
            match self.operand()? {
                Operand::Text(text) => texts.push(text),
                _ => return None,
            }
            if self.takes("]") {
                return Some(texts);
            }
            if !self.takes(",") {
                return None;
            }
        }
    }

    fn type_name(&mut self) -> Option<()> {
        loop {
            match self.tokens.get(self.at)? {
                Token::Word { .. } => self.at += 1,
                _ => return None,
            }
            if self.takes(".") {
                continue;
            }
            // `character varying`, `timestamp with time zone`.
            if !self
                .tokens
                .get(self.at)
                .is_some_and(|token| ["varying", "precision"].iter().any(|word| token.is_word(word)))
            {
                break;
            }
        }
        if self.takes("(") {
            while !self.takes(")") {
                self.at += 1;
                self.tokens.get(self.at)?;
            }
        }
        while self.takes("[") {
            if !self.takes("]") {
                return None;
            }
        }
        Some(())
    }
}

/// The elements of `{a,b}`; `None` for forms with nested braces.
fn array_literal(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    let mut element = String::new();
    let (mut in_quotes, mut escaped) = (false, false);
    for character in inner.chars() {
        match character {
            _ if escaped => {
                element.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => elements.push(std::mem::take(&mut element)),
            '{' | '}' if !in_quotes => return None,
            _ => element.push(character),
        }
    }
    elements.push(element);
    (!in_quotes).then_some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_from_every_form_that_the_server_prints() {
        use Admission::{Accepts, Refuses, Silent, Unknown};
        // Definitions as PostgreSQL prints them; column a; label x.
        let cases = [
            ("CHECK ((a = ANY (ARRAY['x'::text, 'y''z'::text])))", Accepts),
            ("CHECK ((a = ANY (ARRAY['y'::text, 'y''z'::text])))", Refuses),
            (
                "CHECK (((a)::text = ANY ((ARRAY['x'::character varying, 'q'::character varying])::text[])))",
                Accepts,
            ),
            (
                "CHECK (((a)::text = ANY ((ARRAY['p'::character varying, 'q'::character varying])::text[])))",
                Refuses,
            ),
            (
                "CHECK ((a = ANY (ARRAY[('q'::character varying)::text, ('x'::character varying)::text])))",
                Accepts,
            ),
            ("CHECK (((a)::text = ANY ('{m,x}'::text[])))", Accepts),
            ("CHECK (((a)::text = ANY ('{m,\"x y\"}'::text[])))", Refuses),
            ("CHECK ((a = 'x'::text))", Accepts),
            ("CHECK (((a)::text = 'p'::text))", Refuses),
            ("CHECK (((a IS NULL) OR (a = ANY (ARRAY['x'::text, 'y'::text]))))", Accepts),
            ("CHECK (((a IS NULL) OR (a = ANY (ARRAY['z'::text, 'y'::text]))))", Refuses),
            ("CHECK (((a IS NOT NULL) AND (a = ANY (ARRAY['x'::text]))))", Accepts),
            ("CHECK (((a = 'z'::text) OR (a = 'y'::text) OR (a = 'x'::text)))", Accepts),
            ("CHECK (((a <> 'x'::text) OR (n > 0)))", Unknown),
            ("CHECK (((a <> 'y'::text) OR (n > 0)))", Accepts),
            ("CHECK (((a = 'y'::text) AND (n > 0)))", Refuses),
            ("CHECK ((a <> ALL (ARRAY['x'::text, 'worse'::text])))", Refuses),
            ("CHECK ((a <> ALL (ARRAY['bad'::text, 'worse'::text])))", Accepts),
            ("CHECK ((NOT (a = 'x'::text)))", Refuses),
            ("CHECK ((a = ANY (ARRAY['x'::text]))) NOT VALID", Accepts),
            ("CHECK ((a = ANY (ARRAY['x'::public.kind, 'y'::public.kind])))", Accepts),
            ("CHECK ((length(a) > 0))", Unknown),
            ("CHECK ((a ~ '^x'::text))", Unknown),
            ("CHECK (CASE WHEN (a = 'y'::text) THEN true ELSE false END)", Unknown),
            ("CHECK ((n > 0))", Silent),
        ];
        for (definition, expected) in cases {
            assert_eq!(admission(definition, "a", "x"), expected, "{definition}");
        }
    }

    #[test]
    fn a_quoted_column_is_found_by_its_name() {
        assert_eq!(admission("CHECK ((\"Order\" = 'one'::text))", "Order", "one"), Admission::Accepts);
        assert_eq!(admission("CHECK ((\"Order\" = 'one'::text))", "Order", "two"), Admission::Refuses);
    }

    #[test]
    fn a_text_that_cannot_be_read_is_unknown_not_accepted() {
        for definition in ["CHECK ((a = 'x", "a = 'x'", "CHECK ((a = ANY ('{{x}}'::text[])))"] {
            assert_eq!(admission(definition, "a", "x"), Admission::Unknown, "{definition}");
        }
    }
}
