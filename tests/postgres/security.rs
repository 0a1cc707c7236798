//! A table whose rows are hidden must never look clean.

use reckon::source::SourceError;

use super::cluster::{Cluster, Db};
use super::collect::{open, table};

/// Checks a table as a role; the message where it is refused.
fn check(db: &Db, role: &str, name: &str, columns: &[&str]) -> Result<(), String> {
    let mut database = open(&db.url_as(role)).unwrap();
    database.check_readable(&table(name), columns).map_err(|error| match error {
        SourceError::Database { message, transient: false } => message,
        other => panic!("{other:?}"),
    })
}

/// Roles of the whole cluster: `NAME_` and the kind, for each test its own.
fn with_roles(name: &str) -> Db {
    let db = Cluster::shared().database(name);
    let role = |kind: &str| format!("{}_{kind}", db.name);
    db.sql(&format!(
        "create role {owner} login; create role {reader} login; create role {member} login;
         create role {grp}; grant {grp} to {member}; create role {bypass} login bypassrls;
         grant usage on schema public to public; grant create on schema public to {owner};
         grant {owner} to postgres;",
        owner = role("owner"),
        reader = role("reader"),
        member = role("member"),
        grp = role("grp"),
        bypass = role("bypass"),
    ));
    db
}

#[test]
fn row_level_security_passes_only_where_every_row_is_seen() {
    let db = with_roles("rls");
    // policies, forced, role, is it allowed?
    let cases = [
        ("", false, "postgres", true),
        ("", false, "bypass", true),
        ("", false, "owner", true),
        ("", true, "owner", false),
        ("", false, "reader", false),
        ("create policy own on t using (u = 1)", false, "reader", false),
        ("create policy open on t using (true)", false, "reader", true),
        ("create policy open on t for select using (true)", false, "reader", true),
        ("create policy open on t for update using (true)", false, "reader", false),
        ("create policy own on t using (u = 1); create policy open on t using (true)", false, "reader", true),
        (
            "create policy open on t using (true); create policy cut on t as restrictive using (u > 0)",
            false,
            "reader",
            false,
        ),
        (
            "create policy open on t using (true); create policy cut on t as restrictive using (true)",
            false,
            "reader",
            true,
        ),
        ("create policy open on t to GRP using (true)", false, "reader", false),
        ("create policy open on t to GRP using (true)", false, "member", true),
        ("create policy open on t using (true)", true, "owner", true),
        (
            "create policy open on t using (true); create policy cut on t as restrictive to GRP using (false)",
            false,
            "reader",
            true,
        ),
    ];
    for (policies, forced, role, allowed) in cases {
        let policies = policies.replace("GRP", &format!("{}_grp", db.name));
        db.sql(&format!(
            "drop table if exists t; set role {0}_owner; create table t (id int, u int); insert into t values (1, 1), (2, 2);
             alter table t enable row level security; {1}
             grant select on t to public; {policies}",
            db.name,
            if forced { "alter table t force row level security;" } else { "" },
        ));
        let role = if role == "postgres" { role.to_owned() } else { format!("{}_{role}", db.name) };
        let result = check(&db, &role, "public.t", &["id", "u"]);
        assert_eq!(result.is_ok(), allowed, "{role} {forced} {policies}: {result:?}");
        if let Err(message) = result {
            for part in ["public.t", role.as_str(), "row-level security", "bypassrls"] {
                assert!(message.replace('"', "").contains(part), "{part}: {message}");
            }
        }
    }
}

#[test]
fn only_ways_out_that_lead_out_are_advised() {
    let db = with_roles("ways");
    let job = format!("{}_reader", db.name);
    let create = format!("create policy reckon_reads on public.t for select to {job} using (true)");
    // The table, and whether owning it and a policy more would let every row through.
    let cases = [
        ("create policy own on t using (u = 1)", true, true),
        ("alter table t force row level security; create policy own on t using (u = 1)", false, true),
        (
            "create policy open on t using (true); create policy cut on t as restrictive using (u = 1)",
            true,
            false,
        ),
        (
            "alter table t force row level security; create policy cut on t as restrictive using (u = 1)",
            false,
            false,
        ),
    ];
    for (policies, owns, creates) in cases {
        db.sql(&format!(
            "drop table if exists t; set role {0}_owner; create table t (id int, u int);
             insert into t values (1, 1), (2, 2); alter table t enable row level security; {policies};
             grant select on t to public;",
            db.name
        ));
        let said = check(&db, &job, "public.t", &["id", "u"]).unwrap_err();
        assert!(said.contains(&format!("alter role {job} bypassrls")), "{policies}: {said}");
        assert_eq!(said.contains("use a role that owns the table"), owns, "{policies}: {said}");
        assert_eq!(said.contains(&create), creates, "{policies}: {said}");
        // What is advised does what it promises.
        let owner = format!("{}_owner", db.name);
        assert_eq!(check(&db, &owner, "public.t", &["id", "u"]).is_ok(), owns, "{policies}");
        db.sql(&create);
        assert_eq!(check(&db, &job, "public.t", &["id", "u"]).is_ok(), creates, "{policies}");
    }
}

