//! Which tables a run read, so that the nights of two configurations in one folder are not taken for one
//! history.

use serde::Deserialize;

use crate::source::Provenance;
use crate::source::postgres::activity::Activity;

/// The kind of a source that is a table of a database.
const DATABASE: &str = "postgres";

/// What a run read, as its manifest has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables {
    /// Kind and name of both sources, legacy first.
    sources: Vec<[String; 2]>,
    /// Name and identity of what the statistics of the database count; none of a run over files alone.
    counted: Vec<[String; 2]>,
}

/// An input of a manifest.
#[derive(Debug, Deserialize)]
pub(super) struct Input {
    pub(super) role: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    pub(super) rows: u64,
}

impl Tables {
    /// What a run reads.
    pub fn of(legacy: &Provenance, unified: &Provenance, activity: Option<&Activity>) -> Tables {
        let sources = [legacy, unified].map(|source| [source.kind.to_owned(), source.name.clone()]);
        Tables { sources: sources.to_vec(), counted: counted(activity) }
    }

    /// The same of a run that has been written.
    pub(super) fn written(inputs: &[Input], activity: Option<&Activity>) -> Tables {
        let source = |role: &str| inputs.iter().find(|input| input.role == role);
        let sources = ["legacy", "unified"].into_iter().filter_map(source);
        let sources = sources.map(|input| [input.kind.clone(), input.name.clone()]);
        Tables { sources: sources.collect(), counted: counted(activity) }
    }

    /// What tells these tables from all others: names and identities as the server has them, `files` of a
    /// run over files alone; `None`: the run does not say it.
    pub fn identity(&self) -> Option<String> {
        let all_known = self.counted.iter().all(|[_, identity]| !identity.is_empty());
        match self.counted.is_empty() {
            false if all_known => {
                let mut said: Vec<String> = self.counted.iter().map(|counted| counted.join(" ")).collect();
                said.sort();
                Some(said.join("; "))
            }
            true if self.sources.len() == 2 && self.sources.iter().all(|[kind, _]| kind != DATABASE) => {
                Some("files".to_owned())
            }
            _ => None,
        }
    }

    /// The other run certainly read other tables of a database: under another name, or in a database of
    /// another name. A table that was restored is the same, and what it lost is worth telling.
    pub(super) fn are_certainly_other(&self, other: &Tables) -> bool {
        let is_other = |(one, other): (&[String; 2], &[String; 2])| {
            [one, other].iter().all(|[kind, _]| kind == DATABASE) && !is_same_name(&one[1], &other[1])
        };
        let of_databases = [self, other].map(|tables| -> Vec<&str> {
            let databases = tables.counted.iter().filter_map(|[_, identity]| database(identity));
            databases.collect()
        });
        let differ = of_databases.iter().all(|names| !names.is_empty())
            && of_databases[0].iter().all(|name| !of_databases[1].contains(name));
        differ || self.sources.iter().zip(&other.sources).any(is_other)
    }

    /// The sources bear other names: files that are called by their day do, and those of another
    /// configuration.
    pub(super) fn are_named_otherwise(&self, other: &Tables) -> bool {
        self.sources.len() == other.sources.len() && self.sources != other.sources
    }

    /// Both sources by their names, with the database where it is known.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.sources.iter().map(|[_, name]| name.as_str()).collect();
        let database = self.counted.iter().find_map(|[_, identity]| database(identity));
        let of = database.map(|name| format!(" of the database {name}")).unwrap_or_default();
        format!("{}{of}", names.join(" and "))
    }
}

/// Names of tables, one of which may be written without its schema.
fn is_same_name(one: &str, other: &str) -> bool {
    let ends_like = |long: &str, short: &str| {
        !short.contains('.') && long.strip_suffix(short).is_some_and(|schema| schema.ends_with('.'))
    };
    one == other || ends_like(one, other) || ends_like(other, one)
}

fn counted(activity: Option<&Activity>) -> Vec<[String; 2]> {
    let all = activity.iter().flat_map(|activity| &activity.start);
    all.map(|counted| [counted.table.clone(), counted.identity.clone()]).collect()
}

/// The name of the database in an identity, which ends in the database's oid and the table's.
fn database(identity: &str) -> Option<&str> {
    identity.rsplitn(3, '/').nth(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kind name`, legacy first, and identities.
    fn tables(sources: [&str; 2], identities: &[&str]) -> Tables {
        let source = |text: &str| {
            let (kind, name) = text.split_once(' ').expect("two words");
            [kind.to_owned(), name.to_owned()]
        };
        let sources = sources.map(source).to_vec();
        let named = sources.iter().map(|[_, name]| name.clone());
        let counted = named.zip(identities).map(|(name, identity)| [name, (*identity).to_owned()]);
        Tables { counted: counted.collect(), sources }
    }

    #[test]
    fn tables_of_another_name_or_database_are_other_ones() {
        let own = tables(["postgres a.l", "postgres a.u"], &["app/5/1", "app/5/2"]);
        // What the other run read; is it certainly something else, is it called otherwise, and do the
        // identities tell them apart?
        let cases = [
            (tables(["postgres a.l", "postgres a.u"], &["app/5/1", "app/5/2"]), false, false, false),
            (tables(["postgres b.l", "postgres b.u"], &["app/5/3", "app/5/4"]), true, true, true),
            (tables(["postgres a.l", "postgres a.u"], &["other/6/1", "other/6/2"]), true, false, true),
            // Restored under the same names.
            (tables(["postgres a.l", "postgres a.u"], &["app/7/8", "app/7/9"]), false, false, true),
            // Without the schema.
            (tables(["postgres l", "postgres u"], &["app/5/1", "app/5/2"]), false, true, true),
            // An earlier version did not say it, or files were read.
            (tables(["postgres a.l", "postgres a.u"], &["", ""]), false, false, false),
            (tables(["csv l.csv", "csv u.csv"], &[]), false, true, true),
        ];
        for (other, certain, named, told_apart) in cases {
            assert_eq!(own.are_certainly_other(&other), certain, "{other:?}");
            assert_eq!(own.are_named_otherwise(&other), named, "{other:?}");
            let identities = (own.identity(), other.identity());
            let differ = matches!(&identities, (Some(own), Some(other)) if own != other);
            assert_eq!(differ, told_apart, "{identities:?}");
        }
    }
}
