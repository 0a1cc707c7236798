//! Everything that depends on a table, named: what the catalogue knows, what stands in the text of
//! functions and jobs, and what reads the table from outside.
//!
//! Read in the session of the snapshot. What this role may not look at is said, never left out: a
//! list with something unread is not a list of everything.

mod bodies;
mod jobs;
mod lexer;
pub(super) mod mention;
pub(super) mod paths;
mod texts;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::config::TableName;

use super::super::SourceError;
use super::Database;
use super::catalogue::{self, Relation, flag, text};
use super::session::{Session, TextRow};

const DOING: &str = "looking up what depends on the table";

/// How much a dependency weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It uses the table.
    Certain,
    /// It may use the table; a person has to look.
    Possible,
    /// Worth knowing: it goes with the table, and nobody misses it.
    Note,
}

/// An object that depends on the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dependency {
    /// `view`, `trigger`, `foreign key`…
    pub kind: String,
    /// `schema.name`; the plain name of what belongs to no schema.
    pub name: String,
    /// What it does with the table, and through what.
    pub detail: String,
    /// How much it weighs.
    pub certainty: Certainty,
}

/// What kind of dependency is looked for; each is a check of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Views and materialised views, indirect ones too.
    Views,
    /// Foreign keys, both ways.
    ForeignKeys,
    /// Triggers on it, and triggers elsewhere whose function uses it.
    Triggers,
    /// Functions and procedures.
    Functions,
    /// Policies on it, and policies elsewhere that read it.
    Policies,
    /// Publications, subscriptions, replication slots.
    Publications,
    /// Rules on it, and rules elsewhere that name it.
    Rules,
    /// Sequences that it owns and others use.
    Sequences,
    /// Parents, children, partitions, uses of its row type.
    Inheritance,
    /// Defaults, generated columns, CHECK constraints and indexes of other tables.
    Defaults,
    /// Jobs inside the database.
    Jobs,
}

impl Area {
    /// All, in the order of the gate's checks.
    pub const ALL: [Area; 11] = [
        Area::Views,
        Area::ForeignKeys,
        Area::Triggers,
        Area::Functions,
        Area::Policies,
        Area::Publications,
        Area::Rules,
        Area::Sequences,
        Area::Inheritance,
        Area::Defaults,
        Area::Jobs,
    ];

    /// The name of the check.
    pub fn name(self) -> &'static str {
        match self {
            Area::Views => "views",
            Area::ForeignKeys => "foreign_keys",
            Area::Triggers => "triggers",
            Area::Functions => "functions",
            Area::Policies => "policies",
            Area::Publications => "publications",
            Area::Rules => "rules",
            Area::Sequences => "sequences",
            Area::Inheritance => "inheritance",
            Area::Defaults => "defaults",
            Area::Jobs => "jobs",
        }
    }
}

/// What was found in one area.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// What depends on the table, by certainty, kind and name.
    pub found: Vec<Dependency>,
    /// What could not be looked at, and why.
    pub unread: Vec<String>,
    /// What else a reader should know.
    pub notes: Vec<String>,
}

/// Everything that was found, by area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependencies {
    /// The table, as found.
    pub table: TableName,
    areas: BTreeMap<Area, Looked>,
}

impl Dependencies {
    /// What was found in an area.
    pub fn area(&self, area: Area) -> &Looked {
        &self.areas[&area]
    }

    fn at(&mut self, area: Area) -> &mut Looked {
        self.areas.entry(area).or_default()
    }

    fn add(&mut self, area: Area, kind: &str, name: String, detail: String, certainty: Certainty) {
        // On one line, however it was written.
        let detail = detail.split_whitespace().collect::<Vec<_>>().join(" ");
        self.at(area).found.push(Dependency { kind: kind.to_owned(), name, detail, certainty });
    }

    /// The rows of a look; a refusal is noted for each area that it was for.
    fn rows(&mut self, areas: &[Area], what: &str, looked: Result<Vec<TextRow>, String>) -> Vec<TextRow> {
        looked.unwrap_or_else(|why| {
            areas.iter().for_each(|area| self.at(*area).unread.push(format!("{what}: {why}")));
            Vec::new()
        })
    }
}

