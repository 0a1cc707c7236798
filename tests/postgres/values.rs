//! Values go round: what the server shows is what arrives.

use reckon::source::{DetailRule, Progress};

use super::cluster::Cluster;
use super::collect::{Keeper, field, open, read_all, rows_of, side};

/// Values that are tried, and how each arrives.
type Values = &'static [(&'static str, &'static str)];

/// Column, its type, and the values with how each arrives.
const CASES: &[(&str, &str, Values)] = &[
    ("amount", "smallint", &[("-32768", "-32768"), ("32767", "32767"), ("null", "∅")]),
    ("amount", "integer", &[("-2147483648", "-2147483648"), ("0", "0")]),
    ("amount", "bigint", &[("9223372036854775807", "9223372036854775807"), ("-1", "-1")]),
    ("amount", "numeric", &[("12", "12"), ("-10000", "-10000"), ("100000000", "100000000"), ("12.00", "12")]),
    ("amount", "numeric", &[("12", "12"), ("'NaN'", "NaN"), ("0.0001", "0.0001"), ("null", "∅")]),
    ("amount", "numeric", &[("-123456789012345678901234567890.5", "-123456789012345678901234567890.5")]),
    (
        "amount",
        "numeric",
        &[("-9223372036854775808", "-9223372036854775808"), ("9223372036854775808", "9223372036854775808")],
    ),
    ("amount", "numeric(20,0)", &[("10000000000000000", "10000000000000000"), ("1.5", "2")]),
    ("amount", "double precision", &[("12", "12"), ("1.5", "1.5"), ("'NaN'", "NaN")]),
    ("amount", "text", &[("'12'", "12"), ("'twelve'", "twelve"), ("''", "")]),
    (
        "created_at",
        "timestamptz",
        &[
            ("'2026-03-01 12:00:00.000001+02'", "2026-03-01T10:00:00.000001Z"),
            ("'1969-12-31 23:59:59.999999+00'", "1969-12-31T23:59:59.999999Z"),
            ("'infinity'", "infinity"),
            ("'-infinity'", "-infinity"),
            ("null", "∅"),
        ],
    ),
    (
        "created_at",
        "timestamp",
        &[("'2026-03-01 12:00:00'", "2026-03-01T12:00:00.000000"), ("'infinity'", "infinity")],
    ),
    ("created_at", "date", &[("'2026-03-01'", "2026-03-01T00:00:00.000000"), ("'-infinity'", "-infinity")]),
    ("created_at", "text", &[("'yesterday'", "yesterday")]),
    (
        "user_id",
        "uuid",
        &[("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")],
    ),
    ("user_id", "bigint", &[("42", "42")]),
    ("user_id", "numeric", &[("42", "42")]),
    ("user_id", "text", &[("'Jörg; \"x\"\n'", "Jörg; \"x\"\n"), ("''", "")]),
    ("user_id", "char(6)", &[("'ab'", "ab")]),
    ("user_id", "inet", &[("'10.0.0.1'", "10.0.0.1/32")]),
    ("action", "varchar(20)", &[("'it''s'", "it's"), ("null", "∅")]),
    ("action", "kind", &[("'renewal_grant'", "renewal_grant"), ("'b, c'", "b, c")]),
    ("action", "named_kind", &[("'b, c'", "b, c")]),
    ("action", "name", &[("'x'", "x")]),
    ("success", "boolean", &[("true", "true"), ("false", "false"), ("null", "∅")]),
    ("success", "integer", &[("0", "0")]),
];