#[test]
fn a_view_is_looked_through_to_its_tables_and_their_readers() {
    let db = with_roles("views");
    db.sql(&format!(
        "set role {0}_owner;
         create table t (id int, u int); alter table t enable row level security; grant select on t to public;
         create policy own on t using (u = 1);
         create view by_owner as select * from t;
         create view nested as select * from by_owner;
         reset role;
         create view by_super as select * from t;
         create view invoked with (security_invoker = true) as select * from t;
         create view over_invoked as select * from invoked;
         set role {0}_owner;
         create table open (id int, u int); grant select on open to public;
         create view joined as select o.* from open o where exists (select from t where t.id = o.id);
         reset role;
         create view by_reader as select * from t; alter view by_reader owner to {0}_reader;
         grant select on by_owner, nested, by_super, invoked, over_invoked, joined, by_reader to public;",
        db.name
    ));
    let cases = [
        ("by_owner", "reader", true),
        ("nested", "reader", true),
        ("by_super", "reader", true),
        ("joined", "reader", true),
        ("invoked", "reader", false),
        ("invoked", "bypass", true),
        ("over_invoked", "reader", false),
        ("by_reader", "bypass", false),
        ("open", "reader", true),
    ];
    for (view, role, allowed) in cases {
        let result = check(&db, &format!("{}_{role}", db.name), view, &["id"]);
        assert_eq!(result.is_ok(), allowed, "{view} as {role}: {result:?}");
    }
    db.sql("alter table t force row level security");
    let message = check(&db, &format!("{}_reader", db.name), "nested", &["id"]).unwrap_err();
    assert!(message.contains("read through") && message.contains("\"own\""), "{message}");
}

#[test]
fn a_materialised_view_holds_what_its_owner_saw() {
    let db = with_roles("kept");
    db.sql(&format!(
        "create table t (id int); alter table t enable row level security; grant select on t to public;
         create policy own on t using (id = 1);
         create materialized view by_super as select * from t; create materialized view by_reader as select * from t;
         alter materialized view by_reader owner to {}_reader; grant select on by_super, by_reader to public;",
        db.name
    ));
    let role = format!("{}_bypass", db.name);
    assert_eq!(check(&db, &role, "by_super", &["id"]), Ok(()));
    let message = check(&db, &role, "by_reader", &["id"]).unwrap_err();
    assert!(message.contains("read through") && message.contains("\"own\""), "{message}");
}

/// What cannot be told of the rows of a relation; or the message where it is refused.
fn doubts(db: &Db, role: &str, name: &str) -> Result<Vec<String>, String> {
    let mut database = open(&db.url_as(&format!("{}_{role}", db.name))).unwrap();
    database.check_readable(&table(name), &[]).map_err(|error| error.to_string())?;
    Ok(database.doubts().map(|(_, doubt)| doubt.to_owned()).collect())
}