impl Database {
    /// Finds everything that depends on a table; `None` where there is no such table.
    ///
    /// # Errors
    /// A lost connection, [`SourceError::Interrupted`] after a signal. What this role may not read is
    /// no error: it is noted.
    pub fn dependencies(&mut self, table: &TableName) -> Result<Option<Dependencies>, SourceError> {
        let session = &self.session;
        self.runtime.block_on(async {
            let Some(relation) = catalogue::find(session, table).await? else { return Ok(None) };
            // With an empty path, the server writes every name with its schema.
            session.run("savepoint dependencies; set local search_path = ''", DOING).await?;
            let found = scan(session, &relation).await;
            session.run("rollback to savepoint dependencies", DOING).await?;
            found.map(Some)
        })
    }
}

/// The relations whose end is looked at: the table with everything that inherits from it.
struct Members {
    /// `{1,2}`.
    oids: String,
    /// Schema and name.
    names: Vec<(String, String)>,
    /// Sequences that they own: number, schema, name, column.
    sequences: Vec<(String, String, String, String)>,
}

async fn scan(session: &Session, relation: &Relation) -> Result<Dependencies, SourceError> {
    let areas = Area::ALL.iter().map(|area| (*area, Looked::default())).collect();
    let mut found = Dependencies { table: relation.name.clone(), areas };
    let rows = session.rows_with(include_str!("dependencies/members.sql"), &[&relation.oid], DOING).await?;
    let oids: Vec<String> = rows.iter().map(|row| text(row, 0)).collect();
    let oids = format!("{{{}}}", oids.join(","));
    let sql = include_str!("dependencies/sequences.sql");
    let sequences = session.try_rows(sql, &[&oids], DOING).await?;
    let sequences = found.rows(&[Area::Sequences], "owned sequences", sequences);
    let members = Members {
        oids,
        names: rows.iter().map(|row| (text(row, 1), text(row, 2))).collect(),
        sequences: sequences
            .iter()
            .map(|row| (text(row, 0), text(row, 1), text(row, 2), text(row, 3)))
            .collect(),
    };
    tree::scan(session, relation, &members, &mut found).await?;
    own(session, &members, &mut found).await?;
    event_triggers(session, &mut found).await?;
    foreign_keys(session, &members, &mut found).await?;
    publications(session, &members, &mut found).await?;
    let paths = paths::Paths::read(session, relation).await?;
    texts::scan(session, &members, &paths, &mut found).await?;
    let functions = bodies::scan(session, &members, &paths, &mut found).await?;
    for certainty in [Certainty::Certain, Certainty::Possible] {
        dependents(session, &members, &functions, certainty, &mut found).await?;
    }
    jobs::scan(session, &members, &paths, &mut found).await?;
    for (_, schema, name, column) in &members.sequences {
        let detail = format!("belongs to column {column} and goes with the table");
        found.add(Area::Sequences, "sequence", format!("{schema}.{name}"), detail, Certainty::Note);
    }
    for looked in found.areas.values_mut() {
        looked.found.sort_by(|a, b| (a.certainty, &a.kind, a).cmp(&(b.certainty, &b.kind, b)));
        looked.found.dedup();
        let certain: BTreeSet<(String, String)> = looked
            .found
            .iter()
            .filter(|found| found.certainty == Certainty::Certain)
            .map(|found| (found.kind.clone(), found.name.clone()))
            .collect();
        // Found by the catalogue and by its text: the catalogue knows.
        looked.found.retain(|found| {
            found.certainty != Certainty::Possible
                || !certain.contains(&(found.kind.clone(), found.name.clone()))
        });
    }
    Ok(found)
}

/// Triggers, policies and rules that stand on the table itself.
async fn own(session: &Session, members: &Members, found: &mut Dependencies) -> Result<(), SourceError> {
    let sql = include_str!("dependencies/own.sql");
    let looked = session.try_rows(sql, &[&members.oids], DOING).await?;
    let areas = [Area::Triggers, Area::Policies, Area::Rules];
    for row in found.rows(&areas, "what stands on the table", looked) {
        let (kind, name) = (text(&row, 0), format!("{}.{}", text(&row, 1), text(&row, 2)));
        let (on, definition) = (text(&row, 3), text(&row, 4));
        let (area, certainty, why) = match (kind.as_str(), flag(&row, 5)) {
            ("trigger", true) => {
                (Area::Triggers, Certainty::Note, "is of step 1 of retire.sql: it forbids every write")
            }
            ("trigger", false) => (Area::Triggers, Certainty::Certain, "acts on its rows"),
            ("rule", _) => (Area::Rules, Certainty::Certain, "acts on its rows"),
            (_, true) => (
                Area::Policies,
                Certainty::Note,
                "goes with the table, and lets nobody but the role of this job read",
            ),
            (_, false) => (
                Area::Policies,
                Certainty::Possible,
                "goes with the table, but shows that clients are let in",
            ),
        };
        found.add(area, &kind, name, format!("on {on}, {why}: {definition}"), certainty);
    }
    Ok(())
}

