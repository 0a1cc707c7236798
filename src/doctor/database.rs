//! The server: connection, version, snapshot, sessions; then each table.

use crate::config::{Columns, Config, Origin, Stored};
use crate::source::postgres::Database;
use crate::source::{Progress, SourceError};

use super::{Examination, Ledger, State, members, shown, table};

/// The oldest version whose catalogue and snapshots are known to fit.
const OLDEST: u32 = 130_000;
/// The first version that reads a table in parallel by block ranges.
const PARALLEL_SINCE: u32 = 140_000;

pub(super) fn examine(
    config: &Config,
    sides: &[(Ledger, &Columns); 2],
    progress: &Progress,
    found: &mut Examination,
) -> Result<(), SourceError> {
    let opened = Database::open(&config.postgres, progress);
    let good = |database: &Database| format!("{}, in a read-only transaction", database.describe());
    let Some(mut database) = found.add_result("connection", "database", opened, good)? else {
        for (_, columns) in sides {
            if let Origin::Table(table) = &columns.origin {
                found.add("table", table.to_string(), State::NotTested, "there is no connection");
            }
        }
        return Ok(());
    };
    server(&mut database, found)?;
    sessions(config, &mut database, progress, found)?;
    for (ledger, columns) in sides {
        if let Origin::Table(name) = &columns.origin {
            table::examine(config, *ledger, columns, name, &mut database, found)?;
        }
    }
    if let Some(stored) = &config.balances.stored
        && let Origin::Table(_) = stored.origin
    {
        balances(&mut database, stored, found)?;
    }
    if let Some(pools) = &config.balances.pools
        && let Origin::Table(_) = pools.origin
    {
        let reading = database.pools(pools);
        members(reading, pools, found)?;
    }
    // Those of the ledgers are told with them.
    let is_ledger = |table: &str| sides.iter().any(|(_, columns)| shown(&columns.origin) == table);
    for (table, doubt) in database.doubts().filter(|(table, _)| !is_ledger(table)) {
        found.add("row-level security", table, State::NotTested, doubt);
    }
    Ok(())
}

fn server(database: &mut Database, found: &mut Examination) -> Result<(), SourceError> {
    let version = database.version();
    let shown = format!("PostgreSQL {}.{}", version / 10_000, version % 10_000);
    let (state, detail) = if version < OLDEST {
        (State::Fail, format!("{shown}: reckon reads 13 and later"))
    } else if version < PARALLEL_SINCE {
        (State::Ok, format!("{shown}: each table is read in one stream, version 14 reads by block ranges"))
    } else {
        (State::Ok, shown)
    };
    found.add("server", "database", state, detail);
    let snapshot = database.snapshot().clone();
    let place = snapshot.lsn.as_deref().unwrap_or("unknown");
    let detail = format!("exported as {} of {} at position {place}", snapshot.name, snapshot.at.rfc3339());
    found.add("snapshot", "database", State::Ok, detail);
    let sql = "select pg_is_in_recovery(), current_user, rolsuper from pg_roles where rolname = current_user";
    let rows = database.rows_text(sql)?;
    let flag = |at: usize| rows.first().and_then(|row| row.get(at)?.as_deref()) == Some("t");
    if flag(0) {
        let detail = "a standby: long reads can be cancelled by replay (hot_standby_feedback, \
                      max_standby_streaming_delay)";
        found.add("standby", "database", State::Warn, detail);
    }
    let role = database.role().to_owned();
    let (state, detail) = if flag(2) {
        (State::Warn, format!("role {role} is a superuser: a role that may only read is enough"))
    } else {
        (State::Ok, format!("role {role}"))
    };
    found.add("role", "database", state, detail);
    Ok(())
}

fn sessions(
    config: &Config,
    database: &mut Database,
    progress: &Progress,
    found: &mut Examination,
) -> Result<(), SourceError> {
    let wanted = config.postgres.streams;
    let got = database.sessions(wanted, progress)?;
    let (state, detail) = if got < wanted {
        let why = "a pooler or a connection limit keeps the others out; reading goes on with these";
        (State::Warn, format!("{got} of {wanted} sessions open at once: {why} ([postgres] streams)"))
    } else {
        (State::Ok, format!("{got} sessions can share the snapshot"))
    };
    found.add("sessions", "database", state, detail);
    Ok(())
}

fn balances(database: &mut Database, stored: &Stored, found: &mut Examination) -> Result<(), SourceError> {
    let name = shown(&stored.origin);
    let result = database.stored(stored);
    let Some(rows) = found.add_result("stored balances", &name, result, |rows| {
        super::counted(rows.balances.len() as u64, "row")
    })?
    else {
        return Ok(());
    };
    // They come in the order of their users.
    let twice = rows
        .balances
        .windows(2)
        .filter(|pair| pair[0].user == pair[1].user)
        .map(|pair| pair[0].user.to_string());
    let mut twice: Vec<String> = twice.collect();
    twice.dedup();
    if !twice.is_empty() && !stored.sum_rows {
        let detail = format!(
            "{} users have several rows, {} among them: keep one row each, or say how they add up in \
             [balances] stored",
            twice.len(),
            twice[0]
        );
        found.add("stored balances", &name, State::Fail, detail);
    }
    Ok(())
}
