//! Jobs of `pg_cron` whose command names the table.

use crate::config::TableName;

use super::super::super::SourceError;
use super::super::catalogue::{self, text};
use super::super::privileges;
use super::super::session::Session;
use super::mention::{self, Wanted};
use super::paths::Paths;
use super::{Area, DOING, Dependencies, Members};

pub(super) async fn scan(
    session: &Session,
    members: &Members,
    paths: &Paths,
    found: &mut Dependencies,
) -> Result<(), SourceError> {
    let table = TableName { schema: Some("cron".to_owned()), name: "job".to_owned() };
    let Some(relation) = catalogue::find(session, &table).await? else {
        return elsewhere(session, found).await;
    };
    if let Err(error) = privileges::check_privileges(session, &relation) {
        found.at(Area::Jobs).unread.push(error.to_string());
        return Ok(());
    }
    if let Some(why) = privileges::hidden_rows(session, &relation).await? {
        found.at(Area::Jobs).unread.push(why);
        return Ok(());
    }
    // By key, since versions differ in their columns.
    let sql = "select j->>'jobid', j->>'jobname', j->>'schedule', j->>'command', j->>'active' \
               from (select to_jsonb(job) as j from cron.job) as jobs \
               where coalesce(j->>'database', current_database()) = current_database() \
               order by (j->>'jobid')::bigint";
    let looked = session.try_rows(sql, &[], DOING).await?;
    for row in found.rows(&[Area::Jobs], "cron.job", looked) {
        let (number, command) = (text(&row, 0), text(&row, 3));
        let weight = members.names.iter().filter_map(|(schema, name)| {
            let wanted = Wanted { schema, name };
            paths.weigh(&mention::in_sql(&command, wanted), wanted, None)
        });
        let Some(certainty) = weight.min() else { continue };
        let name = match text(&row, 1) {
            name if name.is_empty() => format!("cron.job {number}"),
            name => format!("cron.{name}"),
        };
        let sleeping = if text(&row, 4) == "false" { ", not active" } else { "" };
        let detail = format!("job {number}, schedule {}{sleeping}: {command}", text(&row, 2));
        found.add(Area::Jobs, "job", name, detail, certainty);
    }
    Ok(())
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
