//! Where a name without a schema is looked up, and so whether it means the table.

use std::collections::BTreeSet;

use super::super::super::SourceError;
use super::super::catalogue::{Relation, text};
use super::super::session::Session;
use super::mention::{Mention, Wanted};
use super::{Certainty, DOING};

/// The search path of a database.
#[derive(Debug, Default)]
pub(in crate::source::postgres) struct Paths {
    /// Where nothing else is said.
    default: Vec<String>,
    /// Schemas that hold a relation of the name.
    holders: BTreeSet<String>,
    /// A role bears the name of the schema, so that `"$user"` may mean it.
    schema_is_user: bool,
    /// All schemas, in lower case.
    schemas: Vec<String>,
}

/// What a name without a schema means on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Table,
    AnotherRelation,
    Nothing,
}

impl Paths {
    /// Reads the paths, and who else bears the name of the relation.
    pub(in crate::source::postgres) async fn read(
        session: &Session,
        relation: &Relation,
    ) -> Result<Paths, SourceError> {
        let schema = relation.name.schema.as_deref().unwrap_or_default();
        let rows =
            session.rows_with(include_str!("paths.sql"), &[&relation.name.name, schema], DOING).await?;
        // One's own temporary schema goes by an alias.
        let mut paths = Paths { schemas: vec!["pg_temp".to_owned()], ..Paths::default() };
        for row in &rows {
            let value = text(row, 1);
            match text(row, 0).as_str() {
                "default" => paths.default = parse(&value),
                "holder" => drop(paths.holders.insert(value)),
                "schema" => paths.schemas.push(value.to_lowercase()),
                _ => paths.schema_is_user = true,
            }
        }
        Ok(paths)
    }

    /// A relation to look for in texts of this database.
    pub(in crate::source::postgres) fn wanted<'a>(&'a self, schema: &'a str, name: &'a str) -> Wanted<'a> {
        Wanted { schema, name, schemas: &self.schemas }
    }

    /// What the mentions in a text come to, the text having this path of its own.
    pub(in crate::source::postgres) fn weigh(
        &self,
        mentions: &[Mention],
        wanted: Wanted<'_>,
        own: Option<&str>,
    ) -> Option<Certainty> {
        mentions.iter().filter_map(|mention| self.weight(*mention, wanted, own)).min()
    }

    fn weight(&self, mention: Mention, wanted: Wanted<'_>, own: Option<&str>) -> Option<Certainty> {
        let here = match mention {
            Mention::Qualified => return Some(Certainty::Certain),
            Mention::Placed | Mention::Text | Mention::Escaped => return Some(Certainty::Possible),
            Mention::Table => Certainty::Certain,
            Mention::Word => Certainty::Possible,
        };
        if let Some(own) = own {
            let own = parse(own);
            return match self.meaning(&own, wanted.schema) {
                Meaning::Table => Some(here),
                // Whoever may not use the schema of the other one is led on.
                Meaning::AnotherRelation if own.iter().any(|step| self.is(step, wanted.schema)) => {
                    Some(Certainty::Possible)
                }
                Meaning::AnotherRelation | Meaning::Nothing => None,
            };
        }
        match self.meaning(&self.default, wanted.schema) {
            Meaning::Table => Some(here),
            // A role, a session or an application may have a path that leads to the table.
            Meaning::AnotherRelation | Meaning::Nothing => Some(Certainty::Possible),
        }
    }

    /// Does a step of a path lead into the schema?
    fn is(&self, step: &str, schema: &str) -> bool {
        step == schema || (step == "$user" && self.schema_is_user)
    }

    fn meaning(&self, path: &[String], schema: &str) -> Meaning {
        for step in path {
            if self.is(step, schema) {
                return Meaning::Table;
            }
            if self.holders.contains(step) {
                return Meaning::AnotherRelation;
            }
        }
        Meaning::Nothing
    }
}

/// The schemas of a `search_path`, as it is stored: `"$user", public`.
fn parse(path: &str) -> Vec<String> {
    let mut steps = Vec::new();
    let mut step = String::new();
    let mut letters = path.chars().peekable();
    let (mut is_quoted, mut was_quoted) = (false, false);
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                step.push('"');
                letters.next();
            }
            '"' => {
                is_quoted = !is_quoted;
                was_quoted = true;
            }
            ',' if !is_quoted => {
                steps.push(std::mem::take(&mut step));
                was_quoted = false;
            }
            letter if !is_quoted && letter.is_whitespace() => {}
            letter if is_quoted => step.push(letter),
            letter => step.push(letter.to_ascii_lowercase()),
        }
    }
    if !step.is_empty() || was_quoted {
        steps.push(step);
    }
    steps.retain(|step| !step.is_empty());
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_the_server_stores_it() {
        let cases: [(&str, &[&str]); 5] = [
            ("\"$user\", public", &["$user", "public"]),
            ("public,Extensions", &["public", "extensions"]),
            ("\"A, b\", \"q\"\"x\"", &["A, b", "q\"x"]),
            ("\"\"", &[]),
            ("", &[]),
        ];
        for (path, expected) in cases {
            assert_eq!(parse(path), expected, "{path}");
        }
    }

    #[test]
    fn a_plain_name_means_the_first_relation_on_the_path() {
        use Certainty::{Certain, Possible};
        let paths = |default: &str, holders: &[&str]| Paths {
            default: parse(default),
            holders: holders.iter().map(|name| (*name).to_owned()).collect(),
            schema_is_user: false,
            schemas: Vec::new(),
        };
        let both = ["app", "public"];
        let cases = [
            ("app, public", None, Mention::Table, Some(Certain)),
            ("app, public", None, Mention::Word, Some(Possible)),
            ("public", None, Mention::Table, Some(Possible)),
            ("other", None, Mention::Table, Some(Possible)),
            ("app", Some("public"), Mention::Table, None),
            ("public", Some("app"), Mention::Table, Some(Certain)),
            ("public", Some("\"\""), Mention::Table, None),
            ("public", Some("public, app"), Mention::Table, Some(Possible)),
            ("app", Some("public, other"), Mention::Table, None),
            ("public", None, Mention::Text, Some(Possible)),
            ("public", None, Mention::Qualified, Some(Certain)),
        ];
        for (default, own, mention, expected) in cases {
            let paths = paths(default, &both);
            let weight = paths.weigh(&[mention], paths.wanted("app", "t"), own);
            assert_eq!(weight, expected, "{default} {own:?} {mention:?}");
        }
    }
}
