//! Functions and procedures whose text names the table. What is written as standard SQL
//! (`begin atomic`) has no text: the catalogue knows what it depends on, but for its strings. Defaults of
//! arguments and settings may hold a name as well.

use super::super::super::SourceError;
use super::super::catalogue::{flag, text};
use super::super::session::{Session, TextRow};
use super::mention::{self, Mention};
use super::paths::Paths;
use super::{Area, Certainty, DOING, Dependencies, Members};

/// Languages whose text is SQL; in others SQL stands in strings of any kind.
const SQL: [&str; 2] = ["sql", "plpgsql"];

/// Functions that put together SQL and are named; the others are counted.
const NAMED: usize = 50;

/// The numbers of functions that use the table.
#[derive(Debug, Default)]
pub(super) struct Users {
    pub certain: Vec<String>,
    pub possible: Vec<String>,
}

/// Notes every function that names the table or a sequence of it; answers those that certainly or possibly
/// use the table, so that what hangs on them is found as well.
pub(super) async fn scan(
    session: &Session,
    members: &Members,
    paths: &Paths,
    found: &mut Dependencies,
) -> Result<Users, SourceError> {
    let looked = session.try_rows(include_str!("functions.sql"), &[&members.oids], DOING).await?;
    let mut users = Users::default();
    let mut dynamic = Vec::new();
    for row in found.rows(&[Area::Functions], "functions", looked) {
        let (oid, kind) = (text(&row, 0), text(&row, 3));
        let name = format!("{}.{}", text(&row, 1), text(&row, 2));
        let function = Function::of(&row);
        let language = &function.language;
        let arguments = text(&row, 7);
        if flag(&row, 8) {
            let detail = format!("({arguments}) is of step 1 of retire.sql: it forbids every write");
            found.add(Area::Functions, &kind, name, detail, Certainty::Note);
            continue;
        }
        if let Some((certainty, how, table)) = function.uses(members.names.iter(), paths) {
            let detail = format!("({arguments}) in {language} {how} {table}");
            found.add(Area::Functions, &kind, name, detail, certainty);
            match certainty {
                Certainty::Certain => users.certain.push(oid),
                _ => users.possible.push(oid),
            }
            continue;
        }
        let sequences = members.sequences.iter().map(|(_, schema, name, _)| (schema.clone(), name.clone()));
        let sequences: Vec<(String, String)> = sequences.collect();
        if let Some((_, how, sequence)) = function.uses(sequences.iter(), paths) {
            let detail = format!("({arguments}) in {language} {how} {sequence}, which goes with the table");
            found.add(Area::Sequences, &kind, name, detail, Certainty::Possible);
        } else if language == "plpgsql" && mention::is_dynamic(&function.body)
            || SQL.contains(&language.as_str()) && mention::runs_sql(&function.body)
        {
            let parts =
                members.names.iter().find_map(|(_, table)| mention::part_in_text(&function.body, table));
            match parts {
                Some(part) => {
                    let detail = format!(
                        "({arguments}) in {language} puts SQL together, and has a text with a part of the name: {part}"
                    );
                    found.add(Area::Functions, &kind, name, detail, Certainty::Possible);
                }
                None => dynamic.push(name),
            }
        }
    }
    if !dynamic.is_empty() {
        let more = match dynamic.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        found.at(Area::Functions).notes.push(format!(
            "SQL that is put together from text which does not name the table is run by {}: {}{more}; what it uses \
             in the end cannot be seen",
            if dynamic.len() == 1 { "1 function".to_owned() } else { format!("{} functions", dynamic.len()) },
            dynamic[..dynamic.len().min(NAMED)].join(", ")
        ));
    }
    Ok(users)
}

type Use = (Certainty, &'static str, String);

/// What there is to read of a function.
struct Function {
    language: String,
    /// Empty where it is no text.
    body: String,
    /// The search path of its own.
    path: Option<String>,
    /// Strings that stand beside the body, or in a body that is no text.
    beside: Vec<String>,
}

impl Function {
    fn of(row: &TextRow) -> Function {
        let mut beside = mention::texts(&text(row, 9));
        beside.push(text(row, 10));
        beside.extend(mention::texts(&text(row, 11)));
        Function { language: text(row, 4), body: text(row, 5), path: row[6].clone(), beside }
    }

    /// The weightiest use of one of these relations, with words for it.
    fn uses<'a>(&self, wanted: impl Iterator<Item = &'a (String, String)>, paths: &Paths) -> Option<Use> {
        let found = wanted.filter_map(|(schema, name)| {
            let wanted = paths.wanted(schema, name);
            let mut mentions = match SQL.contains(&self.language.as_str()) {
                true => mention::in_sql(&self.body, wanted),
                false => mention::in_text(&self.body, wanted).into_iter().collect(),
            };
            mentions.extend(self.beside.iter().filter_map(|said| mention::in_text(said, wanted)));
            mentions.sort_by(|a, b| b.cmp(a));
            let on_own_path = paths.weigh(&mentions, wanted, self.path.as_deref());
            // The path of its own counts until the body sets another one.
            let leaves_it = || !mentions.is_empty() && mention::sets_path(&self.body);
            let certainty = on_own_path.or_else(|| leaves_it().then_some(Certainty::Possible))?;
            let how = match (certainty, mentions.first()) {
                (Certainty::Certain, _) => "names",
                (_, Some(Mention::Text)) => "has a text with the name of",
                (_, Some(Mention::Placed)) => {
                    "has a text with the name behind a word that is no schema here, but may stand for that of"
                }
                (_, Some(Mention::Escaped)) => "names, where standard_conforming_strings is off,",
                _ => "may mean",
            };
            Some((certainty, how, format!("{schema}.{name}")))
        });
        found.min_by_key(|(certainty, ..)| *certainty)
    }
}
