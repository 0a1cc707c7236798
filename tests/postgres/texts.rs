//! Values that travel as text: the same text whatever a role has set, and a way out where the server can make
//! none.

use reckon::config::Columns;
use reckon::source::{DetailRule, Progress, SourceError};

use super::cluster::{Cluster, Db};
use super::collect::{Keeper, Row, field, open, rows_of, side};

fn scan(url: &str, columns: &Columns) -> Result<Vec<Row>, SourceError> {
    let mut database = open(url).unwrap();
    database.scan(columns, &DetailRule::All, &Keeper::all, &Progress::hidden()).map(|read| rows_of(&read))
}

#[test]
fn settings_of_a_role_change_no_value() {
    let db = Cluster::shared().database("settings");
    let role = format!("{}_job", db.name);
    db.sql(&format!(
        "create role {role} login; alter role {role} set bytea_output = 'escape';
         alter role {role} set extra_float_digits = -10; alter role {role} set intervalstyle = 'iso_8601';
         alter role {role} set datestyle = 'SQL, DMY'; alter role {role} set timezone = 'Asia/Tokyo';
         create table t (id bytea, u float8, a text, n int, c timestamptz, ref interval, other date);
         insert into t values ('\\x61625c', 0.1::float8 + 0.2::float8, 'g', 1, '2026-01-01+00', '1 day 02:03', '2026-02-01');
         grant select on t to {role};"
    ));
    let mut columns = side("t", ["id", "u", "a", "n", "c"]);
    columns.reference = vec![field("ref"), field("other")];
    let expected = r"\x61625c|1 day 02:03:00|2026-02-01";
    for role in ["postgres", role.as_str()] {
        let rows = scan(&db.url_as(role), &columns).unwrap();
        assert_eq!(rows[0].keys, "0.30000000000000004|g|1|2026-01-01T00:00:00.000000Z", "{role}");
        assert_eq!(rows[0].details.as_deref(), Some(expected), "{role}");
    }
}

#[test]
fn texts_in_json_that_the_server_cannot_hand_out_are_read_here() {
    let db = Cluster::shared().database("json");
    db.sql(
        r#"create table t (id int, u int, a text, n int, c timestamptz default '2026-01-01+00', m json);
           insert into t values (1, 1, 'g', 1, default, '{"ref": "pi_1", "note": "x\u0000y", "deep": {"k": [1, 2]}}'),
             (2, 2, 'g', 1, default, '{"note": "\ud800", "ref": 7, "ref": "last"}'), (3, 3, 'g', 1, default, null),
             (4, 4, 'g', 1, default, '[]');"#,
    );
    let mut columns = side("t", ["id", "u", "a", "n", "c"]);
    columns.reference = vec![field("m.ref"), field("m.deep.k.-1")];
    columns.link = Some(field("m.deep"));
    columns.payment = vec![field("m")];
    let details: Vec<String> =
        scan(&db.url(), &columns).unwrap().into_iter().map(|row| row.details.unwrap()).collect();
    let whole = r#"{"ref": "pi_1", "note": "x\u0000y", "deep": {"k": [1, 2]}}"#;
    assert_eq!(details[0], format!(r#"1|pi_1|2|{whole}|{{"k":[1,2]}}"#));
    assert_eq!(details[1], r#"2|last|∅|{"note": "\ud800", "ref": 7, "ref": "last"}|∅"#);
    assert_eq!(details[2..], ["3|∅|∅|∅|∅", "4|∅|∅|[]|∅"]);
    // Half of a surrogate pair where a field is: nobody can make a text of it, so the row is named.
    columns.reference = vec![field("m.note")];
    let error = scan(&db.url(), &columns).unwrap_err().to_string();
    assert!(error.contains("the row of id 2: column m holds text"), "{error}");
}

/// The query that a message gives to find the rows; its first column.
fn found_by(db: &Db, message: &str) -> Vec<String> {
    let query = message.split("select t.* from").nth(1).and_then(|rest| rest.split(" finds the rows").next());
    let query = format!("select t.id from{}", query.unwrap_or_else(|| panic!("no query: {message}")));
    db.query(&query).into_iter().map(|row| row[0].clone()).collect()
}

#[test]
fn a_text_that_only_the_server_can_look_at_is_named_with_a_query_that_finds_it() {
    let db = Cluster::shared().database("unreadable");
    db.sql(
        r#"create table t (id int, u int, a text, c timestamptz default '2026-01-01+00', "M 1" json);
           insert into t values (1, 1, 'g', default, '{"n": 1}'), (2, 1, 'g', default, '{"n": 2, "x": "\u0000"}'),
             (3, 1, 'g', default, '{"n": 3, "x": "\uDFFF"}');"#,
    );
    let error = scan(&db.url(), &side("t", ["id", "u", "a", "M 1.n", "c"])).unwrap_err().to_string();
    assert!(error.contains("(22P0") && error.contains("column M 1 of type json"), "{error}");
    assert_eq!(found_by(&db, &error), ["2", "3"]);

    let bytes = Db { cluster: db.cluster, name: format!("{}_bytes", db.name) };
    db.sql(&format!("create database {} encoding 'SQL_ASCII' template template0", bytes.name));
    bytes.sql(
        "create table t (id int, u text, a text, n int, c timestamptz default '2026-01-01+00');
         insert into t values (1, 'a', 'g', 1), (2, E'\\xe4', 'g', 1), (3, 'ä', 'g', 1);
         create view decoded as
           select id, convert_from(convert(convert_to(u, 'SQL_ASCII'), 'LATIN1', 'UTF8'), 'SQL_ASCII') as u, a, n, c
           from t where id <> 3;",
    );
    let columns = |name: &str| side(name, ["id", "u", "a", "n", "c"]);
    let error = scan(&bytes.url(), &columns("t")).unwrap_err().to_string();
    assert!(error.contains("(22021)") && error.contains("SQL_ASCII"), "{error}");
    assert_eq!(found_by(&bytes, &error), ["2", "3"]);
    assert!(scan(&bytes.url(), &columns("decoded")).unwrap()[1].keys.starts_with("ä|"));
}