#[test]
fn every_type_arrives_as_the_server_shows_it() {
    let db = Cluster::shared().database("values");
    db.sql("create type kind as enum ('renewal_grant', 'b, c'); create domain named_kind as kind;");
    for (at, (column, type_name, values)) in CASES.iter().enumerate() {
        let name = format!("t{at}");
        let defaults = [
            ("id", "int", "row_number() over ()"),
            ("user_id", "int", "1"),
            ("action", "text", "'x'"),
            ("amount", "int", "1"),
            ("created_at", "timestamptz", "'2026-01-01 00:00:00+00'"),
            ("success", "boolean", "true"),
        ];
        let definitions: Vec<String> = defaults
            .iter()
            .map(|(name, default, _)| format!("{name} {}", if name == column { type_name } else { default }))
            .collect();
        db.sql(&format!("create table {name} ({})", definitions.join(", ")));
        for (value, _) in *values {
            let list: Vec<&str> = defaults
                .iter()
                .map(|(name, _, default)| if name == column { *value } else { *default })
                .collect();
            db.sql(&format!("insert into {name} select {}", list.join(", ")));
        }
        let mut columns = side(&name, ["id", "user_id", "action", "amount", "created_at"]);
        columns.success = Some(field("success"));
        let reading = read_all(&db, &columns);
        let place = ["user_id", "action", "amount", "created_at", "success"]
            .iter()
            .position(|c| c == column)
            .unwrap();
        let mut arrived: Vec<String> =
            rows_of(&reading).iter().map(|row| row.keys.split('|').nth(place).unwrap().to_owned()).collect();
        let mut expected: Vec<String> = values.iter().map(|(_, expected)| (*expected).to_owned()).collect();
        arrived.sort();
        expected.sort();
        assert_eq!(arrived, expected, "{column} {type_name}");
    }
}

#[test]
fn the_control_total_is_the_servers_and_counts_only_whole_amounts() {
    let db = Cluster::shared().database("control");
    let cases = [
        ("int", "(1), (-5), (null)", "3 -4"),
        (
            "bigint",
            "(9223372036854775807), (9223372036854775807), (-9223372036854775808)",
            "3 18446744073709551614",
        ),
        (
            "numeric",
            "(1.5), (2.00), ('NaN'), (9223372036854775808), (-9223372036854775807)",
            "5 -9223372036854775805",
        ),
        ("double precision", "(1.5), (2), ('NaN'), ('Infinity'), (9007199254740993)", "5 2"),
        ("text", "(' 12 '), ('12.00'), ('+1'), ('1e3'), (''), (null), ('x')", "7 25"),
        ("jsonb", "('{\"n\": 7}'), ('{\"n\": \"8\"}'), ('{\"n\": null}'), ('[]')", "4 15"),
    ];
    for (at, (type_name, values, expected)) in cases.into_iter().enumerate() {
        let name = format!("t{at}");
        db.sql(&format!(
            "create table {name} (amount {type_name}, id serial, u int default 1, a text default 'x', \
             c timestamptz default now()); insert into {name} (amount) values {values};"
        ));
        let amount = if type_name == "jsonb" { "amount.n" } else { "amount" };
        let reading = read_all(&db, &side(&name, ["id", "u", "a", amount, "c"]));
        let control = reading.provenance.control;
        assert_eq!(format!("{} {}", control.rows, control.tokens), expected, "{type_name}");
    }
}

#[test]
fn details_follow_json_paths_and_a_column_of_the_whole_name_goes_first() {
    let db = Cluster::shared().database("details");
    db.sql(
        r#"create table "Order" (id uuid, "user" text, label text, n int, at timestamptz, metadata jsonb, raw json,
             "metadata.whole" text, ends timestamptz, after numeric);
           insert into "Order" values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'u', 'g', 1, '2026-01-01+00',
             '{"payment": {"it''s \"x\"\\": "pi_1"}, "whole": "no", "list": [1, {"k": true}], "null": null}',
             '{"a": 1.50}', 'yes', '2026-02-01+00', 7.5);
           insert into "Order" (id, "user", label, n, at) values (null, 'u', 'g', 1, '2026-01-01+00');"#,
    );
    let mut columns = side("public.Order", ["id", "user", "label", "n", "at"]);
    let path = |keys: &[&str]| reckon::config::Field {
        written: keys.join("."),
        column: keys[0].to_owned(),
        path: keys[1..].iter().map(|key| (*key).to_owned()).collect(),
    };
    columns.reference = vec![path(&["metadata", "payment", "it's \"x\"\\"]), field("metadata.whole")];
    columns.payment = vec![field("metadata.list.1.k"), field("metadata.null"), field("raw.a")];
    columns.expires_at = Some(field("ends"));
    columns.balance_after = Some(field("after"));
    let expected =
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|pi_1|yes|true|∅|1.50|2026-02-01T00:00:00.000000Z|7.5";
    let reading = read_all(&db, &columns);
    let rows = rows_of(&reading);
    assert_eq!(rows[1].details.as_deref(), Some("∅|∅|∅|∅|∅|∅|∅|∅"));
    assert_eq!(rows[0].details.as_deref(), Some(expected));
    assert_eq!([rows[0].id_is_null, rows[1].id_is_null], [false, true]);
}

