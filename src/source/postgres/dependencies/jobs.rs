//! Jobs inside the database whose command names the table: those of `pg_cron`, pgAgent and `pg_timetable`.

use crate::config::TableName;

use super::super::super::SourceError;
use super::super::catalogue::{self, Relation, flag, text};
use super::super::privileges;
use super::super::session::{Session, TextRow};
use super::mention;
use super::paths::Paths;
use super::{Area, Certainty, DOING, Dependencies, Members};

/// Where schedulers keep commands: schema, table, and the query that lists them.
const KEPT: [(&str, &str, &str); 7] = [
    ("cron", "job", include_str!("jobs/cron.sql")),
    ("pgagent", "pga_jobstep", include_str!("jobs/pgagent.sql")),
    ("timetable", "task", TIMETABLE),
    ("timetable", "parameter", TIMETABLE),
    // Before pg_timetable 4.
    ("timetable", "command", TIMETABLE),
    ("timetable", "base_task", TIMETABLE),
    ("timetable", "chain_execution_parameters", TIMETABLE),
];

const TIMETABLE: &str = include_str!("jobs/timetable.sql");

/// Schemas that schedulers make, and what these are called; that of `pg_cron` is in one database of a server.
const SCHEDULERS: [(&str, &str); 2] = [("pgagent", "pgAgent"), ("timetable", "pg_timetable")];

pub(super) async fn scan(
    session: &Session,
    members: &Members,
    paths: &Paths,
    found: &mut Dependencies,
) -> Result<(), SourceError> {
    let (mut seen, mut dynamic) = (Vec::new(), Vec::new());
    for (schema, table, sql) in KEPT {
        let table = TableName { schema: Some(schema.to_owned()), name: table.to_owned() };
        let Some(relation) = catalogue::find(session, &table).await? else { continue };
        seen.push(schema);
        if let Some(why) = unreadable(session, &relation).await? {
            found.at(Area::Jobs).unread.push(why);
            continue;
        }
        let looked = session.try_rows(&sql.replace("{table}", &relation.sql()), &[], DOING).await?;
        for row in found.rows(&[Area::Jobs], &table.to_string(), looked) {
            job(&row, members, paths, &mut dynamic, found);
        }
    }
    if !seen.contains(&"cron") {
        elsewhere(session, found).await?;
    }
    for (schema, scheduler) in SCHEDULERS {
        let sql = "select nspname::text from pg_catalog.pg_namespace where nspname = $1";
        if !seen.contains(&schema) && !session.rows_with(sql, &[schema], DOING).await?.is_empty() {
            found.at(Area::Jobs).unread.push(format!(
                "there is a schema {schema}, as {scheduler} makes it, without a table that is known to hold its jobs: \
                 look at them by hand"
            ));
        }
    }
    if !dynamic.is_empty() {
        found.at(Area::Jobs).notes.push(format!(
            "SQL that is put together from text which does not name the table is run by {}; what it uses in the end \
             cannot be seen",
            dynamic.join(", ")
        ));
    }
    Ok(())
}

/// Notes a job that uses the table; one that may run any SQL goes to `dynamic`.
fn job(row: &TextRow, members: &Members, paths: &Paths, dynamic: &mut Vec<String>, found: &mut Dependencies) {
    let (name, about, command) = (text(row, 0), text(row, 1), text(row, 2));
    let weight = members.names.iter().filter_map(|(schema, name)| {
        let wanted = paths.wanted(schema, name);
        let mentions = match flag(row, 3) {
            true => mention::in_sql(&command, wanted),
            false => mention::in_text(&command, wanted).into_iter().collect(),
        };
        paths.weigh(&mentions, wanted, None)
    });
    if let Some(certainty) = weight.min() {
        found.add(Area::Jobs, "job", name, format!("{about}: {command}"), certainty);
        return;
    }
    if !flag(row, 3) || !mention::is_dynamic(&command) {
        return;
    }
    match members.names.iter().find_map(|(_, table)| mention::part_in_text(&command, table)) {
        Some(part) => {
            let detail = format!(
                "{about}, puts SQL together, and has a text with a part of the name ({part}): {command}"
            );
            found.add(Area::Jobs, "job", name, detail, Certainty::Possible);
        }
        None => dynamic.push(name),
    }
}

/// Why not every row of a table can be seen; `None`: all can.
async fn unreadable(session: &Session, relation: &Relation) -> Result<Option<String>, SourceError> {
    match privileges::check_privileges(session, relation) {
        Err(error) => Ok(Some(error.to_string())),
        Ok(()) => privileges::hidden_rows(session, relation).await,
    }
}

/// `pg_cron` keeps its jobs in one database of a server, which need not be this one.
async fn elsewhere(session: &Session, found: &mut Dependencies) -> Result<(), SourceError> {
    let sql = "select nullif(current_setting('cron.database_name', true), ''), current_database()::text";
    let looked = session.try_rows(sql, &[], DOING).await?;
    for row in found.rows(&[Area::Jobs], "pg_cron", looked) {
        match row[0].as_deref() {
            None => found.at(Area::Jobs).notes.push("pg_cron is not there".to_owned()),
            Some(database) if database == text(&row, 1) => {
                found.at(Area::Jobs).notes.push("pg_cron is loaded, but has no jobs here".to_owned());
            }
            Some(database) => found.at(Area::Jobs).unread.push(format!(
                "pg_cron keeps its jobs in database {database}, which this session cannot see: look at cron.job there"
            )),
        }
    }
    Ok(())
}
