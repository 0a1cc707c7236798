//! The role of the job can write nothing, even when it says that it wants to.

use super::{HBA, Product};
use crate::postgres::cluster::{Cluster, Db};

/// A session that is not read only.
const OPEN: &str = "set default_transaction_read_only = off";

/// One line each, refused whatever PUBLIC may do.
const REFUSED: &str = include_str!("refused.sql");

/// What every role may do unless it is taken from PUBLIC: the part of `role_check.sql`, a statement.
const PUBLIC: [(&str, &str); 8] = [
    ("create", "create table public.mine (a int)"),
    ("temporary", "create temp table mine as select 1"),
    ("temporary", "create function pg_temp.f() returns int language sql as 'select 1'"),
    ("create large objects", "select lo_create(0)"),
    ("create large objects", "select lo_creat(-1)"),
    ("create large objects", "select lo_from_bytea(0, 'x')"),
    ("execute", "select public.grant_as_owner()"),
    ("insert", "insert into public.guest_book values ('x')"),
];

/// What a product may have left open to everybody.
const GUEST_BOOK: &str = "\
create table guest_book (line text);
grant insert on guest_book to public;
create function grant_as_owner() returns void language sql security definer
  as 'insert into public.guest_book values (''by the owner'')';";

/// The state that nobody may change: every row, and every object.
fn state(db: &Db) -> Vec<String> {
    let tables =
        ["a.token_transactions", "token_usage", "user_profiles", "household_members", "secrets", "totals"];
    let mut state: Vec<String> = tables.iter().map(|table| db.digest(table)).collect();
    for catalogue in
        ["pg_namespace", "pg_proc", "pg_policy", "pg_trigger", "pg_roles", "pg_database", "pg_extension"]
    {
        state.push(db.digest(&format!("pg_catalog.{catalogue}")));
    }
    let objects = "select count(*), min(relname), md5(string_agg(relname || coalesce(relacl::text, ''), ',' order by oid)) \
                   from pg_class where relnamespace <> 'pg_toast'::regnamespace";
    state.extend(db.query(objects).concat());
    state.push(db.value("select last_value::text || is_called from receipts"));
    state
}

fn attempt(product: &Product, statement: &str) -> Result<(), String> {
    let output = product.psql(&product.url_as("reckon").replace("reckon@", "reckon:p@"), &[OPEN, statement]);
    match output.status.success() {
        true => Ok(()),
        false => Err(super::said(&output)),
    }
}

fn product(name: &str) -> Product {
    let cluster = Cluster::start(&[], HBA).leak();
    let product = Product::new(cluster, name, "reckon");
    product.apply("role.sql");
    product.db.sql("alter role reckon password 'p'");
    product
}

#[test]
fn every_statement_that_would_write_is_refused() {
    let product = product("writes");
    let before = state(&product.db);
    let version: u32 = product.db.value("show server_version_num").parse().unwrap();
    let mut tried = 0;
    for line in REFUSED.lines().filter(|line| !line.is_empty() && !line.starts_with("--")) {
        // PostgreSQL 15 has `merge`, and took `create` on schema public from PUBLIC.
        if version < 150_000 && (line.starts_with("merge") || line.contains("public.new_")) {
            continue;
        }
        let error = attempt(&product, line).expect_err(line);
        assert!(error.contains("ERROR:  42501:"), "{line}\n{error}");
        tried += 1;
    }
    assert!(tried > 60, "{tried} statements");
    assert_eq!(state(&product.db), before);
    // The judge sees a write: what the owner does changes the state.
    product.db.sql("update user_profiles set vibe_assistant_tokens_remaining = 1");
    assert_ne!(state(&product.db), before);
}

#[test]
fn as_it_logs_in_the_role_writes_nowhere_at_all() {
    let product = product("default");
    let url = product.url_as("reckon").replace("reckon@", "reckon:p@");
    product.db.sql(GUEST_BOOK);
    for statement in [
        "insert into guest_book values ('x')",
        "create temp table mine (a int)",
        "create function pg_temp.f() returns int language sql as 'select 1'",
        "select grant_as_owner()",
    ] {
        let error = super::said(&product.psql(&url, &[statement]));
        assert!(error.contains("25006") && error.contains("read-only transaction"), "{statement}: {error}");
    }
}

#[test]
fn what_everybody_may_do_is_listed_with_what_takes_it_away() {
    let product = product("everybody");
    product.db.sql(GUEST_BOOK);
    product.db.sql("create sequence tickets; grant usage on sequence tickets to public");
    // The default up to PostgreSQL 14.
    product.db.sql("grant create on schema public to public");
    let (needed, beyond): (Vec<_>, Vec<_>) = product.rights().into_iter().partition(|right| right[0] == "t");
    let needed: Vec<String> = needed.into_iter().map(|[_, may, on, _]| format!("{may} {on}")).collect();
    let expected = [
        "log in reckon".to_owned(),
        format!("connect database {}", product.db.name),
        "usage schema a".to_owned(),
        "usage schema public".to_owned(),
        "select a.token_transactions".to_owned(),
        "select public.household_members".to_owned(),
        "select public.token_usage".to_owned(),
        "select public.user_profiles".to_owned(),
    ];
    assert_eq!(needed, expected);
    for (part, statement) in PUBLIC {
        assert!(beyond.iter().any(|right| right[1] == part), "{part} is listed: {beyond:#?}");
        attempt(&product, statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    assert!(beyond.iter().any(|right| right[1] == "usage" && right[2] == "sequence public.tickets"));

    product.db.sql("drop table public.mine");
    for [_, may, on, way_out] in &beyond {
        assert!(!way_out.is_empty(), "{may} {on}");
        product.db.sql(way_out);
    }
    let left: Vec<[String; 4]> = product.rights().into_iter().filter(|right| right[0] == "f").collect();
    assert!(left.is_empty(), "{left:#?}");
    let before = (state(&product.db), product.db.digest("guest_book"));
    for (_, statement) in PUBLIC {
        let error = attempt(&product, statement).expect_err(statement);
        assert!(error.contains("ERROR:  42501:"), "{statement}\n{error}");
    }
    assert_eq!((state(&product.db), product.db.digest("guest_book")), before);
    // What the job needs is left to it.
    let read = "select count(*) from a.token_transactions, token_usage, user_profiles, household_members";
    assert_eq!(attempt(&product, read), Ok(()));
}
