//! Names inside strings that the server hands to functions: it does not know what they stand for.

use super::super::super::SourceError;
use super::super::catalogue::text;
use super::super::session::Session;
use super::mention;
use super::paths::Paths;
use super::{Area, Certainty, DOING, Dependencies, Members};

/// Notes every definition that has the name of the table, or of a sequence of it, in a string.
pub(super) async fn scan(
    session: &Session,
    members: &Members,
    paths: &Paths,
    found: &mut Dependencies,
) -> Result<(), SourceError> {
    let names: Vec<&str> = members.names.iter().map(|(_, name)| name.as_str()).collect();
    let looked =
        session.try_rows(include_str!("texts.sql"), &[&members.oids, &names.join("\n")], DOING).await?;
    let named = |said: &str, schema: &str, name: &str| mention::is_in_text(said, paths.wanted(schema, name));
    let areas = [Area::Views, Area::Rules, Area::Policies, Area::Triggers, Area::Defaults, Area::Sequences];
    for row in found.rows(&areas, "texts in definitions", looked) {
        let (kind, name, said) =
            (text(&row, 0), format!("{}.{}", text(&row, 1), text(&row, 2)), text(&row, 4));
        let area = match kind.as_str() {
            "trigger" => Area::Triggers,
            "rule" => Area::Rules,
            "policy" => Area::Policies,
            "view" | "materialized view" | "foreign table" => Area::Views,
            _ => Area::Defaults,
        };
        let definition = said.clone();
        // What such a definition says outside its strings the catalogue knows.
        let said = match kind.as_str() {
            "foreign table" | "default" => vec![said],
            _ => mention::texts(&said),
        };
        let says = |schema: &str, name: &str| said.iter().find(|said| named(said, schema, name));
        let on = |said: &str| format!("on {}, has a text with the name: {said}", text(&row, 3));
        if let Some(said) = members.names.iter().find_map(|(schema, table)| says(schema, table)) {
            found.add(area, &kind, name, on(said), Certainty::Possible);
        } else if let Some(said) =
            members.sequences.iter().find_map(|(_, schema, sequence, _)| says(schema, sequence))
        {
            found.add(Area::Sequences, &kind, name, on(said), Certainty::Possible);
        } else if kind != "foreign table" && mention::runs_sql(&definition) {
            let part = |(_, table): &(String, String)| mention::part_in_text(&definition, table);
            let on = text(&row, 3);
            match members.names.iter().find_map(part) {
                Some(part) => {
                    let detail = format!(
                        "on {on}, puts SQL together for a function that runs it, and has a text with a part of the name: {part}"
                    );
                    found.add(area, &kind, name, detail, Certainty::Possible);
                }
                None if mention::runs_sql_on_all(&definition) => {
                    let detail = format!("on {on}, reads every table of a schema or of the database");
                    found.add(area, &kind, name, detail, Certainty::Possible);
                }
                None => found.at(area).notes.push(format!(
                    "{kind} {name} hands SQL to a function that runs it; what that uses in the end cannot be seen"
                )),
            }
        }
    }
    Ok(())
}
