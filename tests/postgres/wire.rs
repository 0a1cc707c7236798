//! The form in which rows travel is the program's own affair: whatever it is, the same rows arrive.

use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use reckon::config::Columns;
use reckon::source::{DetailColumns, DetailRule, KeyColumns, Progress, Selection, Sink};

use super::cluster::{Cluster, Db, SUPERUSER};
use super::collect::{Keeper, Row, field, open_with, rows_of, settings, side};

const COLUMNS: [&str; 5] = ["id", "u", "a", "n", "c"];

/// Asks for the details of all rows that a rule wants, and counts what comes.
struct Asking<'a>(&'a DetailRule, usize);

impl Sink for Asking<'_> {
    fn keys(&mut self, keys: &KeyColumns) -> Selection {
        let labels = keys.action[0].as_dictionary::<Int32Type>().downcast_dict::<StringArray>().unwrap();
        let wanted =
            labels.into_iter().enumerate().filter(|(_, label)| self.0.wants(label.unwrap_or_default()));
        Selection::Rows(wanted.map(|(row, _)| row as u32).collect())
    }

    fn details(&mut self, _: &KeyColumns, _: &Selection, details: &DetailColumns) {
        self.1 += details.id.len();
    }
}

/// Sides are read with all details, and with those of grants alone.
fn scan(url: &str, columns: &Columns, streams: usize) -> [Vec<Row>; 2] {
    let rule = DetailRule::Labels { listed: vec!["trial_grant".to_owned()], usage: None, user: None };
    let grants = || Keeper::wanting(|keys| keys.contains("trial_grant"));
    let mut database = open_with(url, settings(streams)).unwrap();
    [
        rows_of(&database.scan(columns, &DetailRule::All, &Keeper::all, &Progress::hidden()).unwrap()),
        rows_of(&database.scan(columns, &rule, &grants, &Progress::hidden()).unwrap()),
    ]
}

/// Rows of all lengths, some longer than any buffer on the way.
fn uneven_table(db: &Db) {
    db.sql(
        "create table t (id uuid default gen_random_uuid(), u int, a text, n int, c timestamptz, ref text);
         insert into t (u, a, n, c, ref)
           select i % 97, case when i % 50 = 0 then 'trial_grant' else 'chat' end, i % 1000,
             timestamptz '2026-01-01' + i * interval '1 second', repeat('x', i % 700)
           from generate_series(1, 40000) i;
         insert into t (u, a, n, c, ref)
           select 1, 'trial_grant', i, timestamptz '2026-03-01', repeat(chr(64 + i), i * 400000)
           from generate_series(1, 6) i;",
    );
}

#[test]
fn rows_of_any_length_come_by_every_way_to_the_server() {
    let db = Cluster::shared().database("ways");
    uneven_table(&db);
    let mut columns = side("t", COLUMNS);
    columns.reference = vec![field("ref")];
    let port = db.cluster.port();
    let folder = db.cluster.folder().display().to_string();
    let ways = [
        db.url(),
        // The server has no TLS: the first session asks for it, the further ones need not.
        format!("postgres://{SUPERUSER}@127.0.0.1:{port}/{}?sslmode=prefer", db.name),
        format!("host={folder} port={port} user={SUPERUSER} dbname={}", db.name),
    ];
    let expected = scan(&ways[0], &columns, 1);
    assert_eq!(expected[0].len(), 40_006);
    assert_eq!(expected[1].iter().filter(|row| row.details.is_some()).count(), 806);
    let longest = expected[0].iter().filter_map(|row| row.details.as_ref()).map(String::len).max();
    assert!(longest > Some(2_400_000));
    for way in &ways {
        for streams in [1, 3] {
            assert!(scan(way, &columns, streams) == expected, "{way} with {streams} readers");
        }
    }
}

#[test]
fn success_arrives_as_it_is_whatever_it_travels_with() {
    let db = Cluster::shared().database("folded");
    let values = "(-32768, true), (-32768, false), (32767, true), (32767, false), (0, true), (0, false), \
                  (-1, false), (1, true)";
    let extremes = "(-2147483648, true), (-2147483648, false), (2147483647, true), (2147483647, false)";
    let cases = [
        ("smallint not null", "boolean not null", values, ""),
        ("integer not null", "boolean not null", values, extremes),
        ("integer not null", "boolean", values, "(-2147483648, null), (2147483647, null), (0, null)"),
        ("integer", "boolean not null", values, "(null, true), (null, false)"),
        ("bigint not null", "boolean", values, "(9223372036854775807, false), (17179869184, null)"),
        ("integer not null", "integer", "(1, 0), (2, 1), (3, null)", ""),
        ("integer not null", "text", "(1, 'no'), (2, 'yes'), (3, null)", ""),
    ];
    for (at, (amount, success, some, further)) in cases.into_iter().enumerate() {
        let name = format!("t{at}");
        let values =
            [some, further].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        db.sql(&format!(
            "create table {name} (n {amount}, s {success}, id serial, u int default 1, a text default 'chat', \
             c timestamptz default '2026-01-01 00:00+00'); insert into {name} (n, s) values {values};"
        ));
        let shown =
            "select string_agg(coalesce(n::text, '∅') || '|' || coalesce(s::text, '∅'), ' ' order by id)";
        let mut expected: Vec<String> =
            db.value(&format!("{shown} from {name}")).split(' ').map(str::to_owned).collect();
        expected.sort();
        let mut columns = side(&name, COLUMNS);
        columns.success = Some(field("s"));
        for rows in scan(&db.url(), &columns, 1) {
            let pair = |row: &Row| {
                let parts: Vec<&str> = row.keys.split('|').collect();
                format!("{}|{}", parts[2], parts[4])
            };
            let mut arrived: Vec<String> = rows.iter().map(pair).collect();
            arrived.sort();
            assert_eq!(arrived, expected, "{amount}, {success}");
        }
    }
}

#[test]
fn a_rule_of_few_labels_or_many_wants_the_same_rows() {
    let db = Cluster::shared().database("labels");
    db.sql(
        "create table t (id int, u int, a text, n int, c timestamptz);
         insert into t select i, 1, 'label ' || i % 40, 1, '2026-01-01+00' from generate_series(1, 4000) i;",
    );
    for analyze in ["", "analyze t"] {
        db.sql(analyze);
        for count in [1, 2, 3, 8, 9, 30] {
            let listed: Vec<String> = (0..count).map(|at| format!("label {at}")).collect();
            let rules = [
                DetailRule::Labels { listed: listed.clone(), usage: None, user: None },
                DetailRule::Labels { listed: Vec::new(), usage: Some(listed), user: None },
            ];
            for (rule, expected) in rules.iter().zip([100 * count, 100 * (40 - count)]) {
                let mut database = open_with(&db.url(), settings(1)).unwrap();
                let sink = || Asking(rule, 0);
                let reading = database.scan(&side("t", COLUMNS), rule, &sink, &Progress::hidden()).unwrap();
                let sent: usize = reading.sinks.iter().map(|sink| sink.1).sum();
                assert_eq!(sent, expected, "{count} labels {analyze}");
            }
        }
    }
}