/// Event triggers act on `retire.sql`, not on rows: they are named, and keep nobody from retiring the table.
async fn event_triggers(session: &Session, found: &mut Dependencies) -> Result<(), SourceError> {
    let looked = session.try_rows(include_str!("dependencies/event_triggers.sql"), &[], DOING).await?;
    for row in found.rows(&[Area::Triggers], "event triggers", looked) {
        let detail = format!(
            "calls {} on {} ({}): retire.sql fires it, and it may stop a step or act on it",
            text(&row, 1),
            text(&row, 2),
            text(&row, 3)
        );
        found.add(Area::Triggers, "event trigger", text(&row, 0), detail, Certainty::Note);
    }
    Ok(())
}

async fn foreign_keys(
    session: &Session,
    members: &Members,
    found: &mut Dependencies,
) -> Result<(), SourceError> {
    let sql = include_str!("dependencies/foreign_keys.sql");
    let looked = session.try_rows(sql, &[&members.oids], DOING).await?;
    for row in found.rows(&[Area::ForeignKeys], "foreign keys", looked) {
        let name = format!("{}.{}", text(&row, 1), text(&row, 2));
        let (from, to, definition) = (text(&row, 3), text(&row, 4), text(&row, 5));
        let (detail, certainty) = match text(&row, 0).as_str() {
            "in" => (format!("{from} references {to}: {definition}"), Certainty::Certain),
            "out" => (
                format!(
                    "its own, of {from}, goes with the table; then nothing here keeps rows of {to}: {definition}"
                ),
                Certainty::Note,
            ),
            _ => (
                format!("its own, from {from} to itself, goes with the table: {definition}"),
                Certainty::Note,
            ),
        };
        found.add(Area::ForeignKeys, "foreign key", name, detail, certainty);
    }
    Ok(())
}

async fn publications(
    session: &Session,
    members: &Members,
    found: &mut Dependencies,
) -> Result<(), SourceError> {
    let area = Area::Publications;
    let looked =
        session.try_rows(include_str!("dependencies/publications.sql"), &[&members.oids], DOING).await?;
    for row in found.rows(&[area], "publications", looked) {
        let (detail, certainty) = match (flag(&row, 1), flag(&row, 2)) {
            (_, true) => ("publishes the table: subscribers read it", Certainty::Certain),
            (true, false) => {
                ("publishes all tables, this one too: do its subscribers use it?", Certainty::Possible)
            }
            (false, false) => (
                "publishes all tables of its schema, this one too: do its subscribers use it?",
                Certainty::Possible,
            ),
        };
        found.add(area, "publication", text(&row, 0), detail.to_owned(), certainty);
    }
    let looked =
        session.try_rows(include_str!("dependencies/subscriptions.sql"), &[&members.oids], DOING).await?;
    for row in found.rows(&[area], "subscriptions", looked) {
        let number = text(&row, 0);
        let sql = "select subname::text from pg_catalog.pg_subscription where oid = $1::oid";
        // Not every server version lets everybody read the names.
        let named = session.try_rows(sql, &[&number], DOING).await?.unwrap_or_default();
        let name = named.first().map_or_else(|| format!("number {number}"), |row| text(row, 0));
        let detail = "writes rows of another server into the table".to_owned();
        found.add(area, "subscription", name, detail, Certainty::Certain);
    }
    let looked = session.try_rows(include_str!("dependencies/slots.sql"), &[], DOING).await?;
    for row in found.rows(&[area], "replication slots", looked) {
        let detail = format!("plugin {}: its reader sees every table, does it use this one?", text(&row, 1));
        found.add(area, "replication slot", text(&row, 0), detail, Certainty::Possible);
    }
    Ok(())
}

