//! The digest of a table: the same rows, the same digest; anything else, another.

use super::retire_world::{open, table};
use crate::postgres::cluster::{Cluster, Db};
use reckon::source::digest::{ShapeColumn, shape};
use reckon::source::postgres::{ROW_TEXT_SETTINGS, TableState, digest_query};

fn digest(db: &Db, name: &str) -> TableState {
    open(db).digest(&table(name)).unwrap()
}

const ROWS: &str = "
    create table t (id int, name text, at timestamptz, part float8, span interval);
    insert into t select n, 'name ' || n, timestamptz '2026-01-01 00:00:00Z' + n * interval '1 minute',
           n / 7.0, n * interval '1 hour 2 seconds'
      from generate_series(1, 5000) as n;";

#[test]
fn the_same_rows_have_the_same_digest_however_they_lie() {
    let db = Cluster::shared().database("digest");
    db.sql(ROWS);
    let before = digest(&db, "public.t");
    assert_eq!(before.digest.rows, 5000);
    db.sql("create table u as select * from t order by id desc");
    assert_eq!(digest(&db, "public.u").digest, before.digest, "another order");
    assert_eq!(digest(&db, "public.u").shape, before.shape);
    db.sql("alter table t add column gone int; update t set gone = 1; alter table t drop column gone;");
    assert_eq!(digest(&db, "public.t"), before, "a column that came and went");
    db.sql("vacuum full t");
    assert_eq!(digest(&db, "public.t"), before, "vacuum full");
    db.sql("create index u_at on u (at desc); cluster u using u_at;");
    assert_eq!(digest(&db, "public.u").digest, before.digest, "clustered");
}

#[test]
fn settings_of_a_session_make_no_difference() {
    let db = Cluster::shared().database("digest_settings");
    db.sql(ROWS);
    let before = digest(&db, "public.t");
    let others =
        "set timezone = 'Asia/Kathmandu'; set datestyle = 'German'; set intervalstyle = 'sql_standard';
         set extra_float_digits = -10; set bytea_output = 'escape'; set quote_all_identifiers = on;";
    let sql = format!("{others} begin; {ROW_TEXT_SETTINGS} {}; rollback;", digest_query("public.t"));
    let found = db.try_sql(&sql).unwrap();
    assert!(found.contains(&before.digest.to_string()), "{found}");
    db.sql(&format!(
        "alter database \"{0}\" set timezone = 'Asia/Kathmandu'; alter database \"{0}\" set datestyle = 'German';
         alter database \"{0}\" set extra_float_digits = -10; alter database \"{0}\" set search_path = nowhere;",
        db.name
    ));
    assert_eq!(digest(&db, "public.t"), before);
}

#[test]
fn the_session_goes_on_as_it_was() {
    let db = Cluster::shared().database("digest_after");
    db.sql(ROWS);
    let mut database = open(&db);
    let path = "select current_setting('search_path') || current_setting('extra_float_digits') \
                || current_setting('intervalstyle')";
    let before = database.rows_text(path).unwrap();
    let first = database.digest(&table("public.t")).unwrap();
    assert_eq!(database.rows_text(path).unwrap(), before);
    db.sql("delete from t where id = 1");
    assert_eq!(database.digest(&table("public.t")).unwrap(), first, "the snapshot's rows");
}

#[test]
fn any_other_rows_have_another_digest() {
    let cases = [
        ("a value changed", "update t set name = 'other' where id = 77"),
        ("a row missing", "delete from t where id = 77"),
        ("a row twice", "insert into t select * from t where id = 77"),
        ("a row four times", "insert into t select t.* from t, generate_series(1, 3) where id = 77"),
        ("every row twice", "insert into t select * from t"),
        (
            "a row exchanged for a copy of another",
            "delete from t where id = 77; insert into t select * from t where id = 78",
        ),
        (
            "two values swapped",
            "update t set name = case id when 1 then 'name 2' else 'name 1' end where id in (1, 2)",
        ),
        ("all times moved", "update t set at = at + interval '1 microsecond'"),
        ("null for the empty text", "update t set name = case id when 1 then '' end where id in (1, 2)"),
        ("no row at all", "delete from t"),
        ("the last bit of a float", "update t set part = 0.1::float8 + 0.2::float8 where id = 1"),
    ];
    let db = Cluster::shared().database("digest_changes");
    db.sql(ROWS);
    let mut seen = vec![digest(&db, "public.t").digest];
    for (what, change) in cases {
        db.sql(&format!("drop table t; {ROWS} {change}"));
        let found = digest(&db, "public.t").digest;
        assert!(!seen.contains(&found), "{what}: {found}");
        seen.push(found);
    }
    db.sql(&format!("drop table t; {ROWS} update t set part = 0.3 where id = 1"));
    assert_ne!(digest(&db, "public.t").digest, seen[seen.len() - 1], "0.3 is not 0.1 + 0.2");
    db.sql(&format!(
        "drop table t; {ROWS} update t set name = case id when 2 then '' end where id in (1, 2)"
    ));
    assert!(!seen.contains(&digest(&db, "public.t").digest), "null and the empty text the other way round");
}

#[test]
fn the_shape_knows_names_types_and_order_of_columns() {
    let db = Cluster::shared().database("digest_shape");
    db.sql(
        "create schema s; create type s.kind as enum ('a');
         create table s.t (\"Odd \"\" name\" integer, kind s.kind[], price numeric(10, 2));
         create table s.u (kind s.kind[], \"Odd \"\" name\" integer, price numeric(10, 2));
         create table s.v (\"Odd \"\" name\" integer, kind s.kind[], price numeric(10, 3));
         create table s.w (\"Odd \"\" name\" integer, kind text[], price numeric(10, 2));",
    );
    let column = |name: &str, of: &str| ShapeColumn { name: name.to_owned(), type_name: of.to_owned() };
    let columns =
        [column("Odd \" name", "integer"), column("kind", "s.kind[]"), column("price", "numeric(10,2)")];
    let found = digest(&db, "s.t").shape;
    assert_eq!(found, shape(&columns), "the program's and the server's");
    for other in ["s.u", "s.v", "s.w"] {
        assert_ne!(digest(&db, other).shape, found, "{other}");
    }
}

#[test]
fn a_cast_that_somebody_made_hides_nothing() {
    let db = Cluster::shared().database("digest_cast");
    db.sql(
        "create table t (id int); insert into t values (1);
         create function shown(public.t) returns text language sql immutable as $$select 'a row'$$;
         create cast (public.t as text) with function shown(public.t);",
    );
    assert_eq!(db.value("select t::text from public.t"), "a row");
    let before = digest(&db, "public.t").digest;
    db.sql("update t set id = 2");
    assert_ne!(digest(&db, "public.t").digest, before);
}

#[test]
fn a_table_whose_rows_are_hidden_has_no_digest() {
    let db = Cluster::shared().database("digest_hidden");
    db.sql(
        "create table t (id int); insert into t values (1), (2);
         alter table t enable row level security; create policy one on t using (id = 1);
         create role digest_reader login; grant select on t to digest_reader;",
    );
    let url = db.url_as("digest_reader");
    let variable = |name: &str| (name == "DATABASE_URL").then(|| url.clone());
    let settings = reckon::config::Postgres::default();
    let progress = reckon::source::Progress::hidden();
    let mut database =
        reckon::source::postgres::Database::open_with(&variable, &settings, &progress).unwrap();
    let error = database.digest(&table("public.t")).unwrap_err().to_string();
    assert!(error.contains("row-level security") && error.contains("digest_reader"), "{error}");
}