#[test]
fn details_come_for_the_labels_that_are_wanted_and_for_every_row_that_may_be_rejected() {
    let db = Cluster::shared().database("rule");
    db.sql(
        "create table t (id text, u text, kind text, source text, n numeric, at timestamp, ref text);
         insert into t values
           ('1', 'u', 'grant', 'trial', 1, '2026-01-01', 'listed'),
           ('2', 'u', 'chat', null, 1, '2026-01-01', 'usage'),
           ('3', 'u', null, 'late_bonus', 1, '2026-01-01', 'suffix'),
           (null, 'u', 'chat', 'x', 1, '2026-01-01', 'no id'),
           ('', 'u', 'chat', 'x', 1, '2026-01-01', 'empty id'),
           ('5', null, 'chat', 'x', 1, '2026-01-01', 'no user'),
           ('6', '', 'chat', 'x', 1, '2026-01-01', 'empty user'),
           ('7', 'u', 'chat', 'x', null, '2026-01-01', 'no amount'),
           ('8', 'u', 'chat', 'x', 1.5, '2026-01-01', 'half a token'),
           ('9', 'u', 'chat', 'x', 'NaN', '2026-01-01', 'no number'),
           ('10', 'u', 'chat', 'x', 1, null, 'no time'),
           ('11', 'u', 'chat', 'x', 1, 'infinity', 'no end'),
           ('12', 'u', 'chat', 'x', 1, '2026-01-01', 'usage');",
    );
    let mut columns = side("t", ["id", "u", "kind+source", "n", "at"]);
    columns.reference = vec![field("ref")];
    let sent = |rule: &DetailRule| -> Vec<String> {
        // What was sent can be told by asking for single rows.
        let mut database = open(&db.url()).unwrap();
        let every = database.scan(&columns, &DetailRule::All, &Keeper::all, &Progress::hidden()).unwrap();
        let mut sent = Vec::new();
        for row in rows_of(&every) {
            let detail = row.details.unwrap();
            let mut only = columns.clone();
            let id = detail.split('|').next().unwrap().to_owned();
            db.sql("drop view if exists one");
            let condition = if id == "∅" { "id is null".to_owned() } else { format!("id = '{id}'") };
            db.sql(&format!("create view one as select * from t where {condition}"));
            only.origin = reckon::config::Origin::Table(super::collect::table("one"));
            let one = open(&db.url()).unwrap().scan(&only, rule, &Keeper::all, &Progress::hidden());
            if one.is_ok() {
                sent.push(detail.split('|').nth(1).unwrap().to_owned());
            }
        }
        sent.sort();
        sent
    };
    let rejected = [
        "empty id",
        "empty user",
        "half a token",
        "no amount",
        "no end",
        "no id",
        "no number",
        "no time",
        "no user",
    ];
    let with = |further: &[&str]| {
        let mut all: Vec<String> = rejected.iter().chain(further).map(|text| (*text).to_owned()).collect();
        all.sort();
        all
    };
    let listed = vec!["grant/trial".to_owned()];
    assert_eq!(
        sent(&DetailRule::Labels { listed: listed.clone(), usage: None, user: None }),
        with(&["listed", "suffix"])
    );
    let usage = Some(vec!["chat/".to_owned(), "chat/x".to_owned()]);
    assert_eq!(sent(&DetailRule::Labels { listed, usage, user: None }), with(&["listed", "suffix"]));
}