/// What the catalogue knows to depend on the table and on the functions that certainly name it; or, as
/// possible as they are, on those that may.
async fn dependents(
    session: &Session,
    members: &Members,
    functions: &bodies::Users,
    certainty: Certainty,
    found: &mut Dependencies,
) -> Result<(), SourceError> {
    let (functions, from, uses) = match certainty {
        Certainty::Certain => (&functions.certain, "table", "uses"),
        _ if functions.possible.is_empty() => return Ok(()),
        _ => (&functions.possible, "functions", "may use"),
    };
    let sequences: Vec<&str> = members.sequences.iter().map(|(oid, ..)| oid.as_str()).collect();
    let (functions, sequences) =
        (format!("{{{}}}", functions.join(",")), format!("{{{}}}", sequences.join(",")));
    let sql = include_str!("dependencies/dependents.sql");
    let looked = session.try_rows(sql, &[&members.oids, &functions, &sequences, from], DOING).await?;
    let areas = [
        Area::Views,
        Area::Triggers,
        Area::Functions,
        Area::Policies,
        Area::Rules,
        Area::Sequences,
        Area::Inheritance,
        Area::Defaults,
    ];
    let of_table: Vec<String> =
        members.names.iter().map(|(schema, name)| format!("{schema}.{name}")).collect();
    for row in found.rows(&areas, "dependencies in the catalogue", looked) {
        let (class, kind, owner) = (text(&row, 0), text(&row, 1), text(&row, 5));
        let (relkind, via, definition) = (text(&row, 6), text(&row, 7), text(&row, 8));
        let (area, kind) = place(&class, &kind, &relkind, &via);
        let mut detail = match of_table.iter().any(|table| is_direct(&via, table)) {
            true => format!("{uses} the table"),
            false => format!("{uses} it through {via}"),
        };
        if !owner.is_empty() && !matches!(relkind.as_str(), "v" | "m") {
            detail = format!("on {owner}, {detail}");
        }
        if !definition.is_empty() {
            detail = format!("{detail}: {definition}");
        }
        found.add(area, &kind, name(&row, &class, &owner), detail, certainty);
    }
    Ok(())
}

/// The table itself, or its row type, leads there.
fn is_direct(via: &str, table: &str) -> bool {
    via.split(", ").any(|via| {
        ["table ", "type ", "foreign table ", "view ", "materialized view "]
            .iter()
            .any(|kind| via.strip_prefix(kind).is_some_and(|name| name.trim_end_matches("[]") == table))
    })
}

/// The check that a class of objects belongs to, and what the object is called.
fn place(class: &str, kind: &str, relkind: &str, via: &str) -> (Area, String) {
    let class = class.trim_start_matches("pg_catalog.");
    let area = match (class, relkind) {
        ("pg_class", "v" | "m") => Area::Views,
        ("pg_class", _) if kind.starts_with("index") => Area::Defaults,
        ("pg_class" | "pg_type", _) => Area::Inheritance,
        ("pg_rewrite", _) => Area::Rules,
        ("pg_trigger" | "pg_event_trigger", _) => Area::Triggers,
        ("pg_policy", _) => Area::Policies,
        ("pg_attrdef" | "pg_constraint", _) if via.starts_with("sequence ") => Area::Sequences,
        ("pg_attrdef" | "pg_constraint" | "pg_statistic_ext", _) => Area::Defaults,
        _ => Area::Functions,
    };
    let kind = match class {
        "pg_attrdef" => "default",
        "pg_constraint" => "constraint",
        _ => kind,
    };
    (area, kind.to_owned())
}

/// `schema.name`, from what the server calls the object.
fn name(row: &TextRow, class: &str, owner: &str) -> String {
    let (schema, name, identity) = (text(row, 2), text(row, 3), text(row, 4));
    let plain = |text: &str| text.replace('"', "");
    match class.trim_start_matches("pg_catalog.") {
        // `for schema.table.column`.
        "pg_attrdef" => plain(identity.trim_start_matches("for ")),
        // `name on schema.table`: the name stands in the schema of its table.
        "pg_trigger" | "pg_policy" | "pg_constraint" | "pg_rewrite" => {
            let own = identity.rsplit_once(" on ").map_or(identity.as_str(), |(name, _)| name);
            // The constraint of a domain has no table, but a schema.
            let of_table = owner.split('.').next().unwrap_or_default();
            let schema = if owner.is_empty() { schema.as_str() } else { of_table };
            plain(&format!("{schema}.{own}"))
        }
        // `schema.name(arguments)`.
        "pg_proc" => plain(identity.split('(').next().unwrap_or_default()),
        // A column has the identity of its own, its name is that of the table.
        "pg_class" => plain(&identity),
        _ if !schema.is_empty() && !name.is_empty() => plain(&format!("{schema}.{name}")),
        _ => plain(&identity),
    }
}
