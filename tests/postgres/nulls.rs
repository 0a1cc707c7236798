//! A null is read as a null, whatever the catalogue says of the column; one that cannot be ends the run.

use reckon::config::Columns;
use reckon::source::{DetailRule, Progress};

use super::cluster::{Cluster, Db};
use super::collect::{Keeper, field, open, rows_of, side};

fn columns(name: &str) -> Columns {
    Columns { success: Some(field("ok")), ..side(name, ["id", "u", "a", "n", "c"]) }
}

/// The keys of all rows, under both rules on what is sent.
fn keys(db: &Db, name: &str) -> Vec<String> {
    let rule = DetailRule::Labels { listed: vec!["g".to_owned()], usage: None, user: None };
    let [all, listed] = [&DetailRule::All, &rule].map(|rule| {
        let mut database = open(&db.url()).unwrap();
        let reading = database.scan(&columns(name), rule, &Keeper::all, &Progress::hidden()).unwrap();
        rows_of(&reading).into_iter().map(|row| row.keys).collect::<Vec<String>>()
    });
    assert_eq!(all, listed, "{name}");
    all
}

const TIME: &str = "2026-01-01T00:00:00.000000Z";

#[test]
fn nulls_come_through_children_views_and_domains_that_say_there_are_none() {
    let db = Cluster::shared().database("nulls");
    db.sql(
        "create table plain (id int not null, u int not null, a text not null, n int not null,
           c timestamptz not null default '2026-01-01+00', ok boolean not null);
         create table parent (like plain including all); create table child () inherits (parent);
         alter table child alter u drop not null, alter a drop not null, alter n drop not null, alter ok drop not null;
         create domain sure_int as int not null; create domain sure_text as text not null;
         create domain sure_flag as boolean not null;
         create table typed (id int, u sure_int, a sure_text, n sure_int, c timestamptz default '2026-01-01+00',
           ok sure_flag);
         create table ids (id int, c timestamptz default '2026-01-01+00');
         create view seen as select i.id, t.u, t.a, t.n, i.c, t.ok from ids i left join typed t using (id);
         create materialized view kept as select * from seen with no data;
         create table parted (like plain) partition by range (id);
         create table part partition of parted for values from (0) to (9);
         insert into ids values (1), (2);
         insert into plain (id, u, a, n, ok) values (1, 1, 'g', -5, true), (2, 2, 'g', 7, false);
         insert into parted select * from plain; insert into parent select * from plain;
         insert into child (id, u, a, n, ok) values (3, 3, 'g', null, true), (4, 4, 'g', 8, null), (5, 5, null, 9, true),
           (6, null, 'g', 10, false), (7, 7, 'g', null, null);
         insert into typed (id, u, a, n, ok) values (1, 1, 'g', 5, true);
         refresh materialized view kept;
         -- What the manual warns of: a query without a row gives a domain a null.
         insert into typed (id, u, a, n, ok) values (3, 3, 'g', (select n from typed where false),
           (select ok from typed where false));",
    );
    let plain = [format!("1|g|-5|{TIME}|true"), format!("2|g|7|{TIME}|false")];
    assert_eq!(keys(&db, "plain"), plain);
    assert_eq!(keys(&db, "parted"), plain);
    let mut of_child: Vec<String> =
        ["3|g|∅|T|true", "4|g|8|T|∅", "5|∅|9|T|true", "∅|g|10|T|false", "7|g|∅|T|∅"]
            .map(|keys| keys.replace('T', TIME))
            .to_vec();
    assert_eq!(sorted(keys(&db, "child")), sorted(of_child.clone()));
    of_child.extend(plain);
    // Of a child's own label that is null the text is empty, and so it is of the parent.
    assert_eq!(sorted(keys(&db, "parent")), sorted(of_child));
    let joined = [format!("1|g|5|{TIME}|true"), format!("∅|∅|∅|{TIME}|∅")];
    assert_eq!(keys(&db, "seen"), joined);
    assert_eq!(keys(&db, "kept"), joined);
    assert_eq!(keys(&db, "typed"), [format!("1|g|5|{TIME}|true"), format!("3|g|∅|{TIME}|∅")]);
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

#[test]
fn a_null_that_cannot_be_ends_the_run_and_names_its_column() {
    let db = Cluster::shared().database("damaged");
    for (column, row) in [
        ("id", "null, 1, 'g', 5, '2026-01-01', true"),
        ("u", "1, null, 'g', 5, '2026-01-01', true"),
        ("a", "1, 1, null, 5, '2026-01-01', true"),
        ("n", "1, 1, 'g', null, '2026-01-01', true"),
        ("c", "1, 1, 'g', 5, null, true"),
        ("ok", "1, 1, 'g', 5, '2026-01-01', null"),
    ] {
        db.sql(&format!(
            "drop table if exists t; create table t (id int, u int, a text, n int, c timestamptz, ok boolean);
             insert into t values ({row}); set allow_system_table_mods = on;
             update pg_attribute set attnotnull = true where attrelid = 't'::regclass and attnum > 0;"
        ));
        let mut database = open(&db.url()).unwrap();
        let scanned = database.scan(&columns("t"), &DetailRule::All, &Keeper::all, &Progress::hidden());
        let error = scanned.unwrap_err().to_string();
        assert!(error.contains(&format!("column {column} has no value")), "{column}: {error}");
    }
}