#[test]
fn a_function_in_a_view_is_a_doubt_and_where_policies_are_in_its_reach_a_refusal() {
    let db = with_roles("functions");
    db.sql(&format!(
        "set role {0}_owner;
         create table t (id int); alter table t enable row level security; create policy own on t using (id = 1);
         create table open (id int); grant select on t, open to public;
         create function rows() returns setof t language sql stable as 'select * from t';
         create function rows_of_owner() returns setof t language sql stable security definer as 'select * from t';
         create function is_there(a int, b int) returns boolean language plpgsql stable
           as 'begin return exists (select from t where id = a); end';
         create operator === (leftarg = int, rightarg = int, function = is_there);
         create function tidy(x text) returns text language sql immutable as 'select lower(x)';
         create view called as select * from rows();
         create view nested as select * from called;
         create view defined as select * from rows_of_owner();
         create view joined as select * from open where id === 1;
         create view tidied as select id, tidy('X') as a from open;
         create view plain as select id, lower('X') as a from open;
         grant select on called, nested, defined, joined, tidied, plain to public;",
        db.name
    ));
    // View, role, the function that is named, is it refused?
    let cases = [
        ("called", "reader", Some("public.rows"), true),
        ("nested", "reader", Some("public.rows"), true),
        ("joined", "reader", Some("public.is_there"), true),
        ("called", "bypass", Some("public.rows"), false),
        ("called", "owner", Some("public.rows"), false),
        ("defined", "reader", Some("public.rows_of_owner"), false),
        ("tidied", "reader", Some("public.tidy"), false),
        ("plain", "reader", None, false),
    ];
    for (view, role, function, refused) in cases {
        let found = doubts(&db, role, view);
        assert_eq!(found.is_err(), refused, "{view} as {role}: {found:?}");
        let told = found.unwrap_or_else(|message| vec![message]).join("; ");
        match function {
            None => assert_eq!(told, "", "{view}"),
            Some(function) => assert!(told.contains(&format!("calls function {function}")), "{view}: {told}"),
        }
        assert!(!refused || told.contains("security on table public.t may hide rows"), "{told}");
    }
    // Nothing of what hides rows is in reach any more, or it hides none.
    for change in ["revoke select on t from public", "create policy every on t using (true)"] {
        db.sql(&format!("grant select on t to public; {change}"));
        assert_eq!(doubts(&db, "reader", "called").map(|doubts| doubts.len()), Ok(1), "{change}");
    }
}

#[test]
fn of_a_foreign_table_nobody_can_tell_what_its_server_hides() {
    let db = with_roles("foreign");
    db.sql(
        "create foreign data wrapper elsewhere; create server there foreign data wrapper elsewhere;
         create foreign table f (id int) server there; create view over_it as select * from f;
         create table parted (id int) partition by range (id);
         create foreign table part partition of parted for values from (0) to (9) server there;
         grant select on f, over_it, parted to public;",
    );
    for (name, foreign) in [
        ("f", "public.f is"),
        ("over_it", "public.f (read through public.over_it) is"),
        ("parted", "public.part (read through public.parted) is"),
    ] {
        let told = doubts(&db, "reader", name).unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&format!("{foreign} a foreign table")), "{told:?}");
    }
}

#[test]
fn what_is_missing_is_named_with_the_way_out() {
    let db = with_roles("missing");
    db.sql(&format!(
        "create schema closed; create table closed.t (id int);
         create table token_usage (id int, user_id int, metadata jsonb);
         create table locked (id int); create table partly (id int, secret int); grant select (id) on partly to public;
         create materialized view empty as select 1 as id with no data; grant select on empty, token_usage to public;
         grant select on closed.t to {}_reader;",
        db.name
    ));
    let role = format!("{}_reader", db.name);
    let cases: [(&str, &[&str], &[&str]); 8] = [
        ("token_usages", &["id"], &["no table token_usages", "did you mean public.token_usage?"]),
        ("app.token_usage", &["id"], &["no table app.token_usage", "did you mean public.token_usage?"]),
        ("token_usage", &["id", "user"], &["no column user", "did you mean user_id?"]),
        ("token_usage", &["id", "metadata.a.b"], &[]),
        ("closed.t", &["id"], &["grant usage on schema closed", &role]),
        ("locked", &["id"], &["may not read table", "grant select on", &role]),
        ("partly", &["id", "secret"], &["may not read column secret", "grant select (secret)", &role]),
        ("empty", &["id"], &["refresh materialized view"]),
    ];
    for (name, columns, parts) in cases {
        match check(&db, &role, name, columns) {
            Ok(()) => assert!(parts.is_empty(), "{name} {columns:?} passes"),
            Err(message) => {
                assert!(!parts.is_empty(), "{message}");
                for part in parts {
                    assert!(message.contains(part), "{part}: {message}");
                }
            }
        }
    }
    assert!(check(&db, &role, "partly", &["id"]).is_ok());
}

#[test]
fn a_role_with_columns_alone_reads_them() {
    let db = with_roles("columns");
    db.sql(&format!(
        "create table t (id int, u int, a text, n int, c timestamptz, secret text);
         insert into t values (1, 1, 'g', 5, '2026-01-01+00', 'x');
         grant select (id, u, a, n, c) on t to {}_reader;",
        db.name
    ));
    let mut database = open(&db.url_as(&format!("{}_reader", db.name))).unwrap();
    let columns = super::collect::side("t", ["id", "u", "a", "n", "c"]);
    let reading = database
        .scan(
            &columns,
            &reckon::source::DetailRule::All,
            &super::collect::Keeper::all,
            &reckon::source::Progress::hidden(),
        )
        .unwrap();
    assert_eq!(super::collect::rows_of(&reading)[0].keys, "1|g|5|2026-01-01T00:00:00.000000Z");
}
