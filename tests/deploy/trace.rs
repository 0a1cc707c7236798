//! `deploy/role_drop.sql` leaves nothing behind.

use super::{Product, STATE, said};
use crate::postgres::cluster::{Cluster, Db};

fn left_of(db: &Db, role: &str) -> String {
    db.value(&format!(
        "select (select count(*) from pg_shdepend where refobjid = {role}) + (select count(*) from pg_roles where oid = {role})
              + (select count(*) from pg_db_role_setting where setrole = {role})
              + (select count(*) from pg_auth_members where {role} in (member, roleid))"
    ))
}

#[test]
fn dropping_the_role_leaves_no_trace() {
    let product = Product::new(Cluster::shared(), "trace", "reckon_trace");
    let before = product.db.query(STATE);
    let script = product.script("role.sql");
    product.db.sql(&script.replace("statistics constant bool := false", "statistics constant bool := true"));
    let role = product.db.value("select 'reckon_trace'::regrole::oid");
    assert_ne!(product.db.query(STATE), before);
    assert_ne!(left_of(&product.db, &role), "0");
    // A right by column, and one that somebody added by hand.
    product
        .db
        .sql("grant select (secret) on secrets to reckon_trace; grant update on totals to reckon_trace;");
    for _ in 0..2 {
        product.apply("role_drop.sql");
        assert_eq!(product.db.query(STATE), before);
        assert_eq!(left_of(&product.db, &role), "0");
    }
}

#[test]
fn the_role_stays_until_the_last_database_has_let_it_go() {
    let one = Product::new(Cluster::shared(), "first", "reckon_two");
    let two = Product::new(Cluster::shared(), "second", "reckon_two");
    one.apply("role.sql");
    two.apply("role.sql");
    let output = one.psql(&one.db.url(), &[&one.script("role_drop.sql")]);
    assert!(output.status.success(), "{}", said(&output));
    let words = format!("still has rights in database {}: run this there too", two.db.name);
    assert!(said(&output).contains(&words), "{}", said(&output));
    assert!(one.db.query(STATE).iter().all(|right| !right.contains(&"reckon_two".to_owned())));
    let exists = "select count(*) from pg_roles where rolname = 'reckon_two'";
    assert_eq!(two.db.value(exists), "1");
    two.apply("role_drop.sql");
    assert_eq!(two.db.value(exists), "0");
}

#[test]
fn what_was_not_made_by_the_script_is_named_and_keeps_the_role() {
    let product = Product::new(Cluster::shared(), "kept", "reckon_kept");
    product.apply("role.sql");
    product.db.sql("create table mine (a int); alter table mine owner to reckon_kept");
    let before = product.db.query(STATE);
    let error = product.db.try_sql(&product.script("role_drop.sql")).unwrap_err();
    assert!(error.contains("owner of table mine"), "{error}");
    assert_eq!(product.db.query(STATE), before, "nothing is changed");
    product.db.sql("drop table mine");
    product.apply("role_drop.sql");
}
