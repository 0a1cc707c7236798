//! Rows of the table of members as files have them.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};

use super::members::members;
use crate::config::{Pools, parse_field, table_of_path};
use crate::source::{PoolsChunk, PoolsReading, Provenance};

/// `user,pool,owner,from,to` a line; what is empty is null.
fn read(lines: &str) -> Result<Vec<String>, String> {
    let rows: Vec<Vec<&str>> = lines.lines().map(|line| line.trim().split(',').collect()).collect();
    let column = |at: usize| -> ArrayRef {
        Arc::new(
            rows.iter().map(|row| Some(row[at]).filter(|cell| !cell.is_empty())).collect::<StringArray>(),
        )
    };
    let chunk = PoolsChunk {
        user: column(0),
        pool: column(1),
        owner: Some(column(2)),
        from: Some(column(3)),
        to: Some(column(4)),
        place: crate::source::Place::Table("household_members".to_owned()),
    };
    let field = |name: &str| parse_field(name).unwrap();
    let pools = Pools {
        origin: crate::config::Origin::Table(table_of_path("m.csv", "m")),
        user: field("user"),
        pool: field("pool"),
        owner: Some(field("owner")),
        from: Some(field("from")),
        to: Some(field("to")),
        timezone: chrono_tz::Tz::UTC,
    };
    let control = crate::domain::Total::default();
    let (name, files, notes) = ("m.csv".to_owned(), Vec::new(), Vec::new());
    let provenance = Provenance { kind: "csv", name, files, control, notes };
    let reading = PoolsReading { chunks: vec![chunk], provenance };
    let time = |at: Option<crate::domain::Instant>| at.map_or(String::new(), |at| at.rfc3339());
    let line = |member: super::Member| {
        let owner = member.owner.map_or(String::new(), |owner| owner.to_string());
        format!("{},{},{owner},{},{}", member.user, member.pool, time(member.from), time(member.to))
    };
    let members = members(&reading, &pools).map_err(|error| error.to_string())?;
    Ok(members.into_iter().map(line).collect())
}

#[test]
fn members_come_in_order_once_each_and_only_those_in_a_pool() {
    let found = read(
        "bob,h1,ann,2026-01-01,
         ann,h1,ann,,
         ann,h1,ann,,
         cid,,,,
         dan,h2,,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z
         eve,h2,,-infinity,infinity",
    );
    assert_eq!(found.unwrap(), ["ann,h1,ann,,", "bob,h1,ann,2026-01-01T00:00:00.000000Z,", "eve,h2,,,"]);
}

#[test]
fn what_cannot_be_is_said_with_its_place() {
    let cases = [
        (",h1,,,", "table household_members: a member of pool h1 without a user"),
        ("ann,h1,,soon,", "table household_members: user ann in pool h1: from \"soon\" is not a time"),
        (
            "ann,h1,,2026-02-01,2026-01-01",
            "table household_members: user ann in pool h1 is a member from 2026-02-01T00:00:00.000000Z to \
             2026-01-01T00:00:00.000000Z: the end lies before the beginning",
        ),
    ];
    for (line, expected) in cases {
        let error = read(line).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}
