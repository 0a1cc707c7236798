//! Constraints that were never validated.

use super::between::Mended;
use super::images::tables;
use super::world::CONFIG;

const SMALL: &str = "alter table token_usage add constraint small check (tokens_used < 50) not valid;";

/// The file refuses, and names the constraint and the way out in its header and in its error.
fn refuses(mended: &Mended, file: &str, constraint: &str, way_out: &str, what: &str) {
    let text = mended.text(file);
    let why = format!("-- Why: the constraint {constraint} was never validated (NOT VALID)");
    assert!(text.contains(&why) && text.contains(&format!("-- Way out: run {way_out}; ")), "{what}: {text}");
    let error = mended.refused(file);
    assert!(error.contains(constraint) && error.contains(way_out), "{what}: {error}");
}

#[test]
fn a_row_that_may_stand_against_one_is_neither_changed_nor_removed() {
    let split = "alter table token_usage rename to t0; create table token_usage (like t0 including defaults) partition by list (action_type);
         create table rest partition of token_usage default; insert into token_usage select * from t0;";
    // what the table has · the constraint · the way out · does repair.sql refuse too
    let cases = [
        (SMALL, "small of public.token_usage", "alter table public.token_usage validate constraint small", true),
        (
            "create table users (id uuid primary key); alter table token_usage add constraint \"Of users\" foreign key (user_id) references users not valid;",
            "Of users of public.token_usage",
            "alter table public.token_usage validate constraint \"Of users\"",
            false,
        ),
        (
            "create table sizes (n int primary key); insert into sizes values (1000);
             alter table token_usage add constraint of_sizes foreign key (tokens_used) references sizes not valid;",
            "of_sizes of public.token_usage",
            "alter table public.token_usage validate constraint of_sizes",
            true,
        ),
        (
            &format!("{split} alter table rest add constraint small check (tokens_used < 50) not valid;"),
            "small of public.rest",
            "alter table public.rest validate constraint small",
            true,
        ),
        (
            "create domain size as int; alter table token_usage alter tokens_used type size;
             alter domain size add constraint small check (value < 50) not valid;",
            "small of public.size",
            "alter domain public.size validate constraint small",
            true,
        ),
    ];
    for (further, constraint, way_out, stops_repair) in cases {
        let mended = Mended::with(&tables(further), CONFIG);
        refuses(&mended, "dedupe", constraint, way_out, further);
        if stops_repair {
            refuses(&mended, "repair", constraint, way_out, further);
        } else {
            let before = mended.db.digest("token_usage");
            ["repair", "undo"].iter().for_each(|file| mended.applied(file));
            assert_eq!(mended.db.digest("token_usage"), before, "{further}");
        }
    }
}

#[test]
fn one_that_is_validated_stops_nothing() {
    let further = "alter table token_usage add constraint large check (tokens_used < 5000) not valid;
         alter table token_usage validate constraint large;";
    let mended = Mended::with(&tables(further), CONFIG);
    let before = mended.db.digest("token_usage");
    ["repair", "dedupe", "undo"].iter().for_each(|file| mended.applied(file));
    assert_eq!(mended.db.digest("token_usage"), before);
}

#[test]
fn one_that_is_younger_than_the_run_stops_the_file_too() {
    let mended = Mended::with(&tables("create table users (id uuid primary key);"), CONFIG);
    mended.db.sql(
        "alter table token_usage add constraint of_users foreign key (user_id) references users not valid",
    );
    let error = mended.refused("dedupe");
    assert!(error.contains("never validated (NOT VALID): of_users of token_usage"), "{error}");
    mended.applied("repair");
    mended.applied("undo");
    mended.db.sql(SMALL);
    for file in ["repair", "dedupe"] {
        let error = mended.refused(file);
        assert!(error.contains("small of token_usage"), "{error}");
    }
    mended.db.sql("alter table token_usage drop constraint small, drop constraint of_users");
    ["repair", "dedupe"].iter().for_each(|file| mended.applied(file));
}
